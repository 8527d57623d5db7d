package io.margay.it;

import static java.nio.charset.StandardCharsets.UTF_8;
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
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// `margay why drop` on two nodes whose pods really send what is asked about.
@Tag("lab")
@Execution(ExecutionMode.CONCURRENT)
class WhyDropTest {

  private static final String LAB = "mgytwhy" + ProcessHandle.current().pid();
  private static final String TOPOLOGY =
      """
      name: why
      tors:
        - { name: tor1, daemon: bird, asn: 64601 }
      nodes:
        - { name: node1, asn: 65001, tors: [tor1] }
        - { name: node2, asn: 65002, tors: [tor1] }
      pods:
        - { name: client, namespace: web, node: node1, labels: { app: client } }
        - { name: server, namespace: web, node: node2, labels: { app: server } }
      """;
  private static final String POLICIES =
      """
      apiVersion: projectcalico.org/v3
      kind: NetworkPolicy
      metadata: {name: no-syslog, namespace: web}
      spec:
        selector: app == 'client'
        types: [Egress]
        egress:
          - {action: Deny, protocol: UDP, destination: {ports: [514]}}
          - {action: Allow}
      ---
      apiVersion: projectcalico.org/v3
      kind: NetworkPolicy
      metadata: {name: server, namespace: web}
      spec:
        selector: app == 'server'
        types: [Ingress]
        ingress:
          - {action: Deny, protocol: UDP, destination: {ports: [53]}}
          - {action: Allow, source: {selector: app == 'client'}}
      """;
  private static final JsonMapper JSON = new JsonMapper();

  private static JsonNode lab = JSON.createObjectNode();
  private static String server = "";

  @BeforeAll
  static void raise() throws Exception {
    Path file = Files.createTempFile("why", ".yaml");
    try {
      Files.writeString(file, TOPOLOGY);
      Rack.Run up = Rack.margay("lab", "up", "-f", file.toString(), "--name", LAB, "-o", "json");
      assertThat(up.exitCode()).as(up.err()).isZero();
      lab = JSON.readTree(up.out());
    } finally {
      Files.delete(file);
    }
    server = run("", "ip", "-n", pod("server"), "-4", "-o", "addr", "show", "eth0").out();
    server = server.replaceAll("(?s).* inet ([0-9.]+)/.*", "$1");
    Rack.Run applied = margay("mgy-" + LAB + "-mgmt", POLICIES, "apply", "-f", "-");
    assertThat(applied.exitCode()).as(applied.err()).isZero();
    await(
        "the policies are in the kernel",
        () ->
            run("", "ip", "netns", "exec", node(1), "nft", "list", "ruleset")
                    .out()
                    .contains("no-syslog")
                && run("", "ip", "netns", "exec", node(2), "nft", "list", "ruleset")
                    .out()
                    .contains("policy|web/server|"));
  }

  @AfterAll
  static void tearDown() throws Exception {
    assertThat(Rack.margay("lab", "down", "--name", LAB).exitCode()).isZero();
  }

  @Test
  void an_allowed_packet_names_who_lets_it_out_and_who_lets_it_in() throws Exception {
    JsonNode answer = why(2, "web/client", "web/server", "80/tcp", "-o", "json");
    assertThat(answer.path("verdict").asText()).isEqualTo("allow");
    assertThat(answer.path("egress").path("policy").asText()).isEqualTo("web/no-syslog");
    assertThat(answer.path("ingress").path("policy").asText()).isEqualTo("web/server");
    try (Sender _ = new Sender(7000)) {
      String live = text(2, "web/client", "web/server", "7000/udp", "--live", "2");
      assertThat(live).contains("policy allows it").contains("and none was dropped here");
    }
  }

  @Test
  void a_packet_denied_at_its_source_names_policy_rule_and_node() throws Exception {
    try (Sender _ = new Sender(514)) {
      String live = text(1, "web/client", "web/server", "514/udp", "--live", "2");
      assertThat(live)
          .contains("policy DENIES it")
          .contains("egress on node1: DENIED by NetworkPolicy web/no-syslog, rule 0")
          .contains("ingress on node2: allowed by NetworkPolicy web/server, rule 1")
          .contains("packets were dropped by our rule policy|web/no-syslog|egress|0");
    }
  }

  @Test
  void a_packet_denied_at_its_destination_is_dropped_there_and_by_the_rule_it_names()
      throws Exception {
    try (Sender _ = new Sender(53)) {
      String there = text(2, "web/client", "web/server", "53/udp", "--live", "2");
      assertThat(there)
          .contains("egress on node1: allowed by NetworkPolicy web/no-syslog, rule 1")
          .contains("ingress on node2: DENIED by NetworkPolicy web/server, rule 0")
          .contains("packets were dropped by our rule policy|web/server|ingress|0");
      String here = text(1, "web/client", "web/server", "53/udp", "--live", "2");
      assertThat(here).contains("policy DENIES it").contains("and none was dropped here");
    }
  }

  @Test
  void what_another_tool_drops_is_its_chain_s_doing_and_not_policy_s() throws Exception {
    String firewall =
        """
        table inet office {
          chain guard {
            type filter hook forward priority 10;
            udp dport 9000 drop
          }
        }
        """;
    Rack.Run loaded = run(firewall, "ip", "netns", "exec", node(1), "nft", "-f", "-");
    assertThat(loaded.exitCode()).as(loaded.err()).isZero();
    try (Sender _ = new Sender(9000)) {
      String live = text(1, "web/client", "web/server", "9000/udp", "--live", "2");
      assertThat(live)
          .contains("policy allows it")
          .containsPattern("packets were dropped by rule handle \\d+ in table office, chain guard");
    } finally {
      run("", "ip", "netns", "exec", node(1), "nft", "delete", "table", "inet", "office");
    }
  }

  @Test
  void an_end_nobody_knows_is_said_to_be_unknown_or_nobody_s() throws Exception {
    Rack.Run unknown = margay(node(1), "", "why", "drop", "web/nobody", "web/server", "80/tcp");
    assertThat(unknown.exitCode()).isEqualTo(2);
    assertThat(unknown.err().lines())
        .containsExactly("margay why drop: there is no pod web/nobody");
    assertThat(text(1, "198.51.100.7", "web/server", "80/tcp"))
        .contains("egress: nobody's policy")
        .contains("ingress on node2: DENIED by the end of tier default");
  }

  @Test
  void a_killed_trace_leaves_nothing_in_the_kernel() throws Exception {
    Process why = start(Map.of(), "600");
    String table = "margay-why-" + why.pid();
    await("it traces", () -> tables().contains("ip " + table));
    assertThat(why.destroyForcibly().waitFor()).isEqualTo(137);
    await("its table is gone", () -> !tables().contains(table));
  }

  @Test
  void where_the_kernel_would_keep_the_table_it_says_so_and_removes_it_itself() throws Exception {
    Process why = start(Map.of("MARGAY_CLI_JAVA_OPTS", "-Dmargay.nft.features=off"), "1");
    String said = new String(why.getErrorStream().readAllBytes(), UTF_8);
    assertThat(why.waitFor()).isZero();
    assertThat(said).contains("remove ip margay-why-" + why.pid() + " with `nft delete table`");
    assertThat(tables()).doesNotContain("margay-why");
  }

  private static String tables() throws Exception {
    return run("", "ip", "netns", "exec", node(1), "nft", "list", "tables").out();
  }

  private static Process start(Map<String, String> environment, String seconds) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            command(
                node(1), "why", "drop", "web/client", "web/server", "80/tcp", "--live", seconds));
    builder.environment().putAll(etcd());
    builder.environment().putAll(environment);
    return builder.redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
  }

  /// The client sends datagrams to a port of the server until this is closed.
  private static final class Sender implements AutoCloseable {
    private final Process sends;

    Sender(int port) throws Exception {
      sends =
          new ProcessBuilder(
                  "ip",
                  "netns",
                  "exec",
                  pod("client"),
                  "bash",
                  "-c",
                  "while :; do echo x > /dev/udp/" + server + "/" + port + "; sleep 0.1; done")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
    }

    @Override
    public void close() {
      sends.destroyForcibly().onExit().join();
    }
  }

  private static JsonNode why(int node, String... words) throws Exception {
    return JSON.readTree(text(node, words));
  }

  private static String text(int node, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("why", "drop"));
    all.addAll(List.of(words));
    Rack.Run run = margay(node(node), "", all.toArray(String[]::new));
    assertThat(run.exitCode()).as(run.err()).isZero();
    return run.out();
  }

  private static String node(int number) {
    return "mgy-" + LAB + "-node" + number;
  }

  private static String pod(String name) {
    return "mgy-" + LAB + "-p-" + name;
  }

  private static Rack.Run margay(String netns, String stdin, String... words) throws Exception {
    return Rack.run(etcd(), stdin, command(netns, words));
  }

  private static List<String> command(String netns, String... words) {
    List<String> command =
        new ArrayList<>(List.of("ip", "netns", "exec", netns, Rack.MARGAY.toString()));
    command.addAll(List.of(words));
    return command;
  }

  private static Map<String, String> etcd() {
    return Map.of("MARGAY_ETCD_ENDPOINTS", lab.path("etcd").get(0).asText());
  }

  private static Rack.Run run(String stdin, String... command) throws Exception {
    return Rack.run(Map.of(), stdin, List.of(command));
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
