package io.margay.agent.bgp;

import io.margay.agent.calc.ClusterView;
import io.margay.model.net.IpAddress;
import io.margay.model.net.ScopedAddress;
import io.margay.model.resource.BGPConfigurationSpec;
import io.margay.model.resource.BGPPeerSpec;
import io.margay.model.resource.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The node-to-node mesh: each node that is no route reflector peers with each other such node, in
/// the families both have an address of.
final class MeshPlan {

  private static final String SOURCE = "BGPConfiguration default, " + BgpIntent.MESH;

  private MeshPlan() {}

  static List<Peering> of(String nodeName, SpeakerIdentity self, ClusterView view) {
    NodeFacts facts = new NodeFacts(view);
    if (!facts.cluster().isNodeToNodeMeshEnabled()
        || view.isBgpConfigurationUnknown()
        || self.clusterId().isPresent()) {
      return List.of();
    }
    List<Peering> mesh = new ArrayList<>();
    for (Map.Entry<String, Node> other : view.nodes().entrySet()) {
      if (other.getKey().equals(nodeName) || !facts.clusterId(other.getValue()).isEmpty()) {
        continue;
      }
      self.nextHops()
          .forEach(
              (family, own) ->
                  facts
                      .address(other.getValue(), family)
                      .filter(address -> !address.equals(own))
                      .ifPresent(
                          address -> mesh.add(peering(other.getValue(), address, own, facts))));
    }
    return mesh;
  }

  private static Peering peering(Node other, IpAddress address, IpAddress own, NodeFacts facts) {
    return new Peering(
        SOURCE,
        BgpIntent.MESH,
        PeerOrigin.NODE_MESH,
        ScopedAddress.of(address),
        facts.listenPort(other.metadata().name()),
        facts.asn(other),
        Set.of(address.family()),
        waitsFor(address, own),
        "",
        false,
        spec(facts.cluster()),
        Optional.empty());
  }

  /// Of two nodes the one whose address is the greater text dials, as Calico's do.
  static boolean waitsFor(IpAddress other, IpAddress own) {
    return other.toString().compareTo(own.toString()) > 0;
  }

  private static BGPPeerSpec spec(BGPConfigurationSpec cluster) {
    return new BGPPeerSpec(
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        cluster.nodeMeshPassword(),
        null,
        cluster.nodeMeshMaxRestartTime(),
        null,
        null,
        null,
        null,
        List.of(),
        null,
        null,
        Map.of());
  }

  /// What can't be done about the mesh; empty if all can.
  static Optional<String> problem(ClusterView view) {
    return view.isBgpConfigurationUnknown()
        ? Optional.of(
            "BGPConfiguration default can't be read; no node-to-node mesh is made until it can, and"
                + " everything else in it has its default")
        : Optional.empty();
  }
}
