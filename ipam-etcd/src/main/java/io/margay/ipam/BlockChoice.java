package io.margay.ipam;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.margay.ipam.BlockCache.Stored;
import io.margay.ipam.BlockCache.Survey;
import io.margay.ipam.IpamKeys.AffinityKey;
import io.margay.ipam.Operation.View;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;

/// Which block a node tries to claim, and from which it borrows. A function of the node's name and
/// what is taken, so that nodes starting together try different blocks.
final class BlockChoice {

  /// Most blocks of one pool that are considered: a larger IPv6 pool is used from its start.
  private static final int MAX_BLOCK_BITS = 32;

  /// How long an empty block stays its owner's at least: Calico's own figure, so that two nodes
  /// don't take the last block from each other before either has used it.
  static final Duration MIN_RECLAIM_AGE = Duration.ofMinutes(1);

  private static final int FNV32_OFFSET = 0x811c9dc5;
  private static final int FNV32_PRIME = 0x01000193;

  private BlockChoice() {}

  /// The first block of `pool` that nobody has, from the node's own place on. `plan` knows blocks
  /// already chosen in the same transaction.
  static Optional<Prefix> unclaimed(
      Pool pool, String node, Instant now, NavigableSet<Prefix> taken, Plan plan, Pools pools) {
    int bits = pool.family().bits();
    int indexBits = Math.min(pool.blockSize() - pool.cidr().length(), MAX_BLOCK_BITS);
    long count = 1L << indexBits;
    // Blocks of one address are claimed all the time: by the clock, or every search would walk
    // past all the node has already.
    long start =
        pool.blockSize() == bits
            ? Math.floorMod(now.getEpochSecond() * 1_000_000_000L + now.getNano(), count)
            : Integer.toUnsignedLong(fnv32(node)) % count;
    for (long step = 0; step < count; step++) {
      long index = (start + step) % count;
      Prefix cidr =
          new Prefix(
              pool.cidr().address().plus(index << bits - pool.blockSize()), pool.blockSize());
      if (plan.block(cidr) == null
          && !plan.cache().isUnreadable(cidr)
          && !plan.cache().isUnreadable(new AffinityKey(node, cidr))
          && !overlapsExisting(cidr, taken)
          && !isWhollyReserved(cidr, pools)) {
        return Optional.of(cidr);
      }
    }
    return Optional.empty();
  }

  /// A pool may have held blocks of another size before.
  static boolean overlapsExisting(Prefix cidr, NavigableSet<Prefix> taken) {
    Prefix below = taken.floor(cidr);
    Prefix above = taken.ceiling(cidr);
    return below != null && below.overlaps(cidr) || above != null && above.overlaps(cidr);
  }

  private static boolean isWhollyReserved(Prefix cidr, Pools pools) {
    return pools.reservations().stream().anyMatch(reservation -> reservation.contains(cidr));
  }

  /// Empty blocks of others, or nobody's, that have had the time to be used, from the node's own
  /// place on.
  static List<Block> idle(List<Pool> eligible, String node, View view, Survey survey, Plan plan) {
    List<Block> idle = new ArrayList<>();
    for (Stored<Block> stored : survey.blocks().values()) {
      Block block = plan.block(stored.value().cidr());
      if (block != null
          && !block.isAffineTo(node)
          && !block.deleted()
          && block.rested(view.now(), plan.config().cooldown()).isWhollyFree()
          && block
              .claimedAt()
              .map(since -> !since.plus(MIN_RECLAIM_AGE).isAfter(view.now()))
              .orElse(true)
          && eligible.stream().anyMatch(pool -> pool.cidr().contains(block.cidr()))
          && !isWhollyReserved(block.cidr(), view.pools())) {
        idle.add(block);
      }
    }
    rotate(idle, node);
    return idle;
  }

  private static void rotate(List<?> candidates, String seed) {
    if (!candidates.isEmpty()) {
      Collections.rotate(
          candidates, -(int) (Integer.toUnsignedLong(fnv32(seed)) % candidates.size()));
    }
  }

  /// Blocks of other nodes, or nobody's, with free addresses, from the node's own place on.
  static List<Prefix> lenders(IpFamily family, List<Pool> eligible, String node, Survey survey) {
    List<Prefix> lenders = new ArrayList<>();
    for (Stored<Block> stored : survey.blocks().values()) {
      Block block = stored.value();
      boolean ofAHost = block.affinity().map(affinity -> affinity.startsWith("host:")).orElse(true);
      if (ofAHost
          && !block.isAffineTo(node)
          && !block.deleted()
          && eligible.stream().anyMatch(pool -> pool.cidr().contains(block.cidr()))) {
        lenders.add(block.cidr());
      }
    }
    rotate(lenders, node + family);
    return lenders;
  }

  static int fnv32(String text) {
    int hash = FNV32_OFFSET;
    for (byte octet : text.getBytes(UTF_8)) {
      hash *= FNV32_PRIME;
      hash ^= octet & 0xff;
    }
    return hash;
  }
}
