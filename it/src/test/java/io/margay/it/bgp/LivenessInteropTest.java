package io.margay.it.bgp;

import static io.margay.it.bgp.BgpdConfig.neighbor;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Isolated;

/// The other side only seems alive: it stops reading.
@Tag("interop")
@ExtendWith(InteropMatrix.class)
@Isolated("fills sockets at full rate")
class LivenessInteropTest {

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
