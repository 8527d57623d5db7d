package io.margay.it.runtime;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.it.Rack;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.extension.ExtensionContext;

/// The rack that all suites of a run share: one node under one router. Raised by the first who
/// asks, taken down when the run ends.
final class RuntimeLab implements AutoCloseable {

  static final JsonMapper JSON = new JsonMapper();

  /// An endpoint without its profile is closed. A pod's follows from its namespace, that of a
  /// container nobody says more of has its network's name.
  private static final String PROFILES =
      """
      apiVersion: v1
      kind: Namespace
      metadata:
        name: default
      ---
      apiVersion: projectcalico.org/v3
      kind: Profile
      metadata:
        name: k8s-pod-network
      spec:
        ingress:
          - action: Allow
        egress:
          - action: Allow
      """;

  private static final int APPLY_ATTEMPTS = 5;

  private static final long POLL_MILLIS = 50;

  /// A test need not wait as long for what a runtime never deletes as a node does.
  private static final String AGENT =
      """
      agent:
        reclaimAfterSeconds: 3
        docker: true
      """;

  private final String name;
  private final JsonNode document;

  private RuntimeLab(String name, JsonNode document) {
    this.name = name;
    this.document = document;
  }

  static RuntimeLab shared(ExtensionContext context) {
    return context
        .getRoot()
        .getStore(ExtensionContext.Namespace.create(RuntimeLab.class))
        .computeIfAbsent(RuntimeLab.class, _ -> raise(), RuntimeLab.class);
  }

  private static RuntimeLab raise() {
    String name = "mgytrt" + ProcessHandle.current().pid();
    try {
      Path topology = Files.createTempFile("runtime", ".yaml");
      Files.writeString(
          topology, Files.readString(Rack.ROOT.resolve("deploy/lab/single-node.yaml")) + AGENT);
      Rack.Run up =
          Rack.margay("lab", "up", "-f", topology.toString(), "--name", name, "-o", "json");
      Files.delete(topology);
      if (up.exitCode() != 0) {
        throw new IllegalStateException("the lab did not come up:\n" + up.err());
      }
      RuntimeLab lab = new RuntimeLab(name, JSON.readTree(up.out()));
      try {
        lab.apply(PROFILES);
      } catch (IllegalStateException failed) {
        Rack.margay("lab", "down", "--name", name);
        throw failed;
      }
      return lab;
    } catch (IOException failed) {
      throw new IllegalStateException(failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  /// Writes documents to the lab's datastore.
  void apply(String documents) throws IOException, InterruptedException {
    apply(documents, APPLY_ATTEMPTS);
  }

  private void apply(String documents, int attemptsLeft) throws IOException, InterruptedException {
    Rack.Run applied =
        Rack.run(
            Map.of(),
            documents,
            List.of(
                "ip",
                "netns",
                "exec",
                managementNetns(),
                Rack.MARGAY.toString(),
                "apply",
                "--endpoints",
                etcd(),
                "-f",
                "-"));
    // A busy machine's etcd may be late; applying once more does no harm.
    if (applied.exitCode() != 0 && attemptsLeft > 0) {
      apply(documents, attemptsLeft - 1);
    } else if (applied.exitCode() != 0) {
      throw new IllegalStateException("apply: " + applied.err());
    }
  }

  /// Deletes documents from the lab's datastore.
  void delete(String... what) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "ip",
                "netns",
                "exec",
                managementNetns(),
                Rack.MARGAY.toString(),
                "delete",
                "--endpoints",
                etcd()));
    command.addAll(List.of(what));
    Rack.Run deleted = Rack.run(Map.of(), "", command);
    if (deleted.exitCode() != 0) {
      throw new IllegalStateException("delete: " + deleted.err());
    }
  }

  /// Kills the node's agent at once.
  void killAgent() throws IOException, InterruptedException {
    long pid = Long.parseLong(Files.readString(home().resolve("agent.pid")).strip());
    Optional<ProcessHandle> agent = ProcessHandle.of(pid);
    agent.ifPresent(ProcessHandle::destroyForcibly);
    while (agent.isPresent() && agent.get().isAlive()) {
      Thread.sleep(POLL_MILLIS);
    }
  }

  /// Starts another one, and waits until it serves.
  void startAgent() throws IOException, InterruptedException {
    Path output = home().resolve("agent.again.out");
    Process agent =
        new ProcessBuilder(
                "ip",
                "netns",
                "exec",
                nodeNetns(),
                Rack.MARGAY.toString(),
                "agent",
                "--config",
                home().resolve("agent.yaml").toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    Files.writeString(home().resolve("agent.pid"), agent.pid() + "\n");
    Machine.until(
        "the agent is ready",
        () -> read(output),
        () -> read(output).lines().anyMatch("ready"::equals));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private Path home() {
    Path parent = state().getParent();
    if (parent == null) {
      throw new IllegalStateException(state() + " is no place of a node");
    }
    return parent;
  }

  /// Where Docker would look for the agent's socket.
  Path dockerPlugins() {
    return home().resolve("docker");
  }

  String etcd() {
    return document.path("etcd").get(0).asText();
  }

  String managementNetns() {
    return "mgy-" + name + "-mgmt";
  }

  String nodeNetns() {
    return node("netns");
  }

  String routerNetns() {
    return document.path("tors").get(0).path("netns").asText();
  }

  Path conflist() {
    return Path.of(node("cniConf"));
  }

  Path plugin() {
    return Path.of(node("cniBin"));
  }

  Path state() {
    return Path.of(node("state"));
  }

  private String node(String key) {
    return document.path("nodes").get(0).path(key).asText();
  }

  @Override
  public void close() {
    Rack.Run down;
    try {
      down = Rack.margay("lab", "down", "--name", name);
    } catch (Exception failed) {
      throw new IllegalStateException("the lab did not go down", failed);
    }
    if (down.exitCode() != 0) {
      throw new IllegalStateException("the lab did not go down:\n" + down.err());
    }
  }
}
