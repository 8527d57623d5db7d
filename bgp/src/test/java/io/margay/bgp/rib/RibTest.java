package io.margay.bgp.rib;

import static io.margay.bgp.rib.RibFixtures.ACCEPT_AND_TELL_ALL;
import static io.margay.bgp.rib.RibFixtures.ACCEPT_AND_TELL_OWN;
import static io.margay.bgp.rib.RibFixtures.BOTH;
import static io.margay.bgp.rib.RibFixtures.OWN;
import static io.margay.bgp.rib.RibFixtures.RULES;
import static io.margay.bgp.rib.RibFixtures.SEED;
import static io.margay.bgp.rib.RibFixtures.SPEAKER;
import static io.margay.bgp.rib.RibFixtures.TOR;
import static io.margay.bgp.rib.RibFixtures.TOR_A;
import static io.margay.bgp.rib.RibFixtures.TOR_B;
import static io.margay.bgp.rib.RibFixtures.announce;
import static io.margay.bgp.rib.RibFixtures.announce6;
import static io.margay.bgp.rib.RibFixtures.attributes;
import static io.margay.bgp.rib.RibFixtures.configure;
import static io.margay.bgp.rib.RibFixtures.drain;
import static io.margay.bgp.rib.RibFixtures.hops;
import static io.margay.bgp.rib.RibFixtures.policy;
import static io.margay.bgp.rib.RibFixtures.rib;
import static io.margay.bgp.rib.RibFixtures.session;
import static io.margay.bgp.rib.RibFixtures.withdraw;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.Update;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ExportVerdict;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.MaxPrefix;
import io.margay.bgp.policy.OwnRanges;
import io.margay.bgp.policy.PeerKind;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RibTest {

  private static final AsPath ONE_HOP = AsPath.of(TOR);

  private static FamilyCounts counts(Rib rib, ScopedAddress peer) {
    return rib.reader().counts(peer, IpFamily.IPV4).orElseThrow();
  }

  @Test
  void two_equal_paths_share_traffic_and_a_lost_session_leaves_the_other() {
    List<ForwardingChange> changes = new ArrayList<>();
    Rib rib = rib(RULES, changes::addAll, false);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A, TOR_B);
    rib.peerUp(session(TOR_A));
    rib.peerUp(session(TOR_B));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    rib.update(TOR_B, announce("10.0.2.2", ONE_HOP, "10.9.0.0/26"));
    rib.settle();
    assertThat(changes)
        .containsExactly(
            new ForwardingChange(
                Prefix.parse("10.9.0.0/26"),
                List.of(
                    new Gateway(IpAddress.parse("10.0.1.2"), null),
                    new Gateway(IpAddress.parse("10.0.2.2"), null))));
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.1.2, 10.0.2.2]");
    changes.clear();
    rib.peerDown(TOR_A, Set.of());
    rib.settle();
    assertThat(changes).hasSize(1);
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.2.2]");
    changes.clear();
    rib.update(TOR_B, withdraw("10.9.0.0/26"));
    rib.settle();
    assertThat(changes)
        .containsExactly(new ForwardingChange(Prefix.parse("10.9.0.0/26"), List.of()));
    changes.clear();
    rib.settle();
    assertThat(changes).isEmpty();
    assertThat(rib.reader().table(IpFamily.IPV4)).isEqualTo(new TableCounts(0, 0, 0, 0));
    assertThat(rib.reader().attributeSets()).isZero();
  }

  @Test
  void own_routes_go_out_once_and_learned_ones_never() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A, TOR_B);
    rib.peerUp(session(TOR_A));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    rib.originate(Map.of(Prefix.parse("10.65.0.0/26"), OWN, Prefix.parse("fd00:65::/122"), OWN));
    rib.settle();
    rib.peerUp(session(TOR_B));
    rib.settle();
    for (ScopedAddress peer : List.of(TOR_A, TOR_B)) {
      assertThat(drain(rib, peer))
          .containsExactlyInAnyOrder(
              "+10.65.0.0/26 via 10.0.1.1 path 65001",
              "+fd00:65::/122 via fd00::1 path 65001",
              "end IPV4",
              "end IPV6");
      assertThat(counts(rib, peer).advertised()).isEqualTo(1);
      assertThat(rib.reader().prefixes(IpFamily.IPV6, RouteKind.ADVERTISED, peer).toList())
          .containsExactly(Prefix.parse("fd00:65::/122"));
    }
    rib.originate(Map.of(Prefix.parse("10.65.0.0/26"), OWN));
    rib.settle();
    assertThat(drain(rib, TOR_A)).containsExactly("-fd00:65::/122");
    rib.refresh(TOR_A, AfiSafi.IPV4_UNICAST);
    assertThat(drain(rib, TOR_A)).containsExactly("+10.65.0.0/26 via 10.0.1.1 path 65001");
    assertThat(drain(rib, TOR_A)).isEmpty();
  }

  @Test
  void a_prefix_that_goes_while_a_refresh_is_owed_is_still_withdrawn() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A);
    rib.originate(Map.of(Prefix.parse("10.65.0.0/26"), OWN));
    rib.settle();
    rib.peerUp(session(TOR_A));
    drain(rib, TOR_A);
    rib.refresh(TOR_A, AfiSafi.IPV4_UNICAST);
    rib.originate(Map.of());
    rib.settle();
    assertThat(drain(rib, TOR_A)).containsExactly("-10.65.0.0/26");
    assertThat(rib.reader().table(IpFamily.IPV4).prefixes()).isZero();
  }

  @Test
  void a_change_that_is_undone_before_the_peer_can_be_told_is_not_told() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_ALL, TOR_A, TOR_B);
    rib.peerUp(session(TOR_A));
    rib.peerUp(session(TOR_B));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    rib.settle();
    assertThat(drain(rib, TOR_B)).contains("+10.9.0.0/26 via 10.0.1.1 path 65001 65100");
    rib.update(TOR_A, withdraw("10.9.0.0/26"));
    rib.settle();
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    rib.settle();
    assertThat(drain(rib, TOR_B)).isEmpty();
    rib.update(TOR_A, announce("10.0.1.2", AsPath.of(TOR, new Asn(7)), "10.9.1.0/26"));
    rib.settle();
    rib.update(TOR_A, withdraw("10.9.1.0/26"));
    rib.settle();
    assertThat(drain(rib, TOR_B)).isEmpty();
  }

  @Test
  void no_peer_is_told_its_own_route_and_gets_it_withdrawn_when_its_own_wins() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_ALL, TOR_A, TOR_B);
    rib.peerUp(session(TOR_A));
    rib.peerUp(session(TOR_B));
    rib.update(TOR_A, announce("10.0.1.2", AsPath.of(TOR, new Asn(7)), "10.9.0.0/26"));
    rib.settle();
    assertThat(drain(rib, TOR_A)).doesNotContain("+10.9.0.0/26 via 10.0.1.1 path 65001 65100 7");
    assertThat(drain(rib, TOR_B)).contains("+10.9.0.0/26 via 10.0.1.1 path 65001 65100 7");
    rib.update(TOR_B, announce("10.0.2.2", ONE_HOP, "10.9.0.0/26"));
    rib.settle();
    assertThat(drain(rib, TOR_A)).containsExactly("+10.9.0.0/26 via 10.0.1.1 path 65001 65100");
    assertThat(drain(rib, TOR_B)).containsExactly("-10.9.0.0/26");
    assertThat(rib.reader().exports(Prefix.parse("10.9.0.0/26")).get(TOR_B))
        .asString()
        .contains("learned from this peer");
    assertThat(rib.reader().exports(Prefix.parse("10.9.0.0/26")).get(TOR_A))
        .isInstanceOf(ExportVerdict.Announced.class);
  }

  @Test
  void what_is_no_longer_acceptable_and_not_yet_settled_is_told_to_nobody() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_ALL, TOR_A, TOR_B);
    rib.peerUp(session(TOR_A));
    rib.peerUp(session(TOR_B));
    Prefix prefix = Prefix.parse("10.9.0.0/26");
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, prefix.toString()));
    rib.settle();
    assertThat(rib.reader().exports(prefix)).isNotEmpty();
    rib.update(TOR_A, announce("10.0.1.2", AsPath.of(TOR, RibFixtures.LOCAL), prefix.toString()));
    assertThat(rib.reader().exports(prefix)).isEmpty();
  }

  @Test
  void where_peers_may_come_whom_nobody_can_name_a_restart_waits_as_long_as_it_may() {
    Rib rib = rib(true);
    rib.configure(Map.of(), true);
    assertThat(rib.settle().complete()).isEmpty();
    rib.configure(Map.of(TOR_A, new RibPeer(BOTH, ACCEPT_AND_TELL_OWN)), true);
    rib.peerUp(session(TOR_A, false, BOTH));
    rib.update(TOR_A, Update.endOfRib(IpFamily.IPV4));
    assertThat(rib.settle().complete()).isEmpty();
    rib.endDeferral();
    assertThat(rib.settle().complete()).containsExactlyInAnyOrder(IpFamily.values());
  }

  @Test
  void after_a_restart_nothing_is_decided_or_told_before_every_peer_is_done() {
    Rib rib = rib(true);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A, TOR_B);
    rib.originate(Map.of(Prefix.parse("10.65.0.0/26"), OWN));
    rib.peerUp(session(TOR_A, false, BOTH));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    rib.update(TOR_A, Update.endOfRib(IpFamily.IPV4));
    rib.update(TOR_A, Update.endOfRib(IpFamily.IPV6));
    // The other peer is not up yet: it counts as outstanding.
    assertThat(rib.settle().complete()).isEmpty();
    assertThat(drain(rib, TOR_A)).isEmpty();
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[]");
    rib.peerUp(session(TOR_B, false, BOTH));
    rib.update(TOR_B, Update.endOfRib(IpFamily.IPV4));
    assertThat(rib.settle().complete()).containsExactly(IpFamily.IPV4);
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.1.2]");
    assertThat(drain(rib, TOR_A))
        .containsExactly("+10.65.0.0/26 via 10.0.1.1 path 65001", "end IPV4");
    rib.endDeferral();
    assertThat(rib.settle().complete()).containsExactly(IpFamily.IPV6);
    assertThat(rib.settle().complete()).isEmpty();
    assertThat(rib.awaitingEndOfRib()).isEmpty();
  }

  @Test
  void after_a_restart_nothing_is_decided_or_swept_before_its_next_hops_were_looked_for() {
    Rib rib = new Rib(SPEAKER, new RibSettings(RULES, true, true, SEED), null);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A);
    rib.originate(Map.of(Prefix.parse("10.65.0.0/26"), OWN));
    rib.peerUp(session(TOR_A, false, BOTH));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    rib.update(TOR_A, Update.endOfRib(IpFamily.IPV4));
    Rib.Settlement settlement = rib.settle();
    IpAddress hop = IpAddress.parse("10.0.1.2");
    assertThat(settlement.nextHops()).contains(Set.of(hop));
    assertThat(settlement.complete()).isEmpty();
    assertThat(drain(rib, TOR_A)).isEmpty();
    rib.resolve(Map.of(hop, new Reachability.Reachable(0)));
    assertThat(rib.settle().complete()).containsExactly(IpFamily.IPV4);
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.1.2]");
    assertThat(drain(rib, TOR_A))
        .containsExactly("+10.65.0.0/26 via 10.0.1.1 path 65001", "end IPV4");
    // Asked after as well: the next hop the peer was told, our own address.
    rib.resolve(
        Map.of(
            hop,
            new Reachability.Reachable(0),
            IpAddress.parse("10.0.1.1"),
            new Reachability.Unreachable()));
    rib.update(TOR_A, Update.endOfRib(IpFamily.IPV6));
    assertThat(rib.settle().complete()).containsExactly(IpFamily.IPV6);
  }

  @Test
  void a_peer_that_restarts_itself_holds_up_no_decision_but_the_sweep() {
    Rib rib = rib(true);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A);
    rib.peerUp(session(TOR_A, true, BOTH));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    assertThat(rib.settle().complete()).isEmpty();
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.1.2]");
    rib.update(TOR_A, Update.endOfRib(IpFamily.IPV4));
    assertThat(rib.settle().complete()).containsExactly(IpFamily.IPV4);
    rib.endDeferral();
    assertThat(rib.settle().complete()).containsExactly(IpFamily.IPV6);
  }

  @Test
  void routes_of_a_restarting_peer_stay_until_its_end_of_rib() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A);
    rib.peerUp(session(TOR_A, false, BOTH));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26", "10.9.1.0/26"));
    rib.settle();
    rib.peerDown(TOR_A, BOTH);
    rib.settle();
    assertThat(counts(rib, TOR_A).stale()).isEqualTo(2);
    assertThat(hops(rib, "10.9.1.0/26")).isEqualTo("[10.0.1.2]");
    rib.peerUp(session(TOR_A, true, BOTH));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    rib.settle();
    assertThat(counts(rib, TOR_A).stale()).isEqualTo(1);
    assertThat(hops(rib, "10.9.1.0/26")).isEqualTo("[10.0.1.2]");
    rib.update(TOR_A, Update.endOfRib(IpFamily.IPV4));
    rib.settle();
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.1.2]");
    assertThat(hops(rib, "10.9.1.0/26")).isEqualTo("[]");
  }

  @Test
  void a_stale_path_shares_traffic_and_loses_only_the_tie() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A, TOR_B);
    rib.peerUp(session(TOR_A, false, BOTH));
    rib.peerUp(session(TOR_B, false, BOTH));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    rib.update(TOR_B, announce("10.0.2.2", ONE_HOP, "10.9.0.0/26"));
    rib.peerDown(TOR_A, BOTH);
    rib.settle();
    KnownRoute known = rib.reader().route(Prefix.parse("10.9.0.0/26")).orElseThrow();
    assertThat(known.paths().getFirst().received().nextHop().toString()).isEqualTo("10.0.2.2");
    assertThat(known.paths().getLast())
        .returns(KnownRoute.Standing.MULTIPATH, KnownRoute.KnownPath::standing)
        .returns("path staleness", KnownRoute.KnownPath::reason)
        .returns(true, KnownRoute.KnownPath::stale);
  }

  @Test
  void a_peer_that_lost_its_forwarding_state_loses_its_stale_routes_at_once() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A);
    rib.peerUp(session(TOR_A, false, BOTH));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    rib.peerDown(TOR_A, BOTH);
    rib.peerUp(session(TOR_A, true, Set.of()));
    rib.settle();
    assertThat(rib.reader().table(IpFamily.IPV4)).isEqualTo(new TableCounts(0, 0, 0, 0));
  }

  @Test
  void a_second_break_drops_what_was_stale_before() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A);
    rib.peerUp(session(TOR_A, false, BOTH));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26", "10.9.1.0/26"));
    rib.peerDown(TOR_A, BOTH);
    rib.peerUp(session(TOR_A, true, BOTH));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    rib.peerDown(TOR_A, BOTH);
    rib.settle();
    assertThat(rib.reader().prefixes(IpFamily.IPV4, RouteKind.RECEIVED, null).toList())
        .containsExactly(Prefix.parse("10.9.0.0/26"));
  }

  @ParameterizedTest(name = "{0} via {1} path {2}: {3}")
  @CsvSource({
    "10.9.0.0/26,   10.0.1.2,    65100,       accepted",
    "0.0.0.0/0,     10.0.1.2,    65100,       accepted",
    "10.65.0.0/26,  10.0.1.2,    65100,       overlaps an own range",
    "10.65.0.9/32,  10.0.1.2,    65100,       overlaps an own range",
    "10.64.0.0/10,  10.0.1.2,    65100,       overlaps an own range",
    "10.9.0.0/26,   10.0.1.2,    65100 65001, own AS in the AS path",
    "10.9.0.0/26,   10.0.1.2,    65101,       AS path does not begin with the peer's AS",
    "10.9.0.0/26,   10.0.1.1,    65100,       unusable next hop",
    "10.9.0.0/26,   0.0.0.0,     65100,       unusable next hop",
    "10.9.0.0/26,   127.0.0.1,   65100,       unusable next hop",
    "10.9.0.0/26,   224.0.0.1,   65100,       unusable next hop",
    "10.9.0.0/26,   255.0.0.1,   65100,       unusable next hop"
  })
  void what_may_be_imported(String prefix, String nextHop, String path, String expected) {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A);
    rib.speaker(SPEAKER.withGuard(OwnRanges.of(Set.of(Prefix.parse("10.65.0.0/26")))));
    rib.peerUp(session(TOR_A));
    Asn[] asns = List.of(path.split(" ")).stream().map(Asn::parse).toArray(Asn[]::new);
    rib.update(TOR_A, announce(nextHop, AsPath.of(asns), prefix));
    rib.settle();
    KnownRoute.KnownPath known =
        rib.reader().route(Prefix.parse(prefix)).orElseThrow().paths().getFirst();
    assertThat(known.standing() == KnownRoute.Standing.BEST).isEqualTo(expected.equals("accepted"));
    assertThat(expected.equals("accepted") ? "accepted" : known.reason()).startsWith(expected);
    assertThat(rib.reader().table(IpFamily.IPV4).best())
        .isEqualTo(expected.equals("accepted") ? 1 : 0);
  }

  @Test
  void a_changed_policy_judges_what_was_received_without_asking_for_it_again() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_ALL, TOR_A, TOR_B);
    rib.peerUp(session(TOR_A));
    rib.peerUp(session(TOR_B));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26", "10.65.1.0/26"));
    rib.settle();
    drain(rib, TOR_B);
    rib.speaker(SPEAKER.withGuard(OwnRanges.of(Set.of(Prefix.parse("10.65.0.0/16")))));
    rib.settle();
    assertThat(drain(rib, TOR_B)).containsExactly("-10.65.1.0/26");
    assertThat(counts(rib, TOR_A))
        .returns(2, FamilyCounts::received)
        .returns(1, FamilyCounts::accepted)
        .returns(1, FamilyCounts::best);
    configure(rib, policy(ImportMode.REJECT, ExportMode.ALL), TOR_A, TOR_B);
    rib.settle();
    assertThat(drain(rib, TOR_B)).containsExactly("-10.9.0.0/26");
    configure(rib, ACCEPT_AND_TELL_ALL, TOR_A, TOR_B);
    rib.speaker(SPEAKER);
    rib.settle();
    assertThat(drain(rib, TOR_B))
        .containsExactlyInAnyOrder(
            "+10.9.0.0/26 via 10.0.1.1 path 65001 65100",
            "+10.65.1.0/26 via 10.0.1.1 path 65001 65100");
    configure(rib, policy(ImportMode.ACCEPT, ExportMode.NONE), TOR_A, TOR_B);
    rib.settle();
    assertThat(drain(rib, TOR_B)).containsExactlyInAnyOrder("-10.9.0.0/26", "-10.65.1.0/26");
  }

  @Test
  void the_limit_keeps_further_prefixes_out_and_lets_them_in_when_there_is_room() {
    Rib rib = rib(false);
    PeerPolicy limited =
        PeerPolicy.builder()
            .importMode(ImportMode.ACCEPT)
            .exportMode(ExportMode.NONE)
            .maxPrefix(new MaxPrefix(2, MaxPrefix.Action.DISCARD, 100))
            .build();
    configure(rib, limited, TOR_A);
    rib.peerUp(session(TOR_A));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.1.0.0/16", "10.2.0.0/16"));
    assertThat(rib.settle().limits())
        .extracting(PrefixLimit::level)
        .containsExactly(PrefixLimit.Level.NEAR);
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.3.0.0/16"));
    assertThat(rib.settle().limits())
        .singleElement()
        .returns(PrefixLimit.Level.EXCEEDED, PrefixLimit::level)
        .returns(3L, PrefixLimit::count);
    assertThat(rib.settle().limits()).isEmpty();
    assertThat(counts(rib, TOR_A))
        .returns(3, FamilyCounts::received)
        .returns(2, FamilyCounts::accepted)
        .returns(1, FamilyCounts::discarded);
    assertThat(
            rib.reader()
                .route(Prefix.parse("10.3.0.0/16"))
                .orElseThrow()
                .paths()
                .getFirst()
                .reason())
        .contains("prefix limit");
    rib.update(TOR_A, withdraw("10.1.0.0/16"));
    rib.settle();
    assertThat(counts(rib, TOR_A))
        .returns(2, FamilyCounts::accepted)
        .returns(0, FamilyCounts::discarded);
    assertThat(hops(rib, "10.3.0.0/16")).isEqualTo("[10.0.1.2]");
  }

  @Test
  void a_limit_that_only_warns_lets_everything_in() {
    Rib rib = rib(false);
    configure(
        rib,
        PeerPolicy.builder()
            .importMode(ImportMode.ACCEPT)
            .exportMode(ExportMode.NONE)
            .maxPrefix(new MaxPrefix(1, MaxPrefix.Action.WARN, 100))
            .build(),
        TOR_A);
    rib.peerUp(session(TOR_A));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.1.0.0/16", "10.2.0.0/16"));
    assertThat(rib.settle().limits())
        .extracting(PrefixLimit::level)
        .containsExactly(PrefixLimit.Level.EXCEEDED);
    assertThat(counts(rib, TOR_A).accepted()).isEqualTo(2);
  }

  @Test
  void a_lost_next_hop_takes_its_paths_out_at_once_and_its_metric_decides() {
    List<ForwardingChange> changes = new ArrayList<>();
    Rib rib = rib(RULES, changes::addAll, true);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A, TOR_B);
    rib.peerUp(session(TOR_A));
    rib.peerUp(session(TOR_B));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    rib.update(TOR_B, announce("10.0.2.2", ONE_HOP, "10.9.0.0/26"));
    Rib.Settlement settlement = rib.settle();
    IpAddress hopA = IpAddress.parse("10.0.1.2");
    IpAddress hopB = IpAddress.parse("10.0.2.2");
    assertThat(settlement.nextHops()).contains(Set.of(hopA, hopB));
    assertThat(changes).isEmpty();
    assertThat(
            rib.reader()
                .route(Prefix.parse("10.9.0.0/26"))
                .orElseThrow()
                .paths()
                .getFirst()
                .reason())
        .isEqualTo("next hop unreachable");
    rib.resolve(Map.of(hopA, new Reachability.Reachable(10), hopB, new Reachability.Reachable(10)));
    rib.settle();
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.1.2, 10.0.2.2]");
    rib.resolve(Map.of(hopA, new Reachability.Reachable(20), hopB, new Reachability.Reachable(10)));
    rib.settle();
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.2.2]");
    assertThat(
            rib.reader()
                .route(Prefix.parse("10.9.0.0/26"))
                .orElseThrow()
                .paths()
                .getLast()
                .reason())
        .isEqualTo("IGP metric");
    changes.clear();
    rib.resolve(Map.of(hopA, new Reachability.Reachable(20), hopB, new Reachability.Unreachable()));
    rib.settle();
    assertThat(changes)
        .containsExactly(
            new ForwardingChange(Prefix.parse("10.9.0.0/26"), List.of(new Gateway(hopA, null))));
    rib.update(TOR_B, withdraw("10.9.0.0/26"));
    assertThat(rib.settle().nextHops()).contains(Set.of(hopA));
    assertThat(rib.settle().nextHops()).isEmpty();
  }

  @Test
  void a_prefix_withdrawn_and_announced_in_one_message_stays() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A);
    rib.peerUp(session(TOR_A));
    rib.update(
        TOR_A,
        Update.ofIpv4(
            List.of(Prefix.parse("10.9.0.0/26")),
            attributes(ONE_HOP),
            Ipv4Address.parse("10.0.1.2"),
            List.of(Prefix.parse("10.9.0.0/26"))));
    rib.settle();
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.1.2]");
  }

  @Test
  void the_longest_match_is_found_in_both_families() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A);
    rib.peerUp(session(TOR_A));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "0.0.0.0/0", "10.0.0.0/8", "10.9.0.0/26"));
    rib.update(
        TOR_A, announce6("fd00:1::2", attributes(ONE_HOP), "::/0", "fd00:9::/32", "fd00:9::1/128"));
    rib.settle();
    RibReader reader = rib.reader();
    assertThat(reader.longestMatch(IpAddress.parse("10.9.0.63"), true))
        .contains(Prefix.parse("10.9.0.0/26"));
    assertThat(reader.longestMatch(IpAddress.parse("10.9.0.64"), true))
        .contains(Prefix.parse("10.0.0.0/8"));
    assertThat(reader.longestMatch(IpAddress.parse("11.0.0.1"), true))
        .contains(Prefix.parse("0.0.0.0/0"));
    assertThat(reader.longestMatch(IpAddress.parse("fd00:9::1"), true))
        .contains(Prefix.parse("fd00:9::1/128"));
    assertThat(reader.longestMatch(IpAddress.parse("fd00:9::2"), true))
        .contains(Prefix.parse("fd00:9::/32"));
    rib.update(TOR_A, withdraw("0.0.0.0/0"));
    rib.settle();
    assertThat(reader.longestMatch(IpAddress.parse("11.0.0.1"), true)).isEmpty();
  }

  @Test
  void a_peer_that_takes_several_paths_is_told_all_and_each_by_its_own_number() {
    Rib rib = rib(false);
    ScopedAddress client = ScopedAddress.parse("10.0.3.2");
    configure(rib, ACCEPT_AND_TELL_ALL, TOR_A, TOR_B, client);
    rib.peerUp(session(TOR_A));
    rib.peerUp(session(TOR_B));
    rib.peerUp(
        session(
            client, RibFixtures.LOCAL, PeerKind.CLIENT, false, Set.of(), Set.of(IpFamily.IPV4)));
    rib.settle();
    drain(rib, client);
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    rib.update(TOR_B, announce("10.0.2.2", ONE_HOP, "10.9.0.0/26"));
    rib.settle();
    assertThat(drain(rib, client))
        .containsExactlyInAnyOrder(
            "+10.9.0.0/26#1 via 10.0.1.2 path 65100", "+10.9.0.0/26#2 via 10.0.2.2 path 65100");
    assertThat(rib.reader().advertised(client, Prefix.parse("10.9.0.0/26"))).hasSize(2);
    rib.update(TOR_B, announce("10.0.2.2", AsPath.of(TOR, new Asn(7)), "10.9.0.0/26"));
    rib.settle();
    assertThat(drain(rib, client)).containsExactly("+10.9.0.0/26#2 via 10.0.2.2 path 65100 7");
    rib.peerDown(TOR_A, Set.of());
    rib.settle();
    assertThat(drain(rib, client)).containsExactly("-10.9.0.0/26#1");
    rib.refresh(client, AfiSafi.IPV4_UNICAST);
    assertThat(drain(rib, client)).containsExactly("+10.9.0.0/26#2 via 10.0.2.2 path 65100 7");
    rib.peerDown(TOR_B, Set.of());
    rib.settle();
    assertThat(drain(rib, client)).containsExactly("-10.9.0.0/26#2");
    assertThat(rib.reader().table(IpFamily.IPV4).prefixes()).isZero();
  }

  @Test
  void a_peer_may_send_several_paths_and_withdraw_one_of_them() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A);
    rib.peerUp(session(TOR_A));
    for (int id = 1; id <= 2; id++) {
      rib.update(
          TOR_A,
          new Update(
              Nlri.none(IpFamily.IPV4),
              null,
              attributes(ONE_HOP),
              Ipv4Address.parse("10.0.1." + (10 + id)),
              Nlri.builder(IpFamily.IPV4, 1).add(0x0a090000L, 0, 26, id).build(),
              null));
    }
    rib.settle();
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.1.11, 10.0.1.12]");
    assertThat(rib.reader().route(Prefix.parse("10.9.0.0/26")).orElseThrow().paths().getLast())
        .returns("path id", KnownRoute.KnownPath::reason)
        .returns(2, KnownRoute.KnownPath::pathId);
    rib.update(
        TOR_A,
        new Update(
            Nlri.builder(IpFamily.IPV4, 1).add(0x0a090000L, 0, 26, 1).build(),
            null,
            PathAttributes.EMPTY,
            null,
            Nlri.none(IpFamily.IPV4),
            null));
    rib.settle();
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.1.12]");
  }

  @Test
  void routes_whose_attributes_fit_no_message_count_as_not_told() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_OWN, TOR_A);
    rib.originate(Map.of(Prefix.parse("10.65.0.0/26"), OWN));
    rib.peerUp(session(TOR_A));
    rib.settle();
    Rib.Batch batch = rib.nextBatch(TOR_A).orElseThrow();
    rib.untold(TOR_A, batch.groups().getFirst());
    assertThat(counts(rib, TOR_A).advertised()).isZero();
    rib.originate(Map.of());
    rib.settle();
    assertThat(drain(rib, TOR_A)).isEmpty();
    assertThat(rib.reader().attributeSets()).isZero();
  }

  @Test
  void routes_of_a_peer_that_is_no_longer_wanted_go() {
    Rib rib = rib(false);
    configure(rib, ACCEPT_AND_TELL_ALL, TOR_A, TOR_B);
    rib.peerUp(session(TOR_A));
    rib.peerUp(session(TOR_B));
    rib.update(TOR_A, announce("10.0.1.2", ONE_HOP, "10.9.0.0/26"));
    rib.settle();
    drain(rib, TOR_B);
    configure(rib, ACCEPT_AND_TELL_ALL, TOR_B);
    rib.settle();
    assertThat(drain(rib, TOR_B)).containsExactly("-10.9.0.0/26");
    assertThat(rib.reader().counts(TOR_A, IpFamily.IPV4)).isEmpty();
  }
}
