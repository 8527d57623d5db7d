package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.message.Community;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ExportVerdict;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.transport.ListenAddress;
import io.margay.bgp.transport.Password;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.assertj.core.api.Condition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Two speakers, 127.0.0.1 and 127.0.0.2, over real sockets.
class LoopbackTest {

  private static final IpAddress ONE = IpAddress.parse("127.0.0.1");
  private static final IpAddress TWO = IpAddress.parse("127.0.0.2");
  private static final Set<IpFamily> BOTH = Set.of(IpFamily.values());

  private final List<BgpSpeaker> running = new ArrayList<>();
  private final int portOne = freePort();
  private final int portTwo = freePort();
  private final RecordingFib fibOne = new RecordingFib();
  private final RecordingFib fibTwo = new RecordingFib();

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      return socket.getLocalPort();
    } catch (IOException none) {
      throw new AssertionError("no free port", none);
    }
  }

  @AfterEach
  void stop() {
    running.forEach(speaker -> speaker.close(CloseMode.SHUTDOWN));
  }

  private BgpSpeaker start(int number, boolean restarting, FibListener fib) throws IOException {
    return start(
        number,
        restarting,
        fib,
        Map.of(
            IpFamily.IPV4, IpAddress.parse("192.0.2." + number),
            IpFamily.IPV6, IpAddress.parse("2001:db8::" + number)));
  }

  private BgpSpeaker start(
      int number, boolean restarting, FibListener fib, Map<IpFamily, IpAddress> nextHops)
      throws IOException {
    BgpSpeaker speaker =
        BgpSpeaker.start(
            SpeakerConfig.builder(new Asn(65000 + number), RouterId.parse("10.0.0." + number))
                .listen(
                    Set.of(
                        ListenAddress.of(
                            ScopedAddress.of(number == 1 ? ONE : TWO),
                            number == 1 ? portOne : portTwo)))
                .nextHops(nextHops)
                .restart(
                    new SpeakerConfig.Restart(
                        true, Duration.ofSeconds(120), Duration.ofSeconds(30), restarting, true))
                .build(),
            fib,
            InstantSource.system(),
            new Random(number));
    running.add(speaker);
    return speaker;
  }

  /// The peer as seen from the other speaker.
  private PeerConfig peer(int number) {
    return PeerConfig.builder(
            ScopedAddress.of(number == 1 ? ONE : TWO),
            new Asn(65000 + number),
            PeerPolicy.builder().importMode(ImportMode.ACCEPT).exportMode(ExportMode.OWN).build())
        .description("speaker " + number)
        .port(number == 1 ? portOne : portTwo)
        .localAddress(number == 1 ? TWO : ONE)
        .families(BOTH)
        .holdTime(Duration.ofSeconds(9))
        .connectRetry(Duration.ofMillis(200))
        // The session runs over 127/8, which is no next hop.
        .nextHops(Map.of(IpFamily.IPV4, IpAddress.parse("192.0.2." + (3 - number))))
        .build();
  }

  private static OriginatedRoute route(String prefix) {
    return new OriginatedRoute(Prefix.parse(prefix), Set.of(Community.parse("65001:100")));
  }

  private static String text(AdvertisedStatus told) {
    return told.prefix()
        + " via "
        + told.nextHop()
        + " path "
        + told.asPath()
        + " "
        + told.communities();
  }

  private static PeerStatus only(BgpSpeaker speaker) {
    return speaker.status().peers().getFirst();
  }

  private static void established(BgpSpeaker speaker) {
    Waiting.until(
        "session", speaker::status, () -> only(speaker).phase() == SessionPhase.ESTABLISHED);
  }

  private static void holds(RecordingFib fib, String routes) {
    Waiting.until("FIB holds " + routes, fib::text, () -> fib.text().equals(routes));
  }

  @Test
  void two_active_speakers_agree_on_one_session_and_exchange_both_families() throws Exception {
    BgpSpeaker one = start(1, false, fibOne);
    BgpSpeaker two = start(2, false, fibTwo);
    one.originate(Set.of(route("10.65.0.0/26"), route("fd00:10:65::/122")));
    two.originate(Set.of(route("10.65.0.64/26")));
    one.configure(List.of(peer(2)));
    two.configure(List.of(peer(1)));
    established(one);
    established(two);
    holds(fibTwo, "{10.65.0.0/26=[192.0.2.1], fd00:10:65::/122=[2001:db8::1]}");
    holds(fibOne, "{10.65.0.64/26=[192.0.2.2]}");
    Waiting.until("sweep", fibOne::swept, () -> fibOne.swept().equals(BOTH));
    Waiting.until("sweep", fibTwo::swept, () -> fibTwo.swept().equals(BOTH));
    PeerStatus status = only(one);
    assertThat(status.session())
        .isNotNull()
        .returns(Duration.ofSeconds(9), PeerStatus.Negotiation::holdTime)
        .returns(true, PeerStatus.Negotiation::gracefulRestart);
    assertThat(status.families().get(IpFamily.IPV4))
        .isEqualTo(new PeerStatus.FamilyStatus(true, 1, 1, 0, 0, 1, 1, 0, true, true, null));
    assertThat(one.advertised(TWO).stream().map(LoopbackTest::text))
        .containsExactly(
            "10.65.0.0/26 via 192.0.2.1 path 65001 [65001:100]",
            "fd00:10:65::/122 via 2001:db8::1 path 65001 [65001:100]");
    RouteStatus known = two.routes().getFirst();
    assertThat(known.prefix()).isEqualTo(Prefix.parse("10.65.0.0/26"));
    assertThat(known.paths())
        .singleElement()
        .returns(ScopedAddress.of(ONE), RouteStatus.PathStatus::peer)
        .returns(IpAddress.parse("192.0.2.1"), RouteStatus.PathStatus::nextHop)
        .returns("65001", RouteStatus.PathStatus::asPath)
        .returns(List.of("65001:100"), RouteStatus.PathStatus::communities)
        .returns(RouteStatus.Role.BEST, RouteStatus.PathStatus::role)
        .returns("only path", RouteStatus.PathStatus::reason)
        .returns(false, RouteStatus.PathStatus::stale);
    assertThat(one.route(Prefix.parse("10.65.0.0/26")).orElseThrow().exports())
        .hasValueSatisfying(
            new Condition<>(ExportVerdict.Announced.class::isInstance, "announced"));

    one.originate(Set.of(route("fd00:10:65::/122")));
    holds(fibTwo, "{fd00:10:65::/122=[2001:db8::1]}");

    two.importGuard(Set.of(Prefix.parse("fd00:10::/32")));
    holds(fibTwo, "{}");
    two.importGuard(Set.of());
    holds(fibTwo, "{fd00:10:65::/122=[2001:db8::1]}");

    one.close(CloseMode.SHUTDOWN);
    holds(fibTwo, "{}");
    Waiting.until("notification", two::status, () -> only(two).received().notifications() >= 1);
  }

  @Test
  void a_speaker_without_addresses_of_its_own_announces_the_session_s() throws Exception {
    BgpSpeaker one = start(1, false, fibOne, Map.of());
    BgpSpeaker two = start(2, false, fibTwo);
    one.originate(Set.of(route("10.65.0.0/26")));
    one.configure(List.of(peer(2)));
    two.configure(List.of(peer(1)));
    established(one);
    established(two);
    Waiting.until("route", fibTwo::text, () -> fibTwo.text().contains("10.65.0.0/26"));
  }

  @Test
  void a_restart_keeps_the_routes_of_both_sides() throws Exception {
    BgpSpeaker one = start(1, false, fibOne);
    BgpSpeaker two = start(2, false, fibTwo);
    one.originate(Set.of(route("10.65.0.0/26"), route("10.65.1.0/26")));
    two.originate(Set.of(route("10.65.0.64/26")));
    one.configure(List.of(peer(2)));
    two.configure(List.of(peer(1)));
    String before = "{10.65.0.0/26=[192.0.2.1], 10.65.1.0/26=[192.0.2.1]}";
    holds(fibTwo, before);
    holds(fibOne, "{10.65.0.64/26=[192.0.2.2]}");

    one.close(CloseMode.GRACEFUL_RESTART);
    Waiting.until(
        "stale",
        two::status,
        () -> {
          PeerStatus.FamilyStatus ipv4 = only(two).families().get(IpFamily.IPV4);
          return ipv4 != null && ipv4.prefixesStale() == 2;
        });
    assertThat(fibTwo.text()).isEqualTo(before);
    String learned = "{10.65.0.64/26=[192.0.2.2]}";
    assertThat(fibOne.text()).as("the FIB of the one that left").isEqualTo(learned);

    RecordingFib fibAgain = new RecordingFib();
    BgpSpeaker again = start(1, true, fibAgain);
    again.originate(Set.of(route("10.65.0.0/26")));
    again.configure(List.of(peer(2)));
    // What the restarted speaker no longer announces goes with its End-of-RIB.
    holds(fibTwo, "{10.65.0.0/26=[192.0.2.1]}");
    holds(fibAgain, learned);
    Waiting.until("sweep", fibAgain::swept, () -> fibAgain.swept().equals(BOTH));
    assertThat(fibOne.text()).isEqualTo(learned);
    assertThat(only(two).session())
        .isNotNull()
        .returns(true, PeerStatus.Negotiation::peerRestarting);
  }

  @Test
  void a_policy_change_leaves_the_session_alone_and_an_as_change_resets_it() throws Exception {
    BgpSpeaker one = start(1, false, fibOne);
    BgpSpeaker two = start(2, false, fibTwo);
    one.originate(Set.of(route("10.65.0.0/26")));
    one.configure(List.of(peer(2)));
    // One of them waits: simultaneous connections may cost the first session.
    two.configure(List.of(waiting()));
    holds(fibTwo, "{10.65.0.0/26=[192.0.2.1]}");

    two.configure(List.of(with(waiting(), ImportMode.REJECT, new Asn(65001))));
    holds(fibTwo, "{}");
    assertThat(two.routes().getFirst().paths().getFirst().reason())
        .isEqualTo("the peer's import policy rejects: no filter accepts it and import is reject");
    assertThat(only(two).history().established()).isEqualTo(1);

    two.configure(List.of(with(waiting(), ImportMode.ACCEPT, new Asn(64999))));
    Waiting.until(
        "refused",
        one::status,
        () -> String.valueOf(only(one).lastError()).contains("Bad peer AS (2/2)"));
    assertThat(fibTwo.text()).isEqualTo("{}");
  }

  @Test
  void draining_marks_every_announcement_and_a_reset_says_why_and_no_other_session_is_touched()
      throws Exception {
    BgpSpeaker one = start(1, false, fibOne);
    BgpSpeaker two = start(2, false, fibTwo);
    one.originate(Set.of(route("10.65.0.0/26")));
    one.configure(List.of(peer(2)));
    two.configure(List.of(waiting()));
    holds(fibTwo, "{10.65.0.0/26=[192.0.2.1]}");
    assertThat(heard(two)).containsExactly("65001:100");

    one.gracefulShutdown(true);
    Waiting.until("mark", () -> heard(two), () -> heard(two).contains("65535:0"));
    assertThat(two.routes().getFirst().paths().getFirst().attributes().localPref()).isZero();
    one.gracefulShutdown(false);
    Waiting.until("no mark", () -> heard(two), () -> !heard(two).contains("65535:0"));
    assertThat(only(two).history().established()).isEqualTo(1);

    assertThat(one.reset(ScopedAddress.of(TWO), "moving racks")).isTrue();
    Waiting.until(
        "text", two::status, () -> String.valueOf(only(two).lastError()).contains("moving racks"));
  }

  private static List<String> heard(BgpSpeaker speaker) {
    return speaker.routes().getFirst().paths().getFirst().communities();
  }

  private PeerConfig waiting() {
    return peer(1).toBuilder().passive(true).build();
  }

  private static PeerConfig with(PeerConfig peer, ImportMode mode, Asn asn) {
    return peer.toBuilder()
        .asn(ExpectedAs.only(asn))
        .policy(peer.policy().toBuilder().importMode(mode).build())
        .build();
  }

  @Test
  void without_peers_leftovers_may_be_swept_at_once() throws Exception {
    BgpSpeaker one = start(1, true, fibOne);
    one.configure(List.of());
    Waiting.until("sweep", fibOne::swept, () -> fibOne.swept().equals(BOTH));
    assertThat(one.status().awaitingEndOfRib()).isEmpty();
  }

  @Test
  void an_occupied_address_is_named() throws Exception {
    start(1, false, fibOne);
    assertThatThrownBy(() -> start(1, false, fibTwo))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cannot listen for BGP on 127.0.0.1 port " + portOne);
  }

  @Test
  void a_password_is_in_no_text() {
    PeerConfig secret = peer(1).toBuilder().password(new Password("s3cret")).build();
    assertThat(secret.toString()).doesNotContain("s3cret").contains("(hidden)");
  }
}
