package io.margay.agent.dataplane;

import io.margay.agent.firewall.Ways;
import io.margay.linux.LinuxException;

/// What of the node's network says by which interfaces connections come and go.
///
/// @param own all addresses of the node
/// @param held those of links by which packets may come in, and all that are link-local
/// @param virtual those that dummies alone have, as services' in kube-proxy's IPVS mode
/// @param routing read once a round, and asked at most once for each address
public record NodeNetwork(
    HostPortFlows.LocalAddresses own,
    HostAddresses held,
    HostPortFlows.LocalAddresses virtual,
    Routing routing) {

  /// Reads how packets are routed now.
  public interface Routing {

    /// @throws LinuxException if the kernel does not tell
    Ways read() throws LinuxException;
  }
}
