package io.margay.ipam;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.PoolUse;
import java.util.Optional;
import java.util.Set;

/// What allocation needs of an IPPool resource.
///
/// @param name the resource's name
/// @param cidr all addresses of the pool
/// @param blockSize prefix length of its blocks: 20..32 for IPv4, 116..128 for IPv6, and not
///   shorter than the pool
/// @param disabled no new addresses are taken from it
/// @param automatic `assignmentMode: Automatic`: used when a request names no pools
/// @param uses `allowedUses`, defaults filled in
/// @param nodeSelector which nodes may claim blocks, a selector expression; evaluated by the
///   caller, see {@link Pools}
/// @param namespaceSelector which namespaces' pods may have its addresses; evaluated by the caller
/// @param notServed why nothing may be taken from it by us, whoever asks: its packets would have to
///   be wrapped, or it is not Allocatable
public record Pool(
    String name,
    Prefix cidr,
    int blockSize,
    boolean disabled,
    boolean automatic,
    Set<PoolUse> uses,
    String nodeSelector,
    String namespaceSelector,
    Optional<String> notServed) {

  /// Calico's limit: a block has at most 4096 addresses.
  static final int MAX_BLOCK_HOST_BITS = 12;

  /// What selects everything.
  public static final String ALL = "all()";

  public Pool {
    uses = Set.copyOf(uses);
    int bits = cidr.family().bits();
    if (blockSize > bits || blockSize < bits - MAX_BLOCK_HOST_BITS || blockSize < cidr.length()) {
      throw new IllegalArgumentException(
          "IPPool "
              + name
              + ": spec.blockSize "
              + blockSize
              + " is not in "
              + Math.max(bits - MAX_BLOCK_HOST_BITS, cidr.length())
              + ".."
              + bits
              + " for "
              + cidr);
    }
  }

  /// A pool for every namespace that we serve.
  public Pool(
      String name,
      Prefix cidr,
      int blockSize,
      boolean disabled,
      boolean automatic,
      boolean forWorkloads,
      String nodeSelector) {
    this(
        name,
        cidr,
        blockSize,
        disabled,
        automatic,
        forWorkloads ? Set.of(PoolUse.WORKLOAD, PoolUse.TUNNEL) : Set.of(PoolUse.TUNNEL),
        nodeSelector,
        ALL,
        Optional.empty());
  }

  /// An enabled pool for every node.
  public static Pool of(String name, Prefix cidr, int blockSize) {
    return new Pool(name, cidr, blockSize, false, true, true, ALL);
  }

  public IpFamily family() {
    return cidr.family();
  }

  public boolean forWorkloads() {
    return uses.contains(PoolUse.WORKLOAD);
  }

  boolean isForEveryNamespace() {
    return namespaceSelector.isEmpty() || namespaceSelector.equals(ALL);
  }
}
