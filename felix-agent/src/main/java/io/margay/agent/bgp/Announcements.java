package io.margay.agent.bgp;

import io.margay.agent.calc.ClusterView;
import io.margay.bgp.message.Community;
import io.margay.bgp.message.LargeCommunity;
import io.margay.bgp.policy.CommunityTag;
import io.margay.bgp.speaker.OriginatedRoute;
import io.margay.model.net.Prefix;
import io.margay.model.resource.BGPConfiguration;
import io.margay.model.resource.BGPConfigurationSpec;
import io.margay.model.resource.BgpCommunity;
import io.margay.model.resource.PrefixAdvertisement;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/// What a node tells peers of its own prefixes: BGPConfiguration's prefixAdvertisements say which
/// communities go with them.
public final class Announcements {

  private Announcements() {}

  /// @param prefixes the node's own, all of them
  public static Set<OriginatedRoute> of(
      Collection<Prefix> prefixes, String nodeName, ClusterView view) {
    BGPConfigurationSpec spec = advertising(nodeName, view);
    Map<String, String> named = new HashMap<>();
    for (BgpCommunity community : spec.communities()) {
      named.putIfAbsent(community.name(), community.value());
    }
    Set<OriginatedRoute> routes = new LinkedHashSet<>();
    for (Prefix prefix : prefixes) {
      Set<Community> standard = new HashSet<>();
      Set<LargeCommunity> large = new HashSet<>();
      for (PrefixAdvertisement advertisement : spec.prefixAdvertisements()) {
        if (advertisement.cidr().contains(prefix)) {
          for (String text : advertisement.communities()) {
            switch (CommunityTag.parse(named.getOrDefault(text, text))) {
              case CommunityTag.Standard(Community community) -> standard.add(community);
              case CommunityTag.Large(LargeCommunity community) -> large.add(community);
            }
          }
        }
      }
      routes.add(new OriginatedRoute(prefix, standard, large));
    }
    return routes;
  }

  /// A node's own advertisements take the place of the cluster's, as in Calico.
  private static BGPConfigurationSpec advertising(String nodeName, ClusterView view) {
    return view.bgpConfigurationOf(nodeName)
        .map(BGPConfiguration::spec)
        .filter(own -> !own.prefixAdvertisements().isEmpty())
        .or(() -> view.bgpConfiguration().map(BGPConfiguration::spec))
        .orElse(BGPConfigurationSpec.EMPTY);
  }
}
