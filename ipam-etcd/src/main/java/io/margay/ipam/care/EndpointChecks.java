package io.margay.ipam.care;

import io.margay.datastore.Txn;
import io.margay.ipam.Block;
import io.margay.ipam.Handle;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.care.IpamState.Use;
import io.margay.model.net.IpAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Who uses addresses against who holds them.
final class EndpointChecks {

  /// The network whose name is part of handles unless a configuration says otherwise.
  private static final String DEFAULT_NETWORK = "k8s-pod-network";

  private final IpamState state;
  private final Consumer<Finding> found;

  private EndpointChecks(IpamState state, Consumer<Finding> found) {
    this.state = state;
    this.found = found;
  }

  static void check(IpamState state, Consumer<Finding> found) {
    EndpointChecks checks = new EndpointChecks(state, found);
    state.blocks.values().forEach(block -> checks.leaks(block.value()));
    state.uses.forEach(checks::uses);
    checks.nodes();
  }

  private void leaks(Block block) {
    for (Block.Allocation held : block.allocated()) {
      Holder holder = Holder.of(held);
      boolean isUsed =
          switch (holder.sort()) {
            case POD ->
                held.holder().isOfForeignInterface() || !state.usesOf(held.address()).isEmpty();
            case TUNNEL -> isTunnelOf(held.address(), holder.node());
            case RESERVE, UNKNOWN -> true;
          };
      if (!isUsed) {
        found.accept(
            Finding.unfixable(
                FindingKind.LEAKED_ADDRESS,
                held.address(),
                "held by "
                    + holder.handle()
                    + (holder.sort() == Holder.Sort.TUNNEL
                        ? ", but the node has no tunnel with it"
                        : ", but no workload endpoint has it"),
                "none: `margay ipam gc` frees it when two witnesses agree"));
      }
    }
  }

  private boolean isTunnelOf(IpAddress address, String node) {
    // A node that does not exist is found by its claims, and collected as a whole.
    return !state.hasNode(node) || state.nodes.getOrDefault(node, List.of()).contains(address);
  }

  private void uses(IpAddress address, List<Use> uses) {
    if (uses.size() > 1) {
      found.accept(
          Finding.unfixable(
              FindingKind.DUPLICATE_ADDRESS,
              address,
              "used by "
                  + uses.stream().map(Use::name).toList()
                  + "; IPAM holds it for "
                  + state
                      .blockAround(address)
                      .flatMap(block -> block.value().allocationOf(address))
                      .flatMap(held -> held.holder().cleanHandleId())
                      .orElse("nobody"),
              "none: restart the pods it is not held for"));
    }
    Optional<Stored<Block>> block = state.blockAround(address);
    if (block.isEmpty() || state.unreadableAround(address).isPresent()) {
      return;
    }
    Optional<Block.Allocation> held = block.get().value().allocationOf(address);
    if (held.isEmpty()) {
      found.accept(unallocated(address, uses, block.get()));
    } else if (held.get().isResting()) {
      found.accept(
          Finding.unfixable(
              FindingKind.UNALLOCATED_ADDRESS,
              address,
              "used by " + uses.stream().map(Use::name).toList() + ", but freed and resting",
              "none: restart the pod before the cooldown ends"));
    }
  }

  private Finding unallocated(IpAddress address, List<Use> uses, Stored<Block> block) {
    String detail = "used by " + uses.stream().map(Use::name).toList() + ", but free in IPAM";
    Use use = uses.getFirst();
    Optional<String> id = handleOf(use);
    if (uses.size() > 1 || id.isEmpty() || state.faulty.containsKey(block.value().cidr())) {
      return Finding.unfixable(
          FindingKind.UNALLOCATED_ADDRESS,
          address,
          detail,
          uses.size() > 1
              ? "none while several use it: restart all but one of them"
              : "none: the endpoint does not name its container; restart the pod");
    }
    Map<String, String> secondary = new TreeMap<>();
    secondary.put("node", use.node());
    if (!use.pod().isEmpty()) {
      secondary.put("namespace", use.namespace());
      secondary.put("pod", use.pod());
    }
    Block taken = block.value().takeExactly(address, Block.Attribute.of(id.get(), secondary));
    @Nullable Stored<Handle> handle = state.handles.get(id.get());
    Handle before =
        handle == null ? new Handle(id.get(), Map.of(), false, Map.of()) : handle.value();
    Txn.Builder txn =
        Txn.builder()
            .add(block.unchanged())
            .put(block.key(), taken.advanced().toJson())
            .add(new Txn.Condition.AtRevision(use.key(), use.modRevision()));
    if (handle == null) {
      txn.ifAbsent(IpamKeys.handle(id.get()));
    } else {
      txn.add(handle.unchanged());
    }
    txn.put(IpamKeys.handle(id.get()), before.adjusted(block.value().cidr(), 1).toJson());
    return Finding.fixable(
        FindingKind.UNALLOCATED_ADDRESS, address, detail, "assigns it to " + id.get(), txn.build());
  }

  /// The handle an endpoint's other addresses have, else the one its container's first interface
  /// would get.
  private Optional<String> handleOf(Use use) {
    if (use.containerId().isEmpty() || use.node().isEmpty()) {
      return Optional.empty();
    }
    String container = "." + use.containerId();
    return Optional.of(
        state.handles.keySet().stream()
            .filter(id -> id.endsWith(container))
            .findFirst()
            .orElse(DEFAULT_NETWORK + container));
  }

  private void nodes() {
    if (!state.knowsNodes()) {
      return;
    }
    Set<String> told = new TreeSet<>();
    for (List<Use> uses : state.uses.values()) {
      for (Use use : uses) {
        if (!use.node().isEmpty() && !state.hasNode(use.node()) && told.add(use.name())) {
          found.accept(
              Finding.unfixable(
                  FindingKind.ENDPOINT_WITHOUT_NODE,
                  use.name(),
                  "its node " + use.node() + " does not exist",
                  "none: `margay ipam gc` deletes it when the node stays away"));
        }
      }
    }
  }
}
