package io.margay.ipam;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.ipam.IpamReport.Finding;
import io.margay.ipam.IpamReport.Kind;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// Compares blocks, claims, handles and workload endpoints with each other. Changes nothing.
public final class IpamCheck {

  /// Where workload endpoints are.
  public static final String ENDPOINTS =
      "/calico/resources/v3/projectcalico.org/workloadendpoints/";

  private final SortedMap<Prefix, Block> blocks = new TreeMap<>();
  private final Map<IpamKeys.AffinityKey, BlockAffinity> claims = new HashMap<>();
  private final SortedMap<String, Handle> handles = new TreeMap<>();
  private final SortedMap<IpAddress, List<String>> endpointsByAddress = new TreeMap<>();
  private final List<Finding> findings = new ArrayList<>();

  private IpamCheck() {}

  /// Checks a store that may be in use: what two readings in a row agree on is reported.
  public static IpamReport run(Datastore datastore) throws DatastoreException {
    IpamReport first = read(datastore);
    if (first.findings().isEmpty()) {
      return first;
    }
    IpamReport second = read(datastore);
    return new IpamReport(
        second.usage(),
        second.handleCount(),
        second.findings().stream().filter(first.findings()::contains).toList());
  }

  private static IpamReport read(Datastore datastore) throws DatastoreException {
    List<KeyValue> items = new ArrayList<>(datastore.list(IpamKeys.ROOT).items());
    items.addAll(datastore.list(ENDPOINTS).items());
    return check(items);
  }

  /// Checks documents that are true at one moment.
  ///
  /// @param items everything below {@link IpamKeys#ROOT} and {@link #ENDPOINTS}; other keys are
  ///   passed over
  public static IpamReport check(Collection<KeyValue> items) {
    IpamCheck check = new IpamCheck();
    items.forEach(check::read);
    check.blocks.values().forEach(check::checkBlock);
    check.checkOverlaps();
    check.checkClaims();
    check.checkHandles();
    check.checkEndpoints();
    return new IpamReport(
        check.blocks.values().stream().map(IpamCheck::usage).toList(),
        check.handles.size(),
        check.findings);
  }

  private static IpamReport.BlockUsage usage(Block block) {
    int allocated = block.allocated().size();
    return new IpamReport.BlockUsage(
        block.cidr(),
        block.affinity(),
        block.size(),
        allocated,
        block.size() - allocated - block.freeCount(),
        block.freeCount());
  }

  private void find(Kind kind, Object object, String detail) {
    findings.add(new Finding(kind, object.toString(), detail));
  }

  private void read(KeyValue item) {
    String key = item.key();
    try {
      IpamKeys.blockOf(key).ifPresent(cidr -> blocks.put(cidr, Block.parse(key, item.value())));
      IpamKeys.affinityOf(key)
          .ifPresent(claim -> claims.put(claim, BlockAffinity.parse(key, item.value())));
      IpamKeys.handleOf(key).ifPresent(id -> handles.put(id, Handle.parse(id, item.value())));
      if (key.startsWith(ENDPOINTS)) {
        readEndpoint(item);
      }
    } catch (IllegalArgumentException wrong) {
      find(Kind.UNREADABLE, key, String.valueOf(wrong.getMessage()));
    }
  }

  private void readEndpoint(KeyValue item) {
    ObjectNode document = Documents.readObject(item.value(), item.key());
    for (JsonNode network : document.path("spec").path("ipNetworks")) {
      IpAddress address = Prefix.parseLenient(network.asText()).address();
      endpointsByAddress
          .computeIfAbsent(address, _ -> new ArrayList<>())
          .add(item.key().substring(ENDPOINTS.length()));
    }
  }

  private void checkBlock(Block block) {
    Set<Integer> free = new HashSet<>(block.unallocated());
    int[] allocations = block.allocations();
    List<IpAddress> wrong = new ArrayList<>();
    for (int ordinal = 0; ordinal < allocations.length; ordinal++) {
      if (allocations[ordinal] < 0 != free.contains(ordinal)) {
        wrong.add(block.addressOf(ordinal));
      }
    }
    if (!wrong.isEmpty() || free.size() != block.unallocated().size()) {
      find(
          Kind.INCONSISTENT_BLOCK,
          block.cidr(),
          wrong.isEmpty()
              ? "an address is twice in unallocated"
              : wrong + " are both free and allocated, or neither");
    }
  }

  private void checkOverlaps() {
    Block before = null;
    for (Block block : blocks.values()) {
      if (before != null && before.cidr().overlaps(block.cidr())) {
        find(Kind.OVERLAPPING_BLOCKS, block.cidr(), "it overlaps block " + before.cidr());
      }
      before = block;
    }
  }

  private void checkClaims() {
    for (Block block : blocks.values()) {
      String affinity = block.affinity().orElse("");
      if (affinity.startsWith("host:")) {
        String node = affinity.substring("host:".length());
        BlockAffinity claim = claims.get(new IpamKeys.AffinityKey(node, block.cidr()));
        if (claim == null || claim.state() != BlockAffinity.State.CONFIRMED) {
          find(
              Kind.BLOCK_WITHOUT_CLAIM,
              block.cidr(),
              "it names node "
                  + node
                  + ", whose claim is "
                  + (claim == null ? "absent" : claim.state().text()));
        }
      }
    }
    claims.forEach(
        (claim, affinity) -> {
          Block block = blocks.get(claim.block());
          if (block == null || !block.isAffineTo(claim.node())) {
            find(
                Kind.CLAIM_WITHOUT_BLOCK,
                claim.block(),
                "node "
                    + claim.node()
                    + " has a "
                    + affinity.state().text()
                    + " claim; the block "
                    + (block == null
                        ? "does not exist"
                        : "has affinity " + block.affinity().orElse("none")));
          }
        });
  }

  private void checkHandles() {
    Map<String, Map<Prefix, Integer>> held = new TreeMap<>();
    for (Block block : blocks.values()) {
      for (Block.Allocation allocation : block.allocated()) {
        Optional<String> handle = allocation.holder().cleanHandleId();
        if (handle.isPresent()) {
          held.computeIfAbsent(handle.get(), _ -> new TreeMap<>())
              .merge(block.cidr(), 1, Integer::sum);
        }
      }
    }
    Set<String> all = new HashSet<>(held.keySet());
    all.addAll(handles.keySet());
    for (String id : all.stream().sorted().toList()) {
      Map<Prefix, Integer> inBlocks = held.getOrDefault(id, Map.of());
      Handle handle = handles.get(id);
      if (handle == null) {
        find(Kind.HANDLE_MISMATCH, id, "blocks give it " + inBlocks + ", but it has no document");
      } else if (!handle.countByBlock().equals(inBlocks)) {
        find(
            Kind.HANDLE_MISMATCH,
            id,
            "blocks give it " + inBlocks + ", its document says " + handle.countByBlock());
      }
    }
  }

  private void checkEndpoints() {
    Set<IpAddress> allocated = new HashSet<>();
    for (Block block : blocks.values()) {
      for (Block.Allocation allocation : block.allocated()) {
        allocated.add(allocation.address());
        if (allocation.holder().secondary().containsKey("pod")
            && !endpointsByAddress.containsKey(allocation.address())) {
          find(
              Kind.LEAKED_ADDRESS,
              allocation.address(),
              "held by "
                  + allocation.holder().cleanHandleId().orElse("nobody named")
                  + ", but no workload endpoint has it");
        }
      }
    }
    endpointsByAddress.forEach(
        (address, endpoints) -> {
          if (endpoints.size() > 1) {
            find(Kind.DUPLICATE_ADDRESS, address, "used by " + endpoints);
          }
          if (!allocated.contains(address) && isInSomeBlock(address)) {
            find(Kind.UNALLOCATED_ADDRESS, address, "used by " + endpoints + ", but free in IPAM");
          }
        });
  }

  private boolean isInSomeBlock(IpAddress address) {
    return blocks.keySet().stream().anyMatch(cidr -> cidr.contains(address));
  }
}
