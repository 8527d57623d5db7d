package io.margay.agent.firewall;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Ipv4Address;
import java.util.Map;
import java.util.Set;

/// What of the node's network says which endpoints a connection meets.
///
/// @param own the node's addresses
/// @param holders by address of the node, which of its own interfaces have it; of one that is
///   link-local, which of all
/// @param virtual the node's addresses that may be services', whose packets are led on behind the
///   input hook (IPVS)
/// @param toWorkloads ways to addresses that are not the node's, as far as workloads may be there;
///   empty elsewhere
/// @param ways to any address that is not the node's
public record Surroundings(
    Set<IpAddress> own,
    Map<IpAddress, Set<InterfaceName>> holders,
    Set<IpAddress> virtual,
    Ways toWorkloads,
    Ways ways) {

  boolean isNodes(IpAddress address) {
    return address instanceof Ipv4Address ipv4 && ipv4.isLoopback() || own.contains(address);
  }

  Set<InterfaceName> holding(IpAddress address) {
    return holders.getOrDefault(address, Set.of());
  }
}
