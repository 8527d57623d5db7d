package io.margay.it.bgp;

import static io.margay.it.bgp.BgpdConfig.BLOCK4;
import static io.margay.it.bgp.BgpdConfig.neighbor;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Graceful restart (RFC 4724) in both roles, with packets counted where the other side has kernel
/// routes and its table watched where it has none.
@Tag("interop")
@ExtendWith(InteropMatrix.class)
@Isolated("counts packets at full rate")
class RestartInteropTest {

  private static final String HOST = "10.99.0.1";
  private static final String POD = "10.65.0.1";
  private static final String HELP = ", gracefulRestart: true";
  private static final String NO_HELP = ", gracefulRestart: false";

  private static Side side() {
    return Side.of(1, 65100, Peering.ipv4(1).families("ipv4").gracefulRestart())
        .originating(Origin.of(Side.PREFIX4));
  }

  private static Lab lab() {
    Lab lab = Lab.star(1);
    Lab.address(lab.node(), "lo", POD + "/32");
    Lab.address(lab.router(1), "lo", HOST + "/32");
    return lab;
  }

  private static void awaitKernel(Lab lab, Bgpd ours) {
    Waiting.until(
        "the kernel's route",
        () -> Lab.run(lab.node(), "ip", "route") + ours.log(),
        () -> !Lab.run(lab.node(), "ip", "route", "show", Side.PREFIX4).isEmpty());
  }

  /// The new session is up and both have sent their End-of-RIB.
  private static void awaitEndOfRib(Router router, Bgpd ours) {
    router.awaitEstablished(Lab.ours(1));
    ours.awaitEstablished(Lab.theirs(1));
    Waiting.until(
        "End-of-RIB both ways",
        () -> ours.peer(Lab.theirs(1)) + ours.log(),
        () -> {
          var family = ours.peer(Lab.theirs(1)).path("families").path("ipv4");
          return family.path("endOfRibReceived").asBoolean()
              && family.path("endOfRibSent").asBoolean()
              && family.path("pfxStale").asInt() == 0;
        });
    Waiting.until(
        "no stale route over there",
        () -> router.routes(BLOCK4).toString(),
        () -> router.has(BLOCK4) && router.routes(BLOCK4).stream().noneMatch(SeenRoute::stale));
  }

  /// Daemons without kernel routes: their table must hold our route all the time.
  @ParameterizedTest
  @EnumSource(names = {"GOBGP", "OPENBGPD"})
  @Feature(
      value = "we restart (kill -9): they keep our routes",
      cannot = {"EXABGP: keeps no table"})
  void killed_our_routes_stay_with_them(Daemon daemon) {
    try (Lab lab = lab()) {
      Router router = daemon.started(lab, side());
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, HELP)).kernelFib());
      router.awaitRoute(BLOCK4);
      ours.awaitRoute(Side.PREFIX4);
      ours.kill();
      Waiting.until(
          "session lost",
          () -> router.neighbour(Lab.ours(1)),
          () -> !router.established(Lab.ours(1)));
      Waiting.never(Duration.ofSeconds(2), "route gone", () -> "", () -> !router.has(BLOCK4));
      ours.restart();
      Waiting.until(
          "session again",
          () -> router.neighbour(Lab.ours(1)) + ours.log(),
          () -> {
            assertThat(router.has(BLOCK4)).isTrue();
            return router.established(Lab.ours(1));
          });
      awaitEndOfRib(router, ours);
    }
    try (Lab lab = lab()) {
      Router router = daemon.started(lab, side());
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, NO_HELP)).kernelFib());
      router.awaitRoute(BLOCK4);
      ours.kill();
      Waiting.until("route gone without it", () -> "it stays", () -> !router.has(BLOCK4));
    }
  }

  /// Daemons with kernel routes: what is on its way in either direction must arrive.
  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR"})
  @Feature("we restart twice (kill -9): no packet lost")
  void killed_twice_we_lose_no_packet(Daemon daemon) {
    for (String knob : List.of(HELP, NO_HELP)) {
      try (Lab lab = lab()) {
        Router router = daemon.started(lab, side());
        Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, knob)).kernelFib());
        router.awaitRoute(BLOCK4);
        awaitKernel(lab, ours);
        Flood flood = Flood.start(lab, lab.router(1), HOST, POD);
        Waiting.pause(Duration.ofMillis(500));
        for (int kill = 0; kill < 2; kill++) {
          ours.kill();
          Waiting.pause(Duration.ofMillis(500));
          ours.restart();
          if (knob.equals(HELP)) {
            awaitEndOfRib(router, ours);
          }
          router.awaitRoute(BLOCK4);
          awaitKernel(lab, ours);
        }
        Waiting.pause(Duration.ofMillis(500));
        Flood.Result result = flood.stop();
        if (knob.equals(HELP)) {
          InteropMatrix.measured("we restart twice under ping, " + daemon + ": " + result);
          assertThat(result.lost()).as("%s%n%s", result, ours.log()).isZero();
          assertThat(result.perSecond()).as(result.toString()).isGreaterThan(1000);
        } else {
          assertThat(result.lost()).as("without graceful restart").isPositive();
        }
      }
    }
  }

  /// They are killed and come back; their kernel's routes stay (FRR's zebra is not killed), we
  /// help.
  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR"})
  @Feature("they restart (kill -9): we help, no packet lost")
  void while_they_restart_we_lose_no_packet(Daemon daemon) {
    for (String knob : List.of(HELP, NO_HELP)) {
      try (Lab lab = lab()) {
        Router router = daemon.started(lab, side());
        Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, knob)).kernelFib());
        router.awaitRoute(BLOCK4);
        awaitKernel(lab, ours);
        Flood flood = Flood.start(lab, lab.router(1), HOST, POD);
        Waiting.pause(Duration.ofMillis(500));
        if (router instanceof FrrRouter frr) {
          frr.restartBgpd();
        } else {
          router.kill();
          router = daemon.restarted(lab, side());
        }
        if (knob.equals(HELP)) {
          awaitEndOfRib(router, ours);
        }
        router.awaitRoute(BLOCK4);
        awaitKernel(lab, ours);
        Waiting.pause(Duration.ofMillis(500));
        Flood.Result result = flood.stop();
        if (knob.equals(HELP)) {
          InteropMatrix.measured("they restart under ping, " + daemon + ": " + result);
          assertThat(result.lost()).as("%s%n%s", result, ours.log()).isZero();
          assertThat(result.perSecond()).as(result.toString()).isGreaterThan(1000);
        } else {
          assertThat(result.lost()).as("without our help").isPositive();
        }
      }
    }
  }

  /// Not GoBGP: what is added to its table before the end of its deferral, even before its new
  /// session, is in its Adj-RIB-Out (`gobgp neighbor … adj-out`), and no UPDATE is counted as sent.
  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR", "EXABGP"})
  @Feature(
      value = "they restart (kill -9): we keep their routes",
      cannot = {
        "GOBGP: tells nobody its routes after a restart of its own",
        "OPENBGPD: is a helper only"
      })
  void while_they_restart_we_keep_their_routes(Daemon daemon) {
    for (String knob : List.of(HELP, NO_HELP)) {
      try (Lab lab = lab()) {
        Router router = daemon.started(lab, side());
        Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, knob)).kernelFib());
        router.awaitRoute(BLOCK4);
        awaitKernel(lab, ours);
        router.kill();
        Waiting.until("session lost", () -> ours.log(), () -> !ours.established(Lab.theirs(1)));
        boolean kept = !ours.paths(Side.PREFIX4).isEmpty();
        assertThat(kept).as(ours.log()).isEqualTo(knob.equals(HELP));
        daemon.restarted(lab, side());
        Waiting.until(
            "session again",
            () -> ours.peer(Lab.theirs(1)) + ours.log(),
            () -> {
              if (knob.equals(HELP)) {
                assertThat(ours.paths(Side.PREFIX4)).isNotEmpty();
              }
              return ours.established(Lab.theirs(1));
            });
        ours.awaitRoute(Side.PREFIX4);
      }
    }
  }
}
