package io.margay.it.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.cli.demo.UdpFlood;
import io.margay.cli.lab.CniRuntime;
import io.margay.cli.lab.Command;
import io.margay.cli.lab.Distribution;
import io.margay.cli.lab.Lab;
import io.margay.cli.lab.LabException;
import io.margay.cli.lab.Topology;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Pod;
import io.margay.cli.lab.Topology.Tor;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.it.Rack;
import io.margay.it.chaos.Fault.Meanwhile;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.Resource;
import io.margay.model.resource.WorkloadEndpoint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// Three nodes under two routers, and what is wired and applied there at the moment.
final class ChaosRack implements AutoCloseable {

  /// Policies that come and go, by their files.
  private static final List<String> POLICIES =
      List.of("0-db-deny", "1-api-to-db", "2-no-dns-to-web", "3-tiered", "4-set", "5-web-pairs");

  /// These stay wired: streams run between them.
  private static final Set<String> STAYING = Set.of("web-1", "web-2", "web-3", "db-2");

  private static final int CLOSED_PORT = 9001;
  private static final int OPEN_PORT = 9000;
  private static final int PACKETS_PER_SECOND = 500;

  /// How long a runtime goes on asking for a pod whose node's agent is away.
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final JsonMapper JSON = new JsonMapper();

  private final Lab lab;
  private final Path policies;
  private final Set<Pod> wired = new LinkedHashSet<>();
  private final Set<String> applied = new TreeSet<>();
  private final UdpFlood forbidden;

  private final Set<String> away = new TreeSet<>();

  /// Whether the datastore can be written.
  private boolean hasStore = true;

  private boolean restored;

  private ChaosRack(Lab lab, Path policies) throws LabException {
    this.lab = lab;
    this.policies = policies;
    lab.apply(policies.resolve("closed.yaml"));
    for (Pod pod : pods()) {
      wire(pod);
    }
    forbidden = flood("db-2", "web-1", CLOSED_PORT);
  }

  static ChaosRack raise(String name) throws Exception {
    Path file = Rack.ROOT.resolve("deploy/lab/dual-tor.yaml");
    Lab lab =
        Lab.raise(
                name,
                Topology.read(file),
                file,
                new Distribution(Rack.ROOT.resolve("dist")),
                new Lab.Options(false, false),
                _ -> {})
            .lab();
    try {
      return new ChaosRack(
          lab, Path.of(Objects.requireNonNull(ChaosRack.class.getResource("/chaos")).toURI()));
    } catch (LabException failed) {
      Rack.margay("lab", "down", "--name", name);
      throw failed;
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

  List<Pod> pods() {
    return lab.plan().topology().pods();
  }

  /// Pods that live now, in the topology's order.
  List<Pod> wired() {
    return pods().stream().filter(wired::contains).toList();
  }

  Node node(Random random) {
    return nodes().get(random.nextInt(nodes().size()));
  }

  Tor tor(Random random) {
    return tors().get(random.nextInt(tors().size()));
  }

  String netns(Node node) {
    return lab.plan().machineNamespace(node.name());
  }

  /// Between this and [#storeIsBack] nothing is written that only the datastore can take.
  void storeIsAway() {
    hasStore = false;
  }

  void storeIsBack() {
    hasStore = true;
  }

  /// Between this and [#agentIsBack] the node's pods may go, but none comes.
  void agentIsAway(Node node) {
    away.add(node.name());
  }

  void agentIsBack(Node node) {
    away.remove(node.name());
  }

  /// @return the policies that are in the backup
  Set<String> backUp() throws LabException {
    lab.backUpEtcd(backup());
    return Set.copyOf(applied);
  }

  void restore(Set<String> policies) throws LabException {
    lab.restoreEtcd(backup());
    restored = true;
    applied.clear();
    applied.addAll(policies);
  }

  /// Whether etcd has been restored from a backup since the rack was raised.
  boolean wasRestored() {
    return restored;
  }

  private Path backup() {
    return lab.plan().directory().resolve("backup");
  }

  /// A pod comes or goes, or a policy does.
  ///
  /// @return what was done
  String churn(Random random) throws LabException {
    if (hasStore && random.nextInt(3) == 0) {
      String policy = POLICIES.get(random.nextInt(POLICIES.size()));
      Path file = policies.resolve(policy + ".yaml");
      if (applied.remove(policy)) {
        lab.margay("delete", "-f", file.toString()).output();
        return "-" + policy;
      }
      lab.apply(file);
      applied.add(policy);
      return "+" + policy;
    }
    List<Pod> passing =
        pods().stream()
            .filter(pod -> !STAYING.contains(pod.name()))
            .filter(pod -> wired.contains(pod) || !away.contains(pod.node()))
            .toList();
    if (passing.isEmpty()) {
      return "nothing";
    }
    Pod pod = passing.get(random.nextInt(passing.size()));
    if (wired.contains(pod)) {
      unwire(pod);
      return "-" + pod.name();
    }
    wire(pod);
    return "+" + pod.name();
  }

  /// A pod of the node is unwired, if there is one that may go.
  Optional<Pod> remove(Node node) throws LabException {
    Optional<Pod> going = passing(node).filter(wired::contains).findFirst();
    if (going.isPresent()) {
      unwire(going.get());
    }
    return going;
  }

  /// A pod of the node that is not wired, which is made if there is none.
  private Pod absent(Node node) throws LabException {
    Optional<Pod> absent = passing(node).filter(pod -> !wired.contains(pod)).findFirst();
    return absent.isPresent() ? absent.get() : remove(node).orElseThrow();
  }

  private Stream<Pod> passing(Node node) {
    return pods().stream()
        .filter(pod -> pod.node().equals(node.name()) && !STAYING.contains(pod.name()));
  }

  /// A pod of the node comes, by the plugin of a distribution.
  Pod renew(Node node, Distribution plugin) throws LabException {
    Pod pod = absent(node);
    CniRuntime runtime = new CniRuntime(lab.plan(), plugin);
    patiently(() -> runtime.add(pod));
    wired.add(pod);
    return pod;
  }

  /// A pod of the node comes, or the reason why it can't, which leaves it as it was.
  ///
  /// @return what the plugin said; empty when the pod has come
  Optional<String> tryToAdd(Node node) throws LabException {
    Pod pod = absent(node);
    try {
      lab.runtime().add(pod);
    } catch (LabException refused) {
      return Optional.of(String.valueOf(refused.getMessage()));
    }
    wired.add(pod);
    return Optional.empty();
  }

  /// When the datastore says that a pod's endpoint was made, by its agent's clock.
  Instant madeAt(Pod pod) throws LabException {
    return world().stream()
        .filter(WorkloadEndpoint.class::isInstance)
        .map(WorkloadEndpoint.class::cast)
        .filter(endpoint -> pod.name().equals(endpoint.spec().pod()))
        .map(endpoint -> endpoint.metadata().creationTimestamp())
        .filter(Objects::nonNull)
        .findFirst()
        .orElseThrow(() -> new LabException("etcd has no endpoint of " + pod.name()));
  }

  /// Ends a node's agent as a service manager does, and starts another in its place.
  void restart(Node node, Lab.Variant next, Meanwhile meanwhile) throws LabException {
    end(node);
    meanwhile.happen();
    begin(node, next);
  }

  void end(Node node) throws LabException {
    ProcessHandle agent = lab.agent(node);
    agentIsAway(node);
    agent.destroy();
    agent.onExit().join();
  }

  void begin(Node node, Lab.Variant next) throws LabException {
    lab.startAgent(node, next);
    agentIsBack(node);
  }

  /// The same distribution at another place, as the next release would be.
  Distribution otherBuild() throws LabException {
    Path home = lab.plan().directory().resolve("other-build");
    if (!Files.exists(home)) {
      Command.of("cp", "-a", Rack.ROOT.resolve("dist").toString(), home.toString()).output();
    }
    return new Distribution(home);
  }

  /// What a node's agent has said so far.
  String said(Node node) throws LabException {
    Path log = lab.plan().nodeDirectory(node).resolve("agent.out");
    try {
      return Files.readString(log);
    } catch (IOException failed) {
      throw new LabException("can't read " + log + ": " + failed, failed);
    }
  }

  /// Waits until a node's agent has said something that is new.
  ///
  /// @param from how much of its log is old
  void awaitSaid(Node node, int from, String... words) throws LabException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (said(node).substring(from).lines().noneMatch(line -> hasAll(line, words))) {
      if (System.nanoTime() > deadline) {
        throw new LabException(
            "the agent of " + node.name() + " never said " + String.join(" … ", words));
      }
      pause(Duration.ofMillis(50));
    }
  }

  private static boolean hasAll(String line, String... words) {
    return Stream.of(words).allMatch(line::contains);
  }

  private void wire(Pod pod) throws LabException {
    patiently(() -> lab.runtime().add(pod));
    wired.add(pod);
  }

  private void unwire(Pod pod) throws LabException {
    wired.remove(pod);
    lab.runtime().delete(pod); // never has to be repeated
  }

  /// A call that a runtime repeats while it fails.
  private interface Call {
    void make() throws LabException;
  }

  private static void patiently(Call call) throws LabException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        call.make();
        return;
      } catch (LabException refused) {
        if (System.nanoTime() > deadline) {
          throw refused;
        }
        pause(Duration.ofMillis(200));
      }
    }
  }

  void deleteAll() throws LabException {
    for (Pod pod : wired()) {
      unwire(pod);
    }
  }

  static void pause(Duration time) throws LabException {
    try {
      Thread.sleep(time);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted", interrupted);
    }
  }

  /// Streams that policy allows whatever is applied.
  List<UdpFlood> streams() throws LabException {
    return List.of(flood("web-2", "web-1", OPEN_PORT), flood("web-1", "web-3", OPEN_PORT));
  }

  private UdpFlood flood(String from, String to, int port) throws LabException {
    IpAddress address = lab.runtime().address(pod(to), IpFamily.IPV4).orElseThrow();
    return UdpFlood.start(
        lab.plan().podNamespace(pod(from)),
        lab.plan().podNamespace(pod(to)),
        address,
        port,
        PACKETS_PER_SECOND);
  }

  private Pod pod(String name) {
    return pods().stream().filter(pod -> pod.name().equals(name)).findFirst().orElseThrow();
  }

  /// Datagrams of the stream that is never allowed.
  UdpFlood.Report stopForbidden() throws LabException {
    return forbidden.stop();
  }

  /// Every resource that the datastore holds.
  List<Resource> world() throws LabException {
    List<Resource> world = new ArrayList<>();
    for (KeyAndValue pair : stored("/calico/resources/v3/")) {
      if (ResourceJson.decode(pair.key(), pair.value(), 1).orElse(null)
          instanceof Decoded.Valid(Resource resource)) {
        world.add(resource);
      }
    }
    return world;
  }

  /// What etcd holds under a key.
  record KeyAndValue(String key, String value) {}

  List<KeyAndValue> stored(String prefix) throws LabException {
    List<KeyAndValue> all = new ArrayList<>();
    for (JsonNode pair :
        json(lab.etcdctl("get", "--prefix", prefix, "-w", "json").output()).path("kvs")) {
      all.add(new KeyAndValue(text(pair.path("key")), text(pair.path("value"))));
    }
    return all;
  }

  static JsonNode json(String text) throws LabException {
    try {
      return JSON.readTree(text.isBlank() ? "[]" : text);
    } catch (IOException notJson) {
      throw new LabException("not JSON: " + text, notJson);
    }
  }

  private static String text(JsonNode base64) {
    return new String(Base64.getDecoder().decode(base64.asText()), StandardCharsets.UTF_8);
  }

  /// Runs a program in a node's namespace.
  String exec(Node node, String... argv) throws LabException {
    return Command.in(netns(node), argv).output();
  }

  /// Writes down what stands, for whoever looks for the cause.
  ///
  /// @return the file
  Path describe(long seed) throws LabException {
    StringBuilder text = new StringBuilder();
    for (Tor tor : tors()) {
      String netns = lab.plan().machineNamespace(tor.name());
      text.append("== ").append(tor.name()).append('\n');
      text.append(lab.routers().birdc(tor, "show protocols"));
      text.append(lab.routers().birdc(tor, "show route"));
      text.append(Command.of("ip", "-n", netns, "route").output());
    }
    for (Node node : nodes()) {
      text.append("== ").append(node.name()).append('\n');
      text.append(Command.of("ip", "-n", netns(node), "route").output());
      text.append(Command.of("ip", "-n", netns(node), "-6", "route").output());
      text.append(
          Command.of(
                  "tail",
                  "-n",
                  "80",
                  lab.plan().nodeDirectory(node).resolve("agent.out").toString())
              .output());
    }
    Path file = Path.of("target", "chaos-" + seed + ".txt").toAbsolutePath();
    try {
      Files.createDirectories(file.getParent());
      return Files.writeString(file, text);
    } catch (IOException failed) {
      throw new LabException("can't write " + file, failed);
    }
  }

  @Override
  public void close() {
    try {
      Rack.Run down = Rack.margay("lab", "down", "--name", lab.plan().name());
      if (down.exitCode() != 0) {
        throw new IllegalStateException("the lab " + lab.plan().name() + " stays: " + down.err());
      }
    } catch (IOException failed) {
      throw new IllegalStateException("the lab " + lab.plan().name() + " stays", failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
