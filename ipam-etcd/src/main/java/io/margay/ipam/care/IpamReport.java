package io.margay.ipam.care;

import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Optional;

/// What IPAM holds and what is wrong with it.
///
/// @param usage every readable block, in address order
/// @param handleCount handles there are
/// @param findings what contradicts itself, and notes; empty when all is well
public record IpamReport(List<BlockUsage> usage, int handleCount, List<Finding> findings) {

  /// How many of many objects a finding names.
  static final int MAX_NAMED = 5;

  public IpamReport {
    usage = List.copyOf(usage);
    findings = List.copyOf(findings);
  }

  /// Addresses somebody holds.
  public int allocatedCount() {
    return usage.stream().mapToInt(BlockUsage::allocated).sum();
  }

  /// Findings that are more than notes.
  public int problemCount() {
    return (int) findings.stream().filter(finding -> !finding.kind().isNote()).count();
  }

  /// How full one block is; `allocated + resting + free = size`.
  public record BlockUsage(
      Prefix block, Optional<String> affinity, int size, int allocated, int resting, int free) {}
}
