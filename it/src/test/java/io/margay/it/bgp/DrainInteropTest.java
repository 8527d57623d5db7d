package io.margay.it.bgp;

import static io.margay.it.bgp.BgpdConfig.BLOCK4;
import static io.margay.it.bgp.BgpdConfig.neighbor;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// GRACEFUL_SHUTDOWN (RFC 8326): how a router is left before it goes away.
@Tag("interop")
@ExtendWith(InteropMatrix.class)
@Execution(ExecutionMode.CONCURRENT)
class DrainInteropTest {

  private static final String STAYS = "10.98.0.0/26";
  private static final String DRAINED = "10.98.1.0/26";

  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR"})
  @Feature("our GRACEFUL_SHUTDOWN, seen by them")
  void a_drain_is_seen_on_every_route_and_ends_without_a_reset(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4")));
      BgpdConfig working = BgpdConfig.with(neighbor(1, 65100, ""));
      Bgpd ours = Bgpd.start(lab, working);
      router.awaitRoute(BLOCK4);
      assertThat(router.routes(BLOCK4).getFirst().communities())
          .containsExactly(BgpdConfig.COMMUNITY);

      ours.reload(working.further("gracefulShutdown: true"));
      Waiting.until(
          "GRACEFUL_SHUTDOWN over there",
          () -> router.routes(BLOCK4) + ours.log(),
          () -> isDrained(router));
      assertThat(router.routes(BLOCK4).getFirst().communities())
          .containsExactlyInAnyOrder(BgpdConfig.COMMUNITY, SeenRoute.DRAINED);

      ours.reload(working);
      Waiting.until(
          "the end of the drain over there",
          () -> router.routes(BLOCK4) + ours.log(),
          () -> router.has(BLOCK4) && !isDrained(router));
      assertThat(ours.timesEstablished(Lab.theirs(1))).isEqualTo(1);
    }
  }

  private static boolean isDrained(Router router) {
    return router.routes(BLOCK4).stream()
        .anyMatch(route -> route.communities().contains(SeenRoute.DRAINED));
  }

  /// Router 3 is told our best path: over router 1, whose identifier is the lower one, unless that
  /// is being drained.
  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR"})
  @Feature("their GRACEFUL_SHUTDOWN, honoured by us")
  void a_router_that_is_being_drained_is_the_last_choice(Daemon daemon) {
    try (Lab lab = Lab.star(3)) {
      Router far =
          daemon.started(lab, Side.of(3, 65103, Peering.ipv4(3).families("ipv4")).originating());
      daemon.started(
          lab,
          Side.of(1, 65100, Peering.ipv4(1).families("ipv4"))
              .originating(Origin.of(STAYS), Origin.of(DRAINED).beingDrained()));
      daemon.started(
          lab,
          Side.of(2, 65102, Peering.ipv4(2).families("ipv4"))
              .originating(Origin.of(STAYS), Origin.of(DRAINED)));
      Bgpd ours =
          Bgpd.start(
              lab,
              BgpdConfig.with(
                  neighbor(1, 65100, ""), neighbor(2, 65102, ""), neighbor(3, 65103, "")));
      ours.awaitEstablished(Lab.theirs(1));
      ours.awaitEstablished(Lab.theirs(2));
      Waiting.until(
          "both paths of both routes",
          () -> ours.get("/api/v1/bgp/routes") + ours.log(),
          () -> areTakenFromBoth(ours, STAYS) && areTakenFromBoth(ours, DRAINED));
      Waiting.until(
          "the best paths over there",
          () -> far.routes(STAYS) + " " + far.routes(DRAINED) + ours.log(),
          () -> isOver(far, STAYS, 65100) && isOver(far, DRAINED, 65102));
    }
  }

  /// The others send us their best path back.
  private static boolean areTakenFromBoth(Bgpd ours, String prefix) {
    return ours.paths(prefix).stream()
            .filter(path -> !path.path("role").asText().equals("rejected"))
            .map(path -> path.path("peer").asText())
            .filter(List.of(Lab.theirs(1), Lab.theirs(2))::contains)
            .distinct()
            .count()
        == 2;
  }

  private static boolean isOver(Router far, String prefix, long asn) {
    return far.routes(prefix).stream().anyMatch(route -> route.asPath().contains(asn));
  }
}
