package io.margay.agent.bgp;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.calc.ClusterView;
import io.margay.agent.calc.Documents;
import io.margay.agent.settings.AgentSettings;
import io.margay.bgp.policy.CommunityTag;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.FilterRule;
import io.margay.bgp.policy.InterfacePattern;
import io.margay.bgp.policy.PrefixMatch;
import io.margay.bgp.policy.RouteFilter;
import io.margay.bgp.policy.RouteOperation;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.model.net.Asn;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FilterPlanTest {

  private static final AgentSettings.Bgp SETTINGS =
      new AgentSettings.Bgp(
          Optional.of(Ipv4Address.parse("10.0.0.1")),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          true);

  private static final String PEER =
      document("BGPPeer", "tor", "{peerIP: 172.16.0.0, asNumber: 65001, filters: [one, two]}");

  private static BgpIntent intent(ClusterView view) {
    return BgpIntent.of("n1", SETTINGS, view, List.of(), Passwords.NONE).orElseThrow();
  }

  private static List<RouteFilter> filters(String documents) {
    BgpIntent intent = intent(Documents.view(documents));
    assertThat(intent.problems()).isEmpty();
    return intent.peers().getFirst().policy().filters();
  }

  private static String filter(String name, String spec) {
    return document("BGPFilter", name, spec);
  }

  @Test
  void a_peers_filters_are_asked_in_the_order_it_names_them() {
    assertThat(filters(filter("two", "{}") + filter("one", "{}") + PEER))
        .extracting(RouteFilter::name)
        .containsExactly("one", "two");
  }

  @Test
  void every_field_of_a_rule_is_served() {
    String rich =
        """
        {exportV4: [{action: Accept, cidr: 10.65.0.0/16, matchOperator: In,
                     prefixLength: {min: 24, max: 28}, source: RemotePeers, interface: 'eth*',
                     peerType: eBGP, communities: {values: ['65001:7']}, asPathPrefix: [65010, 65011],
                     priority: 512,
                     operations: [{addCommunity: {value: '65001:1:2'}},
                                  {prependASPath: {prefix: [65020]}}, {setPriority: {value: 900}}]},
                    {action: Reject}],
         importV6: [{action: Reject, cidr: 'fd00::/8', matchOperator: NotIn, peerType: iBGP}]}
        """;
    RouteFilter served = filters(filter("one", rich) + filter("two", "{}") + PEER).getFirst();
    assertThat(served.exportV4())
        .containsExactly(
            new FilterRule(
                new PrefixMatch(PrefixMatch.Operator.IN, Prefix.parse("10.65.0.0/16"), 24, 28),
                true,
                new InterfacePattern("eth*"),
                FilterRule.PeerType.EXTERNAL,
                CommunityTag.parse("65001:7"),
                List.of(Asn.of(65010), Asn.of(65011)),
                512,
                FilterRule.Action.ACCEPT,
                List.of(
                    new RouteOperation.AddCommunity(CommunityTag.parse("65001:1:2")),
                    new RouteOperation.PrependAsPath(List.of(Asn.of(65020))),
                    new RouteOperation.SetPriority(900))),
            FilterRule.of(FilterRule.Action.REJECT));
    assertThat(served.importV6())
        .containsExactly(
            FilterRule.of(FilterRule.Action.REJECT)
                .onPrefix(new PrefixMatch(PrefixMatch.Operator.NOT_IN, Prefix.parse("fd00::/8")))
                .onPeerType(FilterRule.PeerType.INTERNAL));
    assertThat(served.importV4()).isEmpty();
    assertThat(served.exportV6()).isEmpty();
  }

  @Test
  void without_one_of_its_filters_a_peer_has_no_session_until_the_filter_is_there() {
    BgpIntent without = intent(Documents.view(filter("one", "{}") + PEER));
    assertThat(without.peers()).isEmpty();
    assertThat(without.problems())
        .containsExactly("BGPPeer tor: BGPFilter two does not exist; no session is made");
    assertThat(filters(filter("one", "{}") + filter("two", "{}") + PEER)).hasSize(2);
  }

  @Test
  void a_filter_that_can_no_longer_be_read_is_none_and_not_its_last_version() {
    ClusterView view = Documents.view(filter("one", "{}") + filter("two", "{}") + PEER);
    ResourceRef two = new ResourceRef(Kind.BGP_FILTER, "", "two");
    assertThat(view.onUnreadable(two, "spec.exportV4[0].action: is required")).isTrue();
    assertThat(intent(view).peers()).isEmpty();
    assertThat(intent(view).problems())
        .singleElement()
        .asString()
        .contains("BGPFilter two can't be read: spec.exportV4[0].action: is required");
    view.onUpdate(two, null);
    assertThat(intent(view).problems()).singleElement().asString().contains("does not exist");
    Documents.read(filter("two", "{}")).forEach(again -> view.onUpdate(again.ref(), again));
    assertThat(intent(view).peers()).hasSize(1);
  }

  @Test
  void a_rule_with_a_field_of_a_later_calico_is_not_served_as_if_it_were_not_there() {
    BgpIntent intent =
        intent(
            Documents.view(
                filter("one", "{exportV4: [{action: Accept, moonPhase: full}]}")
                    + filter("two", "{}")
                    + PEER));
    assertThat(intent.peers()).isEmpty();
    assertThat(intent.problems())
        .singleElement()
        .asString()
        .contains("BGPFilter one: spec.exportV4[0].moonPhase");
  }

  @Test
  void a_filter_that_makes_no_sense_names_the_rule() {
    BgpIntent intent =
        intent(
            Documents.view(
                filter("one", "{importV4: [{action: Accept, source: RemotePeers}]}")
                    + filter("two", "{}")
                    + PEER));
    assertThat(intent.peers()).isEmpty();
    assertThat(intent.problems())
        .singleElement()
        .asString()
        .contains("BGPFilter one: ", "importV4[0].source");
  }

  @Test
  void a_reflector_tells_its_as_what_it_learned_of_pools_and_routers_its_own_blocks() {
    String pools =
        document("IPPool", "open", "{cidr: 10.65.0.0/16}")
            + document("IPPool", "secret", "{cidr: 10.66.0.0/16, disableBGPExport: true}")
            + document("IPPool", "six", "{cidr: 'fd00:65::/48'}");
    String node =
        document(
            "Node", "n1", "{bgp: {ipv4Address: 10.0.0.1/24, routeReflectorClusterID: 1.0.0.1}}");
    String peer = document("BGPPeer", "tor", "{peerIP: 172.16.0.0, asNumber: 65001}");
    PeerConfig config = intent(Documents.view(pools + node + peer)).peers().getFirst();
    assertThat(config.policy().exportMode()).isEqualTo(ExportMode.OWN);
    RouteFilter reflected = config.policy().filters().getLast();
    assertThat(reflected.exportV4())
        .containsExactly(
            reflecting(FilterRule.Action.REJECT, "10.66.0.0/16"),
            reflecting(FilterRule.Action.ACCEPT, "10.65.0.0/16"));
    assertThat(reflected.exportV6())
        .containsExactly(reflecting(FilterRule.Action.ACCEPT, "fd00:65::/48"));
    assertThat(reflected.importV4()).isEmpty();
    String plain = document("Node", "n1", "{bgp: {ipv4Address: 10.0.0.1/24}}");
    assertThat(filters(pools + plain + peer)).isEmpty();
  }

  private static FilterRule reflecting(FilterRule.Action action, String pool) {
    return FilterRule.of(action)
        .onPrefix(new PrefixMatch(PrefixMatch.Operator.IN, Prefix.parse(pool)))
        .onRemotePeers()
        .onPeerType(FilterRule.PeerType.INTERNAL);
  }
}
