package io.margay.agent.firewall;

import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.dataplane.Dataplane;
import io.margay.agent.loop.TestLoop;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.route.RouteTable;
import io.margay.linux.testing.FakeRoutes;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a denied pod gets through while another process removes our tables: nothing where we own
/// them; where the kernel can't close tables to others, what it sends until they are back.
@Tag("netns")
final class FirewallGapTest {

  private static final int PORT = 9999;
  private static final int ROUNDS = 20;
  private static final long PAUSE_NANOS = 100_000;
  private static final long BETWEEN_ROUNDS_NANOS = 50_000_000;

  /// A second transaction's worth of rules, so that the hooks' head start counts.
  private static final int POLICIES = Integer.getInteger("margay.test.policies", 50);

  /// Sends numbers to the denied port, some microseconds apart, and notes when each was sent.
  private static final class Prober implements AutoCloseable {
    private final List<Long> sent = new ArrayList<>();
    private final DatagramChannel channel;
    private final InetSocketAddress target;
    private final Thread thread = Thread.ofPlatform().unstarted(this::run);
    private volatile boolean ended;

    Prober(DatagramChannel channel, InetSocketAddress target) {
      this.channel = channel;
      this.target = target;
      thread.start();
    }

    private void run() {
      ByteBuffer number = ByteBuffer.allocate(4);
      try {
        while (!ended) {
          number.clear().putInt(sent.size()).flip();
          sent.add(System.nanoTime());
          channel.send(number, target);
          LockSupport.parkNanos(PAUSE_NANOS);
        }
      } catch (IOException refused) {
        throw new IllegalStateException(refused);
      }
    }

    /// When each probe was sent, after the last.
    List<Long> end() throws InterruptedException {
      ended = true;
      thread.join();
      return sent;
    }

    @Override
    public void close() {
      try {
        end();
      } catch (InterruptedException stopping) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"WHERE_PERSISTENT", "NEVER"})
  void a_denied_pod_gets_nothing_through_an_owned_table_and_little_through_an_open_one(
      Ownership ownership) throws Exception {
    try (FirewallNamespaces lab = new FirewallNamespaces(2);
        TestLoop test = new TestLoop("dataplane");
        NftTable table = new NftTable(lab.nftables(), "margay", ownership)) {
      FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
      start(test, firewall);
      InetSocketAddress target = new InetSocketAddress(FirewallNamespaces.v4(1), PORT);
      DatagramChannel receiver = lab.udp(1, target);
      DatagramChannel sender = lab.udp(2, new InetSocketAddress(FirewallNamespaces.v4(2), 0));
      Set<Integer> leaked = new ConcurrentSkipListSet<>();
      Thread.ofPlatform().daemon().start(() -> receive(receiver, leaked));
      List<Long> sent;
      try (Prober prober = new Prober(sender, target)) {
        for (int round = 0; round < ROUNDS; round++) {
          int repairs = test.see(firewall::tampering).repairs();
          lab.in("r", "nft flush ruleset");
          if (ownership == Ownership.NEVER) {
            test.await(() -> firewall.tampering().repairs(), now -> now > repairs);
          }
          LockSupport.parkNanos(BETWEEN_ROUNDS_NANOS);
        }
        // Everything is back; a repair that left a hole would show here.
        long settled = System.nanoTime();
        while (System.nanoTime() - settled < 200_000_000) {
          LockSupport.parkNanos(1_000_000);
        }
        sent = prober.end();
        report(ownership, sent, leaked);
        assertThat(leaked)
            .as("probes that came through after the last repair")
            .noneMatch(number -> sent.get(number) > settled);
        if (ownership == Ownership.WHERE_PERSISTENT) {
          assertThat(leaked).isEmpty();
        }
      }
    }
  }

  private static void start(TestLoop test, FirewallManager firewall) throws Exception {
    RouteTable routes = new RouteTable(new FakeRoutes(), _ -> true);
    routes.adopt();
    Dataplane dataplane = new Dataplane(test.loop(), firewall, routes, _ -> OptionalInt.empty());
    List<PolicyUpdate> updates = new ArrayList<>();
    updates.add(profile("open", RuleAction.ALLOW));
    String[] names = new String[POLICIES];
    for (int i = 0; i < POLICIES; i++) {
      names[i] = "deny-" + i;
      updates.add(ingress(names[i]));
    }
    updates.add(endpoint(1, List.of(tier(names)), List.of(), "open"));
    updates.add(endpoint(2, List.of(), List.of(), "open"));
    for (int other = 3; other < POLICIES; other++) {
      updates.add(endpoint(other, List.of(tier(names)), List.of(), "open"));
    }
    CompletableFuture<Void> applied = new CompletableFuture<>();
    test.loop().start(dataplane::settle);
    dataplane.onPolicy(updates, List.of());
    dataplane.begin(() -> applied.complete(null));
    TestLoop.get(applied);
  }

  private static void receive(DatagramChannel receiver, Set<Integer> numbers) {
    ByteBuffer number = ByteBuffer.allocate(4);
    try {
      while (true) {
        receiver.receive(number.clear());
        numbers.add(number.flip().getInt());
      }
    } catch (ClosedChannelException end) {
      // The laboratory closes its sockets.
    } catch (IOException failed) {
      throw new IllegalStateException(failed);
    }
  }

  /// A run of probes that came through one after the other is one gap.
  private static void report(Ownership ownership, List<Long> sent, Set<Integer> leaked) {
    List<Long> gaps = new ArrayList<>();
    Integer first = null;
    for (int number : leaked) {
      if (first == null || !leaked.contains(number - 1)) {
        first = number;
      }
      if (!leaked.contains(number + 1)) {
        gaps.add(sent.get(Math.min(number + 1, sent.size() - 1)) - sent.get(first));
      }
    }
    gaps.sort(null);
    long apart = (sent.getLast() - sent.getFirst()) / sent.size();
    System.out.printf(
        "%s: %d probes %d us apart, %d flushes, %d probes came through in %d gaps: median %d us,"
            + " longest %d us%n",
        ownership,
        sent.size(),
        apart / 1000,
        ROUNDS,
        leaked.size(),
        gaps.size(),
        gaps.isEmpty() ? 0 : gaps.get(gaps.size() / 2) / 1000,
        gaps.isEmpty() ? 0 : gaps.getLast() / 1000);
  }
}
