package io.margay.policy;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What selectors of rules can pick: a workload endpoint of any node, or a network set.
///
/// @param labels its own, with the implied ones
/// @param parents profiles it inherits labels from, the first wins
/// @param nets its addresses or prefixes
/// @param ports its named ports; none for network sets
record SetSource(
    Map<String, String> labels, List<String> parents, List<Prefix> nets, List<Port> ports) {

  /// A named port.
  ///
  /// @param protocol IP protocol number
  record Port(String name, int protocol, int number) {}

  SetSource {
    labels = Map.copyOf(labels);
    parents = List.copyOf(parents);
    nets = List.copyOf(nets);
    ports = List.copyOf(ports);
  }

  /// What this contributes to a set whose selector matches it.
  Set<SetMember> membersOf(SetDefinition.Selected set) {
    Set<SetMember> members = new LinkedHashSet<>();
    SetDefinition.NamedPortRef wanted = set.namedPort();
    if (wanted == null) {
      nets.forEach(net -> members.add(new SetMember.Net(net)));
      return members;
    }
    for (Port port : ports) {
      if (port.protocol == wanted.protocol() && port.name.equals(wanted.name())) {
        for (IpAddress address : addresses()) {
          members.add(new SetMember.NamedPort(address, port.protocol, port.number));
        }
      }
    }
    return members;
  }

  private List<IpAddress> addresses() {
    List<IpAddress> addresses = new ArrayList<>(nets.size());
    nets.forEach(net -> addresses.add(net.address()));
    return addresses;
  }
}
