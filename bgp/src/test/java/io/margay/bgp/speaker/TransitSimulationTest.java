package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Three whole speakers in a row: what the first announces, and changes faster than the last one
/// reads, reaches the last by way of the one between.
class TransitSimulationTest {

  private static final int SEEDS = 12;
  private static final int PREFIXES = 300;
  private static final int CHANGES = 150;
  private static final Duration CALM = Duration.ofSeconds(60);

  /// What a prefix with attributes of its own takes at most.
  private static final int ROUTE_OCTETS = 100;

  private static final ScopedAddress SOURCE = ScopedAddress.parse("10.0.0.1");
  private static final ScopedAddress TRANSIT = ScopedAddress.parse("10.0.0.2");
  private static final ScopedAddress SLOW = ScopedAddress.parse("10.0.0.3");

  @Test
  void a_slow_reader_gets_the_newest_state_through_a_transit_that_stores_no_history() {
    long only = Long.getLong("seed", -1L);
    for (long seed = only < 0 ? 1 : only; seed <= (only < 0 ? SEEDS : only); seed++) {
      try {
        new Run(seed).play();
      } catch (Throwable broken) {
        throw new AssertionError("seed " + seed + " (rerun it with -Dseed=" + seed + ")", broken);
      }
    }
  }

  /// One seed.
  private static final class Run extends PoweredNodes {

    private final Map<Prefix, PathAttributes> originated = new HashMap<>();
    private final SimNode source;
    private final SimNode transit;
    private final SimNode slow;
    private long mostUnsent;

    Run(long seed) {
      super(new Random(seed));
      source = boot(SOURCE, 65001);
      transit = boot(TRANSIT, 65002);
      slow = boot(SLOW, 65003);
      slow.readSlowly();
      source.configure(List.of(peer(TRANSIT, 65002, false)));
      transit.configure(List.of(peer(SOURCE, 65001, true), peer(SLOW, 65003, true)));
      slow.configure(List.of(peer(TRANSIT, 65002, false)));
    }

    private SimNode boot(ScopedAddress address, int asn) {
      SimNode node =
          new SimNode(
              this,
              address,
              SpeakerConfig.builder(Asn.of(asn), RouterId.parse(address.toString()))
                  .restart(SpeakerConfig.Restart.DISABLED)
                  .build());
      nodes.put(address, node);
      return node;
    }

    /// @param passive of two ends one, so that connections do not collide
    private static PeerConfig peer(ScopedAddress address, int asn, boolean passive) {
      PeerPolicy passesOn =
          PeerPolicy.builder().importMode(ImportMode.ACCEPT).exportMode(ExportMode.ALL).build();
      return PeerConfig.builder(address, Asn.of(asn), passesOn)
          .holdTime(Duration.ofSeconds(9))
          .connectRetry(Duration.ofSeconds(1))
          .passive(passive)
          .build();
    }

    void play() {
      run(Duration.ofSeconds(20));
      assertThat(slow.established(TRANSIT)).hasSize(1);
      for (int change = 0; change < CHANGES; change++) {
        change();
        run(Duration.ofMillis(random.nextInt(1, 60)));
      }
      assertThat(mostUnsent).as("the reader was too slow at times").isPositive();
      run(CALM);
      assertThat(slow.fib().routes().keySet()).isEqualTo(originated.keySet());
      assertThat(pathsOfTheSlow()).isEqualTo(Set.of("65002 65001"));
      noSessionWasLost();

      source.close(CloseMode.SHUTDOWN);
      run(CALM);
      assertThat(slow.fib().routes()).isEmpty();
      assertThat(slow.established(TRANSIT)).hasSize(1);
    }

    private void run(Duration duration) {
      long until = time.nanos() + duration.toNanos();
      while (time.step(until)) {
        check();
      }
    }

    /// Some prefixes come, change or go.
    private void change() {
      for (int i = 0; i < PREFIXES / 3; i++) {
        int which = random.nextInt(PREFIXES);
        Prefix prefix = Prefix.parse("10." + (64 + which / 250) + "." + which % 250 + ".0/24");
        if (random.nextInt(4) == 0) {
          originated.remove(prefix);
        } else {
          originated.put(
              prefix,
              PathAttributes.of(
                  List.of(
                      new PathAttribute.Origin(PathAttribute.OriginCode.IGP),
                      new PathAttribute.AsPathAttribute(AsPath.EMPTY),
                      PathAttribute.Communities.ofValues(random.nextInt(1, 100)))));
        }
      }
      source.rib().postOriginate(new HashMap<>(originated));
    }

    // What must hold after every event.

    private void check() {
      for (SimNode node : nodes.values()) {
        for (PeerSession session : node.sessions()) {
          assertThat(node.established(session.address())).hasSizeLessThanOrEqualTo(1);
        }
      }
      for (Wire wire : transit.established(SLOW)) {
        mostUnsent = Math.max(mostUnsent, wire.unsentOctets());
        assertThat(wire.unsentOctets())
            .as("octets that wait for the slow reader")
            .isLessThanOrEqualTo((RibLoop.MAX_BATCHES_UNDER_WAY * PREFIXES + 1L) * ROUTE_OCTETS);
      }
      IpAddress over = TRANSIT.address();
      slow.fib()
          .routes()
          .forEach(
              (prefix, hops) ->
                  assertThat(hops).as("%s", prefix).containsExactly(new FibNextHop(over, null)));
      assertThat(source.fib().routes()).as("what the source hears of its own").isEmpty();
    }

    private Set<String> pathsOfTheSlow() {
      CompletableFuture<Set<String>> answer =
          slow.rib()
              .ask(
                  table ->
                      originated.keySet().stream()
                          .flatMap(prefix -> table.reader().route(prefix).stream())
                          .flatMap(known -> known.paths().stream())
                          .map(path -> path.received().attributes().asPath().toString())
                          .collect(Collectors.toSet()));
      assertThat(slow.rib().turn()).isFalse();
      return answer.join();
    }

    private void noSessionWasLost() {
      for (SimNode node : nodes.values()) {
        for (PeerSession session : node.sessions()) {
          assertThat(session.history().snapshot().dropped())
              .as("%s with %s", node.address(), session.address())
              .isZero();
          assertThat(session.history().snapshot().established()).isEqualTo(1);
        }
      }
    }
  }
}
