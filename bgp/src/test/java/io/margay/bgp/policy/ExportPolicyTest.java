package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Octets;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ExportPolicyTest {

  private static final PeerPolicy ALL = PeerPolicy.builder().exportMode(ExportMode.ALL).build();
  private static final RouteSource TOR = Routes.source(PeerKind.EBGP, 9);
  private static final RouteAttributes OWN = Routes.route("0.0.0.0");

  private static ExportVerdict explain(
      PeerPolicy policy, PeerKind to, RouteAttributes best, @Nullable RouteSource from) {
    return explain(Routes.SPEAKER, policy, to, best, from);
  }

  private static ExportVerdict explain(
      SpeakerPolicy speaker,
      PeerPolicy policy,
      PeerKind to,
      RouteAttributes best,
      @Nullable RouteSource from) {
    ExportPolicy export = new ExportPolicy(speaker, policy, Routes.session(to, 20));
    ExportVerdict verdict = export.explain(IpFamily.IPV4, null, best, from);
    // The answer and its explanation come from the same code and must agree.
    assertThat(export.export(IpFamily.IPV4, null, best, from).orElse(null))
        .isEqualTo(verdict instanceof ExportVerdict.Announced announced ? announced.route() : null);
    return verdict;
  }

  private static PathAttributes told(ExportVerdict verdict) {
    assertThat(verdict).isInstanceOf(ExportVerdict.Announced.class);
    return ((ExportVerdict.Announced) verdict).route().attributes();
  }

  private static void assertWithheld(ExportVerdict verdict, WithholdReason reason) {
    assertThat(verdict).isInstanceOf(ExportVerdict.Withheld.class);
    assertThat(((ExportVerdict.Withheld) verdict).reason()).isEqualTo(reason);
    assertThat(((ExportVerdict.Withheld) verdict).detail()).isNotBlank();
  }

  @Test
  void rfc_8212_nothing_is_told_to_an_external_peer_without_export_policy() {
    assertWithheld(
        explain(PeerPolicy.UNSTATED, PeerKind.EBGP, OWN, null), WithholdReason.NO_POLICY);
    told(explain(PeerPolicy.UNSTATED, PeerKind.IBGP, OWN, null));
  }

  @Test
  void own_none_and_all_mean_what_they_say() {
    PeerPolicy own = PeerPolicy.builder().exportMode(ExportMode.OWN).build();
    PeerPolicy none = PeerPolicy.builder().exportMode(ExportMode.NONE).build();
    told(explain(own, PeerKind.EBGP, OWN, null));
    assertWithheld(explain(own, PeerKind.EBGP, Routes.external(), TOR), WithholdReason.NOT_OWN);
    assertWithheld(explain(none, PeerKind.EBGP, OWN, null), WithholdReason.EXPORT_NONE);
    told(explain(ALL, PeerKind.EBGP, OWN, null));
    told(explain(ALL, PeerKind.EBGP, Routes.external(), TOR));
  }

  @Test
  void calico_filters_are_asked_before_the_export_mode() {
    CommunityTag pass = CommunityTag.parse("65000:1");
    CommunityTag stop = CommunityTag.parse("65000:2");
    RouteFilter filter =
        new RouteFilter(
            "edge",
            List.of(
                FilterRule.of(FilterRule.Action.ACCEPT).onCommunity(pass),
                FilterRule.of(FilterRule.Action.REJECT).onCommunity(stop)),
            List.of(),
            List.of(),
            List.of());
    PeerPolicy policy = PeerPolicy.builder().filters(List.of(filter)).build();
    ExportVerdict passed =
        explain(policy, PeerKind.EBGP, Routes.external(Routes.communities("65000:1")), TOR);
    assertThat(((ExportVerdict.Announced) passed).by()).isEqualTo("filter edge, exportV4[0]");
    ExportVerdict stopped =
        explain(
            policy, PeerKind.EBGP, Routes.route("0.0.0.0", Routes.communities("65000:2")), null);
    assertThat(stopped)
        .isEqualTo(new ExportVerdict.Withheld(WithholdReason.FILTER, "filter edge, exportV4[1]"));
    told(explain(policy, PeerKind.EBGP, OWN, null));
    assertWithheld(explain(policy, PeerKind.EBGP, Routes.external(), TOR), WithholdReason.NOT_OWN);
  }

  @ParameterizedTest(name = "{0} to {1}: {2}")
  @CsvSource({
    "65535:65281, EBGP, NO_EXPORT",
    "65535:65281, IBGP, ",
    "65535:65281, CLIENT, ",
    "65535:65282, EBGP, NO_ADVERTISE",
    "65535:65282, IBGP, NO_ADVERTISE",
    "65535:65282, CLIENT, NO_ADVERTISE",
    "65535:65283, EBGP, NO_EXPORT_SUBCONFED",
    "65535:65283, IBGP, ",
    "65535:65284, EBGP, ",
    "65535:65284, IBGP, ",
  })
  void rfc_1997_well_known_communities_keep_received_routes_back(
      String community, PeerKind to, @Nullable WithholdReason reason) {
    RouteAttributes tagged = Routes.external(Routes.communities("65000:1", community));
    ExportVerdict verdict = explain(ALL, to, tagged, TOR);
    if (reason == null) {
      assertThat(told(verdict).communities()).isEqualTo(tagged.attributes().communities());
    } else {
      assertWithheld(verdict, reason);
    }
  }

  @Test
  void rfc_3765_nopeer_keeps_a_route_from_bilateral_peers() {
    RouteAttributes tagged = Routes.external(Routes.communities("65535:65284"));
    PeerPolicy bilateral = ALL.toBuilder().bilateral(true).build();
    assertWithheld(explain(bilateral, PeerKind.EBGP, tagged, TOR), WithholdReason.NOPEER);
    told(explain(bilateral, PeerKind.IBGP, tagged, TOR));
  }

  @Test
  void what_we_tag_no_export_ourselves_is_told_for_the_peer_to_keep() {
    RouteAttributes own = Routes.route("0.0.0.0", Routes.communities("65535:65281"));
    assertThat(told(explain(ALL, PeerKind.EBGP, own, null)).communities().size()).isEqualTo(1);
  }

  @Test
  void no_filter_overrides_no_export() {
    RouteFilter all =
        new RouteFilter(
            "all",
            List.of(FilterRule.of(FilterRule.Action.ACCEPT)),
            List.of(),
            List.of(),
            List.of());
    assertWithheld(
        explain(
            PeerPolicy.builder().filters(List.of(all)).build(),
            PeerKind.EBGP,
            Routes.external(Routes.communities("65535:65281")),
            TOR),
        WithholdReason.NO_EXPORT);
  }

  @Test
  void a_route_is_not_told_to_the_peer_it_came_from() {
    assertWithheld(
        explain(ALL, PeerKind.EBGP, Routes.external(), Routes.source(PeerKind.EBGP, 20)),
        WithholdReason.SAME_PEER);
  }

  @Test
  void a_family_that_was_not_negotiated_is_not_told() {
    ExportSession v4 =
        new ExportSession(
            ScopedAddress.parse("10.0.0.20"),
            Routes.THEIRS,
            RouterId.parse("9.9.9.20"),
            PeerKind.EBGP,
            Set.of(IpFamily.IPV4),
            Map.of(IpFamily.IPV4, Routes.OWN_V4, IpFamily.IPV6, Routes.OWN_V6),
            Set.of(),
            Set.of());
    assertWithheld(
        new ExportPolicy(Routes.SPEAKER, ALL, v4).explain(IpFamily.IPV6, null, OWN, null),
        WithholdReason.FAMILY);
  }

  // External peers.

  @Test
  void the_own_as_is_put_in_front_once() {
    PathAttributes told = told(explain(ALL, PeerKind.EBGP, Routes.external(), TOR));
    assertThat(told.asPath()).hasToString("65000 65100 65200");
    assertThat(told(explain(ALL, PeerKind.EBGP, OWN, null)).asPath()).hasToString("65000");
  }

  @Test
  void prepend_adds_copies_for_external_peers_only() {
    PeerPolicy policy = ALL.toBuilder().prepend(2).build();
    assertThat(told(explain(policy, PeerKind.EBGP, OWN, null)).asPath())
        .hasToString("65000 65000 65000");
    assertThat(told(explain(policy, PeerKind.IBGP, OWN, null)).asPath()).isEqualTo(AsPath.EMPTY);
  }

  @Test
  void a_local_as_stands_in_place_of_ours_or_before_it() {
    Asn other = new Asn(65009);
    PeerPolicy replacing = ALL.toBuilder().localAs(LocalAs.replacing(other)).build();
    PeerPolicy both =
        ALL.toBuilder().localAs(new LocalAs(other, LocalAs.Shown.BOTH)).prepend(1).build();
    assertThat(told(explain(replacing, PeerKind.EBGP, Routes.external(), TOR)).asPath())
        .hasToString("65009 65100 65200");
    assertThat(told(explain(both, PeerKind.EBGP, OWN, null)).asPath())
        .hasToString("65009 65009 65000");
    PeerPolicy same = ALL.toBuilder().localAs(new LocalAs(Routes.OWN, LocalAs.Shown.BOTH)).build();
    assertThat(told(explain(same, PeerKind.EBGP, OWN, null)).asPath()).hasToString("65000");
  }

  @Test
  void what_a_filter_prepends_comes_behind_the_own_as() {
    RouteFilter prepend =
        new RouteFilter(
            "prepend",
            List.of(
                FilterRule.of(FilterRule.Action.ACCEPT)
                    .doing(
                        List.of(
                            new RouteOperation.PrependAsPath(
                                List.of(new Asn(64999), new Asn(64998)))))),
            List.of(),
            List.of(),
            List.of());
    PeerPolicy policy = PeerPolicy.builder().filters(List.of(prepend)).build();
    assertThat(told(explain(policy, PeerKind.EBGP, OWN, null)).asPath())
        .hasToString("65000 64999 64998");
  }

  @Test
  void confederation_segments_do_not_leave_the_as() {
    AsPath path =
        new AsPath(
            List.of(
                new AsPath.Segment(AsPath.Kind.CONFED_SEQUENCE, List.of(new Asn(65300))),
                new AsPath.Segment(AsPath.Kind.SEQUENCE, List.of(new Asn(65100)))));
    RouteAttributes route = Routes.route("10.0.0.9", new PathAttribute.AsPathAttribute(path));
    RouteSource internal = Routes.source(PeerKind.IBGP, 9);
    assertThat(told(explain(ALL, PeerKind.EBGP, route, internal)).asPath())
        .hasToString("65000 65100");
  }

  @Test
  void med_goes_out_only_where_it_is_ours() {
    PathAttribute med = new PathAttribute.MultiExitDisc(7);
    assertThat(told(explain(ALL, PeerKind.EBGP, Routes.external(med), TOR)).hasMed()).isFalse();
    assertThat(told(explain(ALL, PeerKind.EBGP, Routes.route("0.0.0.0", med), null)).med())
        .isEqualTo(7);
    assertThat(told(explain(ALL, PeerKind.IBGP, Routes.external(med), TOR)).med()).isEqualTo(7);
  }

  @Test
  void non_transitive_extended_communities_are_stripped_towards_external_peers_only() {
    long target = 0x0002_fde8_0000_0001L;
    long bandwidth = 0x4004_fde8_4cee_6b28L;
    RouteAttributes route =
        Routes.external(new PathAttribute.ExtendedCommunities(List.of(target, bandwidth)));
    assertThat(told(explain(ALL, PeerKind.EBGP, route, TOR)).extendedCommunities().communities())
        .containsExactly(target);
    assertThat(told(explain(ALL, PeerKind.IBGP, route, TOR)).extendedCommunities().communities())
        .containsExactly(target, bandwidth);
    RouteAttributes only =
        Routes.external(new PathAttribute.ExtendedCommunities(List.of(bandwidth)));
    assertThat(told(explain(ALL, PeerKind.EBGP, only, TOR)).extendedCommunities().isEmpty())
        .isTrue();
  }

  @ParameterizedTest
  @EnumSource(PeerKind.class)
  void rfc_4271_unknown_transitive_attributes_are_passed_on_with_the_partial_bit(PeerKind to) {
    Octets value = Octets.ofHex("010203");
    RouteAttributes learned =
        Routes.external(
            new PathAttribute.Unrecognized(0xc0, 77, value),
            new PathAttribute.Unrecognized(0xe0, 78, value));
    assertThat(told(explain(ALL, to, learned, TOR)).unrecognized())
        .containsExactly(
            new PathAttribute.Unrecognized(0xe0, 77, value),
            new PathAttribute.Unrecognized(0xe0, 78, value));
    RouteAttributes own = Routes.route("0.0.0.0", new PathAttribute.Unrecognized(0xc0, 77, value));
    assertThat(told(explain(ALL, to, own, null)).unrecognized())
        .containsExactly(new PathAttribute.Unrecognized(0xc0, 77, value));
  }

  @ParameterizedTest
  @EnumSource(PeerKind.class)
  void what_a_route_was_aggregated_from_and_its_communities_are_told_to_all(PeerKind to) {
    RouteAttributes route =
        Routes.external(
            new PathAttribute.AtomicAggregate(),
            new PathAttribute.Aggregator(new Asn(7), Ipv4Address.parse("192.0.2.7")),
            Routes.communities("65000:7"),
            PathAttribute.LargeCommunities.ofValues(1, 2, 3));
    PathAttributes told = told(explain(ALL, to, route, TOR));
    assertThat(told.atomicAggregate()).isTrue();
    assertThat(told.aggregator()).isEqualTo(route.attributes().aggregator());
    assertThat(told.communities()).isEqualTo(route.attributes().communities());
    assertThat(told.largeCommunities()).isEqualTo(route.attributes().largeCommunities());
    assertThat(told.origin()).isEqualTo(PathAttribute.OriginCode.IGP);
  }

  // Internal peers.

  @Test
  void local_pref_is_told_to_internal_peers_always() {
    assertThat(told(explain(ALL, PeerKind.IBGP, OWN, null)).localPref()).isEqualTo(100);
    assertThat(told(explain(ALL, PeerKind.IBGP, OWN, null)).hasLocalPref()).isTrue();
    RouteAttributes preferred = Routes.external(new PathAttribute.LocalPref(300));
    assertThat(told(explain(ALL, PeerKind.IBGP, preferred, TOR)).localPref()).isEqualTo(300);
    assertThat(told(explain(ALL, PeerKind.EBGP, preferred, TOR)).hasLocalPref()).isFalse();
  }

  @Test
  void the_mandatory_attributes_are_told_even_of_a_route_that_has_none() {
    RouteAttributes bare = new RouteAttributes(PathAttributes.EMPTY, Routes.OWN_V4);
    for (PeerKind to : PeerKind.values()) {
      PathAttributes told = told(explain(ALL, to, bare, null));
      assertThat(told.find(PathAttribute.Origin.class)).isPresent();
      assertThat(told.find(PathAttribute.AsPathAttribute.class)).isPresent();
    }
  }

  @Test
  void calico_an_internal_peer_is_told_the_priority_a_filter_sets_as_local_pref() {
    RouteFilter filter =
        new RouteFilter(
            "p",
            List.of(
                FilterRule.of(FilterRule.Action.ACCEPT)
                    .doing(List.of(new RouteOperation.SetPriority(100)))),
            List.of(),
            List.of(),
            List.of());
    PeerPolicy policy = PeerPolicy.builder().filters(List.of(filter)).build();
    assertThat(told(explain(policy, PeerKind.IBGP, OWN, null)).localPref()).isEqualTo(2147483547L);
    assertThat(told(explain(policy, PeerKind.EBGP, OWN, null)).hasLocalPref()).isFalse();
  }

  @ParameterizedTest
  @EnumSource(PeerKind.class)
  void rfc_8326_a_node_being_drained_says_so_of_every_route(PeerKind to) {
    SpeakerPolicy draining = Routes.SPEAKER.withGracefulShutdown(true);
    for (RouteSource from : new RouteSource[] {null, TOR}) {
      RouteAttributes route = from == null ? OWN : Routes.external(Routes.communities("65000:1"));
      PathAttributes told = told(explain(draining, ALL, to, route, from));
      assertThat(told.communities().communities()).contains(WellKnown.GRACEFUL_SHUTDOWN);
      if (to.isInternal()) {
        assertThat(told.hasLocalPref()).isTrue();
        assertThat(told.localPref()).isZero();
      } else {
        assertThat(told.hasLocalPref()).isFalse();
      }
    }
  }

  @Test
  void the_prefix_matters_only_where_a_rule_looks_at_it() {
    FilterRule rule =
        FilterRule.of(FilterRule.Action.REJECT)
            .onPrefix(new PrefixMatch(PrefixMatch.Operator.IN, Prefix.parse("10.0.0.0/8")));
    PeerPolicy policy =
        ALL.toBuilder()
            .filters(List.of(new RouteFilter("f", List.of(rule), List.of(), List.of(), List.of())))
            .build();
    ExportPolicy export =
        new ExportPolicy(Routes.SPEAKER, policy, Routes.session(PeerKind.EBGP, 20));
    assertThat(export.dependsOnPrefix(IpFamily.IPV4)).isTrue();
    assertThat(export.dependsOnPrefix(IpFamily.IPV6)).isFalse();
    assertThat(export.export(IpFamily.IPV4, Prefix.parse("10.1.0.0/16"), OWN, null)).isEmpty();
    assertThat(export.export(IpFamily.IPV4, Prefix.parse("11.1.0.0/16"), OWN, null)).isPresent();
    assertThat(export.export(IpFamily.IPV6, null, OWN, null)).isPresent();
  }
}
