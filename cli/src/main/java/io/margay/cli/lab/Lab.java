package io.margay.cli.lab;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cli.ExitCodes;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Pod;
import io.margay.cli.lab.Topology.Tor;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// A lab that stands, or is being raised. Everything it does to the machine goes through tools that
/// anyone could call by hand.
public final class Lab {

  private static final Duration ETCD_LIMIT = Duration.ofSeconds(30);
  private static final int APPLY_ATTEMPTS = 3;
  private static final Duration AGENT_LIMIT = Duration.ofSeconds(45);

  /// Routers and nodes forward; a path whose link has no carrier is not taken (Linux
  /// Documentation/networking/ip-sysctl); a link that went down has its addresses when it comes
  /// back; flows, not destinations, spread over equal paths; every address is usable at once.
  private static final String MACHINE_SYSCTLS =
      """
      set -e
      cd /proc/sys/net
      echo 1 > ipv4/ip_forward
      echo 1 > ipv6/conf/all/forwarding
      echo 1 > ipv4/conf/all/ignore_routes_with_linkdown
      echo 1 > ipv6/conf/all/ignore_routes_with_linkdown
      echo 1 > ipv6/conf/default/ignore_routes_with_linkdown
      echo 1 > ipv6/conf/all/keep_addr_on_down
      echo 1 > ipv6/conf/default/keep_addr_on_down
      echo 1 > ipv4/conf/default/ignore_routes_with_linkdown
      echo 1 > ipv4/fib_multipath_hash_policy
      echo 1 > ipv6/fib_multipath_hash_policy
      echo 0 > ipv4/conf/all/rp_filter
      echo 0 > ipv6/conf/default/accept_dad
      echo 0 > ipv6/conf/all/accept_dad
      """;

  private final LabPlan plan;
  private final Distribution distribution;
  private final CniRuntime runtime;
  private final Routers routers;

  private Lab(LabPlan plan, Distribution distribution) {
    this.plan = plan;
    this.distribution = distribution;
    this.runtime = new CniRuntime(plan, distribution);
    this.routers = new Routers(plan);
  }

  /// What a raising is told and found out.
  ///
  /// @param agentReady from executing an agent to its `ready`, by node
  /// @param adds how long each pod's ADD took, in the topology's order
  public record Raised(Lab lab, Map<String, Duration> agentReady, List<Duration> adds) {}

  /// How a lab is raised.
  ///
  /// @param keepOnFailure leaves what stands when something fails, for people to look at
  /// @param wirePods whether the pods are wired at once
  public record Options(boolean keepOnFailure, boolean wirePods) {}

  /// Raises the rack of `file` under `name`; nothing stays behind when that fails or this process
  /// is told to end meanwhile.
  ///
  /// @param progress gets one line a step
  public static Raised raise(
      String name,
      Topology topology,
      Path file,
      Distribution distribution,
      Options options,
      Consumer<String> progress)
      throws LabException {
    if (!LabState.isLabName(name)) {
      throw new LabException(
          "\"" + name + "\" can't be a lab's name: letters, digits, dashes, 32 at most");
    }
    FileChannel lock = LabState.lock(name);
    Thread undo = new Thread(() -> takeDownQuietly(name, progress), "undo-lab");
    try {
      LabPlan plan = new LabPlan(name, topology, LabState.home(name));
      if (Files.exists(plan.home())
          || !Namespaces.startingWith(LabPlan.PREFIX + name + "-").isEmpty()) {
        throw new LabException(
            "a lab named "
                + name
                + " is there already; `margay lab down --name "
                + name
                + "` removes it, another --name leaves it alone");
      }
      LabState.write(plan, distribution, file);
      if (!options.keepOnFailure()) {
        Runtime.getRuntime().addShutdownHook(undo);
      }
      Raised raised = new Lab(plan, distribution).raise(options, progress);
      forget(undo);
      return raised;
    } catch (LabException failed) {
      if (forget(undo)) {
        takeDownQuietly(name, progress);
      }
      throw failed;
    } finally {
      LabTeardown.release(lock, name);
    }
  }

  /// Whether the hook was set and has not begun.
  private static boolean forget(Thread undo) {
    try {
      return Runtime.getRuntime().removeShutdownHook(undo);
    } catch (IllegalStateException alreadyEnding) {
      return false;
    }
  }

  private static void takeDownQuietly(String name, Consumer<String> progress) {
    try {
      LabTeardown.downLocked(name, false);
      LabState.forgetLock(name);
    } catch (LabException | IOException failed) {
      progress.accept(
          "lab "
              + name
              + " was not taken down: "
              + failed.getMessage()
              + "; run `margay lab down --name "
              + name
              + "`");
    }
  }

  /// A lab that stands, by its name.
  public static Lab open(String name, Distribution distribution) throws LabException {
    return new Lab(LabState.open(name), distribution);
  }

  public LabPlan plan() {
    return plan;
  }

  public CniRuntime runtime() {
    return runtime;
  }

  public Routers routers() {
    return routers;
  }

  private Raised raise(Options options, Consumer<String> progress) throws LabException {
    Topology topology = plan.topology();
    Namespaces.create(plan.namespaces());
    cable();
    progress.accept(plan.namespaces().size() + " namespaces, " + plan.links().size() + " links");
    Map<Tor, List<Daemon>> started = new LinkedHashMap<>();
    List<Daemon> etcd = startEtcd();
    for (Tor tor : topology.tors()) {
      started.put(tor, routers.start(tor));
    }
    for (Map.Entry<Tor, List<Daemon>> entry : started.entrySet()) {
      routers.awaitAnswering(entry.getKey(), entry.getValue());
      progress.accept(entry.getKey().name() + " (" + entry.getKey().daemon().word() + ") is up");
    }
    awaitEtcd(etcd);
    progress.accept("etcd is up: " + String.join(" ", plan.etcdUrls()));
    if (topology.nodes().isEmpty()) {
      return new Raised(this, Map.of(), List.of());
    }
    writeResources();
    progress.accept("pools, nodes and peerings are written");
    Map<String, Duration> ready = startAgents(topology, progress);
    List<Duration> adds = new ArrayList<>();
    if (options.wirePods()) {
      for (Pod pod : topology.pods()) {
        adds.add(runtime.add(pod).took());
      }
      progress.accept(adds.size() + " pods are wired");
    }
    return new Raised(this, ready, adds);
  }

  /// Links, addresses and kernel settings.
  private void cable() throws LabException {
    List<String> machines = new ArrayList<>();
    plan.topology().tors().forEach(tor -> machines.add(plan.machineNamespace(tor.name())));
    plan.topology().nodes().forEach(node -> machines.add(plan.machineNamespace(node.name())));
    // First, because interfaces take their settings over when they are born.
    for (String machine : machines) {
      Command.in(machine, "sh", "-c", MACHINE_SYSCTLS).output();
    }
    LabCables cables = new LabCables(plan);
    batch(plan.managementNamespace(), cables.management());
    for (Tor tor : plan.topology().tors()) {
      batch(plan.machineNamespace(tor.name()), cables.tor(tor));
    }
    for (Node node : plan.topology().nodes()) {
      batch(plan.machineNamespace(node.name()), cables.node(node));
    }
    for (Pod pod : plan.topology().pods()) {
      batch(plan.podNamespace(pod), "link set dev lo up\n");
    }
  }

  private static void batch(String namespace, String lines) throws LabException {
    Command.of("ip", "-n", namespace, "-batch", "-").reading(lines).output();
  }

  private List<Daemon> startEtcd() throws LabException {
    List<Daemon> daemons = new ArrayList<>();
    for (int member = 0; member < plan.topology().etcdMembers(); member++) {
      daemons.add(startEtcd(member));
    }
    return daemons;
  }

  private Daemon startEtcd(int member) throws LabException {
    Path home = plan.etcdDirectory(member);
    String clients = plan.etcdUrls().get(member);
    return Daemon.start(
        "etcd",
        plan.managementNamespace(),
        home,
        List.of(
            "etcd",
            "--name",
            "m" + member,
            "--data-dir",
            home.resolve("data").toString(),
            "--listen-client-urls",
            clients,
            "--advertise-client-urls",
            clients,
            "--listen-peer-urls",
            peerUrl(member),
            "--initial-advertise-peer-urls",
            peerUrl(member),
            "--initial-cluster",
            initialCluster(),
            "--initial-cluster-token",
            "margay-lab-" + plan.name(),
            "--logger",
            "zap",
            "--log-level",
            "warn"));
  }

  private String peerUrl(int member) {
    return plan.etcdUrl(member, LabPlan.ETCD_PEER_PORT);
  }

  private void awaitEtcd(List<Daemon> daemons) throws LabException {
    for (Daemon daemon : daemons) {
      daemon.await(ETCD_LIMIT, this::etcdAnswers);
    }
  }

  private boolean etcdAnswers() {
    try {
      return etcdctl("--command-timeout=2s", "endpoint", "health").run().status() == 0;
    } catch (LabException notYet) {
      return false;
    }
  }

  /// Kills every member of etcd as a crash would. Returns once they are gone.
  public void killEtcd() throws LabException {
    for (ProcessHandle member : etcd()) {
      destroy(member);
    }
  }

  /// Starts etcd again with the data it has, and waits until it answers.
  public void restartEtcd() throws LabException {
    awaitEtcd(startEtcd());
  }

  /// Writes a backup of etcd, as an operator makes one.
  public void backUpEtcd(Path file) throws LabException {
    Command.in(
            plan.managementNamespace(),
            "etcdctl",
            "--endpoints",
            plan.etcdUrls().getFirst(),
            "snapshot",
            "save",
            file.toString())
        .with(Map.of("ETCDCTL_API", "3"))
        .output();
  }

  /// Kills etcd, gives every member the data of a backup instead of its own, and starts it again: a
  /// store of another identity, whose revisions begin where the backup was made.
  public void restoreEtcd(Path backup) throws LabException {
    killEtcd();
    for (int member = 0; member < plan.topology().etcdMembers(); member++) {
      Path data = plan.etcdDirectory(member).resolve("data");
      Command.of("rm", "-rf", data.toString()).output();
      Command.of(
              "etcdctl",
              "snapshot",
              "restore",
              backup.toString(),
              "--data-dir",
              data.toString(),
              "--name",
              "m" + member,
              "--initial-cluster",
              initialCluster(),
              "--initial-cluster-token",
              "margay-lab-" + plan.name() + "-restored",
              "--initial-advertise-peer-urls",
              peerUrl(member))
          .with(Map.of("ETCDCTL_API", "3"))
          .output();
    }
    restartEtcd();
  }

  private String initialCluster() {
    List<String> cluster = new ArrayList<>();
    for (int each = 0; each < plan.topology().etcdMembers(); each++) {
      cluster.add("m" + each + "=" + peerUrl(each));
    }
    return String.join(",", cluster);
  }

  /// The members' processes.
  public List<ProcessHandle> etcd() throws LabException {
    List<ProcessHandle> members = new ArrayList<>();
    for (int member = 0; member < plan.topology().etcdMembers(); member++) {
      members.add(process("etcd", plan.etcdDirectory(member)));
    }
    return members;
  }

  /// `etcdctl` on the lab's etcd.
  public Command etcdctl(String... arguments) {
    List<String> argv =
        new ArrayList<>(List.of("etcdctl", "--endpoints", String.join(",", plan.etcdUrls())));
    argv.addAll(List.of(arguments));
    return Command.in(plan.managementNamespace(), argv).with(Map.of("ETCDCTL_API", "3"));
  }

  private void writeResources() throws LabException {
    Path file = plan.home().resolve("resources.yaml");
    try {
      Files.writeString(file, LabDocuments.resources(plan));
    } catch (IOException failed) {
      throw new LabException("can't write " + file + ": " + failed, failed);
    }
    apply(file);
  }

  /// `margay apply -f FILE` against the lab's etcd; repeated when etcd did not answer in time,
  /// which applying bears.
  public void apply(Path file) throws LabException {
    Command apply = margay("apply", "-f", file.toString());
    for (int attempt = 1; attempt < APPLY_ATTEMPTS; attempt++) {
      Command.Result result = apply.run();
      if (result.status() == ExitCodes.OK) {
        return;
      }
      if (result.status() != ExitCodes.UNREACHABLE) {
        break;
      }
    }
    apply.output();
  }

  /// A public command that talks to the lab's etcd.
  public Command margay(String verb, String... arguments) {
    List<String> argv = new ArrayList<>(List.of(distribution.margay().toString(), verb));
    argv.addAll(List.of(arguments));
    argv.addAll(List.of("--etcd-endpoints", String.join(",", plan.etcdUrls())));
    return Command.in(plan.managementNamespace(), argv);
  }

  /// Starts the agents of all nodes with the settings of `topology`, and waits until each says it
  /// is ready.
  ///
  /// @return by node, from executing the agent to its `ready`
  private Map<String, Duration> startAgents(Topology topology, Consumer<String> progress)
      throws LabException {
    LabPlan settings = new LabPlan(plan.name(), topology, plan.home());
    Map<Node, Long> offsets = new LinkedHashMap<>();
    Map<Node, Daemon> agents = new LinkedHashMap<>();
    for (Node node : topology.nodes()) {
      offsets.put(node, logSize(node));
      agents.put(node, launchAgent(settings, node, usual()));
    }
    Map<String, Duration> ready = new LinkedHashMap<>();
    for (Map.Entry<Node, Daemon> entry : agents.entrySet()) {
      Node node = entry.getKey();
      long from = offsets.getOrDefault(node, 0L);
      Daemon agent = entry.getValue();
      Duration took = agent.await(AGENT_LIMIT, () -> agent.saidReady(from));
      ready.put(node.name(), took);
      progress.accept("agent on " + node.name() + " ready in " + took.toMillis() + " ms");
    }
    return ready;
  }

  /// How one agent differs from the others of the lab.
  ///
  /// @param distribution whose agent it is
  /// @param environment what it has beside this process's
  /// @param settings makes its settings of what they would be
  public record Variant(
      Distribution distribution, Map<String, String> environment, UnaryOperator<String> settings) {}

  /// An agent like all.
  public Variant usual() {
    return new Variant(distribution, Map.of(), UnaryOperator.identity());
  }

  /// Starts one agent and waits for it.
  ///
  /// @param gracefulRestart whether it asks the routers to keep its routes the next time it dies
  public Duration startAgent(Node node, boolean gracefulRestart) throws LabException {
    Topology settings = plan.topology().withGracefulRestart(gracefulRestart);
    return startAgent(new LabPlan(plan.name(), settings, plan.home()), node, usual());
  }

  /// Starts one agent that is another than the others, and waits for it.
  public Duration startAgent(Node node, Variant variant) throws LabException {
    return startAgent(plan, node, variant);
  }

  private Duration startAgent(LabPlan settings, Node node, Variant variant) throws LabException {
    long from = logSize(node);
    Daemon agent = launchAgent(settings, node, variant);
    return agent.await(AGENT_LIMIT, () -> agent.saidReady(from));
  }

  /// Where a node's agent finds its settings.
  public Path agentSettings(Node node) {
    return plan.nodeDirectory(node).resolve("agent.yaml");
  }

  /// Writes a node's settings as its agent would be started with, while it runs.
  public void writeSettings(Node node, Variant variant) throws LabException {
    writeSettings(plan, node, variant);
  }

  /// Waits until the HTTP ports that the lab's document names are open: they follow `ready`.
  public void awaitHttp() throws LabException {
    long deadline = System.nanoTime() + AGENT_LIMIT.toNanos();
    for (Node node : plan.topology().nodes()) {
      String namespace = plan.machineNamespace(node.name());
      while (!PodSockets.isListening(namespace, LabState.AGENT_PORT)) {
        if (System.nanoTime() > deadline) {
          throw new LabException(
              "the agent of "
                  + node.name()
                  + " is ready, but nothing listens on 127.0.0.1:"
                  + LabState.AGENT_PORT
                  + " in "
                  + namespace
                  + "; see "
                  + plan.nodeDirectory(node).resolve("agent.out"));
        }
        Daemon.pause();
      }
    }
  }

  private void writeSettings(LabPlan settings, Node node, Variant variant) throws LabException {
    Path file = agentSettings(node);
    try {
      Files.writeString(file, variant.settings().apply(LabDocuments.agent(settings, node)));
    } catch (IOException failed) {
      throw new LabException("can't write " + file + ": " + failed, failed);
    }
  }

  private Daemon launchAgent(LabPlan settings, Node node, Variant variant) throws LabException {
    try {
      Files.createDirectories(plan.runDirectory(node));
      Files.createDirectories(plan.stateDirectory(node));
      Files.createDirectories(plan.conflist(node).getParent());
      var conflist = LabDocuments.conflist(plan, node);
      Files.writeString(plan.conflist(node), LabDocuments.pretty(conflist));
      Files.writeString(
          plan.request(node), LabDocuments.text(LabDocuments.request(conflist)) + "\n");
    } catch (IOException failed) {
      throw new LabException(
          "can't write the files of node " + node.name() + ": " + failed, failed);
    }
    writeSettings(settings, node, variant);
    List<String> argv = new ArrayList<>();
    if (!variant.environment().isEmpty()) {
      argv.add("env"); // which becomes what it runs
      variant.environment().forEach((name, value) -> argv.add(name + "=" + value));
    }
    argv.addAll(
        List.of(
            variant.distribution().margay().toString(),
            "agent",
            "--config",
            agentSettings(node).toString()));
    return Daemon.start(
        "agent", plan.machineNamespace(node.name()), plan.nodeDirectory(node), argv);
  }

  private long logSize(Node node) throws LabException {
    Path log = plan.nodeDirectory(node).resolve("agent.out");
    try {
      return Files.exists(log) ? Files.size(log) : 0;
    } catch (IOException failed) {
      throw new LabException("can't read " + log + ": " + failed, failed);
    }
  }

  /// The pool prefixes a node's kernel reaches through a router, as `ip -j route` shows them.
  public List<Prefix> learnedBlocks(Node node, IpFamily family) throws LabException {
    String shown =
        Command.of(
                "ip",
                "-j",
                "-" + family.version(),
                "-n",
                plan.machineNamespace(node.name()),
                "route",
                "show",
                "table",
                "main")
            .output();
    List<Prefix> blocks = new ArrayList<>();
    try {
      for (JsonNode route : LabDocuments.JSON.readTree(shown)) {
        String destination = route.path("dst").asText();
        boolean routed = route.has("gateway") || route.has("nexthops") || route.has("via");
        if (routed && !destination.equals("default")) {
          Prefix prefix = Prefix.parseLenient(destination);
          if (plan.topology().pools().stream().anyMatch(pool -> pool.cidr().contains(prefix))) {
            blocks.add(prefix);
          }
        }
      }
    } catch (JacksonException notJson) {
      throw new LabException(
          "ip -j route printed no JSON: " + notJson.getOriginalMessage(), notJson);
    }
    return blocks;
  }

  /// Whether every node's kernel knows, in both families, a block of every other node.
  public boolean blocksHaveSpread() throws LabException {
    int others = plan.topology().nodes().size() - 1;
    for (Node node : plan.topology().nodes()) {
      for (IpFamily family : IpFamily.values()) {
        if (plan.topology().serves(family)
            && learnedBlocks(node, family).stream().distinct().count() < others) {
          return false;
        }
      }
    }
    return true;
  }

  /// Kills a node's agent as a crash would: SIGKILL, no word to anybody. Returns once it is gone.
  public void killAgent(Node node) throws LabException {
    destroy(agent(node));
  }

  private static void destroy(ProcessHandle process) throws LabException {
    process.destroyForcibly();
    while (process.isAlive()) {
      Daemon.pause();
    }
  }

  /// The process of a node's agent.
  public ProcessHandle agent(Node node) throws LabException {
    return process("agent", plan.nodeDirectory(node));
  }

  private static ProcessHandle process(String daemon, Path directory) throws LabException {
    Path file = directory.resolve(daemon + ".pid");
    try {
      long id = Long.parseLong(Files.readString(file).strip());
      return ProcessHandle.of(id)
          .orElseThrow(
              () -> new LabException("the " + daemon + " of " + directory + " does not run"));
    } catch (IOException | NumberFormatException unreadable) {
      throw new LabException("can't read " + file + ": " + unreadable, unreadable);
    }
  }

  /// The agent's resident memory.
  public long agentResidentKilobytes(Node node) throws LabException {
    Path status = Path.of("/proc", Long.toString(agent(node).pid()), "status");
    try (Stream<String> lines = Files.lines(status)) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .map(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst()
          .orElse(0L);
    } catch (IOException failed) {
      throw new LabException("can't read " + status + ": " + failed, failed);
    }
  }

  /// Packets a router has received from its nodes so far.
  public long packetsReceived(Tor tor) throws LabException {
    String shown =
        Command.of("ip", "-n", plan.machineNamespace(tor.name()), "-s", "-j", "link").output();
    try {
      long packets = 0;
      for (JsonNode link : LabDocuments.JSON.readTree(shown)) {
        if (!link.path("ifname").asText().equals("lo")) {
          packets += link.path("stats64").path("rx").path("packets").asLong();
        }
      }
      return packets;
    } catch (JacksonException notJson) {
      throw new LabException(
          "ip -j link printed no JSON: " + notJson.getOriginalMessage(), notJson);
    }
  }

  /// A router dies: its daemon is killed and all its links lose their carrier.
  public void killTor(Tor tor) throws LabException {
    String namespace = plan.machineNamespace(tor.name());
    StringBuilder down = new StringBuilder();
    plan.ports(tor).forEach(port -> down.append("link set dev ").append(port).append(" down\n"));
    batch(namespace, down.toString());
    Namespaces.processesIn(List.of(namespace)).forEach(ProcessHandle::destroyForcibly);
  }

  /// A router that was killed comes back: its links first, then its daemon.
  public void reviveTor(Tor tor) throws LabException {
    StringBuilder up = new StringBuilder();
    plan.ports(tor).forEach(port -> up.append("link set dev ").append(port).append(" up\n"));
    batch(plan.machineNamespace(tor.name()), up.toString());
    routers.awaitAnswering(tor, routers.start(tor));
  }
}
