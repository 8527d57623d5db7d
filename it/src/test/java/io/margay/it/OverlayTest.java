package io.margay.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Nodes under a router that knows no pod, with agents, etcd and pods as they are.
@Tag("lab")
class OverlayTest {

  private static final String LAB = "mgytov" + ProcessHandle.current().pid() % 100_000;
  private static final JsonMapper JSON = new JsonMapper();

  /// How often something is looked for that is to happen within the ten seconds of a resync.
  private static final int LOOKS = 120;

  private static final int LOOK_MILLIS = 250;
  private static final int NEW_CONNECTIONS = 8;

  @BeforeAll
  static void raise() throws Exception {
    Rack.Run up =
        Rack.margay(
            "lab",
            "up",
            "-f",
            Rack.ROOT.resolve("deploy/lab/overlay.yaml").toString(),
            "--name",
            LAB);
    assertThat(up.exitCode()).as(up.err()).isZero();
    awaitAllOpen();
  }

  @AfterAll
  static void tearDown() throws Exception {
    assertThat(Rack.margay("lab", "down", "--name", LAB).exitCode()).isZero();
  }

  /// Until each node has heard of the others.
  private static void awaitAllOpen() throws Exception {
    Rack.Run probe = Rack.margay("lab", "probe", "--name", LAB, "-o", "json");
    for (int i = 0; i < LOOKS && !isAllOpen(probe); i++) {
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
      probe = Rack.margay("lab", "probe", "--name", LAB, "-o", "json");
    }
    assertThat(isAllOpen(probe)).as(probe.out()).isTrue();
  }

  private static boolean isAllOpen(Rack.Run probe) throws Exception {
    for (JsonNode attempt : JSON.readTree(probe.out()).path("probes")) {
      if (!attempt.path("seen").asText().equals("open")) {
        return false;
      }
    }
    return true;
  }

  private static Rack.Run in(String machine, String... command) throws Exception {
    List<String> full =
        new ArrayList<>(List.of("ip", "netns", "exec", "mgy-" + LAB + "-" + machine));
    full.addAll(List.of(command));
    return Rack.run(Map.of(), "", full);
  }

  private static String out(String machine, String... command) throws Exception {
    Rack.Run run = in(machine, command);
    assertThat(run.exitCode()).as("%s: %s", List.of(command), run.err()).isZero();
    return run.out();
  }

  private static String address(String pod, String family) throws Exception {
    return JSON.readTree(
            out("p-" + pod, "ip", "-j", family, "addr", "show", "eth0", "scope", "global"))
        .get(0)
        .path("addr_info")
        .get(0)
        .path("local")
        .asText();
  }

  @Test
  void the_router_knows_no_pod_and_wrapped_packets_are_what_crosses_it() throws Exception {
    assertThat(out("tor1", "ip", "route")).doesNotContain("10.65.");
    assertThat(out("tor1", "ip", "-6", "route")).doesNotContain("fd00:65:");
    assertThat(out("node1", "ip", "route", "get", address("web-2", "-4")))
        .contains("dev vxlan.calico");
    assertThat(out("node1", "ip", "-6", "route", "get", address("web-2", "-6")))
        .contains("dev vxlan-v6.calico");
    // Both pools' pods fit into what both devices carry.
    assertThat(out("p-web-1", "ip", "link", "show", "eth0")).contains("mtu 1430");
    assertThat(
            in(
                    "p-web-1",
                    "ping",
                    "-c",
                    "1",
                    "-W",
                    "2",
                    "-M",
                    "do",
                    "-s",
                    "1402",
                    address("web-3", "-4"))
                .exitCode())
        .isZero();
  }

  @Test
  void what_is_inside_is_tracked_and_what_is_around_it_is_not() throws Exception {
    String target = address("web-2", "-4");
    // A node whose agent starts later than the others' has tracked what they sent it before that.
    Set<String> fromBirth = wrappedConnections("node1");
    // Each connection inside has a port of its own, so it would be another one outside as well.
    for (int i = 0; i < NEW_CONNECTIONS; i++) {
      assertThat(in("p-web-1", "bash", "-c", "exec 3<>/dev/tcp/" + target + "/80").err())
          .as("nobody listens, which the pod says by itself")
          .contains("refused");
    }
    assertThat(out("node1", "cat", "/proc/net/nf_conntrack")).contains("dst=" + target);
    assertThat(fromBirth).containsAll(wrappedConnections("node1"));
  }

  /// Both ends of what this machine tracks of VXLAN's own packets.
  private static Set<String> wrappedConnections(String machine) throws Exception {
    return out(machine, "cat", "/proc/net/nf_conntrack")
        .lines()
        .filter(line -> line.contains("dport=4789"))
        .map(line -> line.replaceFirst(".*?(src=.*dport=4789).*", "$1"))
        .collect(Collectors.toSet());
  }

  @Test
  void what_comes_out_of_a_tunnel_is_policed_like_all_else() throws Exception {
    Path policy = Files.createTempFile("overlay", ".yaml");
    try {
      Files.writeString(
          policy,
          """
          apiVersion: projectcalico.org/v3
          kind: GlobalNetworkPolicy
          metadata: {name: nobody-to-db}
          spec:
            selector: app == 'db'
            types: [Ingress]
            ingress: [{action: Deny, source: {selector: app == 'web'}}, {action: Allow}]
          """);
      etcd("apply", "-f", policy.toString());
      assertThat(awaitPing("web-1", address("db-2", "-4"), false)).isTrue();
      assertThat(awaitPing("web-1", address("db-2", "-6"), false)).isTrue();
      assertThat(awaitPing("db-1", address("db-2", "-4"), true)).isTrue();
      assertThat(awaitPing("db-1", address("db-2", "-6"), true)).isTrue();
    } finally {
      etcd("delete", "gnp", "nobody-to-db");
      Files.delete(policy);
    }
    assertThat(awaitPing("web-1", address("db-2", "-4"), true)).isTrue();
  }

  private static boolean awaitPing(String from, String to, boolean answered) throws Exception {
    for (int i = 0; i < LOOKS; i++) {
      boolean now = in("p-" + from, "ping", "-c", "1", "-W", "1", to).exitCode() == 0;
      if (now == answered) {
        return true;
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
    return false;
  }

  @Test
  void an_agent_that_is_killed_and_comes_back_costs_no_packet() throws Exception {
    Path heard = Files.createTempFile("overlay", ".ping");
    Process ping =
        new ProcessBuilder(
                "ip",
                "netns",
                "exec",
                "mgy-" + LAB + "-p-web-1",
                "ping",
                "-i",
                "0.02",
                "-c",
                "500",
                address("web-3", "-4"))
            .redirectErrorStream(true)
            .redirectOutput(heard.toFile())
            .start();
    try {
      ProcessHandle agent = agent("node1");
      agent.destroyForcibly();
      agent.onExit().get(10, TimeUnit.SECONDS);
      startAgent("node1");
      assertThat(ping.waitFor(2, TimeUnit.MINUTES)).isTrue();
      assertThat(Files.readString(heard)).contains("500 received, 0% packet loss");
    } finally {
      ping.destroy();
      Files.delete(heard);
    }
    awaitAllOpen();
  }

  private static Path home(String node) {
    return Path.of("/run/margay-lab", LAB, "nodes", node);
  }

  private static ProcessHandle agent(String node) throws Exception {
    long pid = Long.parseLong(Files.readString(home(node).resolve("agent.pid")).strip());
    return ProcessHandle.of(pid).orElseThrow();
  }

  private static void startAgent(String node) throws Exception {
    Path output = home(node).resolve("agent.out");
    Process started =
        new ProcessBuilder(
                "ip",
                "netns",
                "exec",
                "mgy-" + LAB + "-" + node,
                Rack.MARGAY.toString(),
                "agent",
                "--config",
                home(node).resolve("agent.yaml").toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    Files.writeString(home(node).resolve("agent.pid"), started.pid() + "\n");
    for (int i = 0; i < LOOKS && !Files.readString(output).contains("\nready\n"); i++) {
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
    assertThat(Files.readString(output)).contains("\nready\n");
  }

  @Test
  void a_device_that_somebody_deletes_is_back_within_a_resync() throws Exception {
    out("node2", "ip", "link", "del", "vxlan.calico");
    out("node2", "bridge", "fdb", "flush", "dev", "vxlan-v6.calico");
    awaitAllOpen();
    assertThat(out("node2", "ip", "-d", "link", "show", "vxlan.calico"))
        .contains("alias margay:overlay");
  }

  @Test
  void wrapped_packets_of_strangers_and_of_pods_are_dropped() throws Exception {
    // The router is a machine like any other: it is nobody's node.
    out(
        "tor1",
        "ip",
        "link",
        "add",
        "forge",
        "type",
        "vxlan",
        "id",
        "4096",
        "dstport",
        "4789",
        "remote",
        "10.0.0.1",
        "local",
        "10.0.0.0");
    out("tor1", "ip", "addr", "add", "10.65.255.1/32", "dev", "forge");
    out("tor1", "ip", "link", "set", "forge", "up");
    try {
      long before = dropped("tunnel|stranger");
      String mac =
          JSON.readTree(out("node1", "ip", "-j", "link", "show", "vxlan.calico"))
              .get(0)
              .path("address")
              .asText();
      String target = address("web-1", "-4");
      out("tor1", "ip", "route", "add", target + "/32", "dev", "forge");
      out("tor1", "ip", "neigh", "add", target, "lladdr", mac, "dev", "forge", "nud", "permanent");
      in("tor1", "ping", "-c", "3", "-i", "0.2", "-W", "1", target);
      assertThat(dropped("tunnel|stranger")).isGreaterThanOrEqualTo(before + 3);
    } finally {
      out("tor1", "ip", "link", "del", "forge");
    }
    long before = dropped("egress|vxlan");
    in("p-web-1", "bash", "-c", "echo x > /dev/udp/10.0.0.3/4789; echo x > /dev/udp/10.0.0.1/4789");
    assertThat(dropped("egress|vxlan")).isEqualTo(before + 2);
  }

  @Test
  void a_node_that_a_host_endpoint_closes_still_wraps() throws Exception {
    Path closed = Files.createTempFile("overlay", ".yaml");
    try {
      Files.writeString(
          closed,
          """
          apiVersion: projectcalico.org/v3
          kind: HostEndpoint
          metadata: {name: node3-all}
          spec: {node: node3, interfaceName: '*'}
          """);
      etcd("apply", "-f", closed.toString());
      for (int i = 0;
          i < LOOKS && !out("node3", "nft", "list", "ruleset").contains("chain hi ");
          i++) {
        TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
      }
      assertThat(out("node3", "nft", "list", "ruleset"))
          .contains("chain hi ", "host|ingress|tunnel");
      assertThat(in("node1", "ping", "-c", "1", "-W", "1", "10.0.0.5").exitCode()).isNotZero();
      awaitAllOpen();
    } finally {
      etcd("delete", "hep", "node3-all");
      Files.delete(closed);
    }
  }

  private static void etcd(String... command) throws Exception {
    List<String> full =
        new ArrayList<>(
            List.of("lab", "exec", "--name", LAB, "mgmt", "--", Rack.MARGAY.toString()));
    full.addAll(List.of(command));
    full.addAll(List.of("--etcd-endpoints", "http://172.31.0.1:2379"));
    Rack.Run run = Rack.margay(full.toArray(String[]::new));
    assertThat(run.exitCode()).as(run.err()).isZero();
  }

  /// What the rules with this word have counted on node 1.
  private static long dropped(String word) throws Exception {
    long sum = 0;
    for (String line : out("node1", "nft", "list", "table", "ip", "margay").lines().toList()) {
      if (line.contains(word)) {
        sum += Long.parseLong(line.replaceFirst(".*counter packets ([0-9]+) .*", "$1"));
      }
    }
    return sum;
  }
}
