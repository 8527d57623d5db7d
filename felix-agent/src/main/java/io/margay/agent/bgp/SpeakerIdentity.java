package io.margay.agent.bgp;

import io.margay.agent.calc.ClusterView;
import io.margay.agent.settings.AgentSettings;
import io.margay.agent.settings.HashedRouterId;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.RouterId;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeBgp;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/// What a speaker tells its peers about itself: fixed for its life.
///
/// @param clusterId present when the node is a route reflector (RFC 4456 §7)
/// @param bindsToNode whether connections are taken at the node's own addresses alone (bindMode
///   NodeIP)
/// @param nextHops the node's own addresses
public record SpeakerIdentity(
    Asn asn,
    RouterId routerId,
    Optional<RouterId> clusterId,
    int listenPort,
    boolean bindsToNode,
    Map<IpFamily, IpAddress> nextHops) {

  /// Works it out, or nothing when there is none: neither a router id nor an address, or AS 0,
  /// which is reserved (RFC 7607).
  static Optional<SpeakerIdentity> of(
      String nodeName, AgentSettings.Bgp settings, ClusterView view) {
    NodeFacts facts = new NodeFacts(view);
    NodeBgp node =
        view.node(nodeName).map(Node::spec).map(spec -> spec.bgp()).orElse(NodeBgp.EMPTY);
    Map<IpFamily, IpAddress> own = new EnumMap<>(IpFamily.class);
    for (IpFamily family : IpFamily.values()) {
      view.node(nodeName)
          .flatMap(known -> facts.address(known, family))
          .ifPresent(address -> own.put(family, address));
    }
    settings.ipv4().ifPresent(address -> own.put(IpFamily.IPV4, address));
    settings.ipv6().ifPresent(address -> own.put(IpFamily.IPV6, address));
    Asn asn =
        settings
            .asNumber()
            .or(() -> Optional.ofNullable(node.asNumber()))
            .orElse(facts.clusterAsn());
    Optional<RouterId> routerId = settings.routerId().or(() -> routerId(nodeName, own));
    if (routerId.isEmpty() || asn.toLong() == 0) {
      return Optional.empty();
    }
    String clusterId = NodeFacts.clusterId(node);
    return Optional.of(
        new SpeakerIdentity(
            asn,
            routerId.get(),
            clusterId.isEmpty() ? Optional.empty() : Optional.of(RouterId.parse(clusterId)),
            facts.listenPort(nodeName),
            "NodeIP".equals(facts.cluster().bindMode()),
            Map.copyOf(own)));
  }

  /// The IPv4 address; a node that has only an IPv6 one goes by its name.
  private static Optional<RouterId> routerId(String nodeName, Map<IpFamily, IpAddress> own) {
    if (own.get(IpFamily.IPV4) instanceof Ipv4Address v4) {
      return Optional.of(new RouterId(v4.value()));
    }
    return own.isEmpty() ? Optional.empty() : Optional.of(HashedRouterId.of(nodeName));
  }
}
