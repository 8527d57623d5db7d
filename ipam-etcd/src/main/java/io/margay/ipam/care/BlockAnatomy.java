package io.margay.ipam.care;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// A block's document taken apart without believing it: what in it contradicts itself, and the same
/// document put right. Nobody's address is freed by that, and no field that is not understood is
/// lost.
final class BlockAnatomy {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  /// Calico's limit on the size of a block, as host bits.
  private static final int MAX_HOST_BITS = 12;

  /// One contradiction.
  ///
  /// @param remedy what putting the document right does about it
  record Fault(FindingKind kind, String detail, String remedy) {}

  private final ObjectNode document;
  private final int size;
  private final List<Fault> faults = new ArrayList<>();
  private boolean isMendable = true;

  private BlockAnatomy(ObjectNode document, int size) {
    this.document = document;
    this.size = size;
  }

  /// What is wrong within a block's document.
  ///
  /// @param cidr what its key says it is
  static BlockAnatomy of(Prefix cidr, String json) {
    int hostBits = cidr.family().bits() - cidr.length();
    ObjectNode document = JSON.createObjectNode();
    String problem = "";
    try {
      JsonNode read = JSON.readTree(json);
      if (read instanceof ObjectNode object) {
        document = object;
      } else {
        problem = "it is not a JSON object";
      }
    } catch (JsonProcessingException malformed) {
      problem = "it is not JSON: " + malformed.getOriginalMessage();
    }
    BlockAnatomy anatomy = new BlockAnatomy(document, hostBits > MAX_HOST_BITS ? 0 : 1 << hostBits);
    if (hostBits > MAX_HOST_BITS) {
      problem = "a block has at most 4096 addresses";
    }
    if (!problem.isEmpty()) {
      anatomy.unmendable(FindingKind.UNREADABLE, problem);
    } else {
      anatomy.examine(cidr);
    }
    return anatomy;
  }

  List<Fault> faults() {
    return List.copyOf(faults);
  }

  /// Notes that the document can't be read for a reason not found here.
  void refuse(String reason) {
    unmendable(FindingKind.UNREADABLE, reason);
  }

  private void unmendable(FindingKind kind, String detail) {
    isMendable = false;
    faults.add(
        new Fault(
            kind,
            detail,
            "none: only a person can say what it should be; restore it from a backup, or, when"
                + " nothing uses its addresses, delete the key"));
  }

  private void examine(Prefix cidr) {
    String named = document.path("cidr").asText();
    if (!named.equals(cidr.toString())) {
      unmendable(FindingKind.UNREADABLE, "its key says " + cidr + ", its cidr \"" + named + "\"");
    }
    for (String field : List.of("allocations", "unallocated", "attributes")) {
      if (!document.path(field).isArray()) {
        unmendable(FindingKind.UNREADABLE, field + " is not a list");
      }
    }
    if (isMendable && integersOnly("unallocated", false) && integersOnly("allocations", true)) {
      examineAllocations(cidr);
      examineFreeList(cidr);
      examineSequence();
    }
  }

  private boolean integersOnly(String field, boolean orNull) {
    for (JsonNode item : document.path(field)) {
      if (!item.isInt() && !(orNull && item.isNull())) {
        unmendable(FindingKind.UNREADABLE, field + " holds " + item);
        return false;
      }
    }
    return true;
  }

  private void examineAllocations(Prefix cidr) {
    JsonNode allocations = document.path("allocations");
    int attributes = document.path("attributes").size();
    if (allocations.size() != size) {
      String detail = "it lists " + allocations.size() + " addresses of " + size;
      if (heldBeyondEnd(allocations)) {
        unmendable(FindingKind.WRONG_LENGTH, detail + ", some held beyond its end");
        return;
      }
      faults.add(
          new Fault(
              FindingKind.WRONG_LENGTH,
              detail,
              "brings the list to " + size + "; what is added is free"));
    }
    boolean[] used = new boolean[attributes];
    List<String> ownerless = new ArrayList<>();
    for (int ordinal = 0; ordinal < allocations.size(); ordinal++) {
      JsonNode index = allocations.get(ordinal);
      if (!index.isNull()) {
        if (index.asInt() < 0 || index.asInt() >= attributes) {
          ownerless.add(cidr.address().plus(ordinal).toString());
        } else {
          used[index.asInt()] = true;
        }
      }
    }
    if (!ownerless.isEmpty()) {
      faults.add(
          new Fault(
              FindingKind.MISSING_ATTRIBUTE,
              some(ownerless) + " held, but it does not say by whom",
              "keeps the addresses, held by nobody named, so that the block can be read again"));
    }
    int unused = 0;
    for (boolean isUsed : used) {
      unused += isUsed ? 0 : 1;
    }
    if (unused > 0) {
      faults.add(
          new Fault(
              FindingKind.UNUSED_ATTRIBUTE,
              unused + " of " + attributes + " attributes belong to no address",
              "drops them"));
    }
  }

  private boolean heldBeyondEnd(JsonNode allocations) {
    for (int ordinal = size; ordinal < allocations.size(); ordinal++) {
      if (!allocations.get(ordinal).isNull()) {
        return true;
      }
    }
    return false;
  }

  private void examineFreeList(Prefix cidr) {
    Set<Integer> free = new TreeSet<>();
    List<String> wrong = new ArrayList<>();
    for (JsonNode item : document.path("unallocated")) {
      int ordinal = item.asInt();
      if (ordinal < 0 || ordinal >= size) {
        wrong.add("ordinal " + ordinal + " is outside the block");
      } else if (!free.add(ordinal)) {
        wrong.add(cidr.address().plus(ordinal) + " is free twice");
      }
    }
    for (int ordinal = 0; ordinal < size; ordinal++) {
      boolean isHeld = isHeld(ordinal);
      if (isHeld && free.contains(ordinal)) {
        wrong.add(cidr.address().plus(ordinal) + " is held and free");
      } else if (!isHeld && !free.contains(ordinal)) {
        wrong.add(cidr.address().plus(ordinal) + " is neither held nor free");
      }
    }
    if (!wrong.isEmpty()) {
      faults.add(
          new Fault(
              FindingKind.INCONSISTENT_BLOCK,
              some(wrong),
              "rebuilds the list of free addresses; who holds one keeps it"));
    }
  }

  private boolean isHeld(int ordinal) {
    JsonNode allocations = document.path("allocations");
    return ordinal < allocations.size() && !allocations.get(ordinal).isNull();
  }

  private void examineSequence() {
    List<String> stray = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry :
        document.path("sequenceNumberForAllocation").properties()) {
      if (!isSequenceOfHeld(entry.getKey())) {
        stray.add(entry.getKey());
      }
    }
    if (!stray.isEmpty()) {
      faults.add(
          new Fault(
              FindingKind.STRAY_SEQUENCE,
              "sequence numbers of ordinals nobody holds: " + some(stray),
              "drops them"));
    }
  }

  private boolean isSequenceOfHeld(String ordinal) {
    try {
      return isHeld(Integer.parseInt(ordinal)) && Integer.parseInt(ordinal) < size;
    } catch (IllegalArgumentException | IndexOutOfBoundsException notAnOrdinal) {
      return false;
    }
  }

  /// The first few of many.
  private static String some(List<String> all) {
    int shown = Math.min(all.size(), IpamReport.MAX_NAMED);
    return String.join(", ", all.subList(0, shown))
        + (all.size() > shown ? " and " + (all.size() - shown) + " more" : "");
  }

  /// The document put right and numbered anew; empty when only a person can.
  Optional<String> mended() {
    if (!isMendable) {
      return Optional.empty();
    }
    ObjectNode mended = document.deepCopy();
    int[] holders = mendAllocations(mended);
    mendFreeList(mended, holders);
    if (mended.path("sequenceNumberForAllocation") instanceof ObjectNode numbers) {
      for (Iterator<String> names = numbers.fieldNames(); names.hasNext(); ) {
        if (!isSequenceOfHeld(names.next())) {
          names.remove();
        }
      }
    }
    mended.put("sequenceNumber", document.path("sequenceNumber").asLong() + 1);
    return Optional.of(mended.toString());
  }

  private int[] mendAllocations(ObjectNode mended) {
    int[] holders = new int[size];
    ArrayNode attributes = JSON.createArrayNode();
    int[] renumbered = new int[document.path("attributes").size()];
    int nobody = -1;
    for (int ordinal = 0; ordinal < size; ordinal++) {
      if (!isHeld(ordinal)) {
        holders[ordinal] = -1;
        continue;
      }
      int index = document.path("allocations").get(ordinal).asInt();
      if (index < 0 || index >= renumbered.length) {
        if (nobody < 0) {
          ObjectNode unnamed = attributes.addObject();
          unnamed.putNull("handle_id");
          unnamed.putObject("secondary");
          nobody = attributes.size() - 1;
        }
        holders[ordinal] = nobody;
      } else {
        if (renumbered[index] == 0) {
          attributes.add(document.path("attributes").get(index));
          renumbered[index] = attributes.size();
        }
        holders[ordinal] = renumbered[index] - 1;
      }
    }
    ArrayNode allocations = JSON.createArrayNode();
    for (int holder : holders) {
      if (holder < 0) {
        allocations.addNull();
      } else {
        allocations.add(IntNode.valueOf(holder));
      }
    }
    mended.set("allocations", allocations);
    mended.set("attributes", attributes);
    return holders;
  }

  /// What is rightly in the queue keeps its place; what is missing goes to its end.
  private void mendFreeList(ObjectNode mended, int[] holders) {
    Set<Integer> free = new LinkedHashSet<>();
    for (JsonNode item : document.path("unallocated")) {
      int ordinal = item.asInt();
      if (ordinal >= 0 && ordinal < size && holders[ordinal] < 0) {
        free.add(ordinal);
      }
    }
    for (int ordinal = 0; ordinal < size; ordinal++) {
      if (holders[ordinal] < 0) {
        free.add(ordinal);
      }
    }
    ArrayNode unallocated = JSON.createArrayNode();
    free.forEach(unallocated::add);
    mended.set("unallocated", unallocated);
  }
}
