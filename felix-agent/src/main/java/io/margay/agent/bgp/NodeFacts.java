package io.margay.agent.bgp;

import io.margay.agent.calc.ClusterView;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.AddressOnLink;
import io.margay.model.resource.BGPConfiguration;
import io.margay.model.resource.BGPConfigurationSpec;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeBgp;
import java.util.Objects;
import java.util.Optional;

/// What the resources say of nodes as BGP speakers.
final class NodeFacts {

  private final ClusterView view;

  NodeFacts(ClusterView view) {
    this.view = view;
  }

  /// The cluster's settings.
  BGPConfigurationSpec cluster() {
    return view.bgpConfiguration().map(BGPConfiguration::spec).orElse(BGPConfigurationSpec.EMPTY);
  }

  Asn clusterAsn() {
    return cluster().effectiveAsNumber();
  }

  Asn asn(Node node) {
    return Objects.requireNonNullElse(bgp(node).asNumber(), clusterAsn());
  }

  int listenPort(String nodeName) {
    return view.bgpConfigurationOf(nodeName)
        .map(own -> own.spec().listenPort())
        .orElse(cluster().effectiveListenPort());
  }

  Optional<IpAddress> address(Node node, IpFamily family) {
    NodeBgp bgp = bgp(node);
    return Optional.ofNullable(
            switch (family) {
              case IPV4 -> bgp.ipv4Address();
              case IPV6 -> bgp.ipv6Address();
            })
        .map(AddressOnLink::address);
  }

  /// The node that has an address as its BGP address.
  Optional<Node> at(IpAddress address) {
    return view.nodes().values().stream()
        .filter(node -> address(node, address.family()).equals(Optional.of(address)))
        .findFirst();
  }

  String clusterId(Node node) {
    return clusterId(bgp(node));
  }

  /// Empty for a node that reflects nothing.
  static String clusterId(NodeBgp bgp) {
    return Objects.requireNonNullElse(bgp.routeReflectorClusterID(), "");
  }

  private static NodeBgp bgp(Node node) {
    return Objects.requireNonNullElse(node.spec().bgp(), NodeBgp.EMPTY);
  }
}
