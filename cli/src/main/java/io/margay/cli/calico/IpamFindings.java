package io.margay.cli.calico;

import io.margay.agent.calc.ClusterView;
import io.margay.datastore.KeyValue;
import io.margay.ipam.BlockAffinity;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.IpamReport;
import io.margay.ipam.Pool;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What the address check says, by what it means for a node that joins, and what it leaves out.
final class IpamFindings {

  private final CalicoCluster cluster;
  private final ClusterView view;

  IpamFindings(CalicoCluster cluster, ClusterView view) {
    this.cluster = cluster;
    this.view = view;
  }

  void collect(List<Finding> findings) {
    for (IpamReport.Finding finding : cluster.report().findings()) {
      findings.add(
          new Finding(
              rowOf(finding.kind()),
              finding.object(),
              finding.kind().name().toLowerCase(Locale.ROOT).replace('_', ' ')
                  + ": "
                  + finding.detail()));
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
      Optional<Pool> pool =
          view.ipamPools().pools().stream()
              .filter(one -> one.cidr().contains(block.block()))
              .findFirst();
      if (pool.isPresent() && pool.get().blockSize() != block.block().length()) {
        findings.add(
            new Finding(
                Support.BLOCK_SIZE,
                block.block().toString(),
                "pool " + pool.get().name() + " has /" + pool.get().blockSize()));
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

  private static Support rowOf(IpamReport.Kind kind) {
    return switch (kind) {
      case UNREADABLE, INCONSISTENT_BLOCK, OVERLAPPING_BLOCKS, DUPLICATE_ADDRESS ->
          Support.IPAM_DAMAGE;
      case BLOCK_WITHOUT_CLAIM,
          CLAIM_WITHOUT_BLOCK,
          HANDLE_MISMATCH,
          LEAKED_ADDRESS,
          UNALLOCATED_ADDRESS ->
          Support.IPAM_LEFTOVERS;
    };
  }
}
