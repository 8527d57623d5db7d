package io.margay.cli.demo;

import io.margay.cli.lab.Distribution;
import io.margay.cli.lab.Lab;
import io.margay.cli.lab.LabException;
import io.margay.cli.lab.LabTeardown;
import io.margay.cli.lab.LeakChecker;
import io.margay.cli.lab.Matrix;
import io.margay.cli.lab.Probe;
import io.margay.cli.lab.Topology;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Pod;
import io.margay.cli.lab.Topology.Tor;
import io.margay.cli.lab.TopologyException;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.StringJoiner;
import java.util.stream.Stream;

/// One rack on which the demo plays, and the steps that every rack goes through: raised, sessions,
/// pods, blocks, matrix, deletion.
final class Stage {

  private static final Duration SESSIONS_LIMIT = Duration.ofSeconds(20);
  private static final Duration MATRIX_LIMIT = Duration.ofSeconds(10);
  private static final Duration DELETION_LIMIT = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(50);
  private static final int SHOWN_DIFFERENCES = 8;

  private final Steps steps;
  private final Distribution distribution;
  private final Lab lab;
  private final Map<String, Duration> agentReady;

  private Stage(Steps steps, Distribution distribution, Lab.Raised raised) {
    this.steps = steps;
    this.distribution = distribution;
    this.lab = raised.lab();
    this.agentReady = raised.agentReady();
  }

  /// Something to wait for.
  interface Condition {
    boolean holds() throws LabException;
  }

  static Stage raise(Steps steps, Distribution distribution, String name, String file)
      throws LabException, DemoException {
    try {
      Path path = distribution.labFile(file);
      Topology topology = Topology.read(path);
      Lab.Raised raised =
          Lab.raise(name, topology, path, distribution, new Lab.Options(false, false), _ -> {});
      return new Stage(steps, distribution, raised);
    } catch (TopologyException broken) {
      throw new DemoException(String.valueOf(broken.getMessage()));
    }
  }

  /// How soon the agents were ready, and what they weigh.
  void sayAgents() throws LabException {
    for (Node node : nodes()) {
      steps.say(
          "agent on %s: ready %d ms after exec, %d MB resident"
              .formatted(
                  node.name(),
                  Objects.requireNonNull(agentReady.get(node.name())).toMillis(),
                  lab.agentResidentKilobytes(node) / 1024));
    }
  }

  Lab lab() {
    return lab;
  }

  List<Node> nodes() {
    return lab.plan().topology().nodes();
  }

  List<Tor> tors() {
    return lab.plan().topology().tors();
  }

  Node node(String name) {
    return nodes().stream().filter(node -> node.name().equals(name)).findFirst().orElseThrow();
  }

  Pod pod(String name) {
    return lab.plan().topology().pods().stream()
        .filter(pod -> pod.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /// Waits until a condition holds.
  static void await(Duration limit, String what, Condition condition)
      throws LabException, DemoException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() > deadline) {
        throw new DemoException(what + ": not so after " + limit.toSeconds() + " s");
      }
      pause(POLL);
    }
  }

  static void pause(Duration duration) throws LabException {
    try {
      Thread.sleep(duration);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted", interrupted);
    }
  }

  /// Every router says its session with every node is established and settled.
  void sessions() throws LabException, DemoException {
    for (Tor tor : tors()) {
      StringJoiner peers = new StringJoiner(", ");
      for (Node node : nodes()) {
        await(
            SESSIONS_LIMIT,
            tor.name() + "'s session with " + node.name() + " is established",
            () -> lab.routers().isSettled(tor, node.name()));
        peers.add(node.name() + " AS" + node.asn());
      }
      steps.say("%s (AS%s, birdc): established with %s".formatted(tor.name(), tor.asn(), peers));
    }
  }

  /// Wires all pods, one after the other.
  void wirePods() throws LabException {
    List<Duration> took = new ArrayList<>();
    for (Pod pod : lab.plan().topology().pods()) {
      took.add(lab.runtime().add(pod).took());
    }
    List<Duration> sorted = took.stream().sorted().toList();
    steps.say(
        "%d ADDs, exec to exit: p50 %s, max %s; the first of a node claims its blocks"
            .formatted(
                took.size(),
                Steps.milliseconds(sorted.get(sorted.size() / 2)),
                Steps.milliseconds(sorted.getLast())));
  }

  /// Every router holds a block of each node in both families, and every node's kernel those of the
  /// others.
  void blocks() throws LabException, DemoException {
    for (Tor tor : tors()) {
      for (Node node : nodes()) {
        await(
            SESSIONS_LIMIT,
            tor.name() + " has an IPv4 and an IPv6 block of " + node.name(),
            () -> announcesBothFamilies(lab.routers().announcedBy(tor, node.name())));
        steps.say(
            "%s <- %s: %s"
                .formatted(
                    tor.name(),
                    node.name(),
                    String.join(", ", lab.routers().announcedBy(tor, node.name()))));
      }
    }
    await(SESSIONS_LIMIT, "every node's kernel has the others' blocks", lab::blocksHaveSpread);
    Node first = nodes().getFirst();
    StringJoiner learned = new StringJoiner(", ");
    for (IpFamily family : IpFamily.values()) {
      lab.learnedBlocks(first, family).stream().map(Prefix::toString).forEach(learned::add);
    }
    steps.say("%s (ip route): %s".formatted(first.name(), learned));
  }

  private static boolean announcesBothFamilies(List<String> prefixes) {
    return prefixes.stream().anyMatch(prefix -> prefix.contains(":"))
        && prefixes.stream().anyMatch(prefix -> !prefix.contains(":"));
  }

  /// Probes until the matrix is the expected one, and shows it.
  ///
  /// @return what was seen
  Matrix matrix(String expectation) throws LabException, DemoException {
    Probe probe = new Probe(lab, List.of());
    Matrix expected = expected(expectation);
    long deadline = System.nanoTime() + MATRIX_LIMIT.toNanos();
    Matrix seen = probe.matrix(probe.run());
    while (seen.countDifferences(expected) > 0 && System.nanoTime() < deadline) {
      probe = new Probe(lab, List.of());
      seen = probe.matrix(probe.run());
    }
    steps.show(seen.toString());
    List<String> differences = seen.differencesFrom(expected, SHOWN_DIFFERENCES);
    if (!differences.isEmpty()) {
      throw new DemoException(
          "the matrix is not that of " + expectation + ":\n  " + String.join("\n  ", differences));
    }
    return seen;
  }

  private Matrix expected(String expectation) throws LabException, DemoException {
    try {
      return Matrix.read(
          distribution.labFile("expect/" + expectation),
          lab.plan().topology().pods().stream().map(Pod::name).toList());
    } catch (TopologyException broken) {
      throw new DemoException(String.valueOf(broken.getMessage()));
    }
  }

  void apply(String policy) throws LabException {
    lab.apply(distribution.labFile("policies/" + policy));
  }

  void delete(String first, String second) throws LabException {
    lab.margay(
            "delete",
            "-f",
            distribution.labFile("policies/" + first).toString(),
            "-f",
            distribution.labFile("policies/" + second).toString())
        .output();
  }

  /// A stream of datagrams between two pods.
  UdpFlood flood(String from, String to, IpFamily family, int port, int packetsPerSecond)
      throws LabException, DemoException {
    IpAddress address =
        lab.runtime()
            .address(pod(to), family)
            .orElseThrow(() -> new DemoException(to + " has no address of " + family));
    return UdpFlood.start(
        lab.plan().podNamespace(pod(from)),
        lab.plan().podNamespace(pod(to)),
        address,
        port,
        packetsPerSecond);
  }

  /// The router that received most from its nodes during `time`, by `ip -s -j link`.
  Tor busiestRouter(Duration time) throws LabException {
    Map<Tor, Long> before = new LinkedHashMap<>();
    for (Tor tor : tors()) {
      before.put(tor, lab.packetsReceived(tor));
    }
    pause(time);
    Tor busiest = tors().getFirst();
    long most = -1;
    for (Map.Entry<Tor, Long> entry : before.entrySet()) {
      long packets = lab.packetsReceived(entry.getKey()) - entry.getValue();
      if (packets > most) {
        most = packets;
        busiest = entry.getKey();
      }
    }
    return busiest;
  }

  /// Deletes every pod and asks the checker; what goes a moment after the answer is waited for.
  void deleteAll() throws LabException, DemoException {
    List<Duration> took = new ArrayList<>();
    for (Pod pod : lab.plan().topology().pods()) {
      took.add(lab.runtime().delete(pod).took());
    }
    List<Duration> sorted = took.stream().sorted().toList();
    steps.say(
        "%d DELs, exec to exit: p50 %s, max %s"
            .formatted(
                took.size(),
                Steps.milliseconds(sorted.get(sorted.size() / 2)),
                Steps.milliseconds(sorted.getLast())));
    long deadline = System.nanoTime() + DELETION_LIMIT.toNanos();
    List<LeakChecker.Leak> leaks = new LeakChecker(lab).check();
    while (!leaks.isEmpty() && System.nanoTime() < deadline) {
      pause(POLL);
      leaks = new LeakChecker(lab).check();
    }
    if (!leaks.isEmpty()) {
      throw new DemoException(
          leaks.size()
              + " things were left behind:\n  "
              + String.join(
                  "\n  ", leaks.stream().limit(SHOWN_DIFFERENCES).map(Object::toString).toList()));
    }
    steps.say(
        "no address, handle, endpoint, veth, route, set element, chain or journal entry left");
  }

  void down() throws LabException, DemoException {
    LabTeardown.down(lab.plan().name(), false);
    try (Stream<ProcessHandle> all = ProcessHandle.allProcesses()) {
      String home = lab.plan().directory() + "/";
      if (all.anyMatch(process -> process.info().commandLine().orElse("").contains(home))) {
        throw new DemoException("a process of lab " + lab.plan().name() + " outlived it");
      }
    }
  }
}
