package io.margay.agent.overlay;

import io.margay.agent.calc.ClusterView;
import io.margay.agent.calc.ClusterView.VxlanPool;
import io.margay.agent.calc.TunnelKnobs;
import io.margay.agent.firewall.TunnelGuard;
import io.margay.agent.overlay.TunnelAddressKeeper.Wish;
import io.margay.datastore.Change;
import io.margay.ipam.BlockOwners;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeSpec;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The overlay as the calc loop sees it: follows the blocks, plans anew when something differs, and
/// hands on what came of it. Belongs to the calc loop.
public final class OverlayFeed {

  private static final Logger LOG = LoggerFactory.getLogger(OverlayFeed.class);

  private final String nodeName;
  private final Consumer<TunnelGuard> guards;
  private final Consumer<OverlayPlan> plans;
  private final Consumer<Map<IpFamily, Wish>> wishes;
  private final BlockOwners blocks = new BlockOwners();
  private boolean blocksChanged;
  private TunnelGuard guard = TunnelGuard.NONE;
  private OverlayPlan plan = OverlayPlan.NONE;

  /// @param guards told first, so that nothing is open before it is guarded
  /// @param plans told the plan whenever it differs
  /// @param wishes told what addresses the node needs
  public OverlayFeed(
      String nodeName,
      Consumer<TunnelGuard> guards,
      Consumer<OverlayPlan> plans,
      Consumer<Map<IpFamily, Wish>> wishes) {
    this.nodeName = nodeName;
    this.guards = guards;
    this.plans = plans;
    this.wishes = wishes;
  }

  /// What the store says of a block; other keys are passed over.
  public void onChange(Change change) {
    blocksChanged |= blocks.onChange(change);
  }

  /// Hands on what has changed.
  ///
  /// @param othersChanged whether resources or knobs may differ from those of the last call
  public void settle(boolean othersChanged, ClusterView cluster, TunnelKnobs knobs) {
    if (othersChanged) {
      wishes.accept(wishes(cluster));
    }
    if (!othersChanged && !blocksChanged) {
      return;
    }
    blocksChanged = false;
    OverlayPlan now = OverlayPlanner.plan(nodeName, cluster, blocks, knobs);
    TunnelGuard guardNow =
        now.wrappings().isEmpty()
            ? TunnelGuard.NONE
            : new TunnelGuard(knobs.port(), now.wrappings().keySet(), now.machines());
    if (!guardNow.equals(guard)) {
      guard = guardNow;
      guards.accept(guardNow);
    }
    if (now.equals(plan)) {
      return;
    }
    if (!now.problems().equals(plan.problems())) {
      now.problems()
          .forEach(
              problem ->
                  LOG.atWarn().addKeyValue("problem", problem).log("the overlay is not complete"));
    }
    plan = now;
    plans.accept(now);
  }

  private Map<IpFamily, Wish> wishes(ClusterView cluster) {
    Optional<NodeSpec> own = cluster.node(nodeName).map(Node::spec);
    Map<IpFamily, Wish> wanted = new EnumMap<>(IpFamily.class);
    for (IpFamily family : IpFamily.values()) {
      List<Prefix> pools =
          cluster.vxlanPools().stream()
              .map(VxlanPool::cidr)
              .filter(cidr -> cidr.family() == family)
              .toList();
      Optional<IpAddress> present =
          own.flatMap(
              spec ->
                  Optional.ofNullable(
                      switch (family) {
                        case IPV4 -> spec.ipv4VXLANTunnelAddr();
                        case IPV6 -> spec.ipv6VXLANTunnelAddr();
                      }));
      wanted.put(family, new Wish(pools, cluster.tunnelAddressPools(nodeName, family), present));
    }
    return wanted;
  }
}
