package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.model.net.Asn;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImportPolicyTest {

  private static final Prefix NET = Prefix.parse("198.51.100.0/24");
  private static final PeerPolicy ACCEPT =
      PeerPolicy.builder().importMode(ImportMode.ACCEPT).build();

  private static ImportVerdict judge(PeerKind kind, PeerPolicy policy, RouteAttributes received) {
    return new ImportPolicy(Routes.SPEAKER, policy, Routes.source(kind, 9))
        .judge(IpFamily.IPV4, NET, received);
  }

  private static PathAttributes accepted(ImportVerdict verdict) {
    assertThat(verdict).isInstanceOf(ImportVerdict.Accepted.class);
    return ((ImportVerdict.Accepted) verdict).route().attributes();
  }

  private static void assertRejected(ImportVerdict verdict, RejectReason reason, String detail) {
    assertThat(verdict).isEqualTo(new ImportVerdict.Rejected(reason, detail));
  }

  private static PathAttribute path(AsPath.Segment... segments) {
    return new PathAttribute.AsPathAttribute(new AsPath(List.of(segments)));
  }

  private static AsPath.Segment segment(AsPath.Kind kind, Integer... asns) {
    return new AsPath.Segment(kind, Stream.of(asns).map(Asn::new).toList());
  }

  @Test
  void rfc_8212_routes_of_an_external_peer_without_import_policy_are_not_eligible() {
    assertRejected(
        judge(PeerKind.EBGP, PeerPolicy.UNSTATED, Routes.external()),
        RejectReason.NO_POLICY,
        "state import or filters for 10.0.0.9 to accept");
    accepted(judge(PeerKind.IBGP, PeerPolicy.UNSTATED, Routes.external()));
  }

  @Test
  void an_intact_route_is_kept_as_the_very_same_object() {
    RouteAttributes received = Routes.external(new PathAttribute.MultiExitDisc(7));
    for (PeerKind kind : PeerKind.values()) {
      ImportVerdict verdict = judge(kind, ACCEPT, received);
      assertThat(((ImportVerdict.Accepted) verdict).route()).isSameAs(received);
    }
  }

  @Test
  void import_reject_refuses_what_no_filter_accepts() {
    FilterRule tagged =
        FilterRule.of(FilterRule.Action.ACCEPT).onCommunity(CommunityTag.parse("65000:1"));
    PeerPolicy policy =
        PeerPolicy.builder()
            .importMode(ImportMode.REJECT)
            .filters(
                List.of(
                    new RouteFilter("tagged", List.of(), List.of(tagged), List.of(), List.of())))
            .build();
    assertRejected(
        judge(PeerKind.EBGP, policy, Routes.external()),
        RejectReason.IMPORT_REJECTS,
        "no filter accepts it and import is reject");
    accepted(judge(PeerKind.EBGP, policy, Routes.external(Routes.communities("65000:1"))));
  }

  @Test
  void a_filter_is_named_with_its_rule() {
    RouteFilter filter =
        new RouteFilter(
            "edge",
            List.of(),
            List.of(
                FilterRule.of(FilterRule.Action.ACCEPT).onPriority(5),
                FilterRule.of(FilterRule.Action.REJECT)),
            List.of(),
            List.of());
    PeerPolicy policy = PeerPolicy.builder().filters(List.of(filter)).build();
    assertRejected(
        judge(PeerKind.EBGP, policy, Routes.external()),
        RejectReason.FILTER,
        "filter edge, importV4[1]");
  }

  @Test
  void calico_a_route_no_filter_decides_on_is_accepted() {
    RouteFilter other =
        new RouteFilter(
            "other",
            List.of(FilterRule.of(FilterRule.Action.REJECT)),
            List.of(),
            List.of(),
            List.of());
    accepted(
        judge(
            PeerKind.EBGP,
            PeerPolicy.builder().filters(List.of(other)).build(),
            Routes.external()));
  }

  @ParameterizedTest(name = "{0} in the path, {1} allowed: {2}")
  @CsvSource({"0, 0, true", "1, 0, false", "1, 1, true", "2, 1, false", "2, 2, true"})
  void the_own_as_may_occur_as_often_as_allowed(int occurrences, int allowed, boolean fine) {
    int[] asns = new int[1 + occurrences];
    asns[0] = 65100;
    for (int i = 1; i < asns.length; i++) {
      asns[i] = 65000;
    }
    PeerPolicy policy = ACCEPT.toBuilder().allowLocalAs(allowed).build();
    for (PeerKind kind : PeerKind.values()) {
      ImportVerdict verdict = judge(kind, policy, Routes.external(Routes.path(asns)));
      assertThat(verdict instanceof ImportVerdict.Accepted).as("%s", kind).isEqualTo(fine);
    }
  }

  @Test
  void the_own_as_is_a_loop_in_whatever_segment() {
    for (AsPath.Kind kind : AsPath.Kind.values()) {
      PathAttribute path = path(segment(AsPath.Kind.SEQUENCE, 65100), segment(kind, 65000));
      PeerPolicy sets = ACCEPT.toBuilder().rejectAsSets(false).build();
      assertThat(judge(PeerKind.EBGP, sets, Routes.external(path)))
          .as("%s", kind)
          .extracting("reason")
          .isEqualTo(RejectReason.AS_LOOP);
    }
  }

  @Test
  void a_local_as_counts_as_ours_and_on_its_own() {
    PeerPolicy policy =
        ACCEPT.toBuilder().localAs(LocalAs.replacing(new Asn(65009))).allowLocalAs(1).build();
    RouteAttributes both = Routes.external(Routes.path(65100, 65009, 65000));
    accepted(judge(PeerKind.EBGP, policy, both));
    assertRejected(
        judge(PeerKind.EBGP, policy, Routes.external(Routes.path(65100, 65009, 65009))),
        RejectReason.AS_LOOP,
        "65009 is in \"65100 65009 65009\", allowed 1 times");
    accepted(judge(PeerKind.EBGP, ACCEPT, Routes.external(Routes.path(65100, 65009, 65009))));
  }

  @Test
  void the_path_of_an_external_peer_begins_with_its_as() {
    RouteAttributes other = Routes.external(Routes.path(65200, 65100));
    assertRejected(
        judge(PeerKind.EBGP, ACCEPT, other),
        RejectReason.FIRST_AS,
        "\"65200 65100\" does not begin with 65100");
    accepted(judge(PeerKind.IBGP, ACCEPT, other));
    accepted(judge(PeerKind.EBGP, ACCEPT.toBuilder().enforceFirstAs(false).build(), other));
    assertThat(judge(PeerKind.EBGP, ACCEPT, Routes.route("10.0.0.9")))
        .extracting("reason")
        .isEqualTo(RejectReason.FIRST_AS);
  }

  @ParameterizedTest
  @EnumSource(
      names = {"SET", "CONFED_SET"},
      value = AsPath.Kind.class)
  void rfc_9774_paths_with_sets_are_refused_unless_they_are_wanted(AsPath.Kind kind) {
    RouteAttributes set =
        Routes.external(path(segment(AsPath.Kind.SEQUENCE, 65100), segment(kind, 1, 2)));
    assertThat(judge(PeerKind.EBGP, ACCEPT, set))
        .extracting("reason")
        .isEqualTo(RejectReason.AS_SET);
    assertThat(judge(PeerKind.IBGP, ACCEPT, set))
        .extracting("reason")
        .isEqualTo(RejectReason.AS_SET);
    accepted(judge(PeerKind.EBGP, ACCEPT.toBuilder().rejectAsSets(false).build(), set));
  }

  @Test
  void a_path_beyond_the_limit_is_refused() {
    AsPath.Segment full =
        new AsPath.Segment(AsPath.Kind.SEQUENCE, Collections.nCopies(255, new Asn(65100)));
    accepted(judge(PeerKind.EBGP, ACCEPT, Routes.external(path(full))));
    assertRejected(
        judge(
            PeerKind.EBGP,
            ACCEPT,
            Routes.external(path(full, segment(AsPath.Kind.SEQUENCE, 65200)))),
        RejectReason.LONG_AS_PATH,
        "256 hops; at most 255");
  }

  @Test
  void rfc_4456_a_route_of_this_speaker_or_through_its_cluster_is_ignored_when_it_comes_back() {
    RouteAttributes mine = Routes.external(new PathAttribute.OriginatorId(Routes.OWN_ID));
    RouteAttributes cluster =
        Routes.external(PathAttribute.ClusterList.ofValues(5, Routes.SPEAKER.clusterId()));
    for (PeerKind kind : List.of(PeerKind.IBGP, PeerKind.CLIENT)) {
      assertRejected(
          judge(kind, ACCEPT, mine), RejectReason.ORIGINATOR, "ORIGINATOR_ID is 1.1.1.1");
      assertRejected(
          judge(kind, ACCEPT, cluster), RejectReason.CLUSTER_LOOP, "CLUSTER_LIST holds 1.1.1.1");
    }
    accepted(judge(PeerKind.EBGP, ACCEPT, mine));
    accepted(judge(PeerKind.EBGP, ACCEPT, cluster));
  }

  @Test
  void what_belongs_within_an_as_is_not_taken_from_an_external_peer() {
    RouteAttributes received =
        Routes.external(
            new PathAttribute.LocalPref(500),
            new PathAttribute.OriginatorId(RouterId.parse("7.7.7.7")),
            PathAttribute.ClusterList.ofValues(5),
            new PathAttribute.MultiExitDisc(9));
    assertThat(accepted(judge(PeerKind.EBGP, ACCEPT, received)))
        .isEqualTo(Routes.external(new PathAttribute.MultiExitDisc(9)).attributes());
    assertThat(accepted(judge(PeerKind.IBGP, ACCEPT, received))).isEqualTo(received.attributes());
  }

  @Test
  void rfc_8326_a_path_about_to_go_away_is_the_last_resort_whatever_a_filter_prefers() {
    RouteFilter prefer =
        new RouteFilter(
            "prefer",
            List.of(),
            List.of(
                FilterRule.of(FilterRule.Action.ACCEPT)
                    .doing(List.of(new RouteOperation.SetPriority(1)))),
            List.of(),
            List.of());
    PeerPolicy policy = PeerPolicy.builder().filters(List.of(prefer)).build();
    RouteAttributes leaving = Routes.external(Routes.communities("65535:0"));
    PathAttributes kept = accepted(judge(PeerKind.EBGP, policy, leaving));
    assertThat(kept.hasLocalPref()).isTrue();
    assertThat(kept.localPref()).isZero();
    assertThat(kept.communities()).isEqualTo(leaving.attributes().communities());
  }

  @Test
  void rfc_8326_an_internal_peer_has_set_local_pref_itself() {
    RouteAttributes leaving =
        Routes.external(Routes.communities("65535:0"), new PathAttribute.LocalPref(30));
    assertThat(accepted(judge(PeerKind.IBGP, ACCEPT, leaving)).localPref()).isEqualTo(30);
  }

  @Test
  void priorities_compare_with_routes_that_have_none_where_the_default_is_calicos() {
    SpeakerPolicy calico =
        new SpeakerPolicy(
            Routes.OWN,
            Routes.OWN_ID,
            0,
            Set.of(),
            OwnRanges.NONE,
            false,
            SpeakerPolicy.CALICO_LOCAL_PREF);
    ImportVerdict verdict =
        new ImportPolicy(calico, ACCEPT, Routes.source(PeerKind.EBGP, 9))
            .judge(IpFamily.IPV4, NET, Routes.external());
    assertThat(accepted(verdict).localPref()).isEqualTo(2147483647L - 1024);
  }

  static Stream<Arguments> nextHops() {
    return Stream.of(
        Arguments.of("0.0.0.0", "is no address of a router"),
        Arguments.of("0.1.2.3", "is no address of a router"),
        Arguments.of("127.0.0.1", "is no address of a router"),
        Arguments.of("224.0.0.1", "is no address of a router"),
        Arguments.of("240.0.0.1", "is no address of a router"),
        Arguments.of("255.255.255.255", "is no address of a router"),
        Arguments.of("10.0.0.1", "is an address of this node"),
        Arguments.of("169.254.3.4", "is valid on another link only"),
        Arguments.of("::", "is no address of a router"),
        Arguments.of("::1", "is no address of a router"),
        Arguments.of("ff02::1", "is no address of a router"),
        Arguments.of("::ffff:10.0.0.9", "is no address of a router"),
        Arguments.of("2001:db8::1", "is an address of this node"),
        Arguments.of("fe80::9", "is link-local and the peer's interface is not known"));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("nextHops")
  void a_next_hop_nothing_can_be_sent_to_is_refused(String hop, String why) {
    SpeakerPolicy speaker =
        new SpeakerPolicy(
            Routes.OWN,
            Routes.OWN_ID,
            1,
            Set.of(IpAddress.parse("10.0.0.1"), IpAddress.parse("2001:db8::1")),
            Set.of(),
            false);
    ImportVerdict verdict =
        new ImportPolicy(speaker, ACCEPT, Routes.source(PeerKind.EBGP, 9))
            .judge(IpFamily.IPV4, NET, Routes.route(hop, Routes.path(65100)));
    assertRejected(verdict, RejectReason.NEXT_HOP, IpAddress.parse(hop) + " " + why);
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.9", "192.0.2.1", "2001:db8::9", "223.255.255.255"})
  void any_other_next_hop_will_do(String hop) {
    accepted(judge(PeerKind.EBGP, ACCEPT, Routes.route(hop, Routes.path(65100))));
  }

  @Test
  void a_link_local_next_hop_will_do_where_the_interface_is_known() {
    RouteAttributes global =
        new RouteAttributes(
            PathAttributes.of(Routes.IGP, Routes.path(65100)),
            new NextHop(IpAddress.parse("2001:db8::9"), IpAddress.parse("fe80::9")));
    RouteAttributes only = Routes.route("fe80::9", Routes.path(65100));
    assertThat(judge(PeerKind.EBGP, ACCEPT, global))
        .extracting("reason")
        .isEqualTo(RejectReason.NEXT_HOP);
    for (RouteSource known :
        List.of(
            new RouteSource(
                ScopedAddress.parse("fe80::9%eth0"),
                Routes.THEIRS,
                RouterId.parse("9.9.9.9"),
                PeerKind.EBGP),
            new RouteSource(
                ScopedAddress.parse("10.0.0.9"),
                Routes.THEIRS,
                RouterId.parse("9.9.9.9"),
                PeerKind.EBGP,
                new InterfaceName("eth0")))) {
      ImportPolicy policy = new ImportPolicy(Routes.SPEAKER, ACCEPT, known);
      accepted(policy.judge(IpFamily.IPV6, null, global));
      accepted(policy.judge(IpFamily.IPV6, null, only));
    }
  }

  @Test
  void a_session_on_ipv4_link_local_addresses_may_have_such_next_hops() {
    RouteSource peer =
        new RouteSource(
            ScopedAddress.parse("169.254.3.3"),
            Routes.THEIRS,
            RouterId.parse("9.9.9.9"),
            PeerKind.EBGP);
    accepted(
        new ImportPolicy(Routes.SPEAKER, ACCEPT, peer)
            .judge(IpFamily.IPV4, NET, Routes.route("169.254.3.3", Routes.path(65100))));
  }

  @Test
  void own_ranges_are_guarded_and_the_default_route_is_not() {
    SpeakerPolicy speaker =
        Routes.SPEAKER.withGuard(OwnRanges.of(Set.of(Prefix.parse("10.65.0.0/26"))));
    ImportPolicy policy = new ImportPolicy(speaker, ACCEPT, Routes.source(PeerKind.EBGP, 9));
    assertRejected(
        policy.judge(IpFamily.IPV4, Prefix.parse("10.65.0.0/24"), Routes.external()),
        RejectReason.OWN_RANGE,
        "10.65.0.0/24 overlaps 10.65.0.0/26");
    accepted(policy.judge(IpFamily.IPV4, Prefix.parse("0.0.0.0/0"), Routes.external()));
    accepted(policy.judge(IpFamily.IPV4, NET, Routes.external()));
    assertThat(policy.guard().overlapping(Prefix.parse("10.65.0.1/32"))).isNotNull();
  }

  @Test
  void no_filter_overrides_the_guard_or_a_loop() {
    RouteFilter all =
        new RouteFilter(
            "all",
            List.of(),
            List.of(FilterRule.of(FilterRule.Action.ACCEPT)),
            List.of(),
            List.of());
    SpeakerPolicy speaker = Routes.SPEAKER.withGuard(OwnRanges.of(Set.of(NET)));
    ImportPolicy policy =
        new ImportPolicy(
            speaker,
            PeerPolicy.builder().filters(List.of(all)).build(),
            Routes.source(PeerKind.EBGP, 9));
    assertThat(policy.judge(IpFamily.IPV4, NET, Routes.external()))
        .extracting("reason")
        .isEqualTo(RejectReason.OWN_RANGE);
    assertThat(
            policy.judge(
                IpFamily.IPV4,
                Prefix.parse("203.0.113.0/24"),
                Routes.external(Routes.path(65100, 65000))))
        .extracting("reason")
        .isEqualTo(RejectReason.AS_LOOP);
  }

  @Test
  void the_prefix_matters_only_with_a_guard_or_a_rule_that_looks_at_it() {
    RouteSource from = Routes.source(PeerKind.EBGP, 9);
    ImportPolicy plain = new ImportPolicy(Routes.SPEAKER, ACCEPT, from);
    assertThat(plain.dependsOnPrefix(IpFamily.IPV4)).isFalse();
    accepted(plain.judge(IpFamily.IPV4, null, Routes.external()));

    ImportPolicy guarded =
        new ImportPolicy(
            Routes.SPEAKER.withGuard(OwnRanges.of(Set.of(Prefix.parse("fd00::/64")))),
            ACCEPT,
            from);
    assertThat(guarded.dependsOnPrefix(IpFamily.IPV6)).isTrue();
    assertThat(guarded.filtersLookAtPrefix(IpFamily.IPV6)).isFalse();
    assertThat(guarded.dependsOnPrefix(IpFamily.IPV4)).isFalse();

    FilterRule rule =
        FilterRule.of(FilterRule.Action.REJECT)
            .onPrefix(new PrefixMatch(PrefixMatch.Operator.EQUAL, NET));
    ImportPolicy filtering =
        new ImportPolicy(
            Routes.SPEAKER,
            PeerPolicy.builder()
                .filters(
                    List.of(new RouteFilter("f", List.of(), List.of(rule), List.of(), List.of())))
                .build(),
            from);
    assertThat(filtering.filtersLookAtPrefix(IpFamily.IPV4)).isTrue();
    assertThat(filtering.dependsOnPrefix(IpFamily.IPV6)).isFalse();
  }

  @Test
  void a_rejection_reads_as_a_sentence() {
    assertThat(judge(PeerKind.EBGP, ACCEPT, Routes.external(Routes.path(65100, 65000))))
        .hasToString("own AS in the AS path: 65000 is in \"65100 65000\", allowed 0 times");
  }
}
