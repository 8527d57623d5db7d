package io.margay.cli.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.margay.datastore.json.DocumentTrees;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Tables written by hand from the semantics, answered by both engines.
final class VerdictTablesTest {

  private static final List<String> FILES =
      List.of(
          "networkpolicy.yaml",
          "adminpolicies.yaml",
          "calico.yaml",
          "conflicts.yaml",
          "corners.yaml",
          "hostendpoints.yaml");

  static Stream<Arguments> cases() throws IOException {
    List<Arguments> cases = new ArrayList<>();
    for (String file : FILES) {
      for (JsonNode written : new YAMLMapper().readTree(text(file))) {
        for (Engine.Choice engine : Engine.Choice.values()) {
          cases.add(
              Arguments.of(
                  file,
                  written.path("case").asText(),
                  engine,
                  written.path("policies").asText(),
                  written.path("probes").asText()));
        }
      }
    }
    return cases.stream();
  }

  private static String text(String file) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(VerdictTablesTest.class.getResourceAsStream("/policy/" + file))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @ParameterizedTest(name = "{0}: {1} ({2})")
  @MethodSource("cases")
  void verdicts_are_as_the_table_has_them(
      String file, String name, Engine.Choice engine, String policies, String lines)
      throws IOException {
    World world =
        WorldReader.read(
            List.of(
                DocumentTrees.read("base.yaml", text("base.yaml")),
                DocumentTrees.read(file, policies)),
            PodReader.Wiring.ONE_NODE);
    List<String> expected = lines.lines().map(String::strip).toList();
    ArrayNode probes = JsonNodeFactory.instance.arrayNode();
    expected.forEach(line -> probes.add(probe(line)));

    ArrayNode answers = new Answers(new Evaluation(world, engine.of(world))).answer(probes);

    List<String> answered = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      String[] words = expected.get(i).split(" ");
      answered.add(String.join(" ", words[0], ">", words[2], words[3], answer(answers.get(i))));
    }
    assertThat(answered).as("%s; %s", name, world.warnings()).isEqualTo(expected);
  }

  /// `FROM > TO PORT/PROTOCOL`, `FROM > TO ICMP[:TYPE/CODE]` or `FROM > TO PROTOCOL-NUMBER`.
  private static ObjectNode probe(String line) {
    String[] words = line.split(" ");
    ObjectNode probe = JsonNodeFactory.instance.objectNode();
    probe.put("from", words[0]).put("to", words[2]);
    String what = words[3];
    if (what.startsWith("ICMP")) {
      probe.put("protocol", "ICMP");
      if (what.length() > 4) {
        String[] icmp = what.substring(5).split("/");
        probe
            .putObject("icmp")
            .put("type", Integer.parseInt(icmp[0]))
            .put("code", Integer.parseInt(icmp[1]));
      }
    } else if (what.indexOf('/') < 0) {
      probe.put("protocol", Integer.parseInt(what));
    } else {
      String[] port = what.split("/");
      probe.put("port", Integer.parseInt(port[0])).put("protocol", port[1]);
    }
    return probe;
  }

  private static String answer(JsonNode answer) {
    if (answer.has("error")) {
      return "error";
    }
    return answer.path("verdict").asText()
        + " : "
        + side(answer.path("egress"))
        + " | "
        + side(answer.path("ingress"));
  }

  private static String side(JsonNode side) {
    if (side.isNull()) {
      return "-";
    }
    String decider =
        switch (side.path("rule").asText()) {
          case "end-of-tier" -> side.path("tier").asText() + " end";
          case "profile" -> side.path("policy").asText("no profile");
          case String rule when side.path("policy").isNull() -> rule;
          case String rule ->
              side.path("kind").asText() + " " + side.path("policy").asText() + "#" + rule;
        };
    return side.has("hostEndpoint") ? decider + "@" + side.path("hostEndpoint").asText() : decider;
  }
}
