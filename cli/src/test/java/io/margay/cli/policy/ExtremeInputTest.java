package io.margay.cli.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/// Input at and beyond the limits: carried out exactly, or refused with one line that names the
/// field; and what is refused never opens anything.
final class ExtremeInputTest {

  static Stream<Arguments> worlds() {
    String fromSet = "\"source\":{\"selector\":\"k == 'v'\"}";
    return Stream.of(
        Arguments.of(
            "everything, with more in it",
            set("\"0.0.0.0/0\",\"10.0.0.0/8\",\"10.0.0.0/8\",\"::/0\"") + policy("p", fromSet),
            "allow",
            "allow",
            ""),
        Arguments.of(
            "ten thousand networks",
            set(join(10_000, i -> "\"10.%d.%d.0/24\"".formatted(i / 256, i % 256)))
                + policy("p", fromSet),
            "allow",
            "deny",
            ""),
        Arguments.of(
            "all but everything",
            policy("p", "\"source\":{\"notNets\":[\"0.0.0.0/0\"]}"),
            "deny",
            "deny",
            ""),
        Arguments.of(
            "networks twice and in each other",
            policy("p", "\"source\":{\"nets\":[\"10.1.0.0/16\",\"10.1.0.1/32\",\"10.1.0.0/16\"]}"),
            "allow",
            "deny",
            ""),
        Arguments.of(
            "a thousand ports",
            policy("p", "\"destination\":{\"ports\":[" + join(1_000, i -> "" + (80 + i)) + "]}"),
            "deny",
            "deny",
            "spec.ingress[0].destination.ports"),
        Arguments.of(
            "a thousand ports of a Kubernetes policy",
            """
            {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy",
             "metadata":{"name":"p","namespace":"d"},
             "spec":{"podSelector":{},"ingress":[{"ports":[%s]}]}},\
            """
                .formatted(join(1_000, i -> "{\"port\":" + (2_078 - 2 * i) + "}")),
            "allow",
            "allow",
            ""),
        Arguments.of(
            "a megabyte of selector",
            policy(
                "p",
                "\"source\":{\"selector\":\""
                    + IntStream.range(0, 60_000)
                        .mapToObj(i -> "app == 'x" + i + "'")
                        .collect(Collectors.joining(" || "))
                    + "\"}"),
            "deny",
            "deny",
            "spec.ingress[0].source.selector"),
        Arguments.of(
            "the longest name", policy("p".repeat(253), "\"source\":{}"), "allow", "allow", ""),
        Arguments.of(
            "a name too long", policy("p".repeat(254), "\"source\":{}"), "deny", "deny", "name"),
        Arguments.of(
            "ports the wrong way round",
            policy("p", "\"destination\":{\"ports\":[\"90:80\"]}"),
            "deny",
            "deny",
            "spec.ingress[0].destination.ports[0]"));
  }

  private static String join(int count, IntFunction<String> each) {
    return IntStream.range(0, count).mapToObj(each).collect(Collectors.joining(","));
  }

  private static String set(String nets) {
    return """
    {"apiVersion":"projectcalico.org/v3","kind":"GlobalNetworkSet",
     "metadata":{"name":"s","labels":{"k":"v"}},"spec":{"nets":[%s]}},\
    """
        .formatted(nets);
  }

  private static String policy(String name, String match) {
    return """
    {"apiVersion":"projectcalico.org/v3","kind":"GlobalNetworkPolicy","metadata":{"name":"%s"},
     "spec":{"selector":"app == 'b'","types":["Ingress"],"ingress":[{"action":"Allow","protocol":"TCP",%s}]}},\
    """
        .formatted(name, match);
  }

  private static String pod(String name, String address) {
    return """
    {"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s","namespace":"d","labels":{"app":"%s"}},
     "status":{"podIP":"%s"}}\
    """
        .formatted(name, name, address);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("worlds")
  void is_carried_out_or_refused_and_closed(
      String what, String documents, String fromPod, String fromWorld, String field)
      throws Exception {
    String line =
        """
        {"resources":[%s%s,%s],"probes":[
         {"from":"d/a","to":"d/b","port":80,"protocol":"TCP"},
         {"from":"9.9.9.9","to":"d/b","port":80,"protocol":"TCP"}]}\
        """
            .formatted(documents, pod("a", "10.1.0.1"), pod("b", "10.1.0.2"))
            .replace("\n", " ");
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine margay = new CommandLine(CommandLine.Model.CommandSpec.create().name("margay"));
    PolicyCommands.register(
        margay, new ByteArrayInputStream((line + "\n").getBytes(StandardCharsets.UTF_8)));
    margay.setOut(new PrintWriter(out, true));
    margay.setErr(new PrintWriter(err, true));
    assertThat(margay.execute("policy", "eval", "--stream")).isZero();
    JsonNode answers = new JsonMapper().readTree(out.toString());
    assertThat(answers.path(0).path("verdict").asText()).as(what).isEqualTo(fromPod);
    assertThat(answers.path(1).path("verdict").asText()).as(what).isEqualTo(fromWorld);
    if (field.isEmpty()) {
      assertThat(err.toString()).isEmpty();
    } else {
      assertThat(err.toString().lines()).hasSize(1);
      assertThat(err.toString()).contains(field);
    }
  }
}
