package io.margay.cli.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.policy.oracle.Flow;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The answer of `margay why drop` for people.
final class WhyDropText {

  private final Evaluation evaluation;
  private final JsonNode answer;
  private final Flow flow;

  WhyDropText(Evaluation evaluation, JsonNode answer, Flow flow) {
    this.evaluation = evaluation;
    this.answer = answer;
    this.flow = flow;
  }

  void print(PrintWriter out, List<String> path, LiveTrace.@Nullable Seen seen) {
    boolean allowed = answer.path("verdict").asText().equals("allow");
    out.println(
        end("from", flow.source().toString())
            + " to "
            + end("to", flow.destination().toString())
            + ", "
            + packet()
            + ": "
            + (allowed ? "policy allows it" : "policy DENIES it"));
    side(out, "egress", "from");
    side(out, "ingress", "to");
    path.forEach(step -> out.println("    " + step));
    if (seen != null) {
      seen.print(out);
    } else if (allowed) {
      out.println(
          "If it is dropped all the same, run this on the pods' nodes with --live SECONDS while it"
              + " is sent.");
    }
  }

  private String packet() {
    String protocol = answer.path("protocol").asText().toLowerCase(Locale.ROOT);
    return answer.hasNonNull("port") ? answer.path("port").asInt() + "/" + protocol : protocol;
  }

  private String end(String which, String address) {
    String text = answer.path(which).asText();
    return text.equals(address) ? text : text + " (" + address + ")";
  }

  private void side(PrintWriter out, String side, String which) {
    JsonNode judged = answer.path(side);
    String node = node(answer.path(which).asText());
    String host = judged.path(Answers.HOST_ENDPOINT).asText("");
    String where =
        "  "
            + side
            + (node.isEmpty() ? "" : " on " + node)
            + (host.isEmpty() ? "" : ", host endpoint " + host)
            + ": ";
    if (judged.isNull()) {
      out.println(where + "nobody's policy");
      return;
    }
    out.println(
        where
            + (judged.path("verdict").asText().equals("allow") ? "allowed" : "DENIED")
            + " by "
            + decider(judged));
  }

  private static String decider(JsonNode judged) {
    String tier = judged.path("tier").asText("");
    String kind = judged.path("kind").asText("");
    String policy = judged.path("policy").asText("");
    JsonNode rule = judged.path("rule");
    return switch (rule.asText("")) {
      case Answers.END_OF_TIER ->
          "the end of tier "
              + tier
              + ": policies select "
              + (judged.has(Answers.HOST_ENDPOINT) ? "it" : "the pod")
              + ", no rule matched";
      case Answers.PROFILE -> policy.isEmpty() ? "the profiles: none matched" : "profile " + policy;
      case String failsafe when failsafe.endsWith("|failsafe") -> "a failsafe port of the node";
      case String drop when drop.contains("|workload|") ->
          "defaultEndpointToHostAction: Drop of the node";
      case String number ->
          policy.isEmpty()
              ? "the node's own rule " + number
              : kind + " " + policy + ", rule " + number + ", in tier " + tier;
    };
  }

  private String node(String end) {
    try {
      return evaluation.node(end).orElse("");
    } catch (ProbeException unknown) {
      return "";
    }
  }
}
