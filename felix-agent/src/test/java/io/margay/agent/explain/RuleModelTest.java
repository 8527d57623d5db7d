package io.margay.agent.explain;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.firewall.FirewallSettings;
import io.margay.linux.nft.NftPacket;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.policy.CalcGraph;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.PolicyOracle;
import io.margay.policy.testing.Gen;
import io.margay.policy.testing.RandomWorld;
import io.margay.policy.testing.Things;
import io.margay.policy.testing.World;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// The rendered rules, walked, against the oracle: verdicts and what decided.
class RuleModelTest {

  private static final int SEEDS = 150;
  private static final int FLOWS_PER_ENDPOINT_AND_DIRECTION = 25;

  @Test
  void the_rendered_rules_decide_as_the_oracle_does_and_for_the_same_reason() {
    int[] decisions = new int[2];
    Map<Class<?>, Integer> reasons = new HashMap<>();
    Gen.forSeeds(
        SEEDS,
        gen -> {
          RandomWorld random = new RandomWorld(gen);
          World world = random.mutated(random.world());
          PolicyOracle oracle = new PolicyOracle(world.all());
          RuleModel model = RuleModel.of(graph(world), FirewallSettings.DEFAULT);
          endpoints(world)
              .forEach(
                  (key, endpoint) -> {
                    for (PolicyType direction : PolicyType.values()) {
                      for (int i = 0; i < FLOWS_PER_ENDPOINT_AND_DIRECTION; i++) {
                        IpAddress own = gen.oneOf(endpoint.addresses());
                        Flow flow = random.flow(own, direction == PolicyType.EGRESS);
                        Judgement expected = Judgement.of(oracle.decide(key, direction, flow));
                        assertThat(at(model, endpoint.interfaceName(), direction, flow))
                            .as("%s %s %s in %s", key, direction, flow, world)
                            .isEqualTo(expected);
                        decisions[expected.isAllowed() ? 1 : 0]++;
                        reasons.merge(expected.reason().getClass(), 1, Integer::sum);
                      }
                    }
                  });
        });
    assertThat(decisions[0]).as("denied").isPositive();
    assertThat(decisions[1]).as("allowed").isPositive();
    assertThat(reasons.keySet())
        .contains(Reason.PolicyRule.class, Reason.EndOfTier.class, Reason.Profile.class);
    System.out.println(
        "decisions: " + decisions[1] + " allow, " + decisions[0] + " deny; by " + reasons);
  }

  private static CalcGraph graph(World world) {
    CalcGraph graph = new CalcGraph(Things.NODE);
    world.byRef().forEach(graph::onUpdate);
    graph.onInSync();
    return graph;
  }

  /// Those that have an interface of their own: one that several claim is closed.
  private static Map<EndpointKey, EndpointPolicy> endpoints(World world) {
    Map<EndpointKey, EndpointPolicy> endpoints = new TreeMap<>();
    Map<InterfaceName, Integer> claims = new HashMap<>();
    graph(world)
        .flush(
            update -> {
              if (update
                  instanceof PolicyUpdate.EndpointUpdated(EndpointKey key, EndpointPolicy policy)) {
                endpoints.put(key, policy);
                claims.merge(policy.interfaceName(), 1, Integer::sum);
              }
            });
    endpoints.values().removeIf(endpoint -> claims.getOrDefault(endpoint.interfaceName(), 0) > 1);
    return endpoints;
  }

  private static Judgement at(
      RuleModel model, InterfaceName endpoint, PolicyType direction, Flow flow) {
    PacketPath path =
        switch (direction) {
          case EGRESS -> model.decide(packet(flow), endpoint, null);
          case INGRESS -> model.decide(packet(flow), null, endpoint);
        };
    Judgement judgement =
        switch (direction) {
          case EGRESS -> path.egress();
          case INGRESS -> path.ingress();
        };
    return Objects.requireNonNull(judgement);
  }

  private static NftPacket packet(Flow flow) {
    Flow.Icmp icmp = flow.icmp();
    return icmp == null
        ? NftPacket.opening(
            flow.protocol(),
            flow.source(),
            flow.sourcePort(),
            flow.destination(),
            flow.destinationPort())
        : NftPacket.icmp(flow.source(), flow.destination(), icmp.type(), icmp.code());
  }

  @Test
  void what_stands_before_policy_is_named_by_its_rule() {
    WorkloadEndpoint one = Things.pod("a", "one", "10.0.0.1,fd00::1");
    World world = World.of(one, Things.namespace("a"));
    InterfaceName pod = one.spec().interfaceName();
    RuleModel model = RuleModel.of(graph(world), FirewallSettings.DEFAULT);
    IpAddress own = IpAddress.parse("10.0.0.1");
    IpAddress other = IpAddress.parse("10.0.0.9");

    PacketPath tunnel =
        model.decide(NftPacket.opening(NftPacket.UDP, own, 40_000, other, 4789), pod, null);
    assertThat(tunnel.isAllowed()).isFalse();
    assertThat(reason(tunnel)).asString().contains("vxlan");

    PacketPath spoofed =
        model.decide(NftPacket.opening(NftPacket.TCP, other, 40_000, own, 80), pod, null);
    assertThat(spoofed.isAllowed()).isFalse();
    assertThat(reason(spoofed)).asString().contains("spoof");

    PacketPath unknown =
        model.decide(
            NftPacket.opening(NftPacket.TCP, own, 40_000, other, 80),
            null,
            new InterfaceName("cali9"));
    assertThat(unknown.isAllowed()).isFalse();

    PacketPath discovery =
        model.decide(
            NftPacket.icmp(IpAddress.parse("fd00::1"), IpAddress.parse("fd00::2"), 135, 0),
            pod,
            null);
    assertThat(discovery.isAllowed()).isTrue();
  }

  private static Reason reason(PacketPath path) {
    return Objects.requireNonNull(path.egress()).reason();
  }
}
