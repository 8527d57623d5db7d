package io.margay.model.k8s;

import io.margay.model.resource.Port;
import io.margay.model.resource.Protocol;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The ports of one Kubernetes rule, gathered by protocol: a v3 rule has one protocol.
final class ProtocolPorts {

  /// Ports in one v3 rule.
  static final int MAX_PORTS = 50;

  /// What one v3 rule says of ports.
  ///
  /// @param protocol null = any
  /// @param ports empty = all
  record Match(@Nullable Protocol protocol, List<Port> ports) {}

  private final Map<String, List<Port>> byProtocol = new TreeMap<>();
  private final Set<String> whole = new HashSet<>();

  /// @param port null = every port of the protocol
  void add(Protocol protocol, @Nullable Port port) {
    String name = protocol.toString();
    List<Port> sofar = byProtocol.computeIfAbsent(name, _ -> new ArrayList<>());
    if (port == null) {
      whole.add(name);
    } else {
      sofar.add(port);
    }
  }

  /// The fewest rules that mean the same, protocols by name; one that matches everything if nothing
  /// was added.
  List<Match> matches() {
    if (byProtocol.isEmpty()) {
      return List.of(new Match(null, List.of()));
    }
    List<Match> matches = new ArrayList<>();
    byProtocol.forEach(
        (name, ports) -> {
          Protocol protocol = Protocol.parse(name);
          List<Port> merged = whole.contains(name) ? List.of() : PortRanges.merged(ports);
          if (merged.isEmpty()) {
            matches.add(new Match(protocol, merged));
          }
          for (int i = 0; i < merged.size(); i += MAX_PORTS) {
            matches.add(
                new Match(protocol, merged.subList(i, Math.min(i + MAX_PORTS, merged.size()))));
          }
        });
    return matches;
  }
}
