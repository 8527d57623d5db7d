package io.margay.policy;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.util.List;
import java.util.Map;

/// A workload endpoint of this node.
///
/// @param labels its own, with the implied ones
/// @param profiles in order
/// @param hostPorts each once
record LocalEndpoint(
    InterfaceName interfaceName,
    List<IpAddress> addresses,
    Map<String, String> labels,
    List<String> profiles,
    List<HostPort> hostPorts) {

  LocalEndpoint {
    addresses = List.copyOf(addresses);
    labels = Map.copyOf(labels);
    profiles = List.copyOf(profiles);
    hostPorts = List.copyOf(hostPorts);
  }
}
