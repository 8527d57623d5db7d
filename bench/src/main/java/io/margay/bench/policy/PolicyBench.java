package io.margay.bench.policy;

import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FirewallSettings;
import io.margay.bench.policy.PolicyWorld.Document;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTable;
import io.margay.model.resource.Resource;
import io.margay.policy.CalcGraph;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;

/// The way from a document of the store to the kernel's rules, at the scale of a large cluster:
/// what `bench/policy/run.sh` runs in a network namespace of its own, each step in a process of its
/// own with the agent's JVM options.
public final class PolicyBench {

  private static final int WARM_UPS = 500;
  private static final int ROUNDS = 3000;
  private static final int SUSTAINED_SECONDS = 10;

  private final PolicyWorld world;
  private final CalcGraph graph = new CalcGraph(PolicyWorld.NODE);
  private final FirewallManager firewall;
  private long revision;

  private PolicyBench(PolicyWorld world, NftTable table) {
    this.world = world;
    this.firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
  }

  /// @param arguments `cold`, `label` or `sustained`; then the numbers of endpoints, policies and
  ///   local endpoints, and for `sustained` the updates a second
  public static void main(String[] arguments) throws Exception {
    PolicyWorld world =
        new PolicyWorld(
            Integer.parseInt(arguments[1]),
            Integer.parseInt(arguments[2]),
            Integer.parseInt(arguments[3]));
    try (NftTable table =
        new NftTable(KernelNftables.open(), "margay", NftTable.Ownership.WHERE_PERSISTENT)) {
      PolicyBench bench = new PolicyBench(world, table);
      bench.load();
      switch (arguments[0]) {
        case "cold" -> {}
        case "label" -> bench.changeLabels();
        case "sustained" -> bench.sustain(Integer.parseInt(arguments[4]));
        default -> throw new IllegalArgumentException(arguments[0]);
      }
    }
  }

  /// A start: everything in, then everything applied.
  private void load() throws NftException, IOException {
    long began = System.nanoTime();
    long decoding = 0;
    for (int i = 0; i < PolicyWorld.NAMESPACES; i++) {
      decoding += take(world.namespace(i));
    }
    for (int i = 0; i < world.policies(); i++) {
      decoding += take(world.policy(i));
    }
    for (int i = 0; i < world.endpoints(); i++) {
      decoding += take(world.endpoint(i, 0));
    }
    long inSync = System.nanoTime();
    graph.onInSync();
    int[] updates = {0};
    graph.flush(
        update -> {
          updates[0]++;
          firewall.onUpdate(update);
        });
    long computed = System.nanoTime();
    firewall.apply();
    long applied = System.nanoTime();
    print(
        "cold: %d endpoints, %d policies, %d local endpoints: in %.2f s (decoding %.2f), in sync"
            + " to applied %.2f s (calc's output %.2f, kernel %.2f), %d updates",
        world.endpoints(),
        world.policies(),
        world.local(),
        (inSync - began) / 1e9,
        decoding / 1e9,
        (applied - inSync) / 1e9,
        (computed - inSync) / 1e9,
        (applied - computed) / 1e9,
        updates[0]);
    print("memory: peak RSS %d MB", statusKilobytes("VmHWM") / 1024);
    System.gc();
    long heap = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    print("memory: heap in use after collection %d MB", heap >> 20);
  }

  private long take(Document document) {
    long began = System.nanoTime();
    Resource resource = document.decode(++revision);
    long decoded = System.nanoTime();
    graph.onUpdate(resource.ref(), resource);
    return decoded - began;
  }

  /// One endpoint of another node gets another label, again and again.
  private void changeLabels() throws NftException {
    int[] candidates = world.remoteBesideLocal(50);
    long[] nanos = new long[ROUNDS];
    for (int counted = -WARM_UPS, round = 1; counted < ROUNDS; round++) {
      Document document =
          world.endpoint(candidates[round % candidates.length], round / candidates.length + 1);
      long began = System.nanoTime();
      NftOutcome outcome = change(document);
      long took = System.nanoTime() - began;
      // A label that no rule here asks for does not reach the kernel, and is cheaper still.
      if (outcome instanceof NftOutcome.Written) {
        if (counted >= 0) {
          nanos[counted] = took;
        }
        counted++;
      }
    }
    Arrays.sort(nanos);
    print(
        "label: document to committed transaction p50 %.3f ms, p99 %.3f ms, longest %.3f ms of %d",
        nanos[ROUNDS / 2] / 1e6, nanos[ROUNDS * 99 / 100] / 1e6, nanos[ROUNDS - 1] / 1e6, ROUNDS);
  }

  private NftOutcome change(Document document) throws NftException {
    Resource resource = document.decode(++revision);
    graph.onUpdate(resource.ref(), resource);
    graph.flush(firewall::onUpdate);
    return firewall.apply();
  }

  /// Endpoints change at a rate, each applied by itself.
  private void sustain(int perSecond) throws NftException {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long gap = 1_000_000_000L / perSecond;
    int total = perSecond * SUSTAINED_SECONDS;
    for (int i = 0; i < WARM_UPS; i++) {
      change(world.endpoint(i * 31 % world.endpoints(), 1));
    }
    long cpuBefore = processCpu();
    long threadBefore = threads.getCurrentThreadCpuTime();
    long began = System.nanoTime();
    long late = 0;
    for (int i = 0; i < total; i++) {
      Document document = world.endpoint((i * 37 + 11) % world.endpoints(), 2 + i / 1000);
      long due = began + i * gap;
      long wait = due - System.nanoTime();
      if (wait > 0) {
        LockSupport.parkNanos(wait);
      }
      change(document);
      late = Math.max(late, System.nanoTime() - due);
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    print(
        "sustained: %d updates in %.1f s (%.0f/s), %.0f %% of a core (this thread %.0f %%), longest"
            + " from due to committed %.1f ms",
        total,
        seconds,
        total / seconds,
        (processCpu() - cpuBefore) / 1e7 / seconds,
        (threads.getCurrentThreadCpuTime() - threadBefore) / 1e7 / seconds,
        late / 1e6);
  }

  private static long processCpu() {
    return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toNanos();
  }

  private static long statusKilobytes(String field) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith(field + ":")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new IOException("/proc/self/status has no " + field);
  }

  private static void print(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }
}
