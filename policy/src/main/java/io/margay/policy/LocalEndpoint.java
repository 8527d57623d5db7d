package io.margay.policy;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Map;

/// A workload endpoint of this node.
///
/// @param labels its own, with the implied ones
/// @param profiles in order
/// @param hostPorts each once
/// @param spoofable prefixes it may send from beside its own addresses
record LocalEndpoint(
    InterfaceName interfaceName,
    List<IpAddress> addresses,
    Map<String, String> labels,
    List<String> profiles,
    List<HostPort> hostPorts,
    List<Prefix> spoofable)
    implements Policed {

  LocalEndpoint {
    addresses = List.copyOf(addresses);
    labels = Map.copyOf(labels);
    profiles = List.copyOf(profiles);
    hostPorts = List.copyOf(hostPorts);
    spoofable = List.copyOf(spoofable);
  }
}
