package io.margay.it.bgp;

import static io.margay.it.bgp.BgpdConfig.BLOCK4;
import static io.margay.it.bgp.BgpdConfig.neighbor;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Who may speak to us at all: TCP MD5 keys (RFC 2385) and TTL security (RFC 5082).
@Tag("interop")
@ExtendWith(InteropMatrix.class)
@Execution(ExecutionMode.CONCURRENT)
class SecurityInteropTest {

  private static final Duration CONTROL = Duration.ofSeconds(4);
  private static final String KEY = "s3cret-one";

  private static Side side(String key) {
    return Side.of(1, 65100, Peering.ipv4(1).families("ipv4").password(key));
  }

  /// ExaBGP and OpenBGPD (on Linux) protect only connections they make, not those they take: there
  /// we wait to be called.
  private static String waiting(Daemon daemon) {
    return daemon == Daemon.EXABGP || daemon == Daemon.OPENBGPD ? ", passive: true" : "";
  }

  private static void awaitDown(Router router) {
    Waiting.until(
        "session down",
        () -> router.neighbour(Lab.ours(1)),
        () -> !router.established(Lab.ours(1)));
  }

  @ParameterizedTest
  @EnumSource
  @Feature("MD5: same key")
  void a_session_needs_the_key_both_have(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, side(KEY));
      Bgpd ours =
          Bgpd.start(
              lab, BgpdConfig.with(neighbor(1, 65100, waiting(daemon) + ", password: " + KEY)));
      router.awaitEstablished(Lab.ours(1));
      router.awaitRoute(BLOCK4);

      ours.reload(BgpdConfig.with(neighbor(1, 65100, waiting(daemon))));
      awaitDown(router);
      Waiting.never(
          CONTROL,
          "session without our key",
          () -> router.neighbour(Lab.ours(1)),
          () -> router.established(Lab.ours(1)));
    }
  }

  @ParameterizedTest
  @EnumSource
  @Feature("MD5: other key")
  void another_key_keeps_the_session_down_and_we_say_why(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, side(KEY));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, ", password: another-key")));
      Waiting.never(
          CONTROL,
          "session with two keys",
          () -> router.neighbour(Lab.ours(1)),
          () -> router.established(Lab.ours(1)));
      ours.awaitError(Lab.theirs(1), "MD5");

      ours.reload(BgpdConfig.with(neighbor(1, 65100, waiting(daemon) + ", password: " + KEY)));
      router.awaitEstablished(Lab.ours(1));
    }
  }

  /// Both change the key, they first: the session lives on or comes back by itself.
  @ParameterizedTest
  @EnumSource
  @Feature("MD5: key rotated")
  void a_key_changes_on_both_sides(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, side(KEY));
      Bgpd ours =
          Bgpd.start(
              lab, BgpdConfig.with(neighbor(1, 65100, waiting(daemon) + ", password: " + KEY)));
      router.awaitEstablished(Lab.ours(1));
      ours.awaitEstablished(Lab.theirs(1));
      long before = ours.timesEstablished(Lab.theirs(1));

      router.reconfigure(side("s3cret-two"));
      ours.reload(BgpdConfig.with(neighbor(1, 65100, waiting(daemon) + ", password: s3cret-two")));
      // Longer than the hold time: a session that only looked alive is gone by now.
      Waiting.pause(Duration.ofSeconds(11));
      router.awaitEstablished(Lab.ours(1));
      ours.awaitEstablished(Lab.theirs(1));
      boolean lived = ours.timesEstablished(Lab.theirs(1)) == before;
      InteropMatrix.measured(
          "MD5 key rotated, " + router.name() + ": the session " + (lived ? "lives" : "returns"));

      ours.reload(
          BgpdConfig.with(neighbor(1, 65100, waiting(daemon) + ", password: s3cret-three")));
      awaitDown(router);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR", "GOBGP", "OPENBGPD"})
  @Feature("TTL security (GTSM)")
  void ttl_security_lets_neighbors_in(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router =
          daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4").ttlSecurity()));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, ", ttlSecurity: true")));
      router.awaitEstablished(Lab.ours(1));
      router.awaitRoute(BLOCK4);

      // Without it our packets leave with TTL 1, and they drop them.
      ours.reload(BgpdConfig.with(neighbor(1, 65100, "")));
      awaitDown(router);
      Waiting.never(
          CONTROL,
          "session without our TTL security",
          () -> router.neighbour(Lab.ours(1)),
          () -> router.established(Lab.ours(1)));
    }
  }

  /// ExaBGP sends with 255 and checks nothing: only our side can tell.
  @ParameterizedTest
  @EnumSource(names = "EXABGP")
  @Feature("TTL security (GTSM)")
  void ttl_security_asks_for_255_of_one_who_only_sends(Daemon daemon) {
    String key = ", passive: true, ttlSecurity: true";
    try (Lab lab = Lab.star(1)) {
      Router router =
          daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4").ttlSecurity()));
      Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, key)));
      router.awaitRoute(BLOCK4);
    }
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, Side.of(1, 65100, Peering.ipv4(1).families("ipv4")));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, key)));
      Waiting.never(
          CONTROL,
          "session with one who sends with a lower TTL",
          () -> router.neighbour(Lab.ours(1)),
          () -> router.established(Lab.ours(1)));
      ours.reload(BgpdConfig.with(neighbor(1, 65100, ", passive: true")));
      router.awaitRoute(BLOCK4);
    }
  }

  @ParameterizedTest
  @EnumSource
  @Feature("TTL security keeps the far out; multihop lets them in")
  void ttl_security_keeps_a_router_two_hops_away_out(Daemon daemon) {
    try (Lab lab = Lab.behindRouter()) {
      Router router =
          daemon.started(
              lab,
              Side.of(
                  2,
                  65100,
                  Peering.between(Lab.theirs(2), Lab.ours(1), Peering.OUR_ASN)
                      .families("ipv4")
                      .multihop()));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(2, 65100, ", ttlSecurity: true")));
      Waiting.never(
          CONTROL,
          "session with one who is two hops away",
          () -> router.neighbour(Lab.ours(1)),
          () -> router.established(Lab.ours(1)));
      ours.reload(BgpdConfig.with(neighbor(2, 65100, ", multihop: 2")));
      router.awaitEstablished(Lab.ours(1));
      router.awaitRoute(BLOCK4);
    }
  }
}
