package io.margay.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.it.Rack;
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
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// How a node comes into an existing cluster's datastore, and goes on telling its addresses.
@Tag("lab")
@Execution(ExecutionMode.CONCURRENT)
class BirthTest {

  private static final String LAB = "mgytbirth" + ProcessHandle.current().pid();

  private static Node node;

  @BeforeAll
  static void raise() throws Exception {
    node = Node.raise(LAB);
  }

  @AfterAll
  static void tearDown() {
    node.close();
  }

  @Test
  void a_node_that_is_not_there_is_made_and_follows_its_addresses() throws Exception {
    String link =
        node.exec("ip", "-o", "route", "get", "10.0.0.0").replaceAll("(?s).* dev (\\S+).*", "$1");
    node.killAgent();
    node.margay("", "delete", "node", "node1", "--force");
    node.startAgent(Map.of("MARGAY_BGP_IPV4", "interface=^" + link + "$"), List.of());
    node.awaitAgent();
    await("the Node is there", () -> read("node", "node1").contains("ipv4Address: 10.0.0.1/31"));
    assertThat(read("node", "node1")).contains("asNumber: 65001", "ipv6Address: fd00:100::2/126");
    assertThat(read("clusterinformation", "default")).containsPattern("clusterGUID: [0-9a-f]{32}");

    node.exec("ip", "addr", "add", "192.0.2.9/24", "dev", link);
    node.exec("ip", "addr", "del", "10.0.0.1/31", "dev", link);
    await("the Node follows", () -> read("node", "node1").contains("ipv4Address: 192.0.2.9/24"));
    assertThat(node.said()).contains("the node's addresses changed");
  }

  @Test
  void nothing_else_may_program_this_namespace() throws Exception {
    Path other = Files.createDirectories(node.directory().resolve("other"));
    String settings = Files.readString(node.directory().resolve("agent.yaml"));
    Path elsewhere =
        Files.writeString(
            other.resolve("agent.yaml"),
            settings.replaceAll("(runDir|stateDir): .*", "$1: " + other + "/$1"));
    assertThat(start(elsewhere))
        .isEqualTo(
            "margay agent of node node1 can't start: another margay agent serves this network"
                + " namespace from another run directory (it holds the socket @io.margay.agent),"
                + " and routes and tables are one a namespace; stop it, or give this one a"
                + " namespace of its own");

    node.killAgent();
    Path felix = Files.copy(Path.of("/bin/sleep"), other.resolve("calico-node"));
    Process inside = run("ip", "netns", "exec", node.netns(), felix.toString(), "600");
    try {
      await("felix runs", () -> inside.info().command().orElse("").equals(felix.toString()));
      assertThat(start(elsewhere))
          .contains("calico-node (process " + inside.pid() + ")", "stop calico-node on this node");
    } finally {
      inside.destroyForcibly().waitFor();
    }
    Process outside = run(felix.toString(), "600");
    try {
      node.startAgent(Map.of());
      node.awaitAgent();
    } finally {
      outside.destroyForcibly().waitFor();
    }
  }

  @Test
  void a_node_with_pods_refuses_another_name() throws Exception {
    String pod = node.newNetns();
    assertThat(node.call("ADD", "name000000000001", pod).exitCode()).isZero();
    node.killAgent();
    Path settings = node.directory().resolve("agent.yaml");
    Path renamed =
        Files.writeString(
            settings.resolveSibling("renamed.yaml"),
            Files.readString(settings).replace("nodeName: node1", "nodeName: node9"));
    String routes = node.exec("ip", "route", "show", "proto", "117");
    assertThat(start(renamed)).contains("nodeName is node9", "1 pods of node node1");
    assertThat(node.exec("ip", "route", "show", "proto", "117")).isEqualTo(routes);
    node.startAgent(Map.of());
    node.awaitAgent();
    assertThat(node.call("DEL", "name000000000001", pod).exitCode()).isZero();
    node.delete(pod);
  }

  @Test
  void clean_takes_what_is_ours_and_leaves_what_is_not() throws Exception {
    String pod = node.newNetns();
    assertThat(node.call("ADD", "clean00000000001", pod).exitCode()).isZero();
    node.exec("ip", "link", "add", "calistranger", "type", "veth", "peer", "name", "other0");
    node.exec("ip", "route", "add", "198.51.100.0/24", "dev", "lo", "proto", "static");
    node.exec("nft", "add", "table", "ip", "stranger");
    node.exec("sysctl", "-qw", "net.ipv4.fib_multipath_use_neigh=0");
    node.crashAgent();
    node.awaitAgent();
    assertThat(clean("--yes").exitCode()).as("an agent runs").isEqualTo(4);
    node.killAgent();

    Rack.Run would = clean();
    assertThat(would.exitCode()).isZero();
    assertThat(would.out())
        .contains("table ip margay would be removed", "table ip6 margay would be removed")
        .contains("(margay:clean00000000001/eth0) would be removed")
        .contains("net.ipv4.fib_multipath_use_neigh would be set back to 0")
        .doesNotContain("stranger", "198.51.100");
    assertThat(node.exec("ip", "-o", "link")).contains("margay:clean00000000001");

    Rack.Run done = clean("--yes");
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat(node.exec("ip", "-o", "link")).contains("calistranger").doesNotContain("margay:");
    assertThat(node.exec("ip", "route", "show", "table", "all", "proto", "117")).isBlank();
    assertThat(node.exec("ip", "-6", "route", "show", "table", "all", "proto", "117")).isBlank();
    assertThat(node.exec("ip", "route")).contains("198.51.100.0/24");
    assertThat(node.exec("nft", "list", "tables").lines()).containsExactly("table ip stranger");
    assertThat(node.exec("sysctl", "-n", "net.ipv4.fib_multipath_use_neigh").strip())
        .isEqualTo("0");
    assertThat(clean("--yes").out()).isEqualTo("nothing of ours is in this network namespace\n");

    node.exec("ip", "link", "del", "calistranger");
    node.exec("nft", "delete", "table", "ip", "stranger");
    node.startAgent(Map.of());
    node.awaitAgent();
    assertThat(node.call("DEL", "clean00000000001", pod).exitCode()).isZero();
    node.delete(pod);
  }

  private static Rack.Run clean(String... options) throws Exception {
    List<String> argv = new ArrayList<>(List.of("ip", "netns", "exec", node.netns()));
    argv.addAll(
        List.of(Rack.MARGAY.toString(), "node", "clean", "--state-dir", node.state().toString()));
    argv.addAll(List.of(options));
    return Rack.run(Map.of(), "", argv);
  }

  /// Starts an agent that must refuse.
  ///
  /// @return the one line it says
  private static String start(Path settings) throws Exception {
    Rack.Run run =
        Rack.run(
            Map.of(),
            "",
            List.of(
                "ip",
                "netns",
                "exec",
                node.netns(),
                Rack.MARGAY.toString(),
                "agent",
                "--config",
                settings.toString()));
    assertThat(run.exitCode()).as(run.err()).isEqualTo(1);
    return run.err().lines().reduce((_, last) -> last).orElse("");
  }

  private static Process run(String... argv) throws Exception {
    return new ProcessBuilder(argv).redirectErrorStream(true).start();
  }

  private static String read(String kind, String name) throws Exception {
    List<String> argv = new ArrayList<>(List.of("ip", "netns", "exec", "mgy-" + LAB + "-mgmt"));
    argv.addAll(List.of(Rack.MARGAY.toString(), "get", kind, name, "-o", "yaml"));
    return Rack.run(Map.of("MARGAY_ETCD_ENDPOINTS", node.etcd()), "", argv).out();
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
