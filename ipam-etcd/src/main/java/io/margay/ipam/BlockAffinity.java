package io.margay.ipam;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// A node's claim to a block.
///
/// @param deleted a mark Calico uses where its store has no conditional delete; always false in
///   etcd
/// @param unknown fields of later versions, kept as they are
public record BlockAffinity(State state, boolean deleted, Map<String, JsonNode> unknown) {

  /// How far a claim has come. Only a confirmed one is announced.
  public enum State {
    /// Wanted; the block may not exist yet.
    PENDING("pending"),
    /// The block exists and is the node's.
    CONFIRMED("confirmed"),
    /// Being given back; nothing new may be taken from the block.
    PENDING_DELETION("pendingDeletion");

    private final String text;

    State(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  private static final Set<String> KNOWN = Set.of("state", "deleted");

  /// A good claim.
  public static final BlockAffinity CONFIRMED = new BlockAffinity(State.CONFIRMED, false, Map.of());

  /// @throws IllegalArgumentException naming the key, when the document can't be read
  public static BlockAffinity parse(String key, String json) {
    // Versions before there were states wrote an empty value once the claim was good.
    if (json.isEmpty()) {
      return CONFIRMED;
    }
    ObjectNode document = Documents.readObject(json, key);
    String state = document.path("state").asText("");
    return new BlockAffinity(
        switch (state) {
          case "", "confirmed" -> State.CONFIRMED;
          case "pending" -> State.PENDING;
          case "pendingDeletion" -> State.PENDING_DELETION;
          default ->
              throw new IllegalArgumentException(
                  key + ": state \"" + state + "\" is not pending, confirmed or pendingDeletion");
        },
        document.path("deleted").asBoolean(false),
        Documents.unknownFields(document, KNOWN));
  }

  public BlockAffinity with(State next) {
    return new BlockAffinity(next, deleted, unknown);
  }

  public String toJson() {
    ObjectNode document = Documents.JSON.createObjectNode();
    document.put("state", state.text());
    document.put("deleted", deleted);
    document.setAll(new LinkedHashMap<>(unknown));
    return Documents.write(document);
  }
}
