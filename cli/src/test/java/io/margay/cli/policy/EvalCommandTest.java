package io.margay.cli.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.cli.ExitCodes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

final class EvalCommandTest {

  private static final String PODS =
      """
      apiVersion: v1
      kind: List
      items:
      - apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop, labels: {app: web}}
        spec: {#node#}
        status: {podIP: 10.0.0.1}
      - apiVersion: v1
        kind: Pod
        metadata: {name: client, namespace: shop}
        status: {podIP: 10.0.0.2}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: web, namespace: shop}
      spec:
        podSelector: {matchLabels: {app: web}}
        ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]
      """;

  private static final String WORLD =
      """
      {"resources":[
       {"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop"}},
       {"apiVersion":"v1","kind":"Pod","metadata":{"name":"client","namespace":"shop"}}],
       "probes":[{"from":"shop/client","to":"shop/web","port":80,"protocol":"TCP","id":7}]}
      """
          .replace("\n", "");

  @TempDir private Path folder;

  private record Run(int code, String out, String err) {
    private JsonNode json() throws IOException {
      return new JsonMapper().readTree(out);
    }
  }

  private static Run run(String standardInput, String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine margay = new CommandLine(CommandLine.Model.CommandSpec.create().name("margay"));
    PolicyCommands.register(
        margay, new ByteArrayInputStream(standardInput.getBytes(StandardCharsets.UTF_8)));
    margay.setOut(new PrintWriter(out, true));
    margay.setErr(new PrintWriter(err, true));
    int code = margay.execute(arguments);
    return new Run(code, out.toString(), err.toString());
  }

  private String file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text).toString();
  }

  private Run eval(String resources, String probes, String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "policy",
                "eval",
                "--resources",
                file("r.yaml", resources.replace("#node#", "")),
                "--probes",
                file("p.json", probes)));
    arguments.addAll(List.of(more));
    return run("", arguments.toArray(String[]::new));
  }

  @Test
  void each_probe_comes_back_with_its_verdict_and_what_decided() throws IOException {
    Run run =
        eval(
            PODS,
            """
            [{"from":"shop/client","to":"shop/web","port":80,"protocol":"TCP","note":"mine"},
             {"from":"198.51.100.1","to":"10.0.0.1","port":80,"protocol":"TCP"},
             {"from":"shop/web","to":"shop/web","port":80,"protocol":"TCP"}]
            """,
            "-o",
            "json");

    assertThat(run.code).isEqualTo(ExitCodes.OK);
    assertThat(run.err).isEmpty();
    assertThat(run.json().get(0))
        .hasToString(
            "{\"from\":\"shop/client\",\"to\":\"shop/web\",\"port\":80,\"protocol\":\"TCP\","
                + "\"note\":\"mine\",\"verdict\":\"allow\","
                + "\"egress\":{\"verdict\":\"allow\",\"tier\":null,\"kind\":\"Profile\","
                + "\"policy\":\"kns.shop\",\"rule\":\"profile\"},"
                + "\"ingress\":{\"verdict\":\"allow\",\"tier\":\"default\","
                + "\"kind\":\"NetworkPolicy\",\"policy\":\"shop/web\",\"rule\":0}}");
    assertThat(run.json().get(1))
        .hasToString(
            "{\"from\":\"198.51.100.1\",\"to\":\"10.0.0.1\",\"port\":80,\"protocol\":\"TCP\","
                + "\"verdict\":\"deny\",\"egress\":null,"
                + "\"ingress\":{\"verdict\":\"deny\",\"tier\":\"default\",\"kind\":null,"
                + "\"policy\":null,\"rule\":\"end-of-tier\"}}");
    assertThat(run.json().get(2).path("verdict").asText()).isEqualTo("allow");
    assertThat(run.json().get(2).path("egress").isNull()).isTrue();
    assertThat(run.json().get(2).path("ingress").isNull()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"rules", "oracle"})
  void a_rule_may_name_a_service_whose_slices_are_given(String engine) throws IOException {
    Run run =
        eval(
            PODS
                + """
                ---
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: db-x1, namespace: shop, labels: {kubernetes.io/service-name: db}}
                addressType: IPv4
                endpoints: [{addresses: [198.51.100.7]}]
                ports: [{port: 5432}]
                ---
                apiVersion: projectcalico.org/v3
                kind: NetworkPolicy
                metadata: {name: to-db, namespace: shop}
                spec:
                  types: [Egress]
                  egress: [{action: Allow, destination: {services: {name: db}}}]
                """,
            """
            [{"from":"shop/client","to":"198.51.100.7","port":5432,"protocol":"TCP"},
             {"from":"shop/client","to":"198.51.100.7","port":5433,"protocol":"TCP"},
             {"from":"shop/client","to":"198.51.100.7","port":5432,"protocol":"UDP"},
             {"from":"shop/client","to":"198.51.100.8","port":5432,"protocol":"TCP"}]
            """,
            "--engine",
            engine,
            "-o",
            "json");

    assertThat(run.err).isEmpty();
    assertThat(run.json().get(0).path("verdict").asText()).isEqualTo("allow");
    assertThat(run.json().get(1).path("verdict").asText()).isEqualTo("deny");
    assertThat(run.json().get(2).path("verdict").asText()).isEqualTo("deny");
    assertThat(run.json().get(3).path("verdict").asText()).isEqualTo("deny");
  }

  @Test
  void a_table_of_a_hundred_columns_is_the_default() throws IOException {
    Run run =
        eval(
            PODS,
            """
            [{"from":"shop/client","to":"shop/web","port":80,"protocol":"TCP"},
             {"from":"shop/client","to":"shop/web","port":81,"protocol":"UDP"},
             {"from":"shop/client","to":"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff","protocol":"ICMP"}]
            """);

    assertThat(run.out.lines())
        .startsWith(
            "FROM         TO                      WHAT    VERDICT  DECIDED BY",
            "shop/client  shop/web                80/TCP  allow    kns.shop / shop/web#0",
            "shop/client  shop/web                81/UDP  deny     ingress end of tier default")
        .allMatch(line -> line.startsWith("error: ") || line.length() <= 100)
        .anyMatch(line -> line.startsWith("error: shop/client (10.0.0.2) and 2001:db8:ffff:"));
  }

  @Test
  void what_a_probe_expects_decides_the_exit_code() throws IOException {
    String probe = "{\"from\":\"shop/client\",\"to\":\"shop/web\",\"port\":%d,\"expect\":\"%s\"}";

    assertThat(eval(PODS, "[" + probe.formatted(80, "allow") + "]").code).isEqualTo(ExitCodes.OK);
    Run wrong = eval(PODS, "[" + probe.formatted(81, "allow") + "]");
    assertThat(wrong.code).isEqualTo(ExitCodes.FAILED);
    assertThat(wrong.out).contains("deny!").contains("not allow: ingress");
    assertThat(
            eval(
                    PODS,
                    "[{\"from\":\"shop/no\",\"to\":\"shop/web\",\"port\":1,\"expect\":\"deny\"}]")
                .code)
        .isEqualTo(ExitCodes.FAILED);
  }

  @Test
  void a_probe_that_was_an_answer_before_says_nothing_of_then() throws IOException {
    Run run =
        eval(
            PODS,
            """
            [{"from":"shop/no","to":"shop/web","port":80,"expect":"allow",
              "verdict":"allow","egress":null,"ingress":null},
             {"from":"shop/client","to":"shop/web","port":80,"error":"there is no pod shop/no"}]
            """,
            "-o",
            "json");

    assertThat(run.code).isEqualTo(ExitCodes.FAILED);
    assertThat(run.json().get(0).properties())
        .extracting(Map.Entry::getKey)
        .containsExactly("from", "to", "port", "expect", "error");
    assertThat(run.json().get(1).has("error")).isFalse();
  }

  @Test
  void what_is_expected_is_a_verdict() throws IOException {
    Run run =
        eval(
            PODS,
            "[{\"from\":\"shop/client\",\"to\":\"shop/web\",\"port\":80,\"expect\":\"allowed\"}]",
            "-o",
            "json");

    assertThat(run.code).isEqualTo(ExitCodes.FAILED);
    assertThat(run.json().findValuesAsText("error"))
        .containsExactly("expect \"allowed\" is neither allow nor deny");
  }

  @Test
  void a_probe_that_can_not_be_answered_says_why_and_costs_no_other_its_answer()
      throws IOException {
    Run run =
        eval(
            PODS,
            """
            [{"from":"shop/nobody","to":"shop/web","port":80,"protocol":"TCP"},
             {"from":"shop","to":"shop/web","port":80,"protocol":"TCP"},
             {"from":"shop/client","to":"shop/web","protocol":"TCP"},
             {"from":"shop/client","to":"shop/web","port":70000,"protocol":"TCP"},
             {"from":"shop/client","to":"shop/web","port":80,"protocol":"FTP"},
             {"from":"shop/client","to":"fd00::1","port":80,"protocol":"TCP"},
             7,
             {"from":"shop/client","to":"shop/web","port":80,"protocol":"tcp"}]
            """,
            "-o",
            "json");

    assertThat(run.code).isEqualTo(ExitCodes.OK);
    assertThat(run.json().findValuesAsText("error"))
        .containsExactly(
            "there is no pod shop/nobody",
            "\"shop\" is neither namespace/pod nor an IP address",
            "port is required: a number of 0..65535",
            "port 70000 is not in 0..65535",
            "protocol \"FTP\" is not TCP, UDP, SCTP, ICMP or a number of 1..255",
            "shop/client (10.0.0.2) and fd00::1 (fd00::1) have no addresses of the same family",
            "a probe is an object with from, to, port and protocol");
    assertThat(run.json().get(7).path("verdict").asText()).isEqualTo("allow");
  }

  @Test
  void wrong_documents_are_warned_of_and_open_nothing() throws IOException {
    Run run =
        eval(
            PODS
                + """
                ---
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: broken, namespace: shop}
                spec: {podSelector: {}, ingress: [{from: [{}]}]}
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: web, namespace: shop}
                ---
                - nonsense
                """,
            "[{\"from\":\"shop/web\",\"to\":\"shop/client\",\"port\":80}]",
            "-o",
            "json");

    assertThat(run.code).isEqualTo(ExitCodes.OK);
    assertThat(run.json().get(0).path("egress").path("policy").asText()).isEqualTo("shop/broken");
    assertThat(run.json().get(0).path("verdict").asText()).isEqualTo("deny");
    assertThat(run.err.lines())
        .anyMatch(line -> line.contains("spec.ingress[0].from[0] needs podSelector"))
        .anyMatch(line -> line.contains("Service of v1 has no say about packets"))
        .anyMatch(line -> line.contains("expected an object with apiVersion and kind"));
  }

  @Test
  void warnings_say_which_of_many_documents_and_what_comes_of_valid_ones() throws IOException {
    Run run =
        eval(
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicyList
            items:
            - metadata: {name: bare, namespace: shop}
              spec: {podSelector: {matchLabels: {app: web}}}
            - metadata: {name: broken, namespace: shop}
              spec: {podSelector: {matchLabels: {app: x}}, ingress: [{from: [{}]}]}
            ---
            apiVersion: projectcalico.org/v3
            kind: NetworkPolicy
            metadata: {name: misspelt, namespace: shop}
            spec: {selector: app == 'y', ingress: [{action: Allow, sorce: {selector: all()}}]}
            ---
            apiVersion: projectcalico.org/v3
            kind: NetworkPolicy
            metadata: {name: gone.p, namespace: shop}
            spec: {tier: gone, selector: app == 'y'}
            ---
            """
                + PODS,
            "[{\"from\":\"1.1.1.1\",\"to\":\"shop/web\",\"port\":81}]",
            "-o",
            "json");

    assertThat(run.json().get(0).path("verdict").asText()).isEqualTo("deny");
    assertThat(run.err.lines())
        .map(line -> line.replace(folder + "/", ""))
        .containsExactly(
            "margay: r.yaml: document 1: items[1]: NetworkPolicy shop/broken would be refused:"
                + " spec.ingress[0].from[0] needs podSelector, namespaceSelector or ipBlock",
            "margay: NetworkPolicy(shop/gone.p): tier \"gone\" does not exist; the policy denies"
                + " everything it selects until the tier is created",
            "margay: NetworkPolicy(shop/misspelt): ingress rule 0: sorce can't be matched by this"
                + " version; the rule matches nothing");
  }

  @Test
  void labels_without_a_value_and_ports_that_are_none_stop_nobody() throws IOException {
    Run run =
        eval(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: web, namespace: shop, labels: {app: null}}
            spec: {containers: [{name: c, ports: [{name: http, containerPort: -1}]}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: client, namespace: shop, labels: {app: x}}
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: null}}
              ingress: [{ports: [{port: http}]}, {ports: [{port: 80}]}]
            """,
            """
            [{"from":"shop/client","to":"shop/web","port":80},
             {"from":"shop/client","to":"shop/web","port":81},
             {"from":"shop/web","to":"shop/client","port":81}]
            """,
            "-o",
            "json");

    assertThat(run.json().findValuesAsText("verdict"))
        .containsExactly(
            "allow", "allow", "allow", "deny", "allow", "deny", "allow", "allow", "allow");
    assertThat(run.err).contains("containerPort -1 is not in 1..65535");
  }

  @Test
  void administrators_policies_of_equal_priority_are_warned_of() throws IOException {
    String policy =
        """
        ---
        apiVersion: policy.networking.k8s.io/v1alpha2
        kind: ClusterNetworkPolicy
        metadata: {name: %s}
        spec:
          tier: %s
          priority: %d
          subject: {namespaces: {}}
          ingress: [{action: Deny, from: [{namespaces: {}}]}]
        """;
    String alike = policy.formatted("b", "Admin", 7) + policy.formatted("a", "Admin", 7);
    String apart = policy.formatted("c", "Admin", 8) + policy.formatted("d", "Baseline", 7);

    assertThat(eval(PODS + alike + apart, "[]").err)
        .isEqualTo(
            "margay: ClusterNetworkPolicy a, ClusterNetworkPolicy b: of equal priority;"
                + " they are asked in this order\n");
    assertThat(eval(PODS + apart, "[]").err).isEmpty();
  }

  @Test
  void pods_without_an_address_get_one_of_nobodys() throws IOException {
    Run run = run(WORLD + "\n", "policy", "eval", "--stream");

    assertThat(run.json().get(0).path("verdict").asText()).isEqualTo("allow");
    assertThat(run.json().get(0).path("id").asInt()).isEqualTo(7);
  }

  @Test
  void a_stream_answers_line_by_line_whatever_the_lines_are() {
    Run run =
        run(
            "\uFEFF" + WORLD + "\nnot json\n\n{\"resources\":{}}\n" + WORLD + "\r\n" + WORLD,
            "policy",
            "eval",
            "--stream");

    List<String> lines = run.out.lines().toList();
    assertThat(run.code).isEqualTo(ExitCodes.OK);
    assertThat(lines).hasSize(6);
    assertThat(lines.get(0)).startsWith("[{").contains("\"verdict\":\"allow\"");
    assertThat(lines.get(1)).startsWith("{\"error\":\"the line is not JSON");
    assertThat(lines.get(2)).startsWith("{\"error\":");
    assertThat(lines.get(3)).startsWith("{\"error\":\"expected {");
    assertThat(lines.get(4)).isEqualTo(lines.get(0));
    assertThat(lines.get(5)).isEqualTo(lines.get(0));
  }

  @Test
  void two_worlds_on_a_line_are_an_error_and_warnings_have_their_line() {
    String policy =
        """
        {"apiVersion":"policy.networking.k8s.io/v1alpha2","kind":"ClusterNetworkPolicy",
         "metadata":{"name":"%s"},"spec":{"tier":"Admin","priority":7,"subject":{"namespaces":{}},
         "ingress":[{"action":"Deny","from":[{"namespaces":{}}]}]}}"""
            .replace("\n", "");
    Run run =
        run(
            WORLD
                + WORLD
                + "\n{\"resources\":["
                + policy.formatted("a")
                + ","
                + policy.formatted("b")
                + "],\"probes\":[]}\n",
            "policy",
            "eval",
            "--stream");

    assertThat(run.out.lines())
        .containsExactly("{\"error\":\"the line has more than one JSON value\"}", "[]");
    assertThat(run.err)
        .isEqualTo(
            "line 2: ClusterNetworkPolicy a, ClusterNetworkPolicy b: of equal priority; they are"
                + " asked in this order\n");
  }

  @Test
  void a_line_too_long_is_answered_with_an_error() throws IOException {
    StringWriter out = new StringWriter();
    PrintWriter err = new PrintWriter(new StringWriter());
    new EvalStream(
            Engine.Choice.rules,
            new StringReader("x".repeat(200_000) + "\n{}\n"),
            new PrintWriter(out),
            err,
            1_000)
        .run();

    assertThat(out.toString().lines())
        .containsExactly(
            "{\"error\":\"the line is longer than 1000 characters\"}",
            "{\"error\":\"expected {\\\"resources\\\":[documents],\\\"probes\\\":[probes]}\"}");
  }

  @Test
  void unusable_command_lines_and_files_are_told_in_one_line() throws IOException {
    assertThat(run("", "policy", "eval").code).isEqualTo(ExitCodes.USAGE);
    assertThat(run("", "policy", "eval", "--stream", "--probes", "x").code)
        .isEqualTo(ExitCodes.USAGE);
    Run missing =
        run("", "policy", "eval", "--resources", "/no/such.yaml", "--probes", "/no/such.json");
    assertThat(missing.code).isEqualTo(ExitCodes.USAGE);
    assertThat(missing.err).isEqualTo("margay: /no/such.yaml: can't be read: no such file\n");
    Run broken = eval(PODS, "[{\"from\":");
    assertThat(broken.code).isEqualTo(ExitCodes.USAGE);
    assertThat(broken.err).contains("p.json: line 1");
  }

  @Test
  void rendered_are_the_tables_of_one_node() throws IOException {
    String resources = file("r.yaml", PODS.replace("#node#", "nodeName: n1"));
    Run run = run("", "policy", "render", "--resources", resources, "--node", "n1");

    assertThat(run.code).isEqualTo(ExitCodes.OK);
    assertThat(run.err).isEmpty();
    assertThat(run.out.lines())
        .contains("table ip margay {", "table ip6 margay {")
        .anyMatch(line -> line.contains("\"cali551b05c3e54\" : jump e-cali551b05c3e54"))
        .anyMatch(line -> line.contains("comment \"policy|shop/knp.default.web|ingress|0\""));
    assertThat(run.out).contains("10.0.0.2").doesNotContain("calie");
    Run other = run("", "policy", "render", "--resources", resources, "--node", "n2");
    assertThat(other.out).doesNotContain("cali551b05c3e54");
    assertThat(other.err).contains("no pod is on node n2");
  }
}
