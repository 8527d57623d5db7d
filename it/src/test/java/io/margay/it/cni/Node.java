package io.margay.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.it.Rack;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// One node of a lab whose agent can be killed and started again, and the plugin as a runtime calls
/// it there. From any thread.
final class Node implements AutoCloseable {

  static final JsonMapper JSON = new JsonMapper();

  /// How long attachments have to be gone before the agent releases them by itself.
  static final int RECLAIM_SECONDS = 1;

  private static final Map<String, String> AGENT_ENVIRONMENT =
      Map.of("MARGAY_RECLAIM_AFTER_SECONDS", Integer.toString(RECLAIM_SECONDS));

  private final String name;
  private final JsonNode lab;
  private final String configuration;
  private final AtomicInteger namespaces = new AtomicInteger();
  private final AtomicInteger restarts = new AtomicInteger();

  private Node(String name, JsonNode lab, String configuration) {
    this.name = name;
    this.lab = lab;
    this.configuration = configuration;
  }

  static Node raise(String name) throws Exception {
    Rack.Run up =
        Rack.run(
            AGENT_ENVIRONMENT,
            "",
            List.of(
                Rack.MARGAY.toString(),
                "lab",
                "up",
                "-f",
                Rack.ROOT.resolve("deploy/lab/single-node.yaml").toString(),
                "--name",
                name,
                "-o",
                "json"));
    assertThat(up.exitCode()).as(up.err()).isZero();
    JsonNode lab = JSON.readTree(up.out());
    return new Node(
        name, lab, Files.readString(Path.of(lab.path("nodes").get(0).path("cniNet").asText())));
  }

  private JsonNode node() {
    return lab.path("nodes").get(0);
  }

  String netns() {
    return node().path("netns").asText();
  }

  String etcd() {
    return lab.path("etcd").get(0).asText();
  }

  Path state() {
    return Path.of(node().path("state").asText());
  }

  String client() {
    return node().path("cniBin").asText();
  }

  /// What the agent's HTTP side answers: the head and the body.
  String http(String path) throws Exception {
    URI agent = URI.create(node().path("agentHttp").asText());
    return exec(
        "bash",
        "-c",
        "exec 3<>/dev/tcp/%s/%d && printf 'GET %s HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"
            .formatted(agent.getHost(), agent.getPort(), path));
  }

  Path directory() {
    return state().resolveSibling("");
  }

  Path run() throws IOException {
    return Path.of(JSON.readTree(configuration).path("margayRunDir").asText());
  }

  String configuration() {
    return configuration;
  }

  /// The configuration with a result of ADD, as CHECK gets it.
  String configuration(String result) throws IOException {
    ObjectNode with = (ObjectNode) JSON.readTree(configuration);
    with.set("prevResult", JSON.readTree(result));
    return with.toString();
  }

  /// A namespace as a runtime makes one for a pod.
  String newNetns() throws Exception {
    String netns = "mgyt-" + name + "-" + namespaces.incrementAndGet();
    command("ip", "netns", "add", netns);
    return netns;
  }

  void delete(String netns) throws Exception {
    command("ip", "netns", "del", netns);
  }

  /// Every pod's namespace, as when a runtime loses them all.
  void deleteNamespaces() throws Exception {
    for (String netns : command("ip", "netns", "list").lines().toList()) {
      String made = netns.split(" ")[0];
      if (made.startsWith("mgyt-" + name + "-")) {
        delete(made);
      }
    }
  }

  static String command(String... argv) throws Exception {
    Rack.Run run = Rack.run(Map.of(), "", List.of(argv));
    assertThat(run.exitCode()).as("%s: %s", List.of(argv), run.err()).isZero();
    return run.out();
  }

  /// A program of the tests' own, compiled.
  static Path compile(String source, Path directory) throws Exception {
    Path text = directory.resolve(source);
    try (InputStream octets =
        Objects.requireNonNull(Node.class.getResourceAsStream(source), source)) {
      Files.write(text, octets.readAllBytes());
    }
    Path program = directory.resolve(source.replaceFirst("\\.c$", ""));
    command("gcc", "-Wall", "-Werror", "-o", program.toString(), text.toString());
    return program;
  }

  /// Runs a program in the node's namespace.
  String exec(String... argv) throws Exception {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", netns()));
    all.addAll(List.of(argv));
    return command(all.toArray(String[]::new));
  }

  /// What a runtime tells the plugin in its environment.
  Map<String, String> environment(String verb, String container, String netnsPath) {
    Map<String, String> environment = new HashMap<>();
    environment.put("CNI_COMMAND", verb);
    environment.put("CNI_CONTAINERID", container);
    environment.put("CNI_NETNS", netnsPath);
    environment.put("CNI_IFNAME", "eth0");
    environment.put("CNI_PATH", Path.of(client()).resolveSibling(".").normalize().toString());
    environment.put(
        "CNI_ARGS",
        "IgnoreUnknown=1;K8S_POD_NAMESPACE=web;K8S_POD_NAME=p" + container.substring(0, 8));
    return environment;
  }

  static Path path(String netns) {
    return Path.of("/run/netns", netns);
  }

  /// How a call ended.
  ///
  /// @param exitCode 137 when it was killed
  record Answer(int exitCode, String stdout) {

    static final int KILLED = 137;

    JsonNode json() throws IOException {
      return JSON.readTree(stdout);
    }

    /// The CNI error's code; 0 when it is no error.
    int code() throws IOException {
      return exitCode == 0 || stdout.isBlank() ? 0 : json().path("code").asInt();
    }

    boolean isKilled() {
      return exitCode == KILLED;
    }

    List<String> addresses() throws IOException {
      List<String> addresses = new ArrayList<>();
      json().path("ips").forEach(ip -> addresses.add(ip.path("address").asText().split("/")[0]));
      return addresses;
    }
  }

  Answer call(String verb, String container, String netns) throws Exception {
    return call(environment(verb, container, path(netns).toString()), configuration, -1, List.of());
  }

  /// @param killAfterMicros when the client is killed; negative: never
  /// @param wrapper a program, with its arguments, that runs the client
  Answer call(
      Map<String, String> environment, String stdin, long killAfterMicros, List<String> wrapper)
      throws Exception {
    return call(environment, stdin, killAfterMicros, wrapper, client());
  }

  private Answer call(
      Map<String, String> environment,
      String stdin,
      long killAfterMicros,
      List<String> wrapper,
      String program)
      throws Exception {
    List<String> argv = new ArrayList<>(List.of("ip", "netns", "exec", netns()));
    argv.addAll(wrapper);
    argv.add(program);
    ProcessBuilder builder = new ProcessBuilder(argv);
    builder.environment().putAll(environment);
    Path out = Files.createTempFile("cni", ".out");
    try {
      builder.redirectOutput(out.toFile()).redirectError(ProcessBuilder.Redirect.DISCARD);
      Process process = builder.start();
      if (killAfterMicros >= 0) {
        TimeUnit.MICROSECONDS.sleep(killAfterMicros);
        process.destroyForcibly();
      }
      try (OutputStream in = process.getOutputStream()) {
        in.write(stdin.getBytes(StandardCharsets.UTF_8));
      } catch (IOException dead) {
        // Killed before it read.
      }
      if (!process.waitFor(3, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new IllegalStateException(environment + " did not end in three minutes");
      }
      return new Answer(process.exitValue(), Files.readString(out));
    } finally {
      Files.delete(out);
    }
  }

  /// A client that dies when it makes a system call for the n-th time.
  Answer callKilledAt(String syscall, int n, String verb, String container, String netns)
      throws Exception {
    return call(
        environment(verb, container, path(netns).toString()),
        configuration,
        -1,
        List.of(
            "strace",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "inject=" + syscall + ":signal=KILL:when=" + n));
  }

  /// Another client in the place of the installed one.
  Answer callWith(Path program, String verb, String container, String netns) throws Exception {
    return call(
        environment(verb, container, path(netns).toString()),
        configuration,
        -1,
        List.of(),
        program.toString());
  }

  /// STATUS as a runtime of the newest specification asks for it.
  Answer status() throws Exception {
    Map<String, String> asked =
        Map.of(
            "CNI_COMMAND",
            "STATUS",
            "CNI_PATH",
            Path.of(client()).resolveSibling(".").normalize().toString());
    return call(
        asked,
        configuration.replaceFirst("\"cniVersion\":\"[^\"]*\"", "\"cniVersion\":\"1.1.0\""),
        -1,
        List.of());
  }

  /// Runs `margay` against this lab's datastore.
  void margay(String stdin, String... words) throws Exception {
    List<String> argv =
        new ArrayList<>(
            List.of("ip", "netns", "exec", "mgy-" + name + "-mgmt", Rack.MARGAY.toString()));
    argv.addAll(List.of(words));
    Rack.Run run = Rack.run(Map.of("MARGAY_ETCD_ENDPOINTS", etcd()), stdin, argv);
    assertThat(run.exitCode()).as("%s: %s", argv, run.err()).isZero();
  }

  /// This lab's etcd.
  List<ProcessHandle> etcdProcesses() {
    return ProcessHandle.allProcesses()
        .filter(
            process -> {
              String line = process.info().commandLine().orElse("");
              return line.startsWith("etcd ") && line.contains("/" + name + "/")
                  || line.contains("/etcd ") && line.contains("/" + name + "/");
            })
        .toList();
  }

  /// How many times the agent was started anew.
  int restarts() {
    return restarts.get();
  }

  long agentPid() throws IOException {
    return Long.parseLong(Files.readString(directory().resolve("agent.pid")).strip());
  }

  /// Stops the agent where it is, so that whatever comes waits for it.
  void freezeAgent() throws Exception {
    command("kill", "-STOP", Long.toString(agentPid()));
  }

  void thawAgent() throws Exception {
    command("kill", "-CONT", Long.toString(agentPid()));
  }

  synchronized void killAgent() throws Exception {
    ProcessHandle agent = ProcessHandle.of(agentPid()).orElse(null);
    if (agent != null) {
      agent.destroyForcibly();
      agent.onExit().get(30, TimeUnit.SECONDS);
    }
  }

  void startAgent(Map<String, String> further) throws Exception {
    startAgent(further, List.of());
  }

  /// @param wrapper a program, with its arguments, that becomes the agent
  synchronized void startAgent(Map<String, String> further, List<String> wrapper) throws Exception {
    restarts.incrementAndGet();
    List<String> argv = new ArrayList<>(List.of("setsid", "ip", "netns", "exec", netns()));
    argv.addAll(wrapper);
    argv.addAll(
        List.of(
            Rack.MARGAY.toString(),
            "agent",
            "--config",
            directory().resolve("agent.yaml").toString()));
    ProcessBuilder builder = new ProcessBuilder(argv);
    builder.environment().putAll(AGENT_ENVIRONMENT);
    builder.environment().putAll(further);
    Process process =
        builder
            .redirectInput(new File("/dev/null"))
            .redirectErrorStream(true)
            .redirectOutput(
                ProcessBuilder.Redirect.appendTo(directory().resolve("agent.out").toFile()))
            .start();
    Files.writeString(directory().resolve("agent.pid"), process.pid() + "\n");
  }

  /// Signals every member of etcd.
  void signalEtcd(String signal) throws Exception {
    List<ProcessHandle> etcd = etcdProcesses();
    assertThat(etcd).isNotEmpty();
    for (ProcessHandle process : etcd) {
      command("kill", signal, Long.toString(process.pid()));
    }
  }

  /// Waits until the node keeps addresses for times without etcd.
  void awaitReserve() throws Exception {
    String held = "";
    for (int i = 0; i < 240 && held.isBlank(); i++) {
      held =
          exec(
              "env",
              "ETCDCTL_API=3",
              "etcdctl",
              "--endpoints",
              etcd(),
              "get",
              "--prefix",
              "--keys-only",
              "/calico/ipam/v2/handle/margay-reserve.");
      Thread.sleep(250);
    }
    assertThat(held).as("the node keeps addresses for this").isNotBlank();
  }

  /// Waits until the agent has printed words.
  ///
  /// @param from how much of what it has printed is old
  void awaitSaid(int from, String words) throws Exception {
    for (int i = 0; i < 240 && !said().substring(from).contains(words); i++) {
      Thread.sleep(250);
    }
    assertThat(said().substring(from)).contains(words);
  }

  /// What the agent has printed, all its starts together.
  String said() throws IOException {
    return Files.readString(directory().resolve("agent.out"));
  }

  synchronized void crashAgent() throws Exception {
    killAgent();
    startAgent(Map.of());
  }

  /// Starts an agent when none runs.
  synchronized void ensureAgent() throws Exception {
    if (ProcessHandle.of(agentPid()).isEmpty()) {
      startAgent(Map.of());
    }
  }

  /// The kernel takes a deleted namespace's interfaces away in its own time.
  void awaitNoHostEnds() throws Exception {
    String links = "";
    for (int i = 0; i < 300; i++) {
      links = command("ip", "-n", netns(), "-o", "link");
      if (!links.contains(": cali")) {
        return;
      }
      Thread.sleep(100);
    }
    throw new IllegalStateException("pods' interfaces stay on " + netns() + ":\n" + links);
  }

  /// Waits until the agent answers.
  void awaitAgent() throws Exception {
    for (int i = 0; i < 600; i++) {
      if (status().exitCode() == 0) {
        return;
      }
      Thread.sleep(100);
    }
    throw new IllegalStateException(
        "the agent did not get ready in a minute; see " + directory().resolve("agent.out"));
  }

  @Override
  public void close() {
    try {
      deleteNamespaces();
      assertThat(Rack.margay("lab", "down", "--name", name).exitCode()).isZero();
    } catch (Exception failed) {
      throw new IllegalStateException("the lab " + name + " did not go down", failed);
    }
  }
}
