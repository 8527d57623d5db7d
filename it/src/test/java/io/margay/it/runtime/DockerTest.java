package io.margay.it.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.it.Rack;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Docker Engine with the agent as its network and IPAM driver.
@Tag("runtime")
class DockerTest {

  private static final String NETWORK = "web";
  private static final String ADDRESS = "10.65.77.98";
  private static final String MAC = "02:11:22:33:44:66";

  private static final String PROFILE =
      """
      apiVersion: projectcalico.org/v3
      kind: Profile
      metadata:
        name: docker-web
      spec:
        ingress:
          - action: Allow
        egress:
          - action: Allow
      """;

  private static final String POLICY =
      """
      apiVersion: projectcalico.org/v3
      kind: GlobalNetworkPolicy
      metadata:
        name: docker-closed
      spec:
        selector: tier == 'db' && role == 'closed'
        types: [Ingress]
        ingress:
          - action: Deny
      """;

  @RegisterExtension static final Machine NODE = new Machine();

  private static @Nullable Docker docker;

  @BeforeAll
  static void start() throws Exception {
    NODE.lab().apply(PROFILE);
    docker = Docker.start(NODE);
    docker()
        .run(
            "network",
            "create",
            "--driver",
            "margay",
            "--ipam-driver",
            "margay",
            "--ipv6",
            "--subnet",
            "10.65.0.0/16",
            "--subnet",
            "fd00:65::/48",
            "--opt",
            "profile=docker-web",
            "--opt",
            "org.projectcalico.label.tier=db",
            NETWORK);
  }

  @AfterAll
  static void stop() throws Exception {
    if (docker != null) {
      docker.run("network", "rm", NETWORK);
      docker.close();
    }
    NODE.lab().delete("profile", "docker-web");
  }

  @Test
  void containers_on_a_node_reach_each_other_and_are_reached_by_the_node_and_the_router() {
    run("one");
    run("two");
    assertThat(docker().run("exec", "one", "sh", "-c", "ip addr show eth0; ip route; ip -6 route"))
        .contains("inet " + docker().ipv4("one", NETWORK) + "/32")
        .contains("inet6 " + docker().ipv6("one", NETWORK) + "/128")
        .contains("default via 169.254.1.1 dev eth0", "default via fe80::1 dev eth0");
    for (String address : List.of(docker().ipv4("two", NETWORK), docker().ipv6("two", NETWORK))) {
      String served = NODE.ask(address, 80);
      assertThat(served).as("asked by the node").isNotEmpty();
      assertThat(NODE.askFromRouter(address, 80)).as("asked by the router").isEqualTo(served);
      assertThat(docker().run("exec", "one", "nc", "-w", "3", address, "80"))
          .as("asked by the other container")
          .isEqualTo(served);
    }
  }

  @Test
  void address_mac_and_port_that_were_asked_for_survive_a_restart() {
    run("fixed", "--ip", ADDRESS, "--mac-address", MAC, "--publish", "8087:80");
    for (int round = 0; round < 2; round++) {
      assertThat(docker().ipv4("fixed", NETWORK)).isEqualTo(ADDRESS);
      assertThat(docker().run("exec", "fixed", "ip", "addr"))
          .contains("link/ether " + MAC, "inet " + ADDRESS + "/32");
      String served = NODE.ask(ADDRESS, 80);
      assertThat(served).isNotEmpty();
      assertThat(NODE.ask("127.0.0.1", 8087)).as("the published port").isEqualTo(served);
      docker().run("restart", "--time", "0", "fixed");
    }
    assertThat(docker().refused(options("second", "--ip", ADDRESS)))
        .contains("IpamDriver.RequestAddress", ADDRESS);
  }

  @Test
  void a_policy_denies_what_its_selector_names() throws Exception {
    run("open");
    NODE.lab().apply(POLICY);
    try {
      docker().run(in(NETWORK + ",driver-opt=org.projectcalico.label.role=closed", "closed"));
      for (String address :
          List.of(docker().ipv4("closed", NETWORK), docker().ipv6("closed", NETWORK))) {
        assertThat(docker().attempt("exec", "open", "nc", "-w", "1", address, "80").out())
            .as("from its first packet on")
            .isEmpty();
      }
      assertThat(NODE.ask(docker().ipv4("open", NETWORK), 80)).isNotEmpty();
      NODE.lab().delete("globalnetworkpolicy", "docker-closed");
      String address = docker().ipv4("closed", NETWORK);
      Machine.until(
          "the policy is gone", docker()::log, () -> !NODE.askFromRouter(address, 80).isEmpty());
    } finally {
      NODE.lab().delete("--skip-not-exists", "globalnetworkpolicy", "docker-closed");
    }
  }

  @Test
  void a_container_leaves_the_network_and_joins_it_again() {
    run("guest");
    String first = docker().ipv4("guest", NETWORK);
    assertThat(NODE.ask(first, 80)).isNotEmpty();
    docker().run("network", "disconnect", NETWORK, "guest");
    assertThat(docker().run("exec", "guest", "ip", "-o", "link")).doesNotContain("eth0");
    assertThat(NODE.ask(first, 80)).isEmpty();
    docker().run("network", "connect", "--ip", ADDRESS, NETWORK, "guest");
    assertThat(NODE.ask(ADDRESS, 80)).isNotEmpty();
    assertThat(NODE.ask(docker().ipv6("guest", NETWORK), 80)).isNotEmpty();
  }

  @Test
  void a_container_that_stops_or_is_removed_leaves_nothing() throws Exception {
    Leftovers before = Leftovers.of(NODE.lab());
    run("brief");
    run("gone");
    docker().run("stop", "--time", "0", "brief");
    docker().run("rm", "--force", "gone");
    before.assertNothingMore();
    docker().run("start", "brief");
    assertThat(NODE.ask(docker().ipv4("brief", NETWORK), 80)).isNotEmpty();
    remove("brief");
    before.assertNothingMore();
  }

  @Test
  void an_agent_that_is_killed_is_waited_for_and_its_successor_knows_everything() throws Exception {
    Leftovers before = Leftovers.of(NODE.lab());
    run("stays");
    run("goes");
    String stays = docker().ipv4("stays", NETWORK);
    String served = NODE.ask(stays, 80);
    NODE.lab().killAgent();
    assertThat(NODE.ask(stays, 80)).as("while there is no agent").isEqualTo(served);
    Process coming = docker().begin("coming.log", options("comes"));
    Process going = docker().begin("going.log", "rm", "--force", "goes");
    NODE.lab().startAgent();
    assertThat(coming.waitFor()).as(() -> NODE.log("coming.log")).isZero();
    assertThat(going.waitFor()).as(() -> NODE.log("going.log")).isZero();
    assertThat(NODE.ask(stays, 80)).isEqualTo(served);
    assertThat(docker().run("exec", "comes", "nc", "-w", "3", stays, "80")).isEqualTo(served);
    remove("stays", "comes");
    before.assertNothingMore();
  }

  @Test
  void a_daemon_that_is_killed_cleans_up_when_it_comes_back() throws Exception {
    Leftovers before = Leftovers.of(NODE.lab());
    run("always", "--restart", "always");
    run("once");
    String once = docker().ipv4("once", NETWORK);
    docker().kill();
    assertThat(NODE.ask(once, 80)).as("while there is no daemon").isNotEmpty();
    docker().start();
    Machine.until(
        "the container is started again",
        docker()::log,
        () -> !NODE.ask(docker().ipv4("always", NETWORK), 80).isEmpty());
    assertThat(NODE.ask(once, 80)).as("what was not to be started again").isEmpty();
    remove("always", "once");
    before.assertNothingMore();
  }

  @Test
  void what_a_daemon_leaves_that_does_not_come_back_is_reclaimed() throws Exception {
    Leftovers before = Leftovers.of(NODE.lab());
    run("lost");
    assertThat(hostEnds()).hasSize(1);
    docker().kill();
    docker().endContainers();
    before.assertNothingMore();
    docker().start();
    remove("lost");
    before.assertNothingMore();
  }

  @Test
  void what_is_refused_says_why_and_what_to_do() {
    assertThat(create("--subnet", "10.65.4.0/24")).contains("is a part of IPPool 10.65.0.0/16");
    assertThat(create("--subnet", "10.99.0.0/16")).contains("is no IPPool's cidr");
    assertThat(create("--subnet", "10.65.0.0/16", "--gateway", "10.65.0.1"))
        .contains("reaches its node by 169.254.1.1");
    assertThat(create("--subnet", "10.65.0.0/16", "--ip-range", "10.65.4.0/24"))
        .contains("come from whole IPPools");
    assertThat(create("--internal")).contains("NetworkPolicy");
    assertThat(create("--opt", "colour=red")).contains("option colour is unknown");
    assertThat(
            docker()
                .refused(
                    "network", "create", "--driver", "margay", "--subnet", "10.9.0.0/16", "no"))
        .contains("--ipam-driver");
    assertThat(docker().refused(options("many", "--publish", "80"))).contains("HOSTPORT:80");
  }

  @AfterEach
  void removeAll() {
    for (String container : docker().run("ps", "--all", "--quiet").lines().toList()) {
      docker().run("rm", "--force", container);
    }
  }

  private static String create(String... options) {
    List<String> command =
        new ArrayList<>(
            List.of("network", "create", "--driver", "margay", "--ipam-driver", "margay"));
    command.addAll(List.of(options));
    command.add("no");
    return docker().refused(command.toArray(String[]::new));
  }

  private static List<String> hostEnds() {
    List<String> names = new ArrayList<>();
    NODE.json("ip", "-j", "link")
        .forEach(
            link -> {
              if (link.path("ifname").asText().startsWith("cali")) {
                names.add(link.path("ifname").asText());
              }
            });
    return names;
  }

  private static void run(String name, String... options) {
    docker().run(options(name, options));
  }

  private static String[] options(String name, String... further) {
    return in(NETWORK, name, further);
  }

  /// @param network its name, or `NAME,driver-opt=KEY=VALUE`
  private static String[] in(String network, String name, String... further) {
    List<String> options =
        new ArrayList<>(
            List.of(
                "run",
                "--detach",
                "--pull",
                "never",
                "--name",
                name,
                "--network",
                "name=" + network));
    options.addAll(List.of(further));
    options.add(Image.NAME);
    return options.toArray(String[]::new);
  }

  private static void remove(String... containers) {
    for (String container : containers) {
      Rack.Run removed = docker().attempt("rm", "--force", container);
      assertThat(removed.exitCode() == 0 || removed.err().contains("No such container"))
          .as(removed.err())
          .isTrue();
    }
  }

  private static Docker docker() {
    return Objects.requireNonNull(docker);
  }
}
