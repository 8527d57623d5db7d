package io.margay.ipam;

import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Optional;

/// What IPAM holds and what is wrong with it.
///
/// @param usage every readable block, in address order
/// @param handleCount handles there are
/// @param findings what contradicts itself; empty when all is well
public record IpamReport(List<BlockUsage> usage, int handleCount, List<Finding> findings) {

  public IpamReport {
    usage = List.copyOf(usage);
    findings = List.copyOf(findings);
  }

  /// Addresses somebody holds.
  public int allocatedCount() {
    return usage.stream().mapToInt(BlockUsage::allocated).sum();
  }

  /// How full one block is; `allocated + resting + free = size`.
  public record BlockUsage(
      Prefix block, Optional<String> affinity, int size, int allocated, int resting, int free) {}

  /// One contradiction.
  ///
  /// @param object the address, block, handle or key it is about
  /// @param detail what contradicts what
  public record Finding(Kind kind, String object, String detail) {}

  /// What can be wrong.
  public enum Kind {
    /// A document that can't be read.
    UNREADABLE,
    /// A block whose free and allocated addresses don't add up.
    INCONSISTENT_BLOCK,
    /// Two blocks share addresses.
    OVERLAPPING_BLOCKS,
    /// A block names a node that has no confirmed claim to it.
    BLOCK_WITHOUT_CLAIM,
    /// A claim to a block that does not exist or is another's.
    CLAIM_WITHOUT_BLOCK,
    /// A handle and the blocks disagree about how many addresses it has.
    HANDLE_MISMATCH,
    /// A pod's address that no workload endpoint uses.
    LEAKED_ADDRESS,
    /// A workload endpoint's address that is not allocated.
    UNALLOCATED_ADDRESS,
    /// An address used by several workload endpoints.
    DUPLICATE_ADDRESS
  }
}
