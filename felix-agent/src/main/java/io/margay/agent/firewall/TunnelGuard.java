package io.margay.agent.firewall;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.Set;

/// Who may send this node packets wrapped in VXLAN, and be sent such.
///
/// @param port UDP
/// @param families of the outer packets; where nothing is wrapped the port is nobody's business
/// @param machines addresses of the cluster's other nodes
public record TunnelGuard(int port, Set<IpFamily> families, Set<IpAddress> machines) {

  /// What pods may not send to even where nothing is wrapped: VXLAN's own port (RFC 7348 §5).
  public static final int WELL_KNOWN_PORT = 4789;

  /// Nothing is wrapped.
  public static final TunnelGuard NONE = new TunnelGuard(WELL_KNOWN_PORT, Set.of(), Set.of());

  public TunnelGuard {
    families = Set.copyOf(families);
    machines = Set.copyOf(machines);
  }
}
