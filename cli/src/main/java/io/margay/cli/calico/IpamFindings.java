package io.margay.cli.calico;

import io.margay.datastore.KeyValue;
import io.margay.ipam.BlockAffinity;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.care.FindingKind;
import io.margay.ipam.care.IpamReport;
import java.util.List;
import java.util.Optional;

/// What the address check says, by what it means for a node that joins, and what it leaves out.
final class IpamFindings {

  private final CalicoCluster cluster;

  IpamFindings(CalicoCluster cluster) {
    this.cluster = cluster;
  }

  void collect(List<Finding> findings) {
    for (io.margay.ipam.care.Finding finding : cluster.report().findings()) {
      rowOf(finding.kind())
          .ifPresent(
              row ->
                  findings.add(
                      new Finding(
                          row,
                          finding.object(),
                          finding.kind().meaning() + ": " + finding.detail())));
    }
    for (KeyValue item : cluster.ipam()) {
      IpamKeys.affinityOf(item.key()).ifPresent(claim -> claim(claim, item, findings));
    }
    for (IpamReport.BlockUsage block : cluster.report().usage()) {
      if (block.affinity().isEmpty()) {
        findings.add(
            new Finding(
                Support.BLOCK_WITHOUT_NODE,
                block.block().toString(),
                block.allocated() + " addresses in use"));
      }
    }
  }

  private static void claim(IpamKeys.AffinityKey claim, KeyValue item, List<Finding> findings) {
    try {
      BlockAffinity.State state = BlockAffinity.parse(item.key(), item.value()).state();
      if (state != BlockAffinity.State.CONFIRMED) {
        findings.add(
            new Finding(
                Support.UNFINISHED_CLAIM,
                claim.block().toString(),
                state.text() + " by node " + claim.node()));
      }
    } catch (IllegalArgumentException reported) {
      // The check has it among its unreadable ones.
    }
  }

  private static Optional<Support> rowOf(FindingKind kind) {
    return switch (kind) {
      case UNREADABLE,
          INCONSISTENT_BLOCK,
          WRONG_LENGTH,
          MISSING_ATTRIBUTE,
          OVERLAPPING_BLOCKS,
          DUPLICATE_ALLOCATION,
          DUPLICATE_ADDRESS ->
          Optional.of(Support.IPAM_DAMAGE);
      case BLOCK_SIZE -> Optional.of(Support.BLOCK_SIZE);
      // Claims are told above, whatever their age; a held reservation is as it should be.
      case CLAIM_UNFINISHED, RESERVED_IN_USE -> Optional.empty();
      case UNUSED_ATTRIBUTE,
          STRAY_SEQUENCE,
          BLOCK_OUTSIDE_POOLS,
          BLOCK_WITHOUT_CLAIM,
          CLAIM_WITHOUT_BLOCK,
          CLAIM_OF_OTHERS_BLOCK,
          NODE_MISSING,
          HANDLE_MISSING,
          HANDLE_UNUSED,
          HANDLE_MISCOUNTS,
          LEAKED_ADDRESS,
          UNALLOCATED_ADDRESS,
          ENDPOINT_WITHOUT_NODE,
          RESTED_TOO_LONG ->
          Optional.of(Support.IPAM_LEFTOVERS);
    };
  }
}
