package io.margay.cli.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.agent.explain.Judgement;
import io.margay.agent.explain.Reason;
import io.margay.model.resource.PolicyType;
import io.margay.policy.PolicyKey;
import java.util.List;
import java.util.Set;

/// Probes with their answers, as JSON.
final class Answers {

  /// What a probe may say of the verdict it wants.
  static final String EXPECT = "expect";

  private static final Set<String> VERDICTS = Set.of(word(true), word(false));

  /// Of a side that a host endpoint polices, its name.
  static final String HOST_ENDPOINT = "hostEndpoint";

  private static final String VERDICT = "verdict";
  private static final String EGRESS = "egress";
  private static final String INGRESS = "ingress";
  static final String ERROR = "error";

  /// What an answer says. A probe may be an answer of before.
  private static final List<String> ANSWERED = List.of(VERDICT, EGRESS, INGRESS, ERROR);

  static final String END_OF_TIER = "end-of-tier";
  static final String PROFILE = "profile";

  private final Evaluation evaluation;

  Answers(Evaluation evaluation) {
    this.evaluation = evaluation;
  }

  /// The same array, each probe with its answer.
  ArrayNode answer(JsonNode probes) {
    ArrayNode answers = JsonNodeFactory.instance.arrayNode();
    for (JsonNode probe : probes) {
      ObjectNode answer =
          probe instanceof ObjectNode object
              ? object.deepCopy().remove(ANSWERED)
              : JsonNodeFactory.instance.objectNode();
      try {
        checkExpectation(probe);
        Probe read = Probe.read(probe);
        Evaluation.Path path = evaluation.decide(read);
        answer.put(VERDICT, word(path.isAllowed()));
        answer.set(EGRESS, side(path.egress(), PolicyType.EGRESS));
        answer.set(INGRESS, side(path.ingress(), PolicyType.INGRESS));
      } catch (ProbeException unanswerable) {
        answer.put(ERROR, unanswerable.getMessage());
      }
      answers.add(answer);
    }
    return answers;
  }

  private static void checkExpectation(JsonNode probe) throws ProbeException {
    JsonNode expected = probe.path(EXPECT);
    if (probe.hasNonNull(EXPECT) && !VERDICTS.contains(expected.asText())) {
      throw new ProbeException(EXPECT + " " + expected + " is neither allow nor deny");
    }
  }

  private static String word(boolean isAllowed) {
    return isAllowed ? "allow" : "deny";
  }

  /// Whether the probe wanted another verdict, or a verdict at all.
  static boolean isUnexpected(JsonNode answer) {
    return answer.hasNonNull(EXPECT)
        && !answer.path(EXPECT).asText().equals(answer.path(VERDICT).asText(""));
  }

  private JsonNode side(Evaluation.Side said, PolicyType direction) {
    Judgement judgement = said.judgement();
    if (judgement == null) {
      return JsonNodeFactory.instance.nullNode();
    }
    ObjectNode side = JsonNodeFactory.instance.objectNode();
    side.put(VERDICT, word(judgement.isAllowed()));
    if (said.host() != null) {
      side.put(HOST_ENDPOINT, said.host().endpoint());
    }
    switch (judgement.reason()) {
      case Reason.PolicyRule(String tier, PolicyKey policy, int rule) -> {
        WrittenPolicy written = evaluation.world().written().get(policy);
        side.put("tier", tier);
        side.put("kind", written == null ? policy.kind() : written.kind());
        side.put("policy", written == null ? policy.toString() : written.name());
        side.put("rule", written == null ? rule : written.rule(direction, rule));
      }
      case Reason.EndOfTier(String tier) ->
          side.put("tier", tier).putNull("kind").putNull("policy").put("rule", END_OF_TIER);
      case Reason.Profile(String name) ->
          side.putNull("tier")
              .put("kind", name == null ? null : "Profile")
              .put("policy", name)
              .put("rule", PROFILE);
      case Reason.BesidePolicy(String rule) ->
          side.putNull("tier").putNull("kind").putNull("policy").put("rule", rule);
    }
    return side;
  }
}
