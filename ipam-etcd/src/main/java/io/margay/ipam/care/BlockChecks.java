package io.margay.ipam.care;

import io.margay.datastore.Txn;
import io.margay.ipam.Block;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.care.IpamState.PoolRange;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Blocks by themselves, with each other, and against pools and reservations.
final class BlockChecks {

  /// How long after its cooldown a freed address may still rest: until somebody next writes the
  /// block.
  static final Duration REST_SLACK = Duration.ofHours(1);

  private final IpamState state;
  private final Optional<Instant> now;
  private final Consumer<Finding> found;

  private BlockChecks(IpamState state, Optional<Instant> now, Consumer<Finding> found) {
    this.state = state;
    this.now = now;
    this.found = found;
  }

  static void check(IpamState state, Optional<Instant> now, Consumer<Finding> found) {
    BlockChecks checks = new BlockChecks(state, now, found);
    state.faulty.forEach(checks::anatomy);
    for (Stored<Block> block : state.blocks.values()) {
      checks.pool(block);
      checks.rest(block);
      checks.reservations(block.value());
    }
    checks.overlaps();
  }

  private void anatomy(Prefix cidr, IpamState.Faulty faulty) {
    Stored<BlockAnatomy> document = faulty.document();
    Optional<Txn> fix =
        document
            .value()
            .mended()
            .map(
                mended ->
                    Txn.builder().add(document.unchanged()).put(document.key(), mended).build());
    for (BlockAnatomy.Fault fault : document.value().faults()) {
      found.accept(
          new Finding(
              fault.kind(),
              fault.kind() == FindingKind.UNREADABLE ? document.key() : cidr.toString(),
              fault.detail(),
              fault.remedy(),
              fix));
    }
  }

  private void pool(Stored<Block> block) {
    if (state.pools.isEmpty()) {
      return;
    }
    Prefix cidr = block.value().cidr();
    Optional<PoolRange> pool = state.poolOf(cidr);
    if (pool.isEmpty()) {
      misplaced(
          block,
          FindingKind.BLOCK_OUTSIDE_POOLS,
          "no IPPool contains it",
          "none while its addresses are in use: create a pool around it, or let its pods go");
    } else if (pool.get().blockSize() != cidr.length()) {
      misplaced(
          block,
          FindingKind.BLOCK_SIZE,
          "IPPool "
              + pool.get().name()
              + " ("
              + pool.get().cidr()
              + ") has blocks of /"
              + pool.get().blockSize(),
          "none while its addresses are in use: it works, and goes with its last pod");
    }
  }

  private void misplaced(Stored<Block> block, FindingKind kind, String detail, String otherwise) {
    Prefix cidr = block.value().cidr();
    if (isUnused(block.value())) {
      found.accept(
          Finding.fixable(
              kind, cidr, detail + "; it is empty", "deletes it and its claim", removal(block)));
    } else {
      found.accept(Finding.unfixable(kind, cidr, detail, otherwise));
    }
  }

  static boolean isUnused(Block block) {
    return block.isEmpty() && block.resting().isEmpty();
  }

  /// The end of a block that holds nothing, with its node's claim.
  private Txn removal(Stored<Block> block) {
    Txn.Builder txn = Txn.builder().add(block.unchanged()).delete(block.key());
    IpamState.nodeOf(block.value())
        .map(node -> state.claims.get(new IpamKeys.AffinityKey(node, block.value().cidr())))
        .ifPresent(claim -> txn.add(claim.unchanged()).delete(claim.key()));
    return txn.build();
  }

  private void rest(Stored<Block> block) {
    if (now.isEmpty()) {
      return;
    }
    Instant due = now.get().minus(state.config.cooldown()).minus(REST_SLACK);
    List<Block.Allocation> late =
        block.value().resting().stream()
            .filter(resting -> resting.holder().releasedAt().orElseThrow().isBefore(due))
            .toList();
    if (late.isEmpty()) {
      return;
    }
    Block rested = block.value().rested(now.get(), state.config.cooldown());
    found.accept(
        Finding.fixable(
            FindingKind.RESTED_TOO_LONG,
            block.value().cidr(),
            late.size()
                + " freed addresses rest, the first since "
                + late.getFirst().holder().releasedAt().orElseThrow()
                + "; the cooldown is "
                + state.config.cooldown().toSeconds()
                + " s",
            "returns them to the queue of free addresses",
            Txn.builder()
                .add(block.unchanged())
                .put(block.key(), rested.advanced().toJson())
                .build()));
  }

  private void reservations(Block block) {
    if (state.reservations.stream().noneMatch(reserved -> reserved.overlaps(block.cidr()))) {
      return;
    }
    for (Block.Allocation held : block.allocated()) {
      for (Prefix reserved : state.reservations) {
        if (reserved.contains(held.address())) {
          found.accept(
              Finding.unfixable(
                  FindingKind.RESERVED_IN_USE,
                  held.address(),
                  "reserved by "
                      + reserved
                      + ", held by "
                      + held.holder().cleanHandleId().orElse("nobody named"),
                  "none needed"));
          break;
        }
      }
    }
  }

  /// Blocks that contain others come before them in order, so each is compared with those still
  /// open around it.
  private void overlaps() {
    List<Stored<Block>> around = new ArrayList<>();
    for (Stored<Block> block : state.blocks.values()) {
      around.removeIf(outer -> !outer.value().cidr().contains(block.value().cidr()));
      for (Stored<Block> outer : around) {
        overlap(outer, block);
      }
      around.add(block);
    }
  }

  private void overlap(Stored<Block> outer, Stored<Block> inner) {
    String detail =
        "it overlaps block "
            + outer.value().cidr()
            + " of "
            + outer.value().affinity().orElse("nobody");
    Optional<Stored<Block>> superfluous =
        isUnused(inner.value())
            ? Optional.of(inner)
            : Optional.of(outer).filter(block -> isUnused(block.value()));
    found.accept(
        superfluous.isPresent()
            ? Finding.fixable(
                FindingKind.OVERLAPPING_BLOCKS,
                inner.value().cidr(),
                detail,
                "deletes " + superfluous.get().value().cidr() + ", which is empty",
                removal(superfluous.get()))
            : Finding.unfixable(
                FindingKind.OVERLAPPING_BLOCKS,
                inner.value().cidr(),
                detail,
                "none while both are in use: restart the pods of one of them"));
    Set<IpAddress> held = new HashSet<>();
    outer.value().allocated().forEach(allocation -> held.add(allocation.address()));
    for (Block.Allocation allocation : inner.value().allocated()) {
      if (held.contains(allocation.address())) {
        found.accept(
            Finding.unfixable(
                FindingKind.DUPLICATE_ALLOCATION,
                allocation.address(),
                "held in "
                    + outer.value().cidr()
                    + " by "
                    + holder(outer.value(), allocation.address())
                    + " and in "
                    + inner.value().cidr()
                    + " by "
                    + holder(inner.value(), allocation.address()),
                "none: restart one of the pods; its DEL frees its own"));
      }
    }
  }

  private static String holder(Block block, IpAddress address) {
    return block
        .allocationOf(address)
        .flatMap(allocation -> allocation.holder().cleanHandleId())
        .orElse("nobody named");
  }
}
