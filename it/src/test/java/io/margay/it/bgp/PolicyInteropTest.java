package io.margay.it.bgp;

import static io.margay.it.bgp.BgpdConfig.BLOCK4;
import static io.margay.it.bgp.BgpdConfig.neighbor;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What passes through us and in what shape: communities, loops we allow, limits, refreshes, and
/// the words sessions end with.
@Tag("interop")
@ExtendWith(InteropMatrix.class)
@Execution(ExecutionMode.CONCURRENT)
class PolicyInteropTest {

  private static final Duration CONTROL = Duration.ofSeconds(3);
  private static final String TRANSIT = "10.98.0.0/26";

  /// From router 1 through us to router 2.
  @ParameterizedTest
  @EnumSource
  @Feature("communities, extended and large ones survive")
  void communities_of_all_kinds_pass_through_us(Daemon daemon) {
    try (Lab lab = Lab.star(2)) {
      Router far =
          daemon.started(lab, Side.of(2, 65102, Peering.ipv4(2).families("ipv4")).originating());
      daemon.started(
          lab,
          Side.of(1, 65100, Peering.ipv4(1).families("ipv4"))
              .originating(Origin.of(TRANSIT).withCommunities(), Origin.of(Side.PREFIX4)));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, ""), neighbor(2, 65102, "")));
      far.awaitRoute(TRANSIT);
      far.awaitRoute(Side.PREFIX4);
      assertThat(far.routes(TRANSIT).getFirst().communities()).isEqualTo(SeenRoute.THREE_KINDS);
      assertThat(far.routes(TRANSIT).getFirst().asPath()).containsExactly(65001L, 65100L);
      assertThat(far.routes(Side.PREFIX4).getFirst().communities()).isEmpty();

      ours.reload(
          BgpdConfig.with(
              neighbor(1, 65100, "").replace("import: accept", "import: reject"),
              neighbor(2, 65102, "")));
      Waiting.until(
          "route gone with import: reject",
          () -> far.routes(TRANSIT).toString(),
          () -> !far.has(TRANSIT) && far.has(BLOCK4));
      assertThat(ours.timesEstablished(Lab.theirs(1))).isEqualTo(1);
    }
  }

  /// Another site of our AS behind router 1. OpenBGPD can't invent paths: there the site is real, a
  /// BIRD of our AS behind it.
  @ParameterizedTest
  @EnumSource
  @Feature("own AS in the path allowed")
  void a_path_through_our_own_as_is_taken_only_when_allowed(Daemon daemon) {
    try (Lab lab = Lab.star(3)) {
      Router far =
          daemon.started(lab, Side.of(2, 65102, Peering.ipv4(2).families("ipv4")).originating());
      if (daemon == Daemon.OPENBGPD) {
        lab.link(lab.router(1), "site", lab.router(3), "hub", 4);
        Peering toSite = Peering.between(Lab.ours(4), Lab.theirs(4), 65001).families("ipv4");
        Daemon.BIRD.started(
            lab,
            Side.of(3, 65001, Peering.between(Lab.theirs(4), Lab.ours(4), 65100).families("ipv4"))
                .originating(Origin.of(TRANSIT)));
        daemon.started(
            lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4"), toSite).originating());
      } else {
        daemon.started(
            lab,
            Side.of(1, 65100, Peering.ipv4(1).families("ipv4"))
                .originating(Origin.of(TRANSIT).behind(65001L)));
      }
      Bgpd ours =
          Bgpd.start(
              lab,
              BgpdConfig.with(neighbor(1, 65100, ", allowLocalAs: 1"), neighbor(2, 65102, "")));
      far.awaitRoute(TRANSIT);
      assertThat(far.routes(TRANSIT).getFirst().asPath()).containsExactly(65001L, 65100L, 65001L);

      ours.reload(BgpdConfig.with(neighbor(1, 65100, ""), neighbor(2, 65102, "")));
      Waiting.until(
          "the loop dropped",
          () -> far.routes(TRANSIT) + ours.log(),
          () -> !far.has(TRANSIT) && far.has(BLOCK4));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR", "OPENBGPD", "EXABGP"})
  @Feature(
      value = "route refresh asked by them",
      cannot = {"GOBGP: softresetin reads its own table again and asks nobody"})
  void a_refresh_makes_us_send_everything_again(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4")));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, "")));
      router.awaitRoute(BLOCK4);
      Waiting.pause(Duration.ofSeconds(2));
      long before = router.updatesReceived(Lab.ours(1));
      Waiting.never(
          CONTROL,
          "an update nobody asked for",
          () -> router.neighbour(Lab.ours(1)),
          () -> router.updatesReceived(Lab.ours(1)) != before);
      router.refresh(Lab.ours(1));
      Waiting.until(
          "the routes sent again",
          () -> router.neighbour(Lab.ours(1)) + ours.log(),
          () -> router.updatesReceived(Lab.ours(1)) > before);
      assertThat(ours.timesEstablished(Lab.theirs(1))).isEqualTo(1);
    }
  }

  private static Side threeRoutes() {
    return Side.of(1, 65100, Peering.ipv4(1).families("ipv4"))
        .originating(
            Origin.of("10.99.1.0/26"), Origin.of("10.99.2.0/26"), Origin.of("10.99.3.0/26"));
  }

  @ParameterizedTest
  @EnumSource
  @Feature("our max-prefix: restart (Cease/1)")
  void too_many_prefixes_end_the_session_with_cease_1(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, threeRoutes());
      Bgpd ours =
          Bgpd.start(
              lab, BgpdConfig.with(neighbor(1, 65100, ", maxPrefix: {limit: 2, action: restart}")));
      Waiting.until(
          "their word for Cease/1",
          () -> router.farewells(Lab.ours(1)) + ours.log(),
          () -> saysMaxPrefix(router.farewells(Lab.ours(1))));
      ours.awaitError(Lab.theirs(1), "prefix");

      ours.reload(BgpdConfig.with(neighbor(1, 65100, "")));
      router.awaitEstablished(Lab.ours(1));
      router.awaitRoute(BLOCK4);
      ours.awaitRoute("10.99.3.0/26");
    }
  }

  private static boolean saysMaxPrefix(String words) {
    String lower = words.toLowerCase(java.util.Locale.ROOT);
    return lower.contains("maximum number of prefixes reached")
        || lower.contains("max-prefix")
        || lower.contains("maximum number of prefix")
        || lower.contains("max prefix")
        || lower.contains("\"code\":6,\"subcode\":1");
  }

  @ParameterizedTest
  @EnumSource
  @Feature("our max-prefix: warn, discard")
  void too_many_prefixes_are_only_told_or_left_out(Daemon daemon) {
    try (Lab lab = Lab.star(2)) {
      Router router = daemon.started(lab, threeRoutes());
      Router far =
          Daemon.BIRD.started(
              lab, Side.of(2, 65102, Peering.ipv4(2).families("ipv4")).originating());
      String second = neighbor(2, 65102, "");
      Bgpd ours =
          Bgpd.start(
              lab,
              BgpdConfig.with(
                  neighbor(1, 65100, ", maxPrefix: {limit: 2, action: discard}"), second));
      far.awaitRoute(BLOCK4);
      router.awaitEstablished(Lab.ours(1));
      Waiting.until(
          "two of three",
          () -> ours.get("/api/v1/bgp/routes") + ours.log(),
          () -> present(far) == 2);
      Waiting.never(CONTROL, "the third route", () -> ours.log(), () -> present(far) == 3);

      ours.reload(
          BgpdConfig.with(neighbor(1, 65100, ", maxPrefix: {limit: 2, action: warn}"), second));
      Waiting.until("all three", () -> ours.log(), () -> present(far) == 3);
      assertThat(router.established(Lab.ours(1))).isTrue();
      assertThat(ours.timesEstablished(Lab.theirs(1))).isEqualTo(1);
    }
  }

  private static int present(Router far) {
    int count = 0;
    for (int third = 1; third <= 3; third++) {
      count += far.has("10.99." + third + ".0/26") ? 1 : 0;
    }
    return count;
  }

  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR", "GOBGP", "OPENBGPD"})
  @Feature(
      value = "their max-prefix, seen by us",
      cannot = {"EXABGP: counts no prefixes"})
  void their_limit_is_the_reason_we_show(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router =
          daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4").maxPrefix(1)));
      Bgpd ours =
          Bgpd.start(
              lab,
              BgpdConfig.with(neighbor(1, 65100, ""))
                  .originating(
                      "{prefix: 10.65.0.0/26}",
                      "{prefix: 10.65.1.0/26}",
                      "{prefix: 10.65.2.0/26}",
                      "{prefix: 10.65.3.0/26}"));
      ours.awaitError(Lab.theirs(1), "prefix");
      assertThat(router.established(Lab.ours(1))).isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR", "GOBGP", "OPENBGPD"})
  @Feature("shutdown text, ours seen by them")
  void our_farewell_is_readable_over_there(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4")));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, "")));
      router.awaitRoute(BLOCK4);
      assertThat(router.farewells(Lab.ours(1))).doesNotContain("bgpd is stopped");
      ours.terminate();
      Waiting.until(
          "our words in theirs",
          () -> router.farewells(Lab.ours(1)),
          () -> router.farewells(Lab.ours(1)).contains("bgpd is stopped"));
      Waiting.until(
          "routes gone at once", () -> router.neighbour(Lab.ours(1)), () -> !router.has(BLOCK4));
    }
  }

  @ParameterizedTest
  @EnumSource
  @Feature("shutdown text, theirs seen by us (ExaBGP: the code alone)")
  void their_farewell_is_our_last_error(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4")));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, "")));
      router.awaitRoute(BLOCK4);
      ours.awaitEstablished(Lab.theirs(1));
      assertThat(ours.lastError(Lab.theirs(1))).doesNotContain("dministrative");
      router.shutdown(Lab.ours(1), "moving-to-rack-7");
      ours.awaitError(
          Lab.theirs(1), daemon == Daemon.EXABGP ? "dministrative" : "moving-to-rack-7");
    }
  }
}
