package io.margay.ipam.care;

import io.margay.datastore.Txn;
import io.margay.ipam.Block;
import io.margay.ipam.Handle;
import io.margay.ipam.IpamKeys;
import io.margay.model.net.Prefix;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Handles against what blocks give them.
final class HandleChecks {

  private final IpamState state;
  private final Consumer<Finding> found;
  private final Map<String, Map<Prefix, Integer>> held = new HashMap<>();

  private HandleChecks(IpamState state, Consumer<Finding> found) {
    this.state = state;
    this.found = found;
  }

  static void check(IpamState state, Consumer<Finding> found) {
    HandleChecks checks = new HandleChecks(state, found);
    for (Stored<Block> block : state.blocks.values()) {
      for (Block.Allocation allocation : block.value().allocated()) {
        allocation
            .holder()
            .cleanHandleId()
            .ifPresent(
                handle ->
                    checks
                        .held
                        .computeIfAbsent(handle, _ -> new TreeMap<>())
                        .merge(block.value().cidr(), 1, Integer::sum));
      }
    }
    Set<String> all = new TreeSet<>(checks.held.keySet());
    all.addAll(state.handles.keySet());
    all.forEach(checks::compare);
  }

  private void compare(String id) {
    Map<Prefix, Integer> inBlocks = held.getOrDefault(id, Map.of());
    @Nullable Stored<Handle> handle = state.handles.get(id);
    if (handle == null) {
      if (!isUnreadable(id)) {
        found.accept(
            finding(
                FindingKind.HANDLE_MISSING,
                id,
                "blocks give it " + inBlocks + ", but it has no document",
                "writes the document",
                inBlocks,
                null));
      }
      return;
    }
    Map<Prefix, Integer> counted = handle.value().countByBlock();
    if (counted.equals(inBlocks) || countsWhatCantBeRead(counted)) {
      return;
    }
    found.accept(
        inBlocks.isEmpty()
            ? finding(
                FindingKind.HANDLE_UNUSED,
                id,
                "its document says " + counted + ", blocks give it nothing",
                "deletes the document",
                counted,
                handle)
            : finding(
                FindingKind.HANDLE_MISCOUNTS,
                id,
                "blocks give it " + inBlocks + ", its document says " + counted,
                "writes what the blocks say",
                inBlocks,
                handle));
  }

  private boolean countsWhatCantBeRead(Map<Prefix, Integer> counted) {
    return counted.keySet().stream()
        .anyMatch(cidr -> state.faulty.containsKey(cidr) && !state.blocks.containsKey(cidr));
  }

  private boolean isUnreadable(String id) {
    String key = IpamKeys.handle(id);
    return state.unreadable.stream().anyMatch(document -> document.key().equals(key));
  }

  /// The fix holds only while every block that speaks for or against the handle stays as it was.
  private Finding finding(
      FindingKind kind,
      String id,
      String detail,
      String remedy,
      Map<Prefix, Integer> witnesses,
      @Nullable Stored<Handle> before) {
    Map<Prefix, Integer> wanted = held.getOrDefault(id, Map.of());
    Set<Prefix> blocks = new TreeSet<>(witnesses.keySet());
    if (before != null) {
      blocks.addAll(before.value().countByBlock().keySet());
    }
    if (blocks.size() + 1 > Txn.MAX_OPERATIONS) {
      return Finding.unfixable(
          kind, id, detail, "none: it spans more blocks than one transaction can compare");
    }
    String key = IpamKeys.handle(id);
    Txn.Builder txn = Txn.builder();
    if (before == null) {
      txn.ifAbsent(key);
    } else {
      txn.add(before.unchanged());
    }
    for (Prefix cidr : blocks) {
      Stored<Block> block = state.blocks.get(cidr);
      if (block == null) {
        txn.ifAbsent(IpamKeys.block(cidr));
      } else {
        txn.add(block.unchanged());
      }
    }
    if (wanted.isEmpty()) {
      txn.delete(key);
    } else {
      boolean deleted = before != null && before.value().deleted();
      txn.put(
          key,
          new Handle(id, wanted, deleted, before == null ? Map.of() : before.value().unknown())
              .toJson());
    }
    return new Finding(kind, id, detail, remedy, Optional.of(txn.build()));
  }
}
