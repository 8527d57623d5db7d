package io.margay.it.bgp;

import static io.margay.it.bgp.BgpdConfig.BLOCK4;
import static io.margay.it.bgp.BgpdConfig.BLOCK6;
import static io.margay.it.bgp.BgpdConfig.neighbor;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Sessions as such: over both address families, for both, with old 2-octet speakers, on other
/// ports, from one side only, from both at once.
@Tag("interop")
@ExtendWith(InteropMatrix.class)
@Execution(ExecutionMode.CONCURRENT)
class SessionInteropTest {

  private static final Duration CONTROL = Duration.ofSeconds(3);

  @ParameterizedTest
  @EnumSource
  @Feature("session over IPv4")
  void a_session_over_ipv4_carries_routes_both_ways(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4")));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, "")));
      router.awaitEstablished(Lab.ours(1));
      router.awaitRoute(BLOCK4);
      SeenRoute seen = router.routes(BLOCK4).getFirst();
      assertThat(seen.asPath()).containsExactly(65001L);
      assertThat(seen.nextHop()).isEqualTo(Lab.ours(1));
      assertThat(seen.communities()).containsExactly(BgpdConfig.COMMUNITY);
      ours.awaitRoute(Side.PREFIX4);
      assertThat(ours.get("/api/v1/ready").isMissingNode()).isFalse();

      ours.reload(BgpdConfig.with());
      Waiting.until(
          "session gone",
          () -> router.neighbour(Lab.ours(1)),
          () -> !router.established(Lab.ours(1)) && !router.has(BLOCK4));
    }
  }

  @ParameterizedTest
  @EnumSource
  @Feature("session over IPv6")
  void a_session_over_ipv6_carries_routes_both_ways(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, Side.of(1, 65100, Peering.ipv6(1).families("ipv6")));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(Lab.theirs6(1), 65100, "")));
      router.awaitEstablished(Lab.ours6(1));
      router.awaitRoute(BLOCK6);
      assertThat(router.routes(BLOCK6).getFirst().nextHop()).isEqualTo(Lab.ours6(1));
      assertThat(router.has(BLOCK4)).isFalse();
      ours.awaitRoute(Side.PREFIX6);

      ours.reload(BgpdConfig.with());
      Waiting.until(
          "session gone",
          () -> router.neighbour(Lab.ours6(1)),
          () -> !router.established(Lab.ours6(1)));
    }
  }

  @ParameterizedTest
  @EnumSource
  @Feature("IPv4 and IPv6 over one session")
  void both_families_share_one_session_when_both_are_asked_for(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1)));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, ", families: [ipv4, ipv6]")));
      router.awaitEstablished(Lab.ours(1));
      router.awaitRoute(BLOCK4);
      router.awaitRoute(BLOCK6);
      assertThat(router.routes(BLOCK6).getFirst().nextHop()).isEqualTo(Lab.ours6(1));
      ours.awaitRoute(Side.PREFIX4);
      ours.awaitRoute(Side.PREFIX6);

      ours.reload(BgpdConfig.with(neighbor(1, 65100, ", families: [ipv4]")));
      Waiting.until(
          "IPv4 only",
          () -> router.neighbour(Lab.ours(1)),
          () -> router.established(Lab.ours(1)) && router.has(BLOCK4) && !router.has(BLOCK6));
    }
  }

  /// Our AS needs four octets; a path of ours through an old speaker carries AS_TRANS and AS4_PATH.
  @ParameterizedTest
  @EnumSource(names = {"BIRD", "OPENBGPD", "EXABGP"})
  @Feature(
      value = "2-octet AS peer (AS_TRANS, AS4_PATH)",
      cannot = {
        "FRR: can't hide its 4-octet capability",
        "GOBGP: can't hide its 4-octet capability"
      })
  void a_two_octet_peer_and_we_agree_on_four_octet_paths(Daemon daemon) {
    // BIRD and OpenBGPD read our real number from the capability even when they send none, and BIRD
    // then can't be told of one that needs four octets.
    long four = daemon == Daemon.BIRD ? 65001 : 4_200_000_001L;
    long trans = daemon == Daemon.BIRD ? 65001 : 23456;
    long known = daemon == Daemon.EXABGP ? trans : four;
    try (Lab lab = Lab.star(2)) {
      Router old =
          daemon.started(
              lab,
              Side.of(1, 65100, Peering.ipv4(1).families("ipv4").remoteAsn(known).twoOctetAsn())
                  .originating(Origin.of(Side.PREFIX4)));
      Router modern =
          Daemon.BIRD.started(
              lab,
              Side.of(2, 4_200_000_002L, Peering.ipv4(2).families("ipv4").remoteAsn(four))
                  .originating(Origin.of("10.98.0.0/26")));
      Bgpd ours =
          Bgpd.start(
              lab,
              BgpdConfig.with(neighbor(1, 65100, ""), neighbor(2, 4_200_000_002L, "")).asn(four));
      old.awaitEstablished(Lab.ours(1));
      old.awaitRoute("10.98.0.0/26");
      // What the old speaker shows is AS_TRANS twice, or the real path when it reads AS4_PATH.
      assertThat(old.routes("10.98.0.0/26").getFirst().asPath())
          .isIn(List.of(trans, 23456L), List.of(four, 4_200_000_002L));
      modern.awaitRoute(Side.PREFIX4);
      assertThat(modern.routes(Side.PREFIX4).getFirst().asPath()).containsExactly(four, 65100L);
      assertThat(ours.peer(Lab.theirs(1)).toString()).doesNotContain("4-octet-as\":\"both");
    }
  }

  @ParameterizedTest
  @EnumSource
  @Feature("other port, ours and theirs")
  void another_port_is_listened_on_and_connected_to(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router =
          daemon.started(
              lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4").passive()).listening(1790));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, "")));
      Waiting.never(
          CONTROL,
          "session at port 179",
          () -> router.neighbour(Lab.ours(1)),
          () -> router.established(Lab.ours(1)));
      ours.reload(BgpdConfig.with(neighbor(1, 65100, ", port: 1790")));
      router.awaitEstablished(Lab.ours(1));
      router.awaitRoute(BLOCK4);
    }
    try (Lab lab = Lab.star(1)) {
      Router router =
          daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4").remotePort(1791)));
      Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, ", passive: true")).port(1791));
      router.awaitEstablished(Lab.ours(1));
      router.awaitRoute(BLOCK4);
    }
  }

  @ParameterizedTest
  @EnumSource
  @Feature("passive: ours")
  void a_passive_neighbor_is_waited_for(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      // Both wait: nobody calls.
      Router router =
          daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4").passive()));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, ", passive: true")));
      Waiting.never(
          CONTROL,
          "session of two that wait",
          () -> router.neighbour(Lab.ours(1)),
          () -> router.established(Lab.ours(1)));
      ours.reload(BgpdConfig.with(neighbor(1, 65100, "")));
      router.awaitEstablished(Lab.ours(1));
    }
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4")));
      Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, ", passive: true")));
      router.awaitEstablished(Lab.ours(1));
    }
  }

  @ParameterizedTest
  @EnumSource
  @Feature("dynamic neighbors by prefix")
  void a_neighbor_is_taken_in_by_its_prefix(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4")));
      String range = "{prefix: %s, asNumber: 65100, import: accept, export: accept, holdTime: 9s}";
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(range.formatted("10.204.0.0/16")));
      Waiting.never(
          CONTROL,
          "session from outside the range",
          () -> router.neighbour(Lab.ours(1)),
          () -> router.established(Lab.ours(1)));
      ours.reload(BgpdConfig.with(range.formatted("10.203.0.0/16")));
      router.awaitEstablished(Lab.ours(1));
      router.awaitRoute(BLOCK4);
      ours.awaitRoute(Side.PREFIX4);
    }
  }

  /// Both call as soon as they start and again every second or two; whoever wins, one session
  /// stays.
  @ParameterizedTest
  @EnumSource
  @Feature("collision of two connections")
  void two_that_call_each_other_end_with_one_session(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, "")));
      Router router = daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4")));
      router.awaitEstablished(Lab.ours(1));
      router.awaitRoute(BLOCK4);
      long sessions = ours.timesEstablished(Lab.theirs(1));
      Waiting.never(
          Duration.ofSeconds(5),
          "flap",
          () -> ours.peer(Lab.theirs(1)) + ours.log(),
          () ->
              !router.established(Lab.ours(1)) || ours.timesEstablished(Lab.theirs(1)) != sessions);
    }
  }
}
