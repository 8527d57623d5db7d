package io.margay.cli.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cli.TextTable;
import java.util.ArrayList;
import java.util.List;

/// Answers for a terminal, 100 columns wide: what is longer is cut; JSON has all of it.
final class AnswerTable {

  private static final int MAX_END = 22;
  private static final int MAX_WHAT = 11;
  private static final int MAX_REASON = 30;

  private AnswerTable() {}

  static String of(JsonNode answers) {
    TextTable table = new TextTable("FROM", "TO", "WHAT", "VERDICT", "DECIDED BY");
    for (JsonNode answer : answers) {
      table.row(
          cut(answer.path("from").asText(), MAX_END),
          cut(answer.path("to").asText(), MAX_END),
          cut(what(answer), MAX_WHAT),
          verdict(answer),
          cut(reason(answer), MAX_REASON));
    }
    StringBuilder text = new StringBuilder(table.toString());
    for (JsonNode answer : answers) {
      if (answer.has("error")) {
        text.append("error: ").append(answer.path("error").asText()).append('\n');
      }
    }
    return text.toString();
  }

  private static String what(JsonNode answer) {
    String protocol = answer.path("protocol").asText("TCP");
    if (answer.hasNonNull("port")) {
      return answer.path("port").asText() + "/" + protocol;
    }
    JsonNode type = answer.path("icmp").path("type");
    return type.isMissingNode() ? protocol : protocol + " " + type.asText();
  }

  private static String verdict(JsonNode answer) {
    String verdict = answer.path("verdict").asText("error");
    return Answers.isUnexpected(answer) ? verdict + "!" : verdict;
  }

  /// Of a denied packet the ends that deny it, else egress and ingress.
  private static String reason(JsonNode answer) {
    if (answer.has("error")) {
      return answer.path("error").asText();
    }
    boolean denied = answer.path("verdict").asText().equals("deny");
    List<String> sides = new ArrayList<>();
    for (String side : List.of("egress", "ingress")) {
      JsonNode judgement = answer.path(side);
      if (!denied) {
        sides.add(judgement.isObject() ? decider(judgement) : "-");
      } else if (judgement.path("verdict").asText().equals("deny")) {
        sides.add(side + " " + decider(judgement));
      }
    }
    String text = String.join(" / ", sides);
    return Answers.isUnexpected(answer)
        ? "not " + answer.path(Answers.EXPECT).asText() + ": " + text
        : text;
  }

  private static String decider(JsonNode judgement) {
    String rule = judgement.path("rule").asText();
    return switch (rule) {
      case Answers.END_OF_TIER -> "end of tier " + judgement.path("tier").asText();
      case Answers.PROFILE -> judgement.path("policy").asText("no profile");
      default ->
          judgement.hasNonNull("policy") ? judgement.path("policy").asText() + "#" + rule : rule;
    };
  }

  private static String cut(String text, int most) {
    return text.length() <= most ? text : text.substring(0, most - 1) + "…";
  }
}
