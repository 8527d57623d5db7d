package io.margay.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.it.Rack;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Pods that Calico wired, on a node whose calico-node was stopped: endpoints, addresses and
/// handles in etcd, veths without a mark of ours, routes of felix's protocol, no journal.
@Tag("lab")
class AdoptionTest {

  private static final String LAB = "mgytadopt" + ProcessHandle.current().pid();
  private static final String CONTAINER = "adopt0000000001";

  /// What felix gives its routes: `boot` by default, 80 where deviceRouteProtocol says so.
  private static final List<String> PROTOCOLS = List.of("boot", "80");

  private static Node node;

  @BeforeAll
  static void raise() throws Exception {
    node = Node.raise(LAB);
    node.margay(
        """
        apiVersion: v1
        kind: Namespace
        metadata: {name: web}
        """,
        "apply",
        "-f",
        "-");
  }

  @AfterAll
  static void tearDown() {
    node.close();
  }

  @Test
  void pods_of_a_stopped_calico_are_served_without_a_lost_packet_and_deleted_by_their_id()
      throws Exception {
    for (String protocol : PROTOCOLS) {
      String pod = node.newNetns();
      Node.Answer added = node.call("ADD", CONTAINER, pod);
      assertThat(added.exitCode()).as(added.stdout()).isZero();
      String ipv4 = added.addresses().get(0);
      String ipv6 = added.addresses().get(1);
      String link = added.json().path("interfaces").get(0).path("name").asText();
      await("the pod answers from outside", () -> pingFromRouter(ipv4, 1).exitCode() == 0);
      List<String> blocks = makeCalicos(link, protocol, ipv4, ipv6);
      assertThat(blackholesOf("bird")).as("blocks of both families").hasSizeGreaterThan(1);

      Process pinging = startPinging(ipv4);
      node.startAgent(Map.of());
      node.awaitAgent();
      await(
          "the route is ours", () -> node.exec("ip", "route", "show", ipv4).contains("proto 117"));
      await(
          "the IPv6 route is ours",
          () -> node.exec("ip", "-6", "route", "show", ipv6).contains("proto 117"));
      await("blackholes are ours", () -> blackholesOf("117").containsAll(blocks));
      Rack.Run stop = Rack.run(Map.of(), "", List.of("kill", "-INT", "" + pinging.pid()));
      assertThat(stop.exitCode()).isZero();
      assertThat(pinging.waitFor(10, TimeUnit.SECONDS)).isTrue();
      assertThat(Files.readString(node.directory().resolve("ping.out")))
          .contains(" 0% packet loss");

      assertThat(node.exec("ip", "-o", "link", "show", link)).contains("margay:" + CONTAINER);
      assertThat(node.exec("nft", "list", "table", "ip", "margay")).contains(link);
      assertThat(policed(ipv4)).as("policy holds").isTrue();

      assertThat(node.call("DEL", CONTAINER, pod).exitCode()).isZero();
      assertThat(node.exec("ip", "-o", "link")).doesNotContain(link);
      assertThat(node.exec("ip", "route")).doesNotContain(ipv4);
      await("the endpoint is gone", () -> !margay("get", "wep", "-A").contains("adopt"));
      node.delete(pod);
    }
  }

  /// Takes away what only our own plugin leaves, and gives the rest Calico's shape.
  ///
  /// @return the node's blocks
  private static List<String> makeCalicos(String link, String protocol, String ipv4, String ipv6)
      throws Exception {
    node.killAgent();
    node.exec("ip", "link", "set", "dev", link, "alias", "");
    node.exec("ip", "route", "replace", ipv4, "dev", link, "scope", "link", "proto", protocol);
    node.exec("ip", "-6", "route", "del", ipv6, "dev", link);
    node.exec("ip", "-6", "route", "add", ipv6, "dev", link, "proto", protocol);
    List<String> blocks = blackholesOf("117");
    for (String block : blocks) {
      String family = block.contains(":") ? "-6" : "-4";
      node.exec("ip", family, "route", "del", block, "proto", "117");
      node.exec("ip", family, "route", "add", "blackhole", block, "proto", "bird");
    }
    node.exec("nft", "delete", "table", "ip", "margay");
    node.exec("nft", "delete", "table", "ip6", "margay");
    try (Stream<Path> files = Files.walk(node.state())) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        if (!file.equals(node.state())) {
          Files.delete(file);
        }
      }
    }
    return blocks;
  }

  /// The prefixes of both families whose packets routes of a protocol drop.
  private static List<String> blackholesOf(String protocol) throws Exception {
    List<String> prefixes = new ArrayList<>();
    for (String family : List.of("-4", "-6")) {
      node.exec("ip", family, "route", "show", "type", "blackhole", "proto", protocol)
          .lines()
          .map(line -> line.replace("blackhole ", "").strip().split(" ")[0])
          .forEach(prefixes::add);
    }
    return prefixes;
  }

  private static boolean policed(String address) throws Exception {
    node.margay(
        """
        apiVersion: projectcalico.org/v3
        kind: NetworkPolicy
        metadata: {name: shut, namespace: web}
        spec: {selector: all(), types: [Ingress]}
        """,
        "apply",
        "-f",
        "-");
    await("it is closed", () -> pingFromRouter(address, 1).exitCode() != 0);
    node.margay("", "delete", "networkpolicy", "-n", "web", "shut");
    await("it is open again", () -> pingFromRouter(address, 1).exitCode() == 0);
    return true;
  }

  private static Process startPinging(String address) throws IOException {
    return new ProcessBuilder(
            "ip", "netns", "exec", router(), "ping", "-i", "0.01", "-W", "1", address)
        .redirectOutput(node.directory().resolve("ping.out").toFile())
        .start();
  }

  private static Rack.Run pingFromRouter(String address, int count) throws Exception {
    return Rack.run(
        Map.of(),
        "",
        List.of(
            "ip", "netns", "exec", router(), "ping", "-c", "" + count, "-W1", "-i0.05", address));
  }

  private static String router() {
    return "mgy-" + LAB + "-tor1";
  }

  private static String margay(String... words) throws Exception {
    List<String> argv = new ArrayList<>(List.of("ip", "netns", "exec", "mgy-" + LAB + "-mgmt"));
    argv.add(Rack.MARGAY.toString());
    argv.addAll(List.of(words));
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
