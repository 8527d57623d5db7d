package io.margay.agent.firewall;

import io.margay.agent.firewall.HostProtection.ToHostAction;
import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.model.resource.HostEndpoint;
import io.margay.model.resource.Resource;
import io.margay.policy.CalcGraph;
import io.margay.policy.HostEndpointKey;
import io.margay.policy.oracle.HostPath;
import io.margay.policy.oracle.PolicyOracle;
import io.margay.policy.testing.RandomWorld;
import io.margay.policy.testing.Things;
import io.margay.policy.testing.World;
import java.util.List;
import java.util.Optional;

/// A world of documents as the node has it in its tables, without failsafes, and as the oracle sees
/// it.
record HostWorld(World world, NftTable table, FirewallManager firewall, PolicyOracle oracle) {

  private static final int TRIES = 20;

  /// One that has an endpoint for `eth0`, or nearly always.
  static HostWorld draw(RandomWorld random) {
    World world = random.world();
    for (int i = 0; i < TRIES && endpointOf(world, "eth0").isEmpty(); i++) {
      world = random.world();
    }
    NftTable table =
        new NftTable(new FakeNftables(false).open(), "margay", Ownership.WHERE_PERSISTENT);
    FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
    firewall.setHostProtection(new HostProtection(ToHostAction.ACCEPT, List.of(), List.of()));
    CalcGraph graph = new CalcGraph(Things.NODE);
    world.byRef().forEach(graph::onUpdate);
    graph.onInSync();
    graph.flush(firewall::onUpdate);
    firewall.render();
    return new HostWorld(world, table, firewall, new PolicyOracle(world.all()));
  }

  /// What the oracle says for the endpoint that has the interface; empty if none has.
  Optional<HostPath.Stages> stagesOf(String interfaceName) {
    return endpointOf(world, interfaceName)
        .map(key -> (stage, direction, flow) -> oracle.decide(key, stage, direction, flow));
  }

  /// Whose the interface is: a name goes before `*`, the first of equals has it.
  private static Optional<HostEndpointKey> endpointOf(World world, String interfaceName) {
    for (String name : List.of(interfaceName, "*")) {
      for (Resource resource : world.all()) {
        if (resource instanceof HostEndpoint host
            && Things.NODE.equals(host.spec().node())
            && name.equals(host.spec().interfaceName())) {
          return Optional.of(new HostEndpointKey(host.metadata().name()));
        }
      }
    }
    return Optional.empty();
  }
}
