package io.margay.cli.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Peers of administrators' policies that say nothing known, or too much: their API has an
/// implementation that meets one fail closed, rule by rule. What is left of them here is `{}`.
final class UnknownPeers {

  private static final Set<String> SOURCES = Set.of("namespaces", "pods");
  private static final Set<String> DESTINATIONS =
      Set.of("namespaces", "pods", "networks", "nodes", "domainNames");

  private UnknownPeers() {}

  /// A copy of a policy's document with its unknown peers emptied.
  static JsonNode emptied(JsonNode document) {
    JsonNode copy = document.deepCopy();
    rules(copy.path("spec").path("ingress"), "from", SOURCES);
    rules(copy.path("spec").path("egress"), "to", DESTINATIONS);
    return copy;
  }

  private static void rules(JsonNode rules, String field, Set<String> known) {
    for (JsonNode rule : rules) {
      if (!(rule instanceof ObjectNode object)) {
        continue;
      }
      JsonNode peers = object.path(field);
      if (peers.isMissingNode() || peers.isNull() || peers.isArray() && peers.isEmpty()) {
        object.putArray(field).addObject();
      } else if (peers instanceof ArrayNode list) {
        boolean accepts = !Set.of("Deny", "Pass").contains(object.path("action").asText());
        for (int i = 0; i < list.size(); i++) {
          if (list.get(i) instanceof ObjectNode peer && !isKnown(peer, known, accepts)) {
            peer.removeAll();
          }
        }
      }
    }
  }

  private static boolean isKnown(ObjectNode peer, Set<String> known, boolean accepts) {
    List<String> fields = new ArrayList<>();
    peer.fieldNames().forEachRemaining(fields::add);
    return fields.size() == 1
        && known.contains(fields.getFirst())
        && !peer.path(fields.getFirst()).isNull()
        // Names are for accepting only: what they do not resolve to yet must not get through.
        && (accepts || !fields.getFirst().equals("domainNames"));
  }
}
