package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.bgp.codec.CodecContext;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.Update;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ExportSession;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.PeerKind;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.policy.RouteSource;
import io.margay.bgp.policy.SpeakerPolicy;
import io.margay.bgp.rib.DecisionRules;
import io.margay.bgp.rib.PrefixLimit;
import io.margay.bgp.rib.RibPeer;
import io.margay.bgp.rib.RibReader;
import io.margay.bgp.rib.RibSession;
import io.margay.bgp.rib.RibSettings;
import io.margay.bgp.rib.RouteKind;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import io.netty.buffer.ByteBuf;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RibLoopTest {

  private static final ScopedAddress FEEDER = ScopedAddress.parse("10.0.0.1");
  private static final ScopedAddress SINK = ScopedAddress.parse("10.0.0.2");
  private static final Set<IpFamily> IPV4 = Set.of(IpFamily.IPV4);
  private static final PathAttributes OWN =
      PathAttributes.of(
          new PathAttribute.Origin(PathAttribute.OriginCode.IGP),
          new PathAttribute.AsPathAttribute(AsPath.EMPTY));

  /// Takes batches and lets nobody know that they left.
  private static final class HeldOutlet implements Outlet {
    final List<ByteBuf> batches = new ArrayList<>();

    @Override
    public void send(ByteBuf octets, int count) {
      batches.add(octets);
      assertThat(count).isPositive();
    }
  }

  private final List<PrefixLimit> limits = new ArrayList<>();
  private final List<Throwable> failures = new ArrayList<>();
  private final HeldOutlet outlet = new HeldOutlet();
  private int woken;
  private final RibLoop loop =
      new RibLoop(
          SpeakerPolicy.of(new Asn(65001), RouterId.parse("1.1.1.1")),
          new RibSettings(new DecisionRules(true, 8), false, false, 3),
          new RibEnvironment(
              FibListener.NONE,
              NextHopTracker.NONE,
              () -> Instant.ofEpochSecond(1_000),
              limits::add,
              failures::add));

  RibLoopTest() {
    loop.start(() -> woken++);
    PeerPolicy policy =
        PeerPolicy.builder().importMode(ImportMode.ACCEPT).exportMode(ExportMode.ALL).build();
    loop.postConfigure(
        Map.of(FEEDER, new RibPeer(IPV4, policy), SINK, new RibPeer(IPV4, policy)), false);
    up(FEEDER, 65011, new HeldOutlet());
    up(SINK, 65012, outlet);
  }

  @AfterEach
  void release() {
    outlet.batches.forEach(ByteBuf::release);
  }

  private void up(ScopedAddress peer, int asn, Outlet to) {
    RouteSource source =
        new RouteSource(peer, new Asn(asn), RouterId.parse(peer.toString()), PeerKind.EBGP);
    loop.postPeerUp(
        new RibSession(
            source,
            new ExportSession(
                peer,
                source.asn(),
                source.routerId(),
                source.kind(),
                IPV4,
                Map.of(IpFamily.IPV4, NextHop.of(IpAddress.parse("10.0.0.9"))),
                Set.of(),
                Set.of()),
            IPV4,
            Set.of(),
            false,
            Set.of()),
        new CodecContext(true, false, Set.of(AfiSafi.IPV4_UNICAST)),
        to);
  }

  private void runDry() {
    while (loop.turn()) {
      assertThat(failures).isEmpty();
    }
  }

  private static Update announce(int first, int count) {
    Nlri.Builder nlri = Nlri.builder(IpFamily.IPV4, count);
    for (int i = 0; i < count; i++) {
      nlri.add(0x14000000L + (first + i) * 256L, 0, 24);
    }
    return new Update(
        Nlri.none(IpFamily.IPV4),
        null,
        OWN.with(new PathAttribute.AsPathAttribute(AsPath.of(new Asn(65011)))),
        Ipv4Address.parse("10.0.0.1"),
        nlri.build(),
        null);
  }

  @Test
  void a_post_wakes_whoever_runs_the_loop_and_a_turn_says_whether_there_is_more() {
    assertThat(woken).isEqualTo(3);
    CompletableFuture<Integer> answer =
        loop.ask(table -> table.reader().table(IpFamily.IPV4).prefixes());
    assertThat(woken).isEqualTo(4);
    assertThat(answer).isNotDone();
    runDry();
    assertThat(answer).isCompletedWithValue(0);
    assertThat(loop.turn()).isFalse();
  }

  @Test
  void a_peer_that_does_not_read_has_two_batches_under_way_and_then_the_newest_state_only() {
    runDry();
    int before = outlet.batches.size();
    for (int first = 0; first < 20_000; first += 1_000) {
      loop.postUpdates(FEEDER, List.of(announce(first, 1_000)), () -> {});
      runDry();
    }
    assertThat(outlet.batches.size()).isLessThanOrEqualTo(RibLoop.MAX_BATCHES_UNDER_WAY);
    loop.postPeerDown(FEEDER, Set.of());
    runDry();
    int held = outlet.batches.size();
    assertThat(held).isGreaterThanOrEqualTo(before);
    for (int i = 0; i < held; i++) {
      loop.postWritten(SINK, outlet);
    }
    runDry();
    CompletableFuture<Integer> told =
        loop.ask(
            table ->
                table.reader().counts(SINK, IpFamily.IPV4).orElseThrow().advertised()
                    + table.reader().table(IpFamily.IPV4).prefixes());
    runDry();
    assertThat(told).isCompletedWithValue(0);
  }

  @Test
  void senders_are_paused_called_back_and_in_the_end_refused() {
    List<Update> many = new ArrayList<>();
    for (int i = 0; i < BackPressure.PAUSE_READING_AT; i++) {
      many.add(announce(i, 1));
    }
    List<String> resumed = new ArrayList<>();
    assertThat(loop.postUpdates(FEEDER, List.of(announce(0, 1)), () -> resumed.add("never")))
        .isEqualTo(BackPressure.Admission.ADMITTED);
    assertThat(loop.postUpdates(FEEDER, many, () -> resumed.add("paused")))
        .isEqualTo(BackPressure.Admission.PAUSE);
    int posts = BackPressure.MAX_WAITING_OF_PEER / BackPressure.PAUSE_READING_AT;
    BackPressure.Admission last = BackPressure.Admission.ADMITTED;
    for (int i = 0; i < posts; i++) {
      last = loop.postUpdates(FEEDER, many, () -> resumed.add("paused"));
    }
    assertThat(last).isEqualTo(BackPressure.Admission.REFUSED);
    assertThat(resumed).isEmpty();
    runDry();
    assertThat(resumed).isNotEmpty().doesNotContain("never");
  }

  @Test
  void many_peers_that_send_at_once_are_paused_and_none_is_refused_for_the_others() {
    List<Update> many = new ArrayList<>();
    for (int i = 0; i < 1_024; i++) {
      many.add(announce(i, 1));
    }
    List<ScopedAddress> resumed = new ArrayList<>();
    int paused = 0;
    for (int i = 0; i < 200; i++) {
      ScopedAddress peer = ScopedAddress.parse("10.1.0." + i);
      BackPressure.Admission admission = loop.postUpdates(peer, many, () -> resumed.add(peer));
      assertThat(admission).isNotEqualTo(BackPressure.Admission.REFUSED);
      paused += admission == BackPressure.Admission.PAUSE ? 1 : 0;
    }
    assertThat(paused).isEqualTo(200 - BackPressure.PAUSE_READING_AT / 1_024 + 1);
    runDry();
    assertThat(resumed).hasSize(paused).doesNotHaveDuplicates();
  }

  @Test
  void a_peer_that_does_not_stop_is_refused_alone() {
    List<Update> many = new ArrayList<>();
    for (int i = 0; i < BackPressure.PAUSE_READING_AT; i++) {
      many.add(announce(i, 1));
    }
    BackPressure.Admission last = BackPressure.Admission.ADMITTED;
    for (int i = 0; last != BackPressure.Admission.REFUSED; i++) {
      assertThat(i).isLessThanOrEqualTo(BackPressure.MAX_WAITING_OF_PEER / many.size());
      last = loop.postUpdates(FEEDER, many, () -> {});
    }
    assertThat(loop.postUpdates(SINK, List.of(announce(0, 1)), () -> {}))
        .isEqualTo(BackPressure.Admission.PAUSE);
    runDry();
    assertThat(loop.postUpdates(FEEDER, many.subList(0, 1), () -> {}))
        .isEqualTo(BackPressure.Admission.ADMITTED);
  }

  @Test
  void a_bug_ends_the_loop_and_its_owner_hears_of_it_once() {
    up(
        SINK,
        65012,
        (octets, _) -> {
          octets.release();
          throw new IllegalStateException("a bug on purpose");
        });
    CompletableFuture<Boolean> unused = loop.ask(_ -> true);
    assertThatThrownBy(loop::turn).hasMessage("a bug on purpose");
    assertThat(failures).singleElement().isInstanceOf(IllegalStateException.class);
    assertThat(loop.turn()).isFalse();
    CompletableFuture<Boolean> late = loop.ask(_ -> true);
    assertThat(loop.turn()).isFalse();
    assertThat(late).isNotDone();
    assertThat(unused).isCompletedWithValue(true);
  }

  @Test
  void a_question_that_cannot_be_answered_ends_nothing_else() {
    CompletableFuture<Object> failing =
        loop.ask(
            _ -> {
              throw new IllegalStateException("no answer");
            });
    runDry();
    assertThat(failing).isCompletedExceptionally();
    assertThat(failures).isEmpty();
    CompletableFuture<Boolean> next = loop.ask(_ -> true);
    runDry();
    assertThat(next).isCompletedWithValue(true);
  }

  @Test
  void routes_are_listed_ascending_over_many_pages() {
    int count = 3 * RouteListing.PAGE_ROUTES + 7;
    for (int i = count - 1; i >= 0; i--) {
      loop.postUpdates(FEEDER, List.of(announce(i * 7 % count, 1)), () -> {});
    }
    loop.postOriginate(Map.of(Prefix.parse("10.65.0.0/26"), OWN));
    runDry();
    RouteListing listing =
        new RouteListing(
            new RouteListing.Loop() {
              @Override
              public <T> T ask(Function<RibReader, T> question) {
                CompletableFuture<T> answer = loop.ask(table -> question.apply(table.reader()));
                runDry();
                return answer.join();
              }
            });
    List<Prefix> listed = new ArrayList<>();
    listing.routes(RouteQuery.ALL, route -> listed.add(route.prefix()));
    assertThat(listed).hasSize(count + 1).isSorted();
    List<Prefix> within = new ArrayList<>();
    listing.routes(
        new RouteQuery(RouteKind.BEST, IPV4, FEEDER, Prefix.parse("20.0.1.0/24")),
        route -> within.add(route.prefix()));
    assertThat(within).containsExactly(Prefix.parse("20.0.1.0/24"));
  }
}
