package io.margay.ipam;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.margay.ipam.BlockCache.Stored;
import io.margay.ipam.BlockCache.Survey;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Which block a node tries to claim, and from which it borrows. A function of the node's name and
/// what is taken, so that nodes starting together try different blocks.
final class BlockChoice {

  /// Most blocks of one pool that are considered: a larger IPv6 pool is used from its start.
  private static final int MAX_BLOCK_BITS = 32;

  private static final int FNV32_OFFSET = 0x811c9dc5;
  private static final int FNV32_PRIME = 0x01000193;

  private BlockChoice() {}

  /// The first block of `pool` that nobody has, from the node's own place on. `plan` knows blocks
  /// already chosen in the same transaction.
  static Optional<Prefix> unclaimed(Pool pool, String node, Survey survey, Plan plan, Pools pools) {
    int bits = pool.family().bits();
    int indexBits = Math.min(pool.blockSize() - pool.cidr().length(), MAX_BLOCK_BITS);
    long count = 1L << indexBits;
    long start = Integer.toUnsignedLong(fnv32(node)) % count;
    for (long step = 0; step < count; step++) {
      long index = (start + step) % count;
      Prefix cidr =
          new Prefix(
              pool.cidr().address().plus(index << bits - pool.blockSize()), pool.blockSize());
      if (plan.block(cidr) == null
          && !plan.cache().isUnreadable(cidr)
          && !overlapsExisting(cidr, survey)
          && !isWhollyReserved(cidr, pools)) {
        return Optional.of(cidr);
      }
    }
    return Optional.empty();
  }

  /// A pool may have held blocks of another size before.
  private static boolean overlapsExisting(Prefix cidr, Survey survey) {
    Prefix below = survey.taken().floor(cidr);
    Prefix above = survey.taken().ceiling(cidr);
    return below != null && below.overlaps(cidr) || above != null && above.overlaps(cidr);
  }

  private static boolean isWhollyReserved(Prefix cidr, Pools pools) {
    return pools.reservations().stream().anyMatch(reservation -> reservation.contains(cidr));
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
    if (!lenders.isEmpty()) {
      java.util.Collections.rotate(
          lenders, -(int) (Integer.toUnsignedLong(fnv32(node + family)) % lenders.size()));
    }
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
