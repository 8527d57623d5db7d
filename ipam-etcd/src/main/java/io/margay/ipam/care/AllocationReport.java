package io.margay.ipam.care;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.ipam.Block;
import io.margay.model.net.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/// Every allocation there was at one moment, who uses it, and what is left over: the file that
/// `ipam check -o` writes and `ipam release --from-report` reads, in the shape of calicoctl's.
///
/// @param version of the program that made it
/// @param cluster the ClusterInformation it was made under
/// @param allocations by address; several where blocks overlap
/// @param leakedHandles handles that hold nothing, with the revision they were at
public record AllocationReport(
    String version,
    IpamState.Cluster cluster,
    SortedMap<IpAddress, List<Allocation>> allocations,
    SortedMap<String, Long> leakedHandles) {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  /// One address held.
  ///
  /// @param handle empty when nobody is named
  /// @param owners what uses it: `Workload(<namespace>/<name>)`, `Node(<name>)`
  /// @param keep it is not for the report to say that nobody uses it
  public record Allocation(
      IpAddress address,
      String handle,
      long sequenceNumber,
      Map<String, String> attributes,
      String node,
      boolean borrowed,
      List<String> owners,
      boolean keep) {

    public boolean isInUse() {
      return keep || !owners.isEmpty();
    }
  }

  /// What a state amounts to.
  public static AllocationReport of(IpamState state, String version) {
    SortedMap<IpAddress, List<Allocation>> allocations = new TreeMap<>();
    TreeSet<String> used = new TreeSet<>();
    for (Stored<Block> stored : state.blocks.values()) {
      for (Block.Allocation held : stored.value().allocated()) {
        held.holder().cleanHandleId().ifPresent(used::add);
        allocations
            .computeIfAbsent(held.address(), _ -> new ArrayList<>(1))
            .add(allocation(state, stored.value(), held));
      }
    }
    SortedMap<String, Long> leaked = new TreeMap<>();
    state.handles.forEach(
        (id, handle) -> {
          boolean mayHoldMore =
              handle.value().countByBlock().keySet().stream()
                  .anyMatch(
                      cidr -> state.faulty.containsKey(cidr) && !state.blocks.containsKey(cidr));
          if (!used.contains(id) && !mayHoldMore) {
            leaked.put(id, handle.modRevision());
          }
        });
    return new AllocationReport(version, state.cluster, allocations, leaked);
  }

  private static Allocation allocation(IpamState state, Block block, Block.Allocation held) {
    Holder holder = Holder.of(held);
    String owner = IpamState.nodeOf(block).orElse("");
    String node = held.holder().node().orElse(owner);
    List<String> owners = new ArrayList<>();
    state.usesOf(held.address()).forEach(use -> owners.add("Workload(" + use.name() + ")"));
    if (state.nodes.getOrDefault(node, List.of()).contains(held.address())) {
      owners.add("Node(" + node + ")");
    }
    boolean keep =
        switch (holder.sort()) {
          case POD -> false;
          case TUNNEL -> !state.hasNode(node);
          case RESERVE, UNKNOWN -> true;
        };
    return new Allocation(
        held.address(),
        held.holder().cleanHandleId().orElse(""),
        held.sequenceNumber(),
        held.holder().secondary(),
        node,
        !node.equals(owner),
        owners,
        keep);
  }

  /// Allocations that nothing uses.
  public List<Allocation> unused() {
    return allocations.values().stream()
        .flatMap(List::stream)
        .filter(allocation -> !allocation.isInUse())
        .toList();
  }

  /// The file.
  public String toJson() {
    ObjectNode document = JSON.createObjectNode();
    document.put("version", version);
    document.put("clusterGUID", cluster.guid());
    document.put("datastoreLocked", cluster.locked());
    document.put("clusterInformationRevision", Long.toString(cluster.revision()));
    document.put("clusterType", cluster.type());
    ObjectNode byAddress = document.putObject("allocations");
    allocations.forEach(
        (address, list) -> {
          var array = byAddress.putArray(address.toString());
          list.forEach(allocation -> write(array.addObject(), allocation));
        });
    if (!leakedHandles.isEmpty()) {
      var handles = document.putArray("leakedHandles");
      leakedHandles.forEach(
          (id, revision) ->
              handles
                  .addObject()
                  .put("ID", id)
                  .putNull("UID")
                  .put("Revision", Long.toString(revision)));
    }
    return document.toPrettyString();
  }

  private static void write(ObjectNode item, Allocation allocation) {
    item.put("ip", allocation.address().toString());
    if (!allocation.handle().isEmpty()) {
      item.put("handle", allocation.handle());
    }
    item.put("sequenceNumber", allocation.sequenceNumber());
    for (String field : List.of("pod", "namespace")) {
      if (allocation.attributes().containsKey(field)) {
        item.put(field, allocation.attributes().get(field));
      }
    }
    if (!allocation.node().isEmpty()) {
      item.put("node", allocation.node());
    }
    if (allocation.attributes().containsKey("type")) {
      item.put("type", allocation.attributes().get("type"));
    }
    if (allocation.attributes().containsKey("timestamp")) {
      item.put("creationTimestamp", allocation.attributes().get("timestamp"));
    }
    item.put("inUse", allocation.isInUse());
    if (allocation.borrowed()) {
      item.put("borrowed", true);
    }
    var owners = item.putArray("owners");
    allocation.owners().forEach(owners::add);
  }

  /// Reads a file this or calicoctl wrote.
  ///
  /// @throws IllegalArgumentException saying what is wrong with it
  public static AllocationReport parse(String json) {
    try {
      if (!(JSON.readTree(json) instanceof ObjectNode document)) {
        throw new IllegalArgumentException("is not a report: it is not a JSON object");
      }
      SortedMap<IpAddress, List<Allocation>> allocations = new TreeMap<>();
      for (JsonNode list : document.path("allocations")) {
        for (JsonNode item : list) {
          Allocation allocation = read(item);
          allocations
              .computeIfAbsent(allocation.address(), _ -> new ArrayList<>(1))
              .add(allocation);
        }
      }
      SortedMap<String, Long> leaked = new TreeMap<>();
      for (JsonNode handle : document.path("leakedHandles")) {
        leaked.put(handle.path("ID").asText(), handle.path("Revision").asLong());
      }
      return new AllocationReport(
          document.path("version").asText(),
          new IpamState.Cluster(
              document.path("clusterGUID").asText(),
              document.path("clusterType").asText(),
              document.path("clusterInformationRevision").asLong(),
              document.path("datastoreLocked").asBoolean()),
          allocations,
          leaked);
    } catch (JsonProcessingException malformed) {
      throw new IllegalArgumentException(
          "is not a report: " + malformed.getOriginalMessage(), malformed);
    }
  }

  private static Allocation read(JsonNode item) {
    List<String> owners = new ArrayList<>();
    item.path("owners").forEach(owner -> owners.add(owner.asText()));
    Map<String, String> attributes = new TreeMap<>();
    for (String field : List.of("pod", "namespace", "type")) {
      Optional.ofNullable(item.get(field)).ifPresent(text -> attributes.put(field, text.asText()));
    }
    return new Allocation(
        IpAddress.parse(item.path("ip").asText()),
        item.path("handle").asText(),
        item.path("sequenceNumber").asLong(),
        attributes,
        item.path("node").asText(),
        item.path("borrowed").asBoolean(),
        owners,
        item.path("inUse").asBoolean());
  }
}
