package io.margay.agent.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FirewallSettings;
import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftOp;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTableName;
import io.margay.linux.route.RouteClass;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteTable;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.PolicyUpdate;
import java.util.List;
import org.junit.jupiter.api.Test;

class InspectorTest {

  private static final NftTableName V4 = new NftTableName(IpFamily.IPV4, "margay");
  private static final IpAddress POD = IpAddress.parse("10.65.0.1");

  private final FakeNftables nft = new FakeNftables(false);
  private final FakeRoutes kernel = new FakeRoutes();
  private final RouteTable routes = new RouteTable(kernel, index -> true);

  @Test
  void rules_that_another_took_away_are_a_fault_until_they_are_back() throws Exception {
    try (NftTable table = new NftTable(nft.open(), "margay", NftTable.Ownership.NEVER);
        NftKernel intruder = nft.open()) {
      FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
      Inspector inspector = new Inspector(firewall, routes);
      firewall.onUpdate(
          new PolicyUpdate.EndpointUpdated(
              new EndpointKey("ns", "a"),
              new EndpointPolicy(
                  new InterfaceName("cali1"), List.of(POD), List.of(), List.of(), List.of())));
      firewall.apply();
      assertThat(inspector.ruleFaults()).isEmpty();

      intruder.commit(List.of(new NftOp.DeleteTable(V4)));
      assertThat(inspector.ruleFaults()).singleElement().asString().contains("not as its agent");
      assertThat(nft.rules(V4, "egress")).as("nothing is repaired").isEmpty();

      firewall.resync();
      assertThat(inspector.ruleFaults()).isEmpty();
    }
  }

  @Test
  void every_address_without_its_route_is_a_fault() throws Exception {
    IpAddress other = IpAddress.parse("fd00:65::1");
    kernel.addDevice(11);
    routes.adopt();
    for (IpAddress address : List.of(POD, other)) {
      routes.update(RouteClass.LOCAL_WORKLOAD, address.toHostPrefix(), RouteSpec.toDevice(11));
    }
    routes.apply();
    try (NftTable table = new NftTable(nft.open(), "margay", NftTable.Ownership.NEVER)) {
      Inspector inspector =
          new Inspector(new FirewallManager(table, FirewallSettings.DEFAULT), routes);
      assertThat(inspector.routeFaults(List.of(POD, other))).isEmpty();
      kernel.removeDevice(11);
      assertThat(inspector.routeFaults(List.of(POD, other))).hasSize(2);
    }
  }
}
