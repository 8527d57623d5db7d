package io.margay.agent.firewall.rack;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FirewallSettings;
import io.margay.agent.firewall.TunnelGuard;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTable;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.policy.CalcGraph;
import io.margay.policy.PolicyUpdate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One node's policy as its agent computes and writes it: resources in, its kernel's tables out.
final class NodePolicy implements AutoCloseable {

  private final CalcGraph graph;
  private final NftTable table;
  private final FirewallManager firewall;

  NodePolicy(String node, NftKernel kernel) {
    graph = new CalcGraph(node);
    table = new NftTable(kernel, "margay", NftTable.Ownership.WHERE_PERSISTENT);
    firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
  }

  /// As FelixConfiguration's workloadSourceSpoofing says.
  void setMaySpoof(boolean may) {
    firewall.setMaySpoof(may);
  }

  void setTunnelGuard(TunnelGuard guard) {
    firewall.setTunnelGuard(guard);
  }

  /// Takes what has changed; nothing is written before [#write].
  ///
  /// @param changes null values: the resource is no more
  void learn(Map<ResourceRef, @Nullable Resource> changes) {
    changes.forEach(graph::onUpdate);
    graph.onInSync();
  }

  /// Brings the kernel to what is known, as the dataplane does.
  NftOutcome write() throws NftException {
    List<PolicyUpdate> updates = new ArrayList<>();
    graph.flush(updates::add);
    updates.forEach(firewall::onUpdate);
    return firewall.apply();
  }

  /// Fails unless the kernel holds exactly what is known.
  void assertInStep() throws NftException {
    assertThat(firewall.resync()).isEqualTo(new NftOutcome.Unchanged());
  }

  /// Ends as a killed process does: what it wrote stays, its socket closes.
  @Override
  public void close() {
    table.close();
  }
}
