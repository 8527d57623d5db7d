package io.margay.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// A node that closed all its interfaces and kept no failsafe port is still within reach of the
/// datastore, so that it can be opened again.
@Tag("lab")
class ClosedNodeTest {

  private static final String LAB = "mgytshut" + ProcessHandle.current().pid();
  private static final JsonMapper JSON = new JsonMapper();

  private JsonNode lab = JSON.createObjectNode();
  private final List<Process> agents = new ArrayList<>();

  @BeforeEach
  void raise() throws Exception {
    Rack.Run up =
        Rack.margay(
            "lab",
            "up",
            "-f",
            Rack.ROOT.resolve("deploy/lab/single-node.yaml").toString(),
            "--name",
            LAB,
            "-o",
            "json");
    assertThat(up.exitCode()).as(up.err()).isZero();
    lab = JSON.readTree(up.out());
  }

  @AfterEach
  void tearDown() throws Exception {
    for (Process agent : agents) {
      agent.destroy();
      agent.waitFor(20, TimeUnit.SECONDS);
    }
    assertThat(Rack.margay("lab", "down", "--name", LAB).exitCode()).isZero();
  }

  @Test
  void an_agent_that_starts_behind_closed_interfaces_hears_of_what_opens_them() throws Exception {
    await("the node answers", this::answers);
    apply(
        """
        apiVersion: projectcalico.org/v3
        kind: FelixConfiguration
        metadata: {name: default}
        spec: {failsafeInboundHostPorts: [], failsafeOutboundHostPorts: []}
        ---
        apiVersion: projectcalico.org/v3
        kind: HostEndpoint
        metadata: {name: all}
        spec: {node: node1, interfaceName: "*"}
        """);
    await("the node is closed", () -> !answers());

    Path state = Path.of(lab.path("nodes").get(0).path("state").asText());
    long pid = Long.parseLong(Files.readString(state.resolveSibling("agent.pid")).strip());
    ProcessHandle before = ProcessHandle.of(pid).orElseThrow();
    before.destroyForcibly();
    await("the agent is gone", () -> !before.isAlive());
    assertThat(answers()).as("closed while no agent runs").isFalse();
    Path said = start(state.resolveSibling("agent.yaml"));
    await("the agent is ready", () -> Files.readString(said).contains("ready node="));
    assertThat(answers()).as("closed with the agent's second start").isFalse();

    Rack.Run deleted = inManagement("", "delete", "hostendpoint", "all");
    assertThat(deleted.exitCode()).as(deleted.err()).isZero();
    await("the node is open again", this::answers);
  }

  private boolean answers() throws Exception {
    String address = "10.0.0.1";
    return Rack.run(
                Map.of(),
                "",
                List.of(
                    "ip",
                    "netns",
                    "exec",
                    lab.path("tors").get(0).path("netns").asText(),
                    "ping",
                    "-c1",
                    "-W1",
                    address))
            .exitCode()
        == 0;
  }

  private void apply(String documents) throws Exception {
    Rack.Run applied = inManagement(documents, "apply", "-f", "-");
    assertThat(applied.exitCode()).as(applied.err()).isZero();
  }

  private Rack.Run inManagement(String stdin, String... words) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of("ip", "netns", "exec", "mgy-" + LAB + "-mgmt", Rack.MARGAY.toString()));
    command.addAll(List.of(words));
    return Rack.run(
        Map.of("MARGAY_ETCD_ENDPOINTS", lab.path("etcd").get(0).asText()), stdin, command);
  }

  private Path start(Path config) throws IOException {
    Path said = config.resolveSibling("again.out");
    agents.add(
        new ProcessBuilder(
                "ip",
                "netns",
                "exec",
                lab.path("nodes").get(0).path("netns").asText(),
                Rack.MARGAY.toString(),
                "agent",
                "--config",
                config.toString())
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start());
    return said;
  }

  private static void await(String what, Callable<Boolean> done) throws Exception {
    for (int i = 0; i < 120; i++) {
      if (done.call()) {
        return;
      }
      Thread.sleep(250);
    }
    assertThat(done.call()).as(what).isTrue();
  }
}
