package io.margay.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// One node under one router, driven from outside by the contract of `lab up -o json`.
@Tag("lab")
class SingleNodeTest {

  private static final String LAB = "mgytone" + ProcessHandle.current().pid();
  private static final String POD_NETNS = "mgyt-" + LAB;
  private static final JsonMapper JSON = new JsonMapper();

  private static JsonNode lab = JSON.createObjectNode();

  @BeforeAll
  static void raise() throws Exception {
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
    ip("netns", "add", POD_NETNS);
  }

  @AfterAll
  static void tearDown() throws Exception {
    ip("netns", "del", POD_NETNS);
    assertThat(Rack.margay("lab", "down", "--name", LAB).exitCode()).isZero();
    assertThat(ip("netns", "list")).doesNotContain("mgy-" + LAB);
    assertThat(Path.of("/run/margay-lab", LAB)).doesNotExist();
  }

  @Test
  void the_document_has_the_keys_tools_rely_on() {
    assertThat(lab.path("name").asText()).isEqualTo(LAB);
    assertThat(lab.path("etcd").get(0).asText()).startsWith("http://");
    JsonNode node = lab.path("nodes").get(0);
    for (String key :
        List.of("name", "netns", "cniConf", "cniNet", "cniBin", "agentHttp", "state")) {
      assertThat(node.path(key).asText()).as(key).isNotEmpty();
    }
    for (String path : List.of("cniConf", "cniNet", "cniBin", "state")) {
      assertThat(Path.of(node.path(path).asText())).isAbsolute().exists();
    }
    assertThat(lab.path("tors").get(0).path("daemon").asText()).isEqualTo("bird");
  }

  @Test
  void a_pod_is_wired_checked_and_gone_again() throws Exception {
    String config = Files.readString(Path.of(lab.path("nodes").get(0).path("cniNet").asText()));
    Rack.Run added = plugin("ADD", config);
    assertThat(added.exitCode()).as(added.out()).isZero();
    JsonNode result = JSON.readTree(added.out());
    assertThat(result.path("ips")).hasSize(2);
    Rack.Run again = plugin("ADD", config);
    assertThat(JSON.readTree(again.out())).isEqualTo(result);

    ObjectNode checked = (ObjectNode) JSON.readTree(config);
    checked.set("prevResult", result);
    assertThat(plugin("CHECK", checked.toString()).exitCode()).isZero();
    ip("-n", POD_NETNS, "route", "del", "default");
    Rack.Run broken = plugin("CHECK", checked.toString());
    assertThat(broken.exitCode()).isNotZero();
    assertThat(broken.out()).contains("lacks route 0.0.0.0/0");

    for (int i = 0; i < 3; i++) {
      assertThat(plugin("DEL", config).exitCode()).isZero();
    }
    assertThat(ip("-n", node(), "-o", "link")).doesNotContain("cali");
    assertThat(ip("-n", node(), "route", "show", "proto", "117")).doesNotContain(" dev cali");
  }

  @Test
  void the_agent_explains_its_state() throws Exception {
    Rack.Run status = inNode(Rack.MARGAY.toString(), "node", "status");
    assertThat(status.exitCode()).as(status.err()).isZero();
    // The lab is up when its agents serve; their sessions follow within a retry of the router's.
    for (int i = 0; i < 60 && !status.out().contains("1 of 1 peers established"); i++) {
      Thread.sleep(250);
      status = inNode(Rack.MARGAY.toString(), "node", "status");
    }
    assertThat(status.out()).contains("health.bgp", "1 of 1 peers established");
    Rack.Run peers = inNode(Rack.MARGAY.toString(), "bgp", "peers", "-o", "json");
    assertThat(JSON.readTree(peers.out()).get(0).path("state").asText()).isEqualTo("Established");
    Rack.Run nobody = inNode(Rack.MARGAY.toString(), "bgp", "peers", "--api", "http://127.0.0.1:9");
    assertThat(nobody.exitCode()).isEqualTo(3);
    assertThat(nobody.err()).contains("nobody answers").doesNotContain("\tat ");
  }

  @Test
  void a_second_agent_on_the_same_node_refuses_to_start() throws Exception {
    Path config =
        Path.of(lab.path("nodes").get(0).path("state").asText()).resolveSibling("agent.yaml");
    Rack.Run second = inNode(Rack.MARGAY.toString(), "agent", "--config", config.toString());
    assertThat(second.exitCode()).isEqualTo(1);
    assertThat(second.err()).contains("agent.lock is locked").doesNotContain("\tat ");
  }

  @Test
  void unusable_input_is_one_line_and_exit_code_two_and_leaves_nothing() throws Exception {
    Path bad = Files.createTempFile("bad", ".yaml");
    try {
      Files.writeString(bad, "nodeName: n1\nnodename: n2\n");
      Rack.Run agent = Rack.margay("agent", "--config", bad.toString());
      assertThat(agent.exitCode()).isEqualTo(2);
      assertThat(agent.err().lines()).hasSize(1);
      Files.writeString(bad, "name: x\nnods: []\n");
      Rack.Run topology = Rack.margay("lab", "up", "-f", bad.toString(), "--name", LAB + "x");
      assertThat(topology.exitCode()).isEqualTo(2);
      assertThat(topology.err()).contains("nods");
      assertThat(ip("netns", "list")).doesNotContain("mgy-" + LAB + "x");
      Rack.Run typo = Rack.margay("aply");
      assertThat(typo.exitCode()).isEqualTo(2);
      assertThat(typo.err()).contains("apply");
    } finally {
      Files.delete(bad);
    }
  }

  private static String node() {
    return lab.path("nodes").get(0).path("netns").asText();
  }

  private static Rack.Run plugin(String verb, String stdin) throws Exception {
    Map<String, String> environment = new HashMap<>();
    environment.put("CNI_COMMAND", verb);
    environment.put("CNI_CONTAINERID", "c1");
    environment.put("CNI_NETNS", "/run/netns/" + POD_NETNS);
    environment.put("CNI_IFNAME", "eth0");
    environment.put("CNI_PATH", Rack.ROOT.resolve("dist/bin").toString());
    environment.put("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAMESPACE=web;K8S_POD_NAME=p1");
    return Rack.run(
        environment,
        stdin,
        List.of("ip", "netns", "exec", node(), lab.path("nodes").get(0).path("cniBin").asText()));
  }

  private static Rack.Run inNode(String... command) throws Exception {
    List<String> full = new ArrayList<>(List.of("ip", "netns", "exec", node()));
    full.addAll(List.of(command));
    return Rack.run(Map.of(), "", full);
  }

  private static String ip(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(arguments));
    Rack.Run run = Rack.run(Map.of(), "", command);
    assertThat(run.exitCode()).as("%s: %s", command, run.err()).isZero();
    return run.out();
  }
}
