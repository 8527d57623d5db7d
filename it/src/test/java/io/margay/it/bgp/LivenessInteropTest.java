package io.margay.it.bgp;

import static io.margay.it.bgp.BgpdConfig.BLOCK4;
import static io.margay.it.bgp.BgpdConfig.neighbor;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The other side is dead, or only seems alive: BFD, two ToRs, and a peer that stops reading.
@Tag("interop")
@ExtendWith(InteropMatrix.class)
@Isolated("measures times below a second")
class LivenessInteropTest {

  private static final Duration ONE_SECOND = Duration.ofSeconds(1);
  private static final String BFD = ", bfd: {interval: 300ms, multiplier: 3}";
  private static final String HOST = "10.99.0.1";
  private static final String POD = "10.65.0.1";

  /// Three packets and what a busy machine adds, and less than any hold time. What it took is told
  /// with the matrix.
  private static final Duration SOON = Duration.ofMillis(1500);

  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR"})
  @Feature(
      value = "BFD 300 ms × 3: we fall silent, they see it in < 1 s",
      cannot = {"GOBGP: 3.10 has no BFD", "OPENBGPD: has no BFD", "EXABGP: has no BFD"})
  void they_notice_in_less_than_a_second_that_we_are_silent(Daemon daemon) {
    for (String knob : List.of(BFD, "")) {
      try (Lab lab = Lab.star(1)) {
        Peering peering = Peering.ipv4(1).families("ipv4");
        Router router = daemon.started(lab, Side.of(1, 65100, peering.bfd()));
        Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, knob)));
        router.awaitRoute(BLOCK4);
        if (knob.equals(BFD)) {
          awaitBfd(ours);
        }
        ours.freeze();
        Duration took =
            Waiting.measure(
                "session down",
                () -> router.neighbour(Lab.ours(1)),
                () -> !router.established(Lab.ours(1)));
        if (knob.equals(BFD)) {
          InteropMatrix.measured(
              "BFD: "
                  + router.name()
                  + " drops our session "
                  + took.toMillis()
                  + " ms after SIGSTOP");
          assertThat(took).isLessThan(SOON);
        } else {
          assertThat(took).as("without BFD").isGreaterThan(SOON);
        }
      }
    }
  }

  private static void awaitBfd(Bgpd ours) {
    Waiting.until(
        "BFD up",
        () -> ours.peer(Lab.theirs(1)) + ours.log(),
        () -> ours.peer(Lab.theirs(1)).path("bfd").asText().equalsIgnoreCase("up"));
    // One more round at the negotiated rate.
    Waiting.pause(ONE_SECOND);
  }

  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR"})
  @Feature(
      value = "BFD 300 ms × 3: they fall silent, we see it in < 1 s",
      cannot = {"GOBGP: 3.10 has no BFD", "OPENBGPD: has no BFD", "EXABGP: has no BFD"})
  void we_notice_in_less_than_a_second_that_they_are_silent(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router =
          daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4").bfd()));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, BFD)));
      router.awaitRoute(BLOCK4);
      awaitBfd(ours);
      router.freeze();
      Duration took =
          Waiting.measure(
              "session down",
              () -> ours.peer(Lab.theirs(1)) + ours.log(),
              () -> !ours.established(Lab.theirs(1)));
      InteropMatrix.measured(
          "BFD: we drop the session of "
              + router.name()
              + " "
              + took.toMillis()
              + " ms after SIGSTOP");
      assertThat(took).isLessThan(SOON);
      ours.awaitError(Lab.theirs(1), "BFD");
    }
  }

  /// Two ToRs lead to one host; the one in use falls silent and forwards nothing more.
  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR"})
  @Feature(
      value = "two ToRs: ECMP, failover in < 1 s",
      cannot = {"GOBGP: 3.10 has no BFD", "OPENBGPD: has no BFD", "EXABGP: has no BFD"})
  void the_second_top_of_rack_takes_over_within_a_second(Daemon daemon) {
    for (String knob : List.of(BFD, "")) {
      try (Lab lab = Lab.star(2)) {
        Lab.address(lab.node(), "lo", POD + "/32");
        Router[] tors = new Router[2];
        for (int number = 1; number <= 2; number++) {
          Lab.address(lab.router(number), "lo", HOST + "/32");
          tors[number - 1] =
              daemon.started(
                  lab,
                  Side.of(
                          number,
                          65100,
                          Peering.ipv4(number).families("ipv4").holdTimeSeconds(3).bfd())
                      .originating(Origin.of(Side.PREFIX4)));
        }
        String[] neighbors = {
          neighbor(1, 65100, knob).replace("holdTime: 9s", "holdTime: 3s"),
          neighbor(2, 65100, knob).replace("holdTime: 9s", "holdTime: 3s")
        };
        Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbors).kernelFib());
        for (Router tor : tors) {
          tor.awaitRoute(BLOCK4);
        }
        Waiting.until(
            "two next hops in the kernel",
            () -> kernel(lab) + ours.log(),
            () -> kernel(lab).contains(Lab.theirs(1)) && kernel(lab).contains(Lab.theirs(2)));
        if (knob.equals(BFD)) {
          awaitBfd(ours);
        }
        Flood flood = Flood.start(lab, lab.node(), POD, HOST);
        Waiting.pause(ONE_SECOND);
        String way = Lab.run(lab.node(), "ip", "route", "get", HOST, "from", POD);
        int used = way.contains(Lab.theirs(1)) ? 1 : 2;
        Lab.host("ip", "-n", lab.router(used), "addr", "del", HOST + "/32", "dev", "lo");
        tors[used - 1].freeze();
        Waiting.until(
            "one next hop in the kernel",
            () -> kernel(lab) + ours.log(),
            () -> !kernel(lab).contains(Lab.theirs(used)));
        Waiting.pause(ONE_SECOND);
        Flood.Result result = flood.stop();
        if (knob.equals(BFD)) {
          InteropMatrix.measured("failover between two ToRs, " + daemon + ": " + result);
          assertThat(result.longestGapSeconds())
              .as(result.toString())
              .isLessThan(SOON.toMillis() / 1e3);
        } else {
          assertThat(result.longestGapSeconds())
              .as(result.toString())
              .isGreaterThan(SOON.toMillis() / 1e3);
        }
      }
    }
  }

  private static String kernel(Lab lab) {
    return Lab.run(lab.node(), "ip", "route", "show", Side.PREFIX4);
  }

  /// Two peers take 40,000 routes from us; one of them stops reading. Keepalives of both go on.
  @Test
  void a_peer_that_stops_reading_is_dropped_by_the_send_hold_timer() {
    try (Lab lab = Lab.star(3)) {
      Lab.run(lab.node(), "sysctl", "-qw", "net.ipv4.tcp_wmem=4096 16384 16384");
      Origin[] many = new Origin[40_000];
      for (int index = 0; index < many.length; index++) {
        many[index] =
            Origin.of(
                "100."
                    + (64 + (index >> 14))
                    + "."
                    + ((index >> 6) & 0xff)
                    + "."
                    + ((index & 0x3f) << 2)
                    + "/30");
      }
      Daemon.BIRD.started(
          lab, Side.of(3, 65103, Peering.ipv4(3).families("ipv4")).originating(many));
      Bgpd ours =
          Bgpd.start(
              lab,
              BgpdConfig.with(
                  neighbor(1, 65101, ", passive: true").replace("holdTime: 9s", "holdTime: 3s"),
                  neighbor(2, 65102, ", passive: true").replace("holdTime: 9s", "holdTime: 3s"),
                  neighbor(3, 65103, "")));
      ours.awaitRoute("100.64.0.0/30");
      Waiting.until(
          "all routes",
          () -> ours.peer(Lab.theirs(3)) + ours.log(),
          () ->
              ours.peer(Lab.theirs(3)).path("families").path("ipv4").path("pfxRcd").asInt()
                  == many.length);
      RawPeer stalls = RawPeer.start(lab, 1, 65101, false);
      RawPeer reads = RawPeer.start(lab, 2, 65102, true);
      Waiting.until(
          "both up",
          () -> stalls.said() + reads.said() + ours.log(),
          () -> stalls.said().contains("established") && reads.said().contains("established"));
      Waiting.until(
          "the silent one dropped",
          () -> stalls.said() + ours.peer(Lab.theirs(1)) + ours.log(),
          () -> stalls.said().contains("closed"));
      ours.awaitError(Lab.theirs(1), "end hold");
      InteropMatrix.measured("send hold, raw peer: " + stalls.said().lines().toList().getLast());
      assertThat(reads.said()).doesNotContain("closed");
      assertThat(ours.established(Lab.theirs(2))).isTrue();
    }
  }
}
