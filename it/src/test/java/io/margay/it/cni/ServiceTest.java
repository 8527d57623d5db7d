package io.margay.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.it.Rack;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The agent as systemd runs it: the socket it tells, and the capabilities it has.
@Tag("lab")
class ServiceTest {

  private static final String LAB = "mgytsvc" + ProcessHandle.current().pid();

  private static Node node;
  @TempDir private static Path directory;

  @BeforeAll
  static void raise() throws Exception {
    node = Node.raise(LAB);
  }

  @AfterAll
  static void tearDown() {
    node.close();
  }

  @Test
  void the_service_manager_hears_what_is_waited_for_ready_signs_of_life_and_the_end()
      throws Exception {
    try (NotifyListener manager = NotifyListener.at(node.directory().resolve("notify"))) {
      node.killAgent();
      node.startAgent(
          Map.of("NOTIFY_SOCKET", manager.address(), "WATCHDOG_USEC", "2000000"), List.of());
      manager.await("READY=1");
      assertThat(manager.heard().getFirst()).startsWith("EXTEND_TIMEOUT_USEC=");
      assertThat(manager.heard()).anyMatch(line -> line.startsWith("STATUS=waiting for the"));
      assertThat(manager.heard()).doesNotContain("WATCHDOG=1");
      assertThat(node.status().exitCode()).as("the plugin's STATUS at READY=1").isZero();

      for (int i = 0; i < 3; i++) {
        manager.await("WATCHDOG=1");
      }
      assertThat(manager.hear("STATUS=serving 0 pods; 1 of 1 BGP peers"))
          .contains("in sync with the datastore");

      ProcessHandle agent = ProcessHandle.of(node.agentPid()).orElseThrow();
      agent.destroy();
      manager.await("STOPPING=1");
      agent.onExit().get(30, TimeUnit.SECONDS);
    } finally {
      node.crashAgent();
      node.awaitAgent();
    }
  }

  /// Without a last known good state, as on a node's first day.
  @Test
  void an_agent_that_waits_for_its_datastore_says_so_by_http() throws Exception {
    node.killAgent();
    node.signalEtcd("-STOP");
    try {
      Files.deleteIfExists(node.state().resolve("datastore.snapshot"));
      node.startAgent(Map.of());
      await(
          "HTTP of a waiting agent",
          () -> isListening() && node.http("/healthcheck").contains("waiting: "));
      assertThat(node.http("/healthcheck")).startsWith("HTTP/1.1 503");
      assertThat(node.http("/liveness")).startsWith("HTTP/1.1 200").contains("\"calc\"");
    } finally {
      node.signalEtcd("-CONT");
      node.awaitAgent();
    }
    await("readiness", () -> node.http("/readiness").startsWith("HTTP/1.1 200"));
    assertThat(node.http("/metrics")).contains("margay_resource_problems{part=\"other\"} 0.0");
  }

  /// As a socket of both families shows it, too: `[::ffff:127.0.0.1]:PORT`.
  private static boolean isListening() throws Exception {
    return node.exec("ss", "-Hltn").contains("127.0.0.1");
  }

  /// What `ExecReload=` of the unit does.
  @Test
  void a_reload_puts_in_force_what_can_change_and_names_what_waits_for_a_restart()
      throws Exception {
    Path file = node.directory().resolve("agent.yaml");
    String settings = Files.readString(file);
    long agent = node.agentPid();
    try {
      String debug = settings.replaceFirst("log: \\w+", "log: debug");
      assertThat(reload(file, debug + "reserve: 3\n", "key=\"reserve\""))
          .anyMatch(line -> line.matches(".*INFO.* has changed key=\"log\" from=.* to=\"debug\".*"))
          .anyMatch(line -> line.matches(".*WARN.* is restarted key=\"reserve\" .* to=\"3\".*"));
      assertThat(reload(file, settings + "log: loud\n", "stay in force"))
          .anyMatch(line -> line.contains("the old ones stay in force"))
          .anyMatch(line -> line.contains(file.toString()));
      assertThat(reload(file, settings, "key=\"log\""))
          .anyMatch(line -> line.matches(".*INFO.* has changed key=\"log\" from=\"debug\".*"));
      assertThat(node.agentPid()).as("it lived on").isEqualTo(agent);
      assertThat(node.status().exitCode()).isZero();
    } finally {
      Files.writeString(file, settings);
    }
  }

  /// @param until what the agent prints last
  /// @return what it printed
  private static List<String> reload(Path file, String settings, String until) throws Exception {
    int from = node.said().length();
    Files.writeString(file, settings);
    Node.command("kill", "-HUP", Long.toString(node.agentPid()));
    node.awaitSaid(from, until);
    return node.said().substring(from).lines().toList();
  }

  @Test
  void the_units_capabilities_are_enough() throws Exception {
    String pod = node.newNetns();
    String container = "cap0000000000001";
    restart(unit());
    node.awaitAgent();
    Node.Answer added = node.call("ADD", container, pod);
    assertThat(added.exitCode()).as(added.stdout()).isZero();
    String address = added.addresses().getFirst();
    await("the pod answers", () -> answers(address));

    node.margay(
        """
        apiVersion: projectcalico.org/v3
        kind: NetworkPolicy
        metadata: {name: shut, namespace: web}
        spec:
          selector: all()
          ingress: [{action: Deny, source: {nets: [192.0.2.0/24]}}]
        """,
        "apply",
        "-f",
        "-");
    await(
        "policy is in the kernel",
        () -> node.exec("nft", "list", "table", "ip", "margay").contains("192.0.2.0"));

    restart(unit());
    node.awaitAgent();
    assertThat(node.exec("ip", "route", "show", "proto", "117")).contains(address);
    Map<String, String> environment =
        node.environment("CHECK", container, Node.path(pod).toString());
    Node.Answer checked = node.call(environment, node.configuration(added.stdout()), -1, List.of());
    assertThat(checked.exitCode()).as(checked.stdout()).isZero();
    await("BGP is up", () -> node.exec("ip", "-6", "route").contains("proto 117"));

    assertThat(node.call("DEL", container, pod).exitCode()).isZero();
    node.margay("", "delete", "networkpolicy", "-n", "web", "shut");
    node.delete(pod);
  }

  @Test
  void without_any_one_of_them_something_fails_and_is_named() throws Exception {
    for (String capability : unit()) {
      List<String> rest = new ArrayList<>(unit());
      rest.remove(capability);
      int before = node.said().length();
      restart(rest);
      await(
          "it says that " + capability + " is lacking",
          () -> node.said().substring(before).contains(capability));
      await("it fails without " + capability, () -> fails(capability, before));
    }
    restart(unit());
    node.awaitAgent();
  }

  /// As `ipv6.disable=1` on the kernel's command line makes it.
  @Test
  void on_a_kernel_without_ipv6_pods_have_ipv4() throws Exception {
    Path program = Node.compile("no-ipv6.c", directory);
    Path file = node.directory().resolve("agent.yaml");
    String settings = Files.readString(file);
    String container = "six0000000000001";
    String pod = node.newNetns();
    int before = node.said().length();
    node.killAgent();
    try {
      Files.writeString(file, settings.replaceFirst("(?m)^ *ipv6:.*\n", ""));
      node.startAgent(Map.of(), List.of(program.toString()));
      node.awaitAgent();
      node.awaitSaid(before, "neighbor Up");
      String ipv4Only =
          node.configuration()
              .replaceFirst("\"assign_ipv6\" *: *\"true\"", "\"assign_ipv6\":\"false\"");
      Node.Answer added =
          node.call(
              node.environment("ADD", container, Node.path(pod).toString()),
              ipv4Only,
              -1,
              List.of());
      assertThat(added.exitCode()).as(added.stdout()).isZero();
      assertThat(added.addresses()).singleElement().asString().contains(".");
      await("the pod answers", () -> answers(added.addresses().getFirst()));
      assertThat(node.call("DEL", container, pod)).isEqualTo(new Node.Answer(0, ""));
      assertThat(node.said().substring(before))
          .contains("no such setting setting=\"net.ipv6.conf.all.forwarding\"")
          .doesNotContain("ERROR")
          .doesNotContain("can't listen");
    } finally {
      Files.writeString(file, settings);
      node.delete(pod);
      node.crashAgent();
      node.awaitAgent();
    }
  }

  private static boolean fails(String capability, int before) throws Exception {
    return switch (capability) {
      case "CAP_NET_ADMIN" -> node.said().substring(before).contains("can't start");
      case "CAP_NET_BIND_SERVICE" -> node.said().substring(before).contains("BGP can't listen");
      default -> {
        node.awaitAgent();
        String pod = node.newNetns();
        Node.Answer refused = node.call("ADD", "cap0000000000002", pod);
        node.delete(pod);
        yield refused.exitCode() != 0 && refused.stdout().contains("setns");
      }
    };
  }

  private static boolean answers(String address) throws Exception {
    return Rack.run(
                Map.of(),
                "",
                List.of("ip", "netns", "exec", node.netns(), "ping", "-c1", "-W1", address))
            .exitCode()
        == 0;
  }

  /// What the unit lets the agent have.
  private static List<String> unit() throws Exception {
    return Files.readAllLines(Rack.ROOT.resolve(Path.of("deploy/systemd/margay.service"))).stream()
        .filter(line -> line.startsWith("CapabilityBoundingSet="))
        .flatMap(line -> List.of(line.substring(line.indexOf('=') + 1).split(" ")).stream())
        .toList();
  }

  private static void restart(List<String> capabilities) throws Exception {
    node.killAgent();
    node.startAgent(
        Map.of(),
        List.of(
            "setpriv",
            "--no-new-privs",
            "--inh-caps=-all",
            "--ambient-caps=-all",
            "--bounding-set=-all"
                + capabilities.stream()
                    .map(name -> ",+" + name.substring("CAP_".length()).toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining())));
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
