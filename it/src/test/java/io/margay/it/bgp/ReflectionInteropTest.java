package io.margay.it.bgp;

import static io.margay.it.bgp.BgpdConfig.BLOCK4;
import static io.margay.it.bgp.BgpdConfig.neighbor;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Routes handed on inside one AS and in several copies: reflection (RFC 4456) and add-path (RFC
/// 7911).
@Tag("interop")
@ExtendWith(InteropMatrix.class)
@Execution(ExecutionMode.CONCURRENT)
class ReflectionInteropTest {

  private static final String CLIENT = ", routeReflectorClient: true";

  @ParameterizedTest
  @EnumSource
  @Feature("we reflect: ORIGINATOR_ID, CLUSTER_LIST")
  void we_reflect_between_clients(Daemon daemon) {
    try (Lab lab = Lab.star(2)) {
      Router far =
          daemon.started(lab, Side.of(2, 65001, Peering.ipv4(2).families("ipv4")).originating());
      daemon.started(
          lab,
          Side.of(1, 65001, Peering.ipv4(1).families("ipv4")).originating(Origin.of(Side.PREFIX4)));
      Bgpd ours =
          Bgpd.start(
              lab,
              BgpdConfig.with(neighbor(1, 65001, CLIENT), neighbor(2, 65001, CLIENT))
                  .further("clusterId: 10.203.0.77"));
      far.awaitRoute(Side.PREFIX4);
      SeenRoute seen = far.routes(Side.PREFIX4).getFirst();
      assertThat(seen.originator()).isEqualTo(Lab.theirs(1));
      assertThat(seen.clusters()).containsExactly("10.203.0.77");
      assertThat(seen.nextHop()).isEqualTo(Lab.theirs(1));
      assertThat(seen.asPath()).isEmpty();

      ours.reload(
          BgpdConfig.with(neighbor(1, 65001, ""), neighbor(2, 65001, ""))
              .further("clusterId: 10.203.0.77"));
      Waiting.until(
          "nothing reflected between peers that are no clients",
          () -> far.routes(Side.PREFIX4) + ours.log(),
          () -> !far.has(Side.PREFIX4) && far.has(BLOCK4));
    }
  }

  /// We and a BIRD are clients of the daemon.
  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR", "GOBGP", "OPENBGPD"})
  @Feature(
      value = "they reflect: we are the client",
      cannot = {"EXABGP: reflects nothing"})
  void we_are_a_client_of_their_reflector(Daemon daemon) {
    try (Lab lab = Lab.star(2)) {
      lab.link(lab.router(1), "site", lab.router(2), "hub", 4);
      daemon.started(
          lab,
          Side.of(
                  1,
                  65001,
                  Peering.ipv4(1).families("ipv4").reflectorClient(),
                  Peering.between(Lab.ours(4), Lab.theirs(4), 65001)
                      .families("ipv4")
                      .reflectorClient())
              .originating());
      Router other =
          Daemon.BIRD.started(
              lab,
              Side.of(2, 65001, Peering.between(Lab.theirs(4), Lab.ours(4), 65001).families("ipv4"))
                  .originating(Origin.of(Side.PREFIX4)));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65001, "")));
      other.awaitRoute(BLOCK4);
      SeenRoute seen = other.routes(BLOCK4).getFirst();
      assertThat(seen.originator()).isEqualTo("10.203.0.1");
      assertThat(seen.nextHop()).isEqualTo(Lab.ours(1));
      assertThat(seen.clusters()).hasSize(1);
      ours.awaitRoute(Side.PREFIX4);

      ours.reload(
          BgpdConfig.with(neighbor(1, 65001, "").replace("export: accept", "export: reject")));
      Waiting.until(
          "our block withdrawn through the reflector",
          () -> other.routes(BLOCK4).toString(),
          () -> !other.has(BLOCK4));
    }
  }

  @ParameterizedTest
  @EnumSource
  @Feature("add-path: we send")
  void we_send_every_path_to_who_wants_them(Daemon daemon) {
    try (Lab lab = Lab.star(2)) {
      Router far =
          daemon.started(
              lab,
              Side.of(2, 65102, Peering.ipv4(2).families("ipv4").addPathReceive()).originating());
      Daemon.BIRD.started(
          lab,
          Side.of(1, 65100, Peering.ipv4(1).families("ipv4").addPathSend())
              .originating(Origin.of(Side.PREFIX4).inPaths(2)));
      String first = neighbor(1, 65100, ", addPath: receive");
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(first, neighbor(2, 65102, ", addPath: send")));
      Waiting.until(
          "both paths",
          () -> far.routes(Side.PREFIX4) + far.neighbour(Lab.ours(2)) + ours.log(),
          () -> far.routes(Side.PREFIX4).size() == 2);

      ours.reload(BgpdConfig.with(first, neighbor(2, 65102, "")));
      Waiting.until(
          "one path without add-path",
          () -> far.routes(Side.PREFIX4) + ours.log(),
          () -> far.routes(Side.PREFIX4).size() == 1 && far.has(BLOCK4));
    }
  }

  /// FRR and OpenBGPD can't originate two paths: a BIRD behind them has them.
  @ParameterizedTest
  @EnumSource
  @Feature("add-path: we receive")
  void we_take_every_path_they_send(Daemon daemon) {
    try (Lab lab = Lab.star(3)) {
      Router far =
          Daemon.BIRD.started(
              lab,
              Side.of(2, 65102, Peering.ipv4(2).families("ipv4").addPathReceive()).originating());
      Peering toUs = Peering.ipv4(1).families("ipv4").addPathSend();
      Origin twice = Origin.of(Side.PREFIX4).inPaths(2);
      if (daemon == Daemon.FRR || daemon == Daemon.OPENBGPD) {
        lab.link(lab.router(1), "site", lab.router(3), "hub", 4);
        Daemon.BIRD.started(
            lab,
            Side.of(
                    3,
                    65103,
                    Peering.between(Lab.theirs(4), Lab.ours(4), 65100)
                        .families("ipv4")
                        .addPathSend())
                .originating(twice));
        daemon.started(
            lab,
            Side.of(
                    1,
                    65100,
                    toUs,
                    Peering.between(Lab.ours(4), Lab.theirs(4), 65103)
                        .families("ipv4")
                        .addPathReceive())
                .originating());
      } else {
        daemon.started(lab, Side.of(1, 65100, toUs).originating(twice));
      }
      String second = neighbor(2, 65102, ", addPath: send");
      Bgpd ours =
          Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, ", addPath: receive"), second));
      Waiting.until(
          "both paths through us",
          () -> far.routes(Side.PREFIX4) + ours.get("/api/v1/bgp/routes").toString() + ours.log(),
          () -> far.routes(Side.PREFIX4).size() == 2);

      ours.reload(BgpdConfig.with(neighbor(1, 65100, ""), second));
      Waiting.until(
          "one path without add-path",
          () -> far.routes(Side.PREFIX4) + ours.log(),
          () -> far.routes(Side.PREFIX4).size() == 1 && far.has(BLOCK4));
    }
  }
}
