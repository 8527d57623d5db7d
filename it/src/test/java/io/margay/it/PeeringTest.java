package io.margay.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.ResourceLock;

/// BGP as the cluster's resources ask for it, on two nodes under a router that runs BIRD.
@Tag("lab")
@Execution(ExecutionMode.CONCURRENT)
@ResourceLock("the lab of PeeringTest")
@TestInstance(Lifecycle.PER_CLASS)
class PeeringTest {

  private static final String LAB = "mgytpeer" + ProcessHandle.current().pid();
  private static final JsonMapper JSON = new JsonMapper();

  @TempDir private static Path directory;
  private JsonNode lab = JSON.createObjectNode();

  @BeforeAll
  void raise() throws Exception {
    Path topology =
        Files.writeString(
            directory.resolve("rack.yaml"),
            """
            name: peering
            tors: [{name: tor1, daemon: bird, asn: 64601}]
            nodes:
              - {name: node1, asn: 65001, tors: [tor1]}
              - {name: node2, asn: 65002, tors: [tor1]}
            pools: [{cidr: 10.65.0.0/16, blockSize: 26}]
            pods: [{name: a, namespace: x, node: node1}, {name: b, namespace: x, node: node2}]
            """);
    Rack.Run up = Rack.margay("lab", "up", "-f", topology.toString(), "--name", LAB, "-o", "json");
    assertThat(up.exitCode()).as(up.err()).isZero();
    lab = JSON.readTree(up.out());
    // Nodes of a mesh reach each other by themselves; here only the router knows both links.
    done("node1", "ip", "route", "add", "10.0.0.2/31", "via", "10.0.0.0");
    done("node2", "ip", "route", "add", "10.0.0.0/31", "via", "10.0.0.2");
  }

  @AfterAll
  void tearDown() throws Exception {
    assertThat(Rack.margay("lab", "down", "--name", LAB).exitCode()).isZero();
  }

  @Test
  void a_drained_node_is_marked_then_gone_at_the_router_and_back_after_that() throws Exception {
    await("the router has the block", () -> atRouter().contains("as_path: 65001"));
    margay("node1", "", "node", "drain", "node1", "--wait", "3s");
    assertThat(atRouter()).doesNotContain("as_path: 65001").contains("as_path: 65002");
    assertThat(margay("node1", "", "node", "status")).contains("drain.state", "drained");
    margay("node1", "", "node", "undrain", "node1");
    await("the router has the block again", () -> atRouter().contains("as_path: 65001"));

    // Another node's agent does it as well, only that nobody waits for it here.
    assertThat(margay("node2", "", "node", "drain", "node1", "--wait", "1m"))
        .contains("it is not waited for");
    await("the block is marked", () -> atRouter().contains("(65535,0)"));
    margay("node1", "", "node", "undrain", "node1");
    await("the block is not marked", () -> !atRouter().contains("(65535,0)"));
  }

  @Test
  void a_mesh_with_a_password_comes_up_and_outlives_another_password() throws Exception {
    etcdctl("put", "/margay/v1/secrets/bgp/mesh", "hunter2");
    apply(
        """
        apiVersion: projectcalico.org/v3
        kind: BGPConfiguration
        metadata: {name: default}
        spec:
          asNumber: 65001
          nodeToNodeMeshEnabled: true
          nodeMeshPassword: {secretKeyRef: {name: bgp, key: mesh}}
          prefixAdvertisements: [{cidr: 10.65.0.0/16, communities: ['65001:7', '65001:1:2']}]
        """);
    await("the mesh is up", () -> isUp("node1", "10.0.0.3") && isUp("node2", "10.0.0.1"));
    await("blocks are heard over it", () -> number("node1", "10.0.0.3", "pfxAcc") == 1);
    // Its next hop is a router away: the kernel is told of that router.
    await("the block is reached", () -> pings("a", "b"));
    assertThat(margay("node1", "", "bgp", "routes")).contains("10.0.0.3");
    assertThat(margay("node1", "", "node", "status")).contains("the kernel holds what is desired");
    long since = peer("node1", "10.0.0.3").path("sinceEpoch").asLong();
    etcdctl("put", "/margay/v1/secrets/bgp/mesh", "hunter3");
    await("both have it", () -> said("node1").contains("password has changed"));
    await("both have it", () -> said("node2").contains("password has changed"));
    margay("node2", "", "node", "drain", "node2", "--wait", "0s");
    await("the session still carries news", () -> number("node1", "10.0.0.3", "pfxRcd") == 0);
    margay("node2", "", "node", "undrain", "node2");
    await("and again", () -> number("node1", "10.0.0.3", "pfxRcd") == 1);
    assertThat(peer("node1", "10.0.0.3").path("sinceEpoch").asLong()).isEqualTo(since);
    assertThat(said("node1") + said("node2")).doesNotContain("hunter");
    apply(
        """
        apiVersion: projectcalico.org/v3
        kind: BGPFilter
        metadata: {name: nothing}
        spec: {exportV4: [{action: Reject}]}
        ---
        apiVersion: projectcalico.org/v3
        kind: BGPPeer
        metadata: {name: to-node2}
        spec: {node: node2, peerIP: 10.0.0.1, asNumber: 65001, filters: [nothing],
               password: {secretKeyRef: {name: bgp, key: mesh}}}
        """);
    await("node2 tells nothing more", () -> number("node1", "10.0.0.3", "pfxRcd") == 0);
    await("communities are at the router", () -> atRouter().contains("(65001, 1, 2)"));
    assertThat(atRouter()).contains("(65001,7)");
  }

  private boolean pings(String from, String to) throws Exception {
    String addresses = done("p-" + to, "ip", "-br", "-4", "addr", "show", "eth0");
    String address = addresses.replaceAll("(?s).*?([0-9.]+)/32.*", "$1");
    return Rack.run(
                Map.of(),
                "",
                List.of(
                    "ip",
                    "netns",
                    "exec",
                    "mgy-" + LAB + "-p-" + from,
                    "ping",
                    "-c1",
                    "-W1",
                    address))
            .exitCode()
        == 0;
  }

  private JsonNode peer(String node, String address) throws Exception {
    for (JsonNode peer : JSON.readTree(margay(node, "", "bgp", "peers", "-o", "json"))) {
      if (peer.path("neighbor").asText().equals(address)) {
        return peer;
      }
    }
    return JSON.createObjectNode();
  }

  private boolean isUp(String node, String address) throws Exception {
    return peer(node, address).path("state").asText().equals("Established");
  }

  private int number(String node, String address, String field) throws Exception {
    return peer(node, address).path("families").path("ipv4").path(field).asInt(-1);
  }

  private String atRouter() throws Exception {
    return done(
        "tor1",
        "birdc",
        "-s",
        "/run/margay-lab/" + LAB + "/tors/tor1/bird.ctl",
        "show",
        "route",
        "all",
        "where",
        "source",
        "=",
        "RTS_BGP");
  }

  private String said(String node) throws Exception {
    return Files.readString(Path.of("/run/margay-lab/" + LAB + "/nodes/" + node + "/agent.out"));
  }

  private void apply(String documents) throws Exception {
    margay("node1", documents, "apply", "-f", "-");
  }

  private void etcdctl(String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of("etcdctl", "--endpoints=" + etcd()));
    command.addAll(List.of(words));
    done("node1", command.toArray(String[]::new));
  }

  private String etcd() {
    return lab.path("etcd").get(0).asText();
  }

  private String margay(String where, String stdin, String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of(Rack.MARGAY.toString()));
    command.addAll(List.of(words));
    return done(where, stdin, command);
  }

  private String done(String where, String... command) throws Exception {
    return done(where, "", List.of(command));
  }

  private String done(String where, String stdin, List<String> command) throws Exception {
    List<String> inside =
        new ArrayList<>(List.of("ip", "netns", "exec", "mgy-" + LAB + "-" + where));
    inside.addAll(command);
    Rack.Run run =
        Rack.run(Map.of("MARGAY_ETCD_ENDPOINTS", etcd(), "ETCDCTL_API", "3"), stdin, inside);
    assertThat(run.exitCode()).as(command + ": " + run.err()).isZero();
    return run.out();
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
