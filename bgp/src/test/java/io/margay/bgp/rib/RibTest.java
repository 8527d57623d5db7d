package io.margay.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.Update;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RibTest {

  private static final Set<IpFamily> BOTH = Set.of(IpFamily.values());
  private static final Asn LOCAL = new Asn(65001);
  private static final IpAddress TOR_A = IpAddress.parse("10.0.1.2");
  private static final IpAddress TOR_B = IpAddress.parse("10.0.2.2");
  private static final PathAttributes OWN =
      PathAttributes.of(
          new PathAttribute.Origin(PathAttribute.OriginCode.IGP),
          new PathAttribute.AsPathAttribute(AsPath.EMPTY));

  private static Rib rib(boolean deferSelection) {
    return new Rib(
        LOCAL, Set.of(IpAddress.parse("10.0.1.1")), new DecisionProcess(true, 8), deferSelection);
  }

  private static void configure(Rib rib, IpAddress... peers) {
    Map<IpAddress, PeerPolicy> policies = new LinkedHashMap<>();
    for (IpAddress peer : peers) {
      policies.put(peer, new PeerPolicy(BOTH, true, true));
    }
    rib.configure(policies);
  }

  private static RibSession session(IpAddress peer, boolean restarting, Set<IpFamily> kept) {
    return new RibSession(
        new RibPeer(peer, new Asn(65100), RouterId.parse(peer.toString()), true),
        BOTH,
        kept,
        restarting,
        Map.of(
            IpFamily.IPV4, IpAddress.parse("10.0.1.1"), IpFamily.IPV6, IpAddress.parse("fd00::1")),
        4096,
        attributes -> 20 * attributes.all().size());
  }

  private static Update announce(String nextHop, AsPath path, String... prefixes) {
    return Update.ofIpv4(
        List.of(),
        PathAttributes.of(
            new PathAttribute.Origin(PathAttribute.OriginCode.IGP),
            new PathAttribute.AsPathAttribute(path)),
        Ipv4Address.parse(nextHop),
        List.of(prefixes).stream().map(Prefix::parse).toList());
  }

  private static Update withdraw(String prefix) {
    return Update.ofIpv4(List.of(Prefix.parse(prefix)), PathAttributes.EMPTY, null, List.of());
  }

  private static String hops(Rib rib, String prefix) {
    return rib.known().stream()
        .filter(known -> known.prefix().equals(Prefix.parse(prefix)))
        .map(Rib.Known::decision)
        .map(Optional::ofNullable)
        .flatMap(Optional::stream)
        .map(decision -> decision.multipath().stream().map(p -> p.nextHop().toString()).toList())
        .map(List::toString)
        .findFirst()
        .orElse("none");
  }

  @Test
  void two_equal_paths_share_traffic_and_a_lost_session_leaves_the_other() {
    Rib rib = rib(false);
    configure(rib, TOR_A, TOR_B);
    rib.peerUp(session(TOR_A, false, Set.of()));
    rib.peerUp(session(TOR_B, false, Set.of()));
    rib.update(TOR_A, announce("10.0.1.2", AsPath.of(new Asn(65100)), "10.9.0.0/26"));
    rib.update(TOR_B, announce("10.0.2.2", AsPath.of(new Asn(65100)), "10.9.0.0/26"));
    assertThat(rib.settle().deltas()).hasSize(1);
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.1.2, 10.0.2.2]");
    rib.peerDown(TOR_A, Set.of());
    assertThat(rib.settle().deltas()).hasSize(1);
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.2.2]");
    rib.update(TOR_B, withdraw("10.9.0.0/26"));
    assertThat(rib.settle().deltas().getFirst().after()).isNull();
    assertThat(rib.settle().deltas()).isEmpty();
  }

  @Test
  void own_routes_go_out_once_and_learned_ones_never() {
    Rib rib = rib(false);
    configure(rib, TOR_A, TOR_B);
    rib.peerUp(session(TOR_A, false, Set.of()));
    rib.update(TOR_A, announce("10.0.1.2", AsPath.of(new Asn(65100)), "10.9.0.0/26"));
    rib.originate(Map.of(Prefix.parse("10.65.0.0/26"), OWN, Prefix.parse("fd00:65::/122"), OWN));
    rib.settle();
    rib.peerUp(session(TOR_B, false, Set.of()));
    for (IpAddress peer : List.of(TOR_A, TOR_B)) {
      Rib.Batch batch = rib.nextBatch(peer).orElseThrow();
      assertThat(batch.updates()).hasSize(4);
      assertThat(batch.updates().stream().filter(update -> update.endOfRib().isPresent()).count())
          .isEqualTo(2);
      assertThat(rib.nextBatch(peer)).isEmpty();
      Advertisement told = rib.advertised(peer).get(Prefix.parse("10.65.0.0/26"));
      assertThat(told)
          .isEqualTo(
              new Advertisement(
                  OWN.with(new PathAttribute.AsPathAttribute(AsPath.of(LOCAL))),
                  IpAddress.parse("10.0.1.1")));
      assertThat(rib.advertised(peer)).hasSize(2);
    }
    rib.originate(Map.of(Prefix.parse("10.65.0.0/26"), OWN));
    rib.settle();
    assertThat(rib.nextBatch(TOR_A).orElseThrow().updates())
        .containsExactly(
            Update.ofUnreachable(
                new PathAttribute.MpUnreach(
                    AfiSafi.IPV6_UNICAST,
                    Nlri.of(IpFamily.IPV6, List.of(Prefix.parse("fd00:65::/122"))))));
    rib.refresh(TOR_A, AfiSafi.IPV4_UNICAST);
    assertThat(rib.nextBatch(TOR_A).orElseThrow().updates().getFirst().announced())
        .containsExactly(Prefix.parse("10.65.0.0/26"));
  }

  @Test
  void a_prefix_that_goes_while_a_refresh_is_owed_is_still_withdrawn() {
    Rib rib = rib(false);
    configure(rib, TOR_A);
    rib.originate(Map.of(Prefix.parse("10.65.0.0/26"), OWN));
    rib.settle();
    rib.peerUp(session(TOR_A, false, Set.of()));
    rib.nextBatch(TOR_A);
    rib.refresh(TOR_A, AfiSafi.IPV4_UNICAST);
    rib.originate(Map.of());
    rib.settle();
    assertThat(rib.nextBatch(TOR_A).orElseThrow().updates())
        .containsExactly(withdraw("10.65.0.0/26"));
  }

  @Test
  void after_a_restart_nothing_is_decided_or_told_before_every_peer_is_done() {
    Rib rib = rib(true);
    configure(rib, TOR_A, TOR_B);
    rib.originate(Map.of(Prefix.parse("10.65.0.0/26"), OWN));
    rib.peerUp(session(TOR_A, false, BOTH));
    rib.update(TOR_A, announce("10.0.1.2", AsPath.of(new Asn(65100)), "10.9.0.0/26"));
    rib.update(TOR_A, Update.endOfRib(IpFamily.IPV4));
    rib.update(TOR_A, Update.endOfRib(IpFamily.IPV6));
    // The other peer is not up yet: it counts as outstanding.
    assertThat(rib.settle()).isEqualTo(new Rib.Settlement(List.of(), Set.of()));
    assertThat(rib.nextBatch(TOR_A)).isEmpty();
    rib.peerUp(session(TOR_B, false, BOTH));
    rib.update(TOR_B, Update.endOfRib(IpFamily.IPV4));
    Rib.Settlement settlement = rib.settle();
    assertThat(settlement.complete()).containsExactly(IpFamily.IPV4);
    assertThat(settlement.deltas()).hasSize(2);
    assertThat(rib.nextBatch(TOR_A).orElseThrow().updates())
        .last()
        .isEqualTo(Update.endOfRib(IpFamily.IPV4));
    rib.endDeferral();
    assertThat(rib.settle().complete()).containsExactly(IpFamily.IPV6);
    assertThat(rib.settle().complete()).isEmpty();
  }

  @Test
  void a_peer_that_restarts_itself_is_not_waited_for() {
    Rib rib = rib(true);
    configure(rib, TOR_A);
    assertThat(rib.settle().complete()).isEmpty();
    rib.peerUp(session(TOR_A, true, BOTH));
    assertThat(rib.settle().complete()).isEqualTo(BOTH);
  }

  @Test
  void routes_of_a_restarting_peer_stay_until_its_end_of_rib() {
    Rib rib = rib(false);
    configure(rib, TOR_A);
    rib.peerUp(session(TOR_A, false, BOTH));
    AsPath path = AsPath.of(new Asn(65100));
    rib.update(TOR_A, announce("10.0.1.2", path, "10.9.0.0/26", "10.9.1.0/26"));
    rib.settle();
    rib.peerDown(TOR_A, BOTH);
    rib.settle();
    assertThat(rib.counts(TOR_A, IpFamily.IPV4).orElseThrow().stale()).isEqualTo(2);
    assertThat(hops(rib, "10.9.1.0/26")).isEqualTo("[10.0.1.2]");
    rib.peerUp(session(TOR_A, true, BOTH));
    rib.update(TOR_A, announce("10.0.1.2", path, "10.9.0.0/26"));
    rib.settle();
    assertThat(hops(rib, "10.9.1.0/26")).isEqualTo("[10.0.1.2]");
    rib.update(TOR_A, Update.endOfRib(IpFamily.IPV4));
    rib.settle();
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.1.2]");
    assertThat(hops(rib, "10.9.1.0/26")).isEqualTo("none");
  }

  @Test
  void a_peer_that_lost_its_forwarding_state_loses_its_stale_routes_at_once() {
    Rib rib = rib(false);
    configure(rib, TOR_A);
    rib.peerUp(session(TOR_A, false, BOTH));
    rib.update(TOR_A, announce("10.0.1.2", AsPath.of(new Asn(65100)), "10.9.0.0/26"));
    rib.peerDown(TOR_A, BOTH);
    rib.peerUp(session(TOR_A, true, Set.of()));
    assertThat(rib.known()).isEmpty();
  }

  @Test
  void a_second_break_drops_what_was_stale_before() {
    Rib rib = rib(false);
    configure(rib, TOR_A);
    rib.peerUp(session(TOR_A, false, BOTH));
    AsPath path = AsPath.of(new Asn(65100));
    rib.update(TOR_A, announce("10.0.1.2", path, "10.9.0.0/26", "10.9.1.0/26"));
    rib.peerDown(TOR_A, BOTH);
    rib.peerUp(session(TOR_A, true, BOTH));
    rib.update(TOR_A, announce("10.0.1.2", path, "10.9.0.0/26"));
    rib.peerDown(TOR_A, BOTH);
    assertThat(rib.known().stream().map(Rib.Known::prefix).toList())
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
    configure(rib, TOR_A);
    rib.guard(Set.of(Prefix.parse("10.65.0.0/26")));
    rib.peerUp(session(TOR_A, false, Set.of()));
    Asn[] asns = List.of(path.split(" ")).stream().map(Asn::parse).toArray(Asn[]::new);
    rib.update(TOR_A, announce(nextHop, AsPath.of(asns), prefix));
    rib.settle();
    Rib.Known known = rib.known().getFirst();
    assertThat(
            known.refused().isEmpty() ? "accepted" : known.refused().getFirst().reason().toString())
        .isEqualTo(expected);
    assertThat(known.decision() != null).isEqualTo(expected.equals("accepted"));
  }

  @Test
  void a_prefix_withdrawn_and_announced_in_one_message_stays() {
    Rib rib = rib(false);
    configure(rib, TOR_A);
    rib.peerUp(session(TOR_A, false, Set.of()));
    Update announcement = announce("10.0.1.2", AsPath.of(new Asn(65100)), "10.9.0.0/26");
    rib.update(
        TOR_A,
        Update.ofIpv4(
            announcement.announced().toList(),
            announcement.attributes(),
            announcement.nextHop(),
            announcement.announced().toList()));
    rib.settle();
    assertThat(hops(rib, "10.9.0.0/26")).isEqualTo("[10.0.1.2]");
  }
}
