package io.margay.ipam;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;

/// What allocation needs of an IPPool resource.
///
/// @param name the resource's name
/// @param cidr all addresses of the pool
/// @param blockSize prefix length of its blocks: 20..32 for IPv4, 116..128 for IPv6, and not
///   shorter than the pool
/// @param disabled no new addresses are taken from it
/// @param automatic `assignmentMode: Automatic`: used when a request names no pools
/// @param forWorkloads `allowedUses` contains `Workload`
/// @param nodeSelector which nodes may claim blocks, a selector expression; evaluated by the
///   caller, see {@link Pools}
public record Pool(
    String name,
    Prefix cidr,
    int blockSize,
    boolean disabled,
    boolean automatic,
    boolean forWorkloads,
    String nodeSelector) {

  /// Calico's limit: a block has at most 4096 addresses.
  static final int MAX_BLOCK_HOST_BITS = 12;

  public Pool {
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

  /// An enabled pool for every node.
  public static Pool of(String name, Prefix cidr, int blockSize) {
    return new Pool(name, cidr, blockSize, false, true, true, "all()");
  }

  public IpFamily family() {
    return cidr.family();
  }
}
