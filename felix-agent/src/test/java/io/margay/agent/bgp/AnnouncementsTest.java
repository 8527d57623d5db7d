package io.margay.agent.bgp;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.calc.Documents;
import io.margay.bgp.message.Community;
import io.margay.bgp.message.LargeCommunity;
import io.margay.bgp.speaker.OriginatedRoute;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AnnouncementsTest {

  private static final Prefix BLOCK = Prefix.parse("10.65.0.64/26");
  private static final Prefix ELSEWHERE = Prefix.parse("10.99.0.0/26");

  private static final String CLUSTER =
      document(
          "BGPConfiguration",
          "default",
          """
          {communities: [{name: pods, value: '65001:7'}, {name: big, value: '65001:1:4294967295'}],
           prefixAdvertisements: [{cidr: 10.65.0.0/16, communities: [pods, '65001:8']},
                                  {cidr: 10.65.0.64/26, communities: [big, pods]},
                                  {cidr: 10.65.0.64/27, communities: ['65001:9']},
                                  {cidr: 'fd00::/8', communities: ['65001:6']}]}
          """);

  private static Set<OriginatedRoute> routes(String documents) {
    return Announcements.of(List.of(BLOCK, ELSEWHERE), "n1", Documents.view(documents));
  }

  private static Community community(int low) {
    return new Community(65001 << 16 | low);
  }

  @Test
  void a_prefix_carries_the_communities_of_every_advertisement_it_lies_in() {
    assertThat(routes(CLUSTER))
        .containsExactly(
            new OriginatedRoute(
                BLOCK,
                Set.of(community(7), community(8)),
                Set.of(new LargeCommunity(65001, 1, -1))),
            OriginatedRoute.of(ELSEWHERE));
  }

  @Test
  void a_nodes_own_advertisements_take_the_place_of_the_clusters() {
    String own =
        document(
            "BGPConfiguration",
            "node.n1",
            "{prefixAdvertisements: [{cidr: 10.99.0.0/16, communities: ['65001:5']}]}");
    assertThat(routes(CLUSTER + own))
        .containsExactly(
            OriginatedRoute.of(BLOCK), new OriginatedRoute(ELSEWHERE, Set.of(community(5))));
    assertThat(routes(CLUSTER + own.replace("node.n1", "node.n2"))).isEqualTo(routes(CLUSTER));
  }

  @Test
  void without_advertisements_prefixes_are_bare() {
    assertThat(routes(""))
        .containsExactly(OriginatedRoute.of(BLOCK), OriginatedRoute.of(ELSEWHERE));
  }
}
