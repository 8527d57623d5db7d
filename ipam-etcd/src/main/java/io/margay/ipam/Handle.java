package io.margay.ipam;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.net.Prefix;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// How many addresses one holder has in which blocks: the index from holder to blocks.
///
/// @param id the holder: `<network>.<containerID>` for a pod
/// @param countByBlock at least 1 each
/// @param deleted a mark Calico uses where its store has no conditional delete; always false in
///   etcd
/// @param unknown fields of later versions, kept as they are
public record Handle(
    String id, Map<Prefix, Integer> countByBlock, boolean deleted, Map<String, JsonNode> unknown) {

  private static final Set<String> KNOWN = Set.of("block", "deleted");

  public Handle {
    countByBlock = Collections.unmodifiableMap(new TreeMap<>(countByBlock));
  }

  static Handle empty(String id) {
    return new Handle(id, Map.of(), false, Map.of());
  }

  /// @throws IllegalArgumentException naming the handle, when the document can't be read
  public static Handle parse(String id, String json) {
    ObjectNode document = Documents.readObject(json, "handle " + id);
    Map<Prefix, Integer> counts = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : document.path("block").properties()) {
      counts.put(Prefix.parse(entry.getKey()), entry.getValue().asInt());
    }
    return new Handle(
        id,
        counts,
        document.path("deleted").asBoolean(false),
        Documents.unknownFields(document, KNOWN));
  }

  /// This handle with `delta` more (or fewer) addresses in `block`.
  public Handle adjusted(Prefix block, int delta) {
    Map<Prefix, Integer> counts = new TreeMap<>(countByBlock);
    int count = counts.getOrDefault(block, 0) + delta;
    if (count > 0) {
      counts.put(block, count);
    } else {
      counts.remove(block);
    }
    return new Handle(id, counts, deleted, unknown);
  }

  public boolean isEmpty() {
    return countByBlock.isEmpty();
  }

  public String toJson() {
    ObjectNode document = Documents.JSON.createObjectNode();
    ObjectNode counts = document.putObject("block");
    // Go writes map keys in text order.
    Map<String, Integer> byText = new TreeMap<>();
    countByBlock.forEach((block, count) -> byText.put(block.toString(), count));
    byText.forEach(counts::put);
    document.put("deleted", deleted);
    document.setAll(new LinkedHashMap<>(unknown));
    return Documents.write(document);
  }
}
