package io.margay.ipam;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.net.Prefix;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Calico's text of a block: same fields, same order, and whatever else was there.
final class BlockJson {

  private static final String CLAIM_TIME = "affinity_claim_time";
  private static final Set<String> KNOWN =
      Set.of(
          "cidr",
          "affinity",
          "allocations",
          "unallocated",
          "attributes",
          "sequenceNumber",
          "sequenceNumberForAllocation",
          "deleted",
          "hostAffinity");
  private static final String HANDLE_ID = "handle_id";
  private static final String SECONDARY = "secondary";
  private static final Set<String> KNOWN_ATTRIBUTE = Set.of(HANDLE_ID, SECONDARY, "releasedAt");

  private BlockJson() {}

  /// The fields of a block without those that say since when it has its affinity.
  static Map<String, JsonNode> unclaimed(Map<String, JsonNode> fields) {
    Map<String, JsonNode> rest = new LinkedHashMap<>(fields);
    rest.remove(CLAIM_TIME);
    return rest;
  }

  /// The fields of a block that has its affinity since now. Kept among the unknown ones, as read.
  static Map<String, JsonNode> claimedAt(Map<String, JsonNode> fields, Instant now) {
    Map<String, JsonNode> claimed = unclaimed(fields);
    claimed.put(
        CLAIM_TIME,
        JsonNodeFactory.instance.textNode(now.truncatedTo(ChronoUnit.SECONDS).toString()));
    return claimed;
  }

  static Optional<Instant> claimedAt(Map<String, JsonNode> fields) {
    JsonNode since = fields.get(CLAIM_TIME);
    if (since == null || !since.isTextual()) {
      return Optional.empty();
    }
    try {
      return Optional.of(OffsetDateTime.parse(since.asText()).toInstant());
    } catch (DateTimeException notATime) {
      return Optional.empty();
    }
  }

  static Block read(String key, String json) {
    ObjectNode document = Documents.readObject(json, key);
    try {
      int[] allocations = allocations(document.path("allocations"));
      return new Block(
          Prefix.parse(document.path("cidr").asText()),
          affinity(document),
          allocations,
          queue(document.path("unallocated"), allocations),
          attributes(document.path("attributes")),
          document.path("sequenceNumber").asLong(),
          sequenceNumbers(document.path("sequenceNumberForAllocation")),
          document.path("deleted").asBoolean(false),
          Documents.unknownFields(document, KNOWN));
    } catch (IllegalArgumentException | DateTimeException wrong) {
      throw new IllegalArgumentException(key + " is not a block: " + wrong.getMessage(), wrong);
    }
  }

  private static Optional<String> affinity(ObjectNode document) {
    if (document.path("affinity").isTextual()) {
      return Optional.of(document.path("affinity").asText());
    }
    // Before there were other kinds, the field held the bare node name.
    return document.path("hostAffinity").isTextual()
        ? Optional.of(Block.hostAffinity(document.path("hostAffinity").asText()))
        : Optional.empty();
  }

  private static int[] allocations(JsonNode array) {
    int[] allocations = new int[array.size()];
    for (int ordinal = 0; ordinal < allocations.length; ordinal++) {
      JsonNode index = array.get(ordinal);
      allocations[ordinal] = index.isNull() ? -1 : index.asInt();
    }
    return allocations;
  }

  /// The free ordinals in their order. Who holds what is for `allocations` alone to say: a held
  /// ordinal that the queue calls free would be given twice, and a free one that it lacks never
  /// again. So the one is left out and the other comes last, and the next write mends the document.
  private static List<Integer> queue(JsonNode array, int[] allocations) {
    Set<Integer> queue = new LinkedHashSet<>();
    for (JsonNode item : array) {
      int ordinal = item.asInt(-1);
      if (ordinal >= 0 && ordinal < allocations.length && allocations[ordinal] < 0) {
        queue.add(ordinal);
      }
    }
    for (int ordinal = 0; ordinal < allocations.length; ordinal++) {
      if (allocations[ordinal] < 0) {
        queue.add(ordinal);
      }
    }
    return List.copyOf(queue);
  }

  private static List<Block.Attribute> attributes(JsonNode array) {
    List<Block.Attribute> attributes = new ArrayList<>(array.size());
    for (JsonNode item : array) {
      SortedMap<String, String> secondary = new TreeMap<>();
      item.path(SECONDARY)
          .properties()
          .forEach(field -> secondary.put(field.getKey(), field.getValue().asText()));
      Map<String, JsonNode> unknown = Documents.unknownFields(item, KNOWN_ATTRIBUTE);
      keepNothing(item, HANDLE_ID, unknown);
      keepNothing(item, SECONDARY, unknown);
      attributes.add(
          new Block.Attribute(
              item.path(HANDLE_ID).isTextual()
                  ? Optional.of(item.path(HANDLE_ID).asText())
                  : Optional.empty(),
              secondary,
              item.path("releasedAt").isTextual()
                  ? Optional.of(OffsetDateTime.parse(item.path("releasedAt").asText()).toInstant())
                  : Optional.empty(),
              unknown));
    }
    return attributes;
  }

  /// Up to v3.32 Calico writes `null` or `{}` where later versions leave the field out. What was
  /// read is written back, since Go's empty map is not its absent one when attributes are compared.
  private static void keepNothing(JsonNode item, String field, Map<String, JsonNode> unknown) {
    JsonNode value = item.path(field);
    if (value.isNull() || value.isObject() && value.isEmpty()) {
      unknown.put(field, value);
    }
  }

  private static SortedMap<Integer, Long> sequenceNumbers(JsonNode object) {
    SortedMap<Integer, Long> numbers = new TreeMap<>();
    for (Map.Entry<String, JsonNode> field : object.properties()) {
      numbers.put(Integer.parseInt(field.getKey()), field.getValue().asLong());
    }
    return numbers;
  }

  static String write(Block block) {
    ObjectNode document = Documents.JSON.createObjectNode();
    document.put("cidr", block.cidr().toString());
    document.put("affinity", block.affinity().orElse(null));
    Map<String, JsonNode> unknown = new LinkedHashMap<>(block.unknown());
    setIfThere(document, CLAIM_TIME, unknown.remove(CLAIM_TIME));
    ArrayNode allocations = document.putArray("allocations");
    for (int index : block.allocations()) {
      if (index < 0) {
        allocations.addNull();
      } else {
        allocations.add(index);
      }
    }
    ArrayNode unallocated = document.putArray("unallocated");
    block.unallocated().forEach(unallocated::add);
    ArrayNode attributes = document.putArray("attributes");
    block.attributes().forEach(attribute -> writeAttribute(attributes.addObject(), attribute));
    document.put("sequenceNumber", block.sequenceNumber());
    ObjectNode numbers = document.putObject("sequenceNumberForAllocation");
    // Go writes map keys in text order.
    Map<String, Long> byText = new TreeMap<>();
    block
        .sequenceNumbers()
        .forEach((ordinal, number) -> byText.put(Integer.toString(ordinal), number));
    byText.forEach(numbers::put);
    document.put("deleted", block.deleted());
    document.setAll(unknown);
    return Documents.write(document);
  }

  private static void writeAttribute(ObjectNode item, Block.Attribute attribute) {
    Map<String, JsonNode> unknown = new LinkedHashMap<>(attribute.unknown());
    setIfThere(item, HANDLE_ID, unknown.remove(HANDLE_ID));
    attribute.handleId().ifPresent(id -> item.put(HANDLE_ID, id));
    setIfThere(item, SECONDARY, unknown.remove(SECONDARY));
    if (!attribute.secondary().isEmpty()) {
      ObjectNode secondary = item.putObject(SECONDARY);
      attribute.secondary().forEach(secondary::put);
    }
    item.setAll(unknown);
    attribute.releasedAt().ifPresent(when -> item.put("releasedAt", when.toString()));
  }

  private static void setIfThere(ObjectNode item, String field, @Nullable JsonNode value) {
    if (value != null) {
      item.set(field, value);
    }
  }
}
