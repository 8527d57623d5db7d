package io.margay.it.runtime;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.it.Rack;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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

  /// A test need not wait as long for what a runtime never deletes as a node does.
  private static final String AGENT =
      """
      agent:
        reclaimAfterSeconds: 3
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
        lab.apply(PROFILES, APPLY_ATTEMPTS);
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
