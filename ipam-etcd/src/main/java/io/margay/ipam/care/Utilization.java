package io.margay.ipam.care;

import io.margay.ipam.Block;
import io.margay.model.net.Prefix;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// How full pools and their blocks are.
///
/// @param name the pool's name; empty for blocks outside all pools
/// @param cidr its prefix; empty for blocks outside all pools
/// @param total addresses it has
/// @param inUse addresses held, resting ones included
/// @param reserved addresses within IPReservations, held or not
/// @param free addresses that may be taken
/// @param cooling the resting part of `inUse`
/// @param blocks in address order
public record Utilization(
    String name,
    Optional<Prefix> cidr,
    BigInteger total,
    int inUse,
    BigInteger reserved,
    BigInteger free,
    int cooling,
    List<BlockUse> blocks) {

  public Utilization {
    blocks = List.copyOf(blocks);
  }

  /// How full one block is.
  ///
  /// @param affinity `host:<node>`, `virtual:<name>`, or empty
  public record BlockUse(
      Prefix cidr, String affinity, int total, int inUse, int reserved, int free, int cooling) {}

  /// All pools in address order, then what lies outside them.
  public static List<Utilization> of(IpamState state) {
    List<Utilization> all = new ArrayList<>();
    List<Prefix> reserved = maximal(state.reservations);
    state.pools.stream()
        .sorted(Comparator.comparing(IpamState.PoolRange::cidr))
        .forEach(
            pool ->
                all.add(
                    of(
                        pool.name(),
                        Optional.of(pool.cidr()),
                        blocks(state, reserved, Optional.of(pool)),
                        reserved)));
    List<BlockUse> orphans = blocks(state, reserved, Optional.empty());
    if (!orphans.isEmpty()) {
      all.add(of("", Optional.empty(), orphans, reserved));
    }
    return all;
  }

  private static Utilization of(
      String name, Optional<Prefix> cidr, List<BlockUse> blocks, List<Prefix> reservations) {
    int inUse = blocks.stream().mapToInt(BlockUse::inUse).sum();
    int cooling = blocks.stream().mapToInt(BlockUse::cooling).sum();
    BigInteger total =
        cidr.map(Utilization::size)
            .orElseGet(() -> BigInteger.valueOf(blocks.stream().mapToLong(BlockUse::total).sum()));
    BigInteger reserved =
        cidr.map(
                pool ->
                    reservations.stream()
                        .filter(pool::overlaps)
                        .map(one -> size(one.length() < pool.length() ? pool : one))
                        .reduce(BigInteger.ZERO, BigInteger::add))
            .orElse(BigInteger.ZERO);
    // Held and reserved at once counts in both, but is missing from the free ones only once.
    int both =
        blocks.stream()
            .mapToInt(one -> one.inUse() + one.reserved() + one.free() - one.total())
            .sum();
    BigInteger free =
        total
            .subtract(BigInteger.valueOf(inUse))
            .subtract(reserved)
            .add(BigInteger.valueOf(both))
            .max(BigInteger.ZERO);
    return new Utilization(name, cidr, total, inUse, reserved, free, cooling, blocks);
  }

  private static BigInteger size(Prefix prefix) {
    return BigInteger.ONE.shiftLeft(prefix.family().bits() - prefix.length());
  }

  private static List<Prefix> maximal(List<Prefix> prefixes) {
    return prefixes.stream()
        .filter(
            one -> prefixes.stream().noneMatch(other -> !other.equals(one) && other.contains(one)))
        .distinct()
        .toList();
  }

  private static List<BlockUse> blocks(
      IpamState state, List<Prefix> reserved, Optional<IpamState.PoolRange> pool) {
    List<BlockUse> uses = new ArrayList<>();
    for (Stored<Block> stored : state.blocks.values()) {
      Block block = stored.value();
      if (state.poolOf(block.cidr()).equals(pool)) {
        uses.add(use(block, reserved));
      }
    }
    return uses;
  }

  private static BlockUse use(Block block, List<Prefix> reserved) {
    int cooling = block.resting().size();
    int inUse = block.allocated().size() + cooling;
    int kept = 0;
    int free = 0;
    for (int ordinal = 0; ordinal < block.size(); ordinal++) {
      var address = block.cidr().address().plus(ordinal);
      boolean isReserved = reserved.stream().anyMatch(one -> one.contains(address));
      kept += isReserved ? 1 : 0;
      free += !isReserved && block.allocationOf(address).isEmpty() ? 1 : 0;
    }
    return new BlockUse(
        block.cidr(), block.affinity().orElse(""), block.size(), inUse, kept, free, cooling);
  }
}
