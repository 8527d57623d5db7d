package io.margay.ipam.care;

import io.margay.datastore.Txn;
import io.margay.ipam.Block;
import io.margay.ipam.BlockAffinity;
import io.margay.ipam.BlockAffinity.State;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.IpamKeys.AffinityKey;
import io.margay.model.net.Prefix;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Nodes' claims to blocks against the blocks themselves, and both against the nodes there are.
final class ClaimChecks {

  private final IpamState state;
  private final Consumer<Finding> found;
  private final Map<String, Integer> blocksOfMissing = new TreeMap<>();

  private ClaimChecks(IpamState state, Consumer<Finding> found) {
    this.state = state;
    this.found = found;
  }

  static void check(IpamState state, Consumer<Finding> found) {
    ClaimChecks checks = new ClaimChecks(state, found);
    state.claims.forEach(checks::claim);
    state.blocks.values().forEach(checks::block);
    checks.missingNodes();
  }

  private void claim(AffinityKey key, Stored<BlockAffinity> claim) {
    Prefix cidr = key.block();
    if (isUnreadable(cidr)) {
      return;
    }
    Stored<Block> block = state.blocks.get(cidr);
    String what = "node " + key.node() + " has a " + claim.value().state().text() + " claim; ";
    if (block == null) {
      found.accept(
          Finding.fixable(
              FindingKind.CLAIM_WITHOUT_BLOCK,
              name(key),
              what + "the block does not exist",
              "deletes the claim; the node claims a block when it needs one",
              Txn.builder()
                  .add(claim.unchanged())
                  .ifAbsent(IpamKeys.block(cidr))
                  .delete(claim.key())
                  .build()));
    } else if (!block.value().isAffineTo(key.node())) {
      found.accept(
          Finding.fixable(
              FindingKind.CLAIM_OF_OTHERS_BLOCK,
              name(key),
              what + "the block has affinity " + block.value().affinity().orElse("none"),
              "deletes the claim; the block stays as it is",
              Txn.builder()
                  .add(claim.unchanged())
                  .add(block.unchanged())
                  .delete(claim.key())
                  .build()));
    } else if (isMissing(key.node())) {
      blocksOfMissing.merge(key.node(), 1, Integer::sum);
    } else if (claim.value().state() != State.CONFIRMED) {
      found.accept(
          Finding.fixable(
              FindingKind.CLAIM_UNFINISHED,
              name(key),
              what + "the block is the node's",
              "confirms it",
              Txn.builder()
                  .add(claim.unchanged())
                  .add(block.unchanged())
                  .put(claim.key(), claim.value().with(State.CONFIRMED).toJson())
                  .build()));
    }
  }

  /// A block that names a node without the node's claim.
  private void block(Stored<Block> block) {
    Optional<String> node = IpamState.nodeOf(block.value());
    if (node.isEmpty()) {
      return;
    }
    AffinityKey key = new AffinityKey(node.get(), block.value().cidr());
    if (state.claims.containsKey(key) || isUnreadableClaim(key)) {
      return;
    }
    String detail = "it names node " + node.get() + ", which has no claim to it";
    String claimKey = IpamKeys.affinity(key.node(), key.block());
    Txn.Builder txn = Txn.builder().add(block.unchanged()).ifAbsent(claimKey);
    if (!isMissing(node.get())) {
      found.accept(
          Finding.fixable(
              FindingKind.BLOCK_WITHOUT_CLAIM,
              key.block(),
              detail,
              "writes the claim, confirmed",
              txn.put(claimKey, BlockAffinity.CONFIRMED.toJson()).build()));
    } else if (BlockChecks.isUnused(block.value())) {
      found.accept(
          Finding.fixable(
              FindingKind.BLOCK_WITHOUT_CLAIM,
              key.block(),
              detail + " and does not exist; the block is empty",
              "deletes the block",
              txn.delete(block.key()).build()));
    } else {
      found.accept(
          Finding.fixable(
              FindingKind.BLOCK_WITHOUT_CLAIM,
              key.block(),
              detail + " and does not exist",
              "makes the block nobody's; it goes with its last address",
              txn.put(block.key(), disowned(block.value())).build()));
    }
  }

  static String disowned(Block block) {
    return block.withAffinity(Optional.empty()).advanced().toJson();
  }

  private void missingNodes() {
    blocksOfMissing.forEach(
        (node, blocks) ->
            found.accept(
                Finding.unfixable(
                    FindingKind.NODE_MISSING,
                    node,
                    "it owns " + blocks + " blocks, but there is no Node of that name",
                    "none: it may be about to register; `margay ipam gc` takes them back when it"
                        + " stays away")));
  }

  private boolean isMissing(String node) {
    return state.knowsNodes() && !state.hasNode(node);
  }

  private boolean isUnreadable(Prefix cidr) {
    IpamState.@Nullable Faulty faulty = state.faulty.get(cidr);
    return faulty != null && !faulty.isReadable();
  }

  private boolean isUnreadableClaim(AffinityKey key) {
    String name = IpamKeys.affinity(key.node(), key.block());
    return state.unreadable.stream().anyMatch(document -> document.key().equals(name));
  }

  private static String name(AffinityKey key) {
    return key.node() + " " + key.block();
  }
}
