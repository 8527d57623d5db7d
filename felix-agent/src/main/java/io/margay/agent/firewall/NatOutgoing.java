package io.margay.agent.firewall;

import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Port;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Which packets leave under the node's own address: those from a pool with natOutgoing to an
/// address that is not inside.
///
/// @param masqueradePools pools whose addresses are not known outside
/// @param inside every pool, and whatever else knows pods as they are
/// @param address under which IPv4 address instead; null = that of the interface they leave by
/// @param ports from which ports, of TCP and UDP; null = any
public record NatOutgoing(
    Set<Prefix> masqueradePools,
    Set<Prefix> inside,
    @Nullable Ipv4Address address,
    Port.@Nullable Range ports) {

  /// Nothing is masqueraded.
  public static final NatOutgoing NONE = new NatOutgoing(Set.of(), Set.of());

  public NatOutgoing {
    masqueradePools = Set.copyOf(masqueradePools);
    inside = Set.copyOf(inside);
  }

  /// Under the address of the interface, from any port.
  public NatOutgoing(Set<Prefix> masqueradePools, Set<Prefix> inside) {
    this(masqueradePools, inside, null, null);
  }
}
