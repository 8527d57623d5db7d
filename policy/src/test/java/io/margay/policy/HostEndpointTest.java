package io.margay.policy;

import static io.margay.policy.testing.Things.allow;
import static io.margay.policy.testing.Things.allowTcpTo;
import static io.margay.policy.testing.Things.deny;
import static io.margay.policy.testing.Things.forHosts;
import static io.margay.policy.testing.Things.globalPolicy;
import static io.margay.policy.testing.Things.localHost;
import static io.margay.policy.testing.Things.pod;
import static io.margay.policy.testing.Things.selecting;
import static io.margay.policy.testing.Things.staged;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.HostEndpoint;
import io.margay.model.resource.HostEndpointSpec;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.StagedAction;
import io.margay.model.resource.StagedGlobalNetworkPolicy;
import io.margay.model.resource.StagedPolicySpec;
import io.margay.model.resource.TierAction;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.HostDecision;
import io.margay.policy.oracle.HostDecision.Outcome;
import io.margay.policy.oracle.HostPath;
import io.margay.policy.oracle.PolicyOracle;
import io.margay.policy.oracle.PolicyState;
import io.margay.policy.oracle.RuleInterpreter;
import io.margay.policy.testing.StrictState;
import io.margay.policy.testing.Things;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Host endpoints and staged policies through the graph, each case judged by the oracle too.
class HostEndpointTest {

  private static final HostEndpointKey ETH0 = new HostEndpointKey("eth0");
  private static final Flow HTTP =
      Flow.tcp(IpAddress.parse("192.0.2.9"), IpAddress.parse("192.0.2.1"), 80);
  private static final Flow DNS =
      Flow.udp(IpAddress.parse("192.0.2.9"), IpAddress.parse("192.0.2.1"), 53);

  private static HostEndpoint eth0(String... profiles) {
    return localHost("eth0", "eth0", "192.0.2.1", List.of(profiles), "role=node");
  }

  private static PolicySpec onNodes() {
    return selecting("role == 'node'");
  }

  private static PolicyState state(Resource... world) {
    CalcGraph graph = new CalcGraph(Things.NODE);
    for (Resource resource : world) {
      graph.onUpdate(resource.ref(), resource);
    }
    graph.onInSync();
    StrictState dataplane = new StrictState();
    dataplane.beginFlush();
    graph.flush(dataplane);
    return dataplane.state();
  }

  private static Outcome decide(
      HostStage stage, PolicyType direction, Flow flow, Resource... world) {
    HostDecision computed = new RuleInterpreter(state(world)).decide(ETH0, stage, direction, flow);
    assertThat(computed)
        .isEqualTo(new PolicyOracle(List.of(world)).decide(ETH0, stage, direction, flow));
    return computed.outcome();
  }

  private static <T> T there(@Nullable T value) {
    return Objects.requireNonNull(value);
  }

  private static HostPath.Stages stages(Resource... world) {
    return (stage, direction, flow) ->
        new RuleInterpreter(state(world)).decide(ETH0, stage, direction, flow);
  }

  @Test
  void a_host_without_policy_denies_what_is_its_own_and_leaves_the_rest_open() {
    for (PolicyType direction : PolicyType.values()) {
      assertThat(decide(HostStage.NORMAL, direction, HTTP, eth0())).isEqualTo(Outcome.DENY);
      assertThat(decide(HostStage.FORWARDED, direction, HTTP, eth0())).isEqualTo(Outcome.OPEN);
      assertThat(decide(HostStage.UNTRACKED, direction, HTTP, eth0())).isEqualTo(Outcome.OPEN);
      assertThat(decide(HostStage.PRE_DNAT, direction, HTTP, eth0())).isEqualTo(Outcome.OPEN);
    }
  }

  @Test
  void the_profile_that_allows_all_opens_a_host_until_a_policy_says_more() {
    HostEndpoint open = eth0("projectcalico-default-allow");
    assertThat(decide(HostStage.NORMAL, PolicyType.INGRESS, HTTP, open)).isEqualTo(Outcome.ALLOW);
    Resource dnsOnly = globalPolicy("p", onNodes().withIngress(List.of(allowTcpTo("53"))));
    assertThat(decide(HostStage.NORMAL, PolicyType.INGRESS, HTTP, open, dnsOnly))
        .isEqualTo(Outcome.DENY);
    assertThat(decide(HostStage.NORMAL, PolicyType.EGRESS, HTTP, open, dnsOnly))
        .isEqualTo(Outcome.ALLOW);
  }

  @Test
  void only_apply_on_forward_policies_judge_forwarded_packets_and_their_tier_ends() {
    PolicySpec web = onNodes().withIngress(List.of(allowTcpTo("80")));
    Resource own = globalPolicy("p", web);
    assertThat(decide(HostStage.FORWARDED, PolicyType.INGRESS, DNS, eth0(), own))
        .isEqualTo(Outcome.OPEN);
    Resource both = globalPolicy("p", forHosts(web, false, false, true));
    assertThat(decide(HostStage.FORWARDED, PolicyType.INGRESS, DNS, eth0(), both))
        .isEqualTo(Outcome.DENY);
    assertThat(decide(HostStage.FORWARDED, PolicyType.INGRESS, HTTP, eth0(), both))
        .isEqualTo(Outcome.ALLOW);
    assertThat(decide(HostStage.NORMAL, PolicyType.INGRESS, HTTP, eth0(), both))
        .isEqualTo(Outcome.ALLOW);
  }

  @Test
  void untracked_and_pre_dnat_policies_deny_by_rule_only_and_skip_what_follows_when_they_allow() {
    PolicySpec web = onNodes().withIngress(List.of(allowTcpTo("80")));
    for (boolean untracked : new boolean[] {true, false}) {
      Resource early = globalPolicy("p", forHosts(web, untracked, !untracked, true));
      HostStage stage = untracked ? HostStage.UNTRACKED : HostStage.PRE_DNAT;
      assertThat(decide(stage, PolicyType.INGRESS, HTTP, eth0(), early)).isEqualTo(Outcome.ALLOW);
      assertThat(decide(stage, PolicyType.INGRESS, DNS, eth0(), early)).isEqualTo(Outcome.OPEN);
      assertThat(decide(HostStage.NORMAL, PolicyType.INGRESS, HTTP, eth0(), early))
          .isEqualTo(Outcome.DENY);
      assertThat(HostPath.reachesHost(stages(eth0(), early), HTTP, HTTP)).isTrue();
      assertThat(HostPath.reachesHost(stages(eth0(), early), DNS, DNS)).isFalse();
      assertThat(HostPath.letsIn(stages(eth0(), early), DNS, DNS)).isTrue();
    }
  }

  @Test
  void a_policy_that_turns_untracked_leaves_workloads_and_comes_back_when_it_no_longer_is() {
    CalcGraph graph = new CalcGraph(Things.NODE);
    Resource pod = pod("a", "web", "10.0.0.1", "role=node");
    ResourceRef ref = globalPolicy("p", onNodes()).ref();
    graph.onUpdate(pod.ref(), pod);
    graph.onUpdate(eth0().ref(), eth0());
    graph.onInSync();
    StrictState dataplane = new StrictState();
    PolicySpec closed = onNodes().withIngress(List.of(deny()));
    for (boolean untracked : new boolean[] {false, true, false}) {
      graph.onUpdate(ref, globalPolicy("p", forHosts(closed, untracked, false, true)));
      dataplane.beginFlush();
      graph.flush(dataplane);
      PolicyState state = dataplane.state();
      assertThat(there(state.endpoints().get(Things.key("a", "web"))).ingress().isEmpty())
          .isEqualTo(untracked);
      HostEndpointPolicy host = there(state.hosts().get(ETH0));
      assertThat(host.untracked().ingress().isEmpty()).isNotEqualTo(untracked);
      assertThat(host.normal().ingress().isEmpty()).isEqualTo(untracked);
    }
  }

  @Test
  void a_policy_that_would_be_both_untracked_and_pre_dnat_denies_and_is_reported() {
    Resource torn =
        globalPolicy("p", forHosts(onNodes().withIngress(List.of(allow())), true, true, true));
    assertThat(decide(HostStage.UNTRACKED, PolicyType.INGRESS, HTTP, eth0(), torn))
        .isEqualTo(Outcome.DENY);
  }

  @Test
  void an_endpoint_stands_for_a_name_for_all_or_for_whoever_has_its_addresses() {
    Map<HostEndpointKey, HostEndpointPolicy> hosts =
        state(
                eth0(),
                localHost("all", "*", "192.0.2.1", List.of()),
                localHost("by-address", null, "192.0.2.7", List.of()),
                Things.host("elsewhere", "192.0.2.3"))
            .hosts();
    assertThat(hosts).hasSize(3);
    assertThat(there(hosts.get(ETH0)).where())
        .isEqualTo(new HostInterface.Named(new InterfaceName("eth0")));
    assertThat(there(hosts.get(new HostEndpointKey("all"))).where())
        .isEqualTo(new HostInterface.All());
    assertThat(there(hosts.get(new HostEndpointKey("by-address"))).where())
        .isEqualTo(new HostInterface.Holding(Set.of(IpAddress.parse("192.0.2.7"))));
  }

  @Test
  void an_endpoint_that_becomes_invalid_stays_in_force_and_one_that_never_was_valid_is_reported() {
    CalcGraph graph = new CalcGraph(Things.NODE);
    StrictState dataplane = new StrictState();
    graph.onInSync();
    graph.onUpdate(eth0().ref(), eth0());
    HostEndpoint nameless =
        new HostEndpoint(
            Metadata.named("nameless"),
            new HostEndpointSpec(Things.NODE, "", List.of(), List.of(), List.of(), Map.of()));
    graph.onUpdate(nameless.ref(), nameless);
    graph.onUnreadable(eth0().ref(), null, "spec.ports: no list");
    dataplane.beginFlush();
    graph.flush(dataplane);
    assertThat(dataplane.state().hosts()).containsOnlyKeys(ETH0);
    assertThat(graph.problems().get(eth0().ref()))
        .isEqualTo("spec.ports: no list; the last valid version stays in force");
    assertThat(graph.problems().get(nameless.ref()))
        .contains("names neither an interface nor expectedIPs")
        .contains("not policed");
    graph.onUpdate(eth0().ref(), null);
    dataplane.beginFlush();
    graph.flush(dataplane);
    assertThat(dataplane.state().hosts()).isEmpty();
    assertThat(graph.problems()).containsOnlyKeys(nameless.ref());
  }

  @Test
  void a_staged_policy_stands_at_its_place_and_a_tier_of_staged_ones_passes() {
    PolicyState state =
        state(
            eth0(),
            globalPolicy("b", onNodes().withOrder(2.0).withIngress(List.of(allow()))),
            staged("a", onNodes().withOrder(1.0).withIngress(List.of(deny()))),
            Things.tier("early", 10, TierAction.DENY),
            staged("c", onNodes().withTier("early").withIngress(List.of(deny()))));
    assertThat(there(state.hosts().get(ETH0)).normal().ingress())
        .containsExactly(
            new TierPolicies(
                "early",
                RuleAction.PASS,
                List.of(new PolicyKey("StagedGlobalNetworkPolicy", "", "c"))),
            new TierPolicies(
                "default",
                RuleAction.DENY,
                List.of(
                    new PolicyKey("StagedGlobalNetworkPolicy", "", "a"),
                    new PolicyKey("GlobalNetworkPolicy", "", "b"))));
    assertThat(
            new RuleInterpreter(state)
                .decide(ETH0, HostStage.NORMAL, PolicyType.INGRESS, HTTP)
                .outcome())
        .isEqualTo(Outcome.ALLOW);
  }

  @Test
  void a_staged_deletion_says_nothing() {
    Resource deletion =
        new StagedGlobalNetworkPolicy(
            Metadata.named("p"), StagedPolicySpec.of(StagedAction.DELETE, onNodes()));
    PolicyState state = state(eth0(), deletion);
    assertThat(state.policies()).isEmpty();
    assertThat(there(state.hosts().get(ETH0)).normal()).isEqualTo(HostEndpointPolicy.Tiers.NONE);
  }
}
