package io.margay.policy;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.selector.Selector;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A [ComputedRule] before its selectors and named ports have become sets. Holds only what can
/// match.
record SelectorRule(
    int index,
    RuleAction action,
    @Nullable IpFamily ipVersion,
    @Nullable Integer protocol,
    @Nullable Integer notProtocol,
    @Nullable IcmpMatch icmp,
    @Nullable IcmpMatch notIcmp,
    Peer source,
    Peer destination) {

  /// One end of the packet; see [PeerMatch] for how the fields combine.
  ///
  /// @param selector effective: scoped to its namespaces, with inherited keys prefixed
  /// @param notSelector as written: it is never scoped
  /// @param service instead of all others but a source's ports
  record Peer(
      List<Prefix> nets,
      List<Prefix> notNets,
      @Nullable Selector selector,
      @Nullable Selector notSelector,
      List<PortRange> ports,
      List<String> namedPorts,
      List<PortRange> notPorts,
      List<String> notNamedPorts,
      @Nullable ServiceKey service) {

    static final Peer ANY =
        new Peer(
            List.of(), List.of(), null, null, List.of(), List.of(), List.of(), List.of(), null);

    Peer {
      nets = List.copyOf(nets);
      notNets = List.copyOf(notNets);
      ports = List.copyOf(ports);
      namedPorts = List.copyOf(namedPorts);
      notPorts = List.copyOf(notPorts);
      notNamedPorts = List.copyOf(notNamedPorts);
    }
  }

  /// Matches every packet.
  static SelectorRule any(int index, RuleAction action) {
    return new SelectorRule(index, action, null, null, null, null, null, Peer.ANY, Peer.ANY);
  }
}
