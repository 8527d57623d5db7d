package io.margay.ipam.care;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// A sign of life that each agent writes now and then under a key of its own. A node with such a
/// key has a Margay agent; one whose key keeps changing is alive. Whoever judges that compares
/// revisions under its own clock, so that clocks of different machines need not agree.
///
/// @param at the writer's time, for people and for who can look only once
public record AgentBeat(Instant at) {

  /// The folder of all agents' signs of life; the rest of the key is the node's name.
  public static final String PREFIX = "/margay/v1/agents/";

  /// How often an agent writes.
  public static final Duration INTERVAL = Duration.ofMinutes(1);

  /// How long after the last sign a node counts as alive.
  public static final Duration ALIVE = INTERVAL.multipliedBy(3);

  private static final JsonMapper JSON = JsonMapper.builder().build();

  /// Where a node's sign of life is.
  public static String key(String node) {
    return PREFIX + node;
  }

  /// The node whose sign of life a key holds; empty for any other key.
  static Optional<String> nodeOf(String key) {
    return key.startsWith(PREFIX) && key.indexOf('/', PREFIX.length()) < 0
        ? Optional.of(key.substring(PREFIX.length())).filter(node -> !node.isEmpty())
        : Optional.empty();
  }

  /// @throws IllegalArgumentException naming the key, when the document can't be read
  static AgentBeat parse(String key, String json) {
    try {
      JsonNode document = JSON.readTree(json);
      return new AgentBeat(Instant.parse(document.path("at").asText()));
    } catch (JsonProcessingException | DateTimeException wrong) {
      throw new IllegalArgumentException(key + " is no sign of life: " + wrong.getMessage(), wrong);
    }
  }

  /// The document to store.
  public String toJson() {
    ObjectNode document = JSON.createObjectNode();
    document.put("at", at.toString());
    return document.toString();
  }
}
