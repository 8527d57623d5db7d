package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.rib.FamilyCounts;
import io.margay.bgp.sim.VirtualTime;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// Three whole speakers, each with the others as peers, under everything that can happen to them.
class SpeakerSimulationTest {

  private static final int NODES = 3;
  private static final int SEEDS = 200;
  private static final int ORDEALS = 14;
  private static final Duration CALM = Duration.ofMinutes(4);
  private static final Duration FAREWELL = Duration.ofMinutes(2);
  private static final Duration RESTART_TIME = Duration.ofSeconds(20);

  /// How many events pass between two looks into the RIBs.
  private static final int RIB_LOOK_EVENTS = 20;

  @Test
  void whatever_happens_sessions_are_single_and_routes_are_true_in_the_end() {
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
  private static final class Run implements SimNode.World {

    private final Random random;
    private final VirtualTime time;
    private final Map<Set<ScopedAddress>, SimLink> links = new HashMap<>();
    private final Map<ScopedAddress, SimNode> processes = new TreeMap<>();
    private final Set<ScopedAddress> powered = new HashSet<>();
    private final Map<ScopedAddress, Set<Prefix>> originated = new HashMap<>();
    private final Map<ScopedAddress, List<PeerConfig>> configured = new HashMap<>();
    private final Map<String, Kept> kept = new HashMap<>();
    private final List<String> history = new ArrayList<>();
    private final boolean[] graceful = new boolean[NODES + 1];
    private int events;

    /// Routes of a peer that is away.
    private record Kept(int stale, long untilNanos) {}

    Run(long seed) {
      this.random = new Random(seed);
      this.time = new VirtualTime(random);
    }

    @Override
    public VirtualTime time() {
      return time;
    }

    @Override
    public Random random() {
      return random;
    }

    @Override
    public SimLink link(ScopedAddress one, ScopedAddress other) {
      return links.computeIfAbsent(Set.of(one, other), _ -> new SimLink(time, random));
    }

    @Override
    public Optional<SimNode> listening(ScopedAddress address) {
      return Optional.ofNullable(processes.get(address)).filter(SimNode::isAlive);
    }

    @Override
    public boolean hasPower(ScopedAddress address) {
      return powered.contains(address);
    }

    @Override
    public void bug(SimNode where, Throwable bug) {
      throw new AssertionError("a bug in " + where.address() + " after " + history, bug);
    }

    private static <T> T of(Map<ScopedAddress, T> all, ScopedAddress address) {
      return Objects.requireNonNull(all.get(address));
    }

    private static ScopedAddress address(int number) {
      return ScopedAddress.parse("10.0.0." + number);
    }

    private static int number(ScopedAddress address) {
      return Integer.parseInt(address.toString().substring("10.0.0.".length()));
    }

    void play() {
      for (int number = 1; number <= NODES; number++) {
        graceful[number] = random.nextInt(4) > 0;
        powered.add(address(number));
        originated.put(address(number), prefixes(number));
        configured.put(address(number), peersOf(number));
        boot(number, false);
      }
      for (int ordeal = 0; ordeal < ORDEALS; ordeal++) {
        run(Duration.ofMillis(random.nextLong(1, 9_000)));
        ordeal();
      }
      recover();
      run(CALM);
      allIsWell();
      for (SimNode node : processes.values()) {
        node.close(CloseMode.SHUTDOWN);
      }
      run(FAREWELL);
      nothingIsLeft();
    }

    private void run(Duration duration) {
      long until = time.nanos() + duration.toNanos();
      while (time.step(until)) {
        events++;
        try {
          check();
        } catch (AssertionError broken) {
          throw new AssertionError(
              "at " + time.nanos() / 1_000_000 + " ms, after " + history, broken);
        }
      }
    }

    // What is configured.

    private static Set<Prefix> prefixes(int number) {
      Set<Prefix> all = new TreeSet<>();
      for (int i = 0; i < 3; i++) {
        all.add(Prefix.parse("10." + (64 + number) + "." + i + ".0/24"));
      }
      all.add(Prefix.parse("fd00:" + number + "::/64"));
      return all;
    }

    private List<PeerConfig> peersOf(int number) {
      List<PeerConfig> peers = new ArrayList<>();
      for (int other = 1; other <= NODES; other++) {
        if (other != number) {
          peers.add(
              PeerConfig.builder(
                      address(other),
                      Asn.of(65_000 + other),
                      PeerPolicy.builder()
                          .importMode(ImportMode.ACCEPT)
                          .exportMode(ExportMode.OWN)
                          .build())
                  .families(Set.of(IpFamily.values()))
                  .holdTime(Duration.ofSeconds(9))
                  .connectRetry(Duration.ofSeconds(1))
                  .gracefulRestart(graceful[number])
                  .build());
        }
      }
      return peers;
    }

    private void boot(int number, boolean restarting) {
      ScopedAddress address = address(number);
      SpeakerConfig config =
          SpeakerConfig.builder(Asn.of(65_000 + number), RouterId.parse("10.0.0." + number))
              .nextHops(Map.of(IpFamily.IPV6, IpAddress.parse("fd00::" + number)))
              .restart(
                  graceful[number]
                      ? new SpeakerConfig.Restart(
                          true, RESTART_TIME, Duration.ofSeconds(10), restarting, true)
                      : SpeakerConfig.Restart.DISABLED)
              .build();
      SimNode node = new SimNode(this, address, config);
      processes.put(address, node);
      kept.keySet().removeIf(key -> key.startsWith(address + " of "));
      originate(address);
      node.configure(of(configured, address));
    }

    private void originate(ScopedAddress address) {
      Map<Prefix, PathAttributes> routes = new HashMap<>();
      for (Prefix prefix : of(originated, address)) {
        routes.put(
            prefix,
            PathAttributes.of(
                List.of(
                    new PathAttribute.Origin(PathAttribute.OriginCode.IGP),
                    new PathAttribute.AsPathAttribute(AsPath.EMPTY))));
      }
      of(processes, address).rib().postOriginate(routes);
    }

    // What happens.

    private void ordeal() {
      int number = 1 + random.nextInt(NODES);
      int other = 1 + (number + random.nextInt(NODES - 1)) % NODES;
      ScopedAddress address = address(number);
      SimNode node = of(processes, address);
      int kind = random.nextInt(10);
      note(kind, number, other);
      switch (kind) {
        case 0, 1 -> {
          if (node.isAlive()) {
            if (random.nextBoolean()) {
              node.close(CloseMode.GRACEFUL_RESTART);
            }
            node.die(true);
            time.after(millis(20, 25_000), () -> again(number, true));
          }
        }
        case 2 -> {
          node.die(false);
          powered.remove(address);
          time.after(millis(500, 60_000), () -> again(number, false));
        }
        case 3, 4 -> {
          SimLink link = link(address, address(other));
          link.cut();
          time.after(millis(10, 40_000), link::heal);
        }
        case 5 -> {
          Set<Prefix> some = new TreeSet<>(prefixes(number));
          some.removeIf(_ -> random.nextInt(3) == 0);
          originated.put(address, some);
          if (node.isAlive()) {
            originate(address);
          }
        }
        case 6 -> {
          if (node.isAlive()) {
            node.configure(changed(of(configured, address)));
          }
        }
        case 7 -> {
          if (node.isAlive()) {
            node.configure(of(configured, address));
          }
        }
        case 8 -> {
          if (node.isAlive()) {
            node.configure(List.of(of(configured, address).getFirst()));
          }
        }
        default -> {
          if (node.isAlive()) {
            Notification reset = Notification.shutdown(Notification.CEASE_RESET, "simulated");
            node.sessions().forEach(session -> session.reset(reset, random.nextBoolean()));
          }
        }
      }
    }

    private void note(int kind, int number, int other) {
      history.add(time.nanos() / 1_000_000 + " ms: " + kind + " on " + number + " and " + other);
    }

    private Duration millis(int from, int to) {
      return Duration.ofMillis(random.nextInt(from, to));
    }

    private void again(int number, boolean restarting) {
      ScopedAddress address = address(number);
      if (!of(processes, address).isAlive()) {
        powered.add(address);
        boot(number, restarting);
      }
    }

    private List<PeerConfig> changed(List<PeerConfig> peers) {
      return peers.stream()
          .map(
              peer ->
                  switch (random.nextInt(6)) {
                    case 0 -> peer.toBuilder().description("changed").build();
                    case 1 -> peer.toBuilder().holdTime(Duration.ofSeconds(6)).build();
                    case 2 -> peer.toBuilder().addPath(AddPathMode.BOTH).build();
                    case 3 -> peer.toBuilder().families(Set.of(IpFamily.IPV4)).build();
                    case 4 -> peer.toBuilder().passive(true).build();
                    default ->
                        peer.toBuilder()
                            .policy(peer.policy().toBuilder().importMode(ImportMode.REJECT).build())
                            .build();
                  })
          .toList();
    }

    private void recover() {
      links.values().forEach(SimLink::heal);
      for (int number = 1; number <= NODES; number++) {
        again(number, false);
        of(processes, address(number)).configure(of(configured, address(number)));
      }
    }

    // What must hold, whatever happened.

    private void check() {
      for (SimNode node : processes.values()) {
        if (!node.isAlive()) {
          continue;
        }
        for (PeerSession session : node.sessions()) {
          assertThat(node.established(session.address()))
              .as("%s has one session with %s", node.address(), session.address())
              .hasSizeLessThanOrEqualTo(1);
        }
        if (events % RIB_LOOK_EVENTS == 0 && node.isRibIdle()) {
          checkRoutes(node);
        }
      }
    }

    private void checkRoutes(SimNode node) {
      Map<ScopedAddress, Map<IpFamily, FamilyCounts>> counts = node.counts();
      for (PeerSession session : node.sessions()) {
        int received = 0;
        int stale = 0;
        for (FamilyCounts family : counts.getOrDefault(session.address(), Map.of()).values()) {
          received += family.received();
          stale += family.stale();
        }
        PeerStatus.Restart restart = session.status(Map.of()).restart();
        PeerStatus.LastEnd end = session.history().snapshot().lastReset();
        String key =
            node.address() + " of " + session.address() + (end == null ? "" : " since " + end.at());
        if (session.phase() == SessionPhase.ESTABLISHED) {
          kept.remove(key);
          continue;
        }
        switch (restart.waiting()) {
          case NONE -> {
            assertThat(received).as("routes at %s of a dead peer", key).isZero();
            Kept before = kept.get(key);
            if (before != null && stale < before.stale()) {
              assertThat(time.nanos())
                  .as("kept routes at %s go when their time is over", key)
                  .isGreaterThanOrEqualTo(before.untilNanos());
            }
          }
          case FOR_PEER -> {
            Kept now = new Kept(stale, time.nanos() + restart.left().toNanos());
            Kept before = kept.putIfAbsent(key, now);
            assertThat(stale)
                .as(
                    "routes at %s kept over a restart, %s, at first at %s",
                    key, session.status(Map.of()), before)
                .isEqualTo(before == null ? stale : before.stale());
            assertThat(received).as("routes at %s", key).isEqualTo(stale);
          }
          case FOR_END_OF_RIB ->
              throw new AssertionError("waits for End-of-RIB without a session: " + key);
        }
      }
    }

    private void allIsWell() {
      for (SimNode node : processes.values()) {
        for (PeerSession session : node.sessions()) {
          assertThat(session.phase())
              .as("%s with %s after %s", node.address(), session.address(), history)
              .isEqualTo(SessionPhase.ESTABLISHED);
        }
        Map<String, String> expected = new TreeMap<>();
        for (SimNode other : processes.values()) {
          if (other != node) {
            for (Prefix prefix : of(originated, other.address())) {
              expected.put(
                  prefix.toString(),
                  prefix.family() == IpFamily.IPV4
                      ? other.address().toString()
                      : "fd00::" + number(other.address()));
            }
          }
        }
        assertThat(node.fib().text())
            .as("what %s forwards after %s", node.address(), history)
            .isEqualTo(text(expected));
      }
    }

    private static String text(Map<String, String> routes) {
      List<String> entries = new ArrayList<>();
      routes.keySet().stream()
          .map(Prefix::parse)
          .sorted(Comparator.naturalOrder())
          .forEach(prefix -> entries.add(prefix + "=[" + routes.get(prefix.toString()) + "]"));
      return "{" + String.join(", ", entries) + "}";
    }

    private void nothingIsLeft() {
      for (SimNode node : processes.values()) {
        assertThat(node.pendingAlarms()).as("timers of %s", node.address()).isZero();
        assertThat(node.openWires()).as("connections of %s", node.address()).isEmpty();
      }
    }
  }
}
