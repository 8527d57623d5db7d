package io.margay.policy;

import static io.margay.policy.testing.Things.NODE;
import static io.margay.policy.testing.Things.allow;
import static io.margay.policy.testing.Things.allowTcpTo;
import static io.margay.policy.testing.Things.deny;
import static io.margay.policy.testing.Things.globalNetworkSet;
import static io.margay.policy.testing.Things.globalPolicy;
import static io.margay.policy.testing.Things.ip;
import static io.margay.policy.testing.Things.key;
import static io.margay.policy.testing.Things.namespace;
import static io.margay.policy.testing.Things.nets;
import static io.margay.policy.testing.Things.peer;
import static io.margay.policy.testing.Things.pod;
import static io.margay.policy.testing.Things.policy;
import static io.margay.policy.testing.Things.port;
import static io.margay.policy.testing.Things.selecting;
import static io.margay.policy.testing.Things.tier;
import static io.margay.policy.testing.Things.withPorts;
import static io.margay.policy.testing.Things.withoutInterface;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.EntityRule;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.GlobalNetworkSet;
import io.margay.model.resource.Kind;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Port;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.ServiceMatch;
import io.margay.model.resource.TierAction;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.RuleInterpreter;
import io.margay.policy.testing.StrictState;
import io.margay.policy.testing.Things;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// What the graph emits, and what it keeps to itself.
class CalcGraphTest {

  private final CalcGraph graph = new CalcGraph(NODE);
  private final StrictState dataplane = new StrictState();

  private void put(Resource... resources) {
    for (Resource resource : resources) {
      graph.onUpdate(resource.ref(), resource);
    }
  }

  private void remove(Resource... resources) {
    for (Resource resource : resources) {
      graph.onUpdate(resource.ref(), null);
    }
  }

  private List<PolicyUpdate> flush() {
    List<PolicyUpdate> updates = new ArrayList<>();
    dataplane.beginFlush();
    graph.flush(
        update -> {
          updates.add(update);
          dataplane.accept(update);
        });
    return updates;
  }

  private List<PolicyUpdate> flushInSync(Resource... resources) {
    put(resources);
    graph.onInSync();
    return flush();
  }

  private boolean allows(String source, String destination, int port) {
    return new RuleInterpreter(dataplane.state())
        .decide(Flow.tcp(ip(source), ip(destination), port))
        .allowed();
  }

  private static SetMember net(String prefix) {
    return new SetMember.Net(Prefix.parse(prefix));
  }

  private static final Resource WEB = pod("a", "web", "10.0.0.1", "app=web");
  private static final Resource CLIENT = pod("a", "client", "10.0.0.2", "app=client");

  /// For `web`, from `client`.
  private static final Resource WEB_FROM_CLIENT =
      policy(
          "a",
          "p",
          selecting("app == 'web'")
              .withIngress(List.of(allow().withSource(peer("app == 'client'")))));

  @Test
  void before_in_sync_nothing_is_emitted() {
    put(namespace("a"), WEB, CLIENT, WEB_FROM_CLIENT);
    assertThat(flush()).isEmpty();
    graph.onInSync();
    assertThat(flush()).isNotEmpty();
  }

  @Test
  void referents_come_first_and_leave_last() {
    assertThat(flushInSync(namespace("a"), WEB, CLIENT, WEB_FROM_CLIENT))
        .extracting(update -> update.getClass().getSimpleName())
        .containsExactly(
            "SetUpdated", "PolicyUpdated", "ProfileUpdated", "EndpointUpdated", "EndpointUpdated");
    remove(namespace("a"), WEB_FROM_CLIENT, CLIENT, WEB);
    assertThat(flush())
        .extracting(update -> update.getClass().getSimpleName())
        .containsExactly(
            "EndpointRemoved", "EndpointRemoved", "ProfileRemoved", "PolicyRemoved", "SetRemoved");
  }

  @Test
  void an_endpoint_gets_its_interface_addresses_tiers_and_profiles() {
    flushInSync(
        tier("t", 5, TierAction.PASS),
        WEB,
        policy("a", "p", selecting("app == 'web'")),
        globalPolicy(
            "g", selecting("all()").withTier("t").withTypes(List.of(PolicyType.values()))));
    EndpointPolicy policy = dataplane.state().endpoints().get(key("a", "web"));
    PolicyKey global = new PolicyKey("GlobalNetworkPolicy", "", "g");
    assertThat(policy)
        .isEqualTo(
            new EndpointPolicy(
                Objects.requireNonNull(((WorkloadEndpoint) WEB).spec().interfaceName()),
                List.of(ip("10.0.0.1")),
                List.of(
                    new TierPolicies("t", RuleAction.PASS, List.of(global)),
                    new TierPolicies(
                        "default",
                        RuleAction.DENY,
                        List.of(new PolicyKey("NetworkPolicy", "a", "p")))),
                List.of(new TierPolicies("t", RuleAction.PASS, List.of(global))),
                List.of("kns.a")));
  }

  @Test
  void an_endpoint_has_its_host_ports_each_once_and_none_at_an_address_that_is_none() {
    flushInSync(
        withPorts(
            (WorkloadEndpoint) WEB,
            hostPort("web", 80, 8080, null),
            hostPort("", 80, 8080, "0.0.0.0"),
            hostPort("", 80, 8081, "192.0.2.1"),
            hostPort("", 80, 8082, "eth0"),
            port("plain", Protocol.Named.TCP, 80)));
    assertThat(
            Objects.requireNonNull(dataplane.state().endpoints().get(key("a", "web"))).hostPorts())
        .containsExactly(
            new HostPort(6, null, 8080, 80), new HostPort(6, ip("192.0.2.1"), 8081, 80));
  }

  private static EndpointPort hostPort(
      String name, int port, int hostPort, @Nullable String hostIp) {
    return new EndpointPort(name, Protocol.Named.TCP, port, hostPort, hostIp, Map.of());
  }

  @Test
  void an_endpoint_handed_in_ahead_of_the_watch_yields_nothing_when_the_watch_tells_it_again() {
    flushInSync(namespace("a"), WEB_FROM_CLIENT);
    put(WEB);
    assertThat(flush()).isNotEmpty();
    put(WEB.withMetadata(WEB.metadata().withResourceVersion("77")));
    assertThat(flush()).isEmpty();
  }

  @Test
  void what_comes_and_goes_between_flushes_yields_nothing() {
    flushInSync(namespace("a"), WEB);
    put(CLIENT, WEB_FROM_CLIENT);
    remove(CLIENT, WEB_FROM_CLIENT);
    assertThat(flush()).isEmpty();
    remove(WEB);
    put(WEB);
    assertThat(flush()).isEmpty();
  }

  @Test
  void other_nodes_endpoints_are_members_but_get_no_policy() {
    Resource remote = pod("node-2", "a", "far", List.of("kns.a"), "10.0.1.9", "app=client");
    flushInSync(namespace("a"), WEB, remote, WEB_FROM_CLIENT);
    assertThat(dataplane.state().endpoints()).containsOnlyKeys(key("a", "web"));
    assertThat(dataplane.state().sets().values()).containsExactly(Set.of(net("10.0.1.9/32")));
  }

  @Test
  void policies_and_profiles_no_local_endpoint_uses_are_not_emitted() {
    flushInSync(
        namespace("a"),
        namespace("b"),
        CLIENT,
        WEB_FROM_CLIENT,
        policy("b", "p", PolicySpec.EMPTY));
    assertThat(dataplane.state().policies()).isEmpty();
    assertThat(dataplane.state().profiles()).containsOnlyKeys("kns.a");
    assertThat(dataplane.state().sets()).isEmpty();
  }

  @Test
  void equal_selectors_share_a_set() {
    flushInSync(
        WEB,
        CLIENT,
        WEB_FROM_CLIENT,
        policy(
            "a",
            "q",
            selecting("app == 'web'")
                .withIngress(List.of(allow().withSource(peer("app==\"client\""))))));
    assertThat(dataplane.state().sets()).hasSize(1);
    remove(WEB_FROM_CLIENT);
    assertThat(flush()).noneMatch(PolicyUpdate.SetRemoved.class::isInstance);
  }

  @Test
  void members_come_and_go_as_changes_of_the_set() {
    flushInSync(WEB, CLIENT, WEB_FROM_CLIENT);
    SetId id = dataplane.state().sets().keySet().iterator().next();
    put(pod("a", "client", "10.0.0.7", "app=client"));
    assertThat(flush())
        .contains(
            new PolicyUpdate.SetChanged(
                id, Set.of(net("10.0.0.7/32")), Set.of(net("10.0.0.2/32"))));
  }

  @Test
  void an_address_shared_by_two_endpoints_leaves_with_the_second() {
    Resource twin = pod("node-2", "a", "twin", List.of(), "10.0.0.2", "app=client");
    flushInSync(WEB, CLIENT, twin, WEB_FROM_CLIENT);
    remove(twin);
    assertThat(flush()).isEmpty();
    remove(CLIENT);
    assertThat(flush()).anyMatch(PolicyUpdate.SetChanged.class::isInstance);
  }

  @Test
  void a_named_port_without_numbers_beside_it_needs_no_set_of_addresses() {
    flushInSync(
        withPorts(pod("a", "web", "10.0.0.1", "app=web"), port("http", Protocol.Named.TCP, 8080)),
        CLIENT,
        policy(
            "a",
            "p",
            selecting("app == 'client'")
                .withEgress(
                    List.of(
                        allow()
                            .withProtocol(Protocol.Named.TCP)
                            .withDestination(
                                peer("app == 'web'").withPorts(List.of(Port.parse("http"))))))));
    assertThat(dataplane.state().sets().values())
        .containsExactly(Set.of(new SetMember.NamedPort(ip("10.0.0.1"), 6, 8080)));
    assertThat(dataplane.state().sets().keySet()).allMatch(id -> id.value().startsWith("n:"));
  }

  @Test
  void rules_keep_their_index_when_others_can_not_match() {
    flushInSync(
        WEB,
        policy(
            "a",
            "p",
            selecting("app == 'web'")
                .withIngress(
                    List.of(
                        allow().withSource(EntityRule.EMPTY.withNotNets(nets("0.0.0.0/0").nets())),
                        allow().withSource(nets("192.0.2.0/25", "192.0.2.0/24", "198.51.100.0/24")),
                        allow().withSource(nets("0.0.0.0/0"))))));
    List<ComputedRule> rules = dataplane.state().policies().values().iterator().next().ingress();
    assertThat(rules).extracting(ComputedRule::index).containsExactly(1, 2);
    assertThat(rules).extracting(ComputedRule::ipVersion).containsOnly(IpFamily.IPV4);
    assertThat(rules.get(0).source().nets())
        .containsExactly(Prefix.parse("192.0.2.0/24"), Prefix.parse("198.51.100.0/24"));
    assertThat(rules.get(1).source()).isEqualTo(PeerMatch.ANY);
  }

  @Test
  void a_policy_that_becomes_invalid_stays_as_it_was_until_it_is_gone() {
    PolicySpec valid = selecting("app == 'web'").withIngress(List.of(allowTcpTo("80")));
    PolicySpec invalid =
        selecting("app == 'web'").withIngress(List.of(allowTcpTo("443").withProtocol(null)));
    GlobalNetworkPolicy policy = globalPolicy("p", valid);
    flushInSync(namespace("a"), WEB, policy);
    put(policy.withSpec(invalid));
    assertThat(flush()).isEmpty();
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isTrue();
    assertThat(graph.problems())
        .containsOnlyKeys(policy.ref())
        .hasEntrySatisfying(
            policy.ref(),
            problem ->
                assertThat(problem).contains("ingress rule 0").contains("last valid version"));

    remove(policy);
    put(policy.withSpec(invalid));
    flush();
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isFalse();
    assertThat(graph.problems().get(policy.ref())).contains("denies everything it selects");

    put(policy);
    flush();
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isTrue();
    assertThat(graph.problems()).isEmpty();
  }

  @Test
  void an_unreadable_policy_keeps_its_last_version_or_denies_what_is_known_of_it() {
    GlobalNetworkPolicy policy =
        globalPolicy("p", selecting("app == 'web'").withIngress(List.of(allowTcpTo("80"))));
    flushInSync(namespace("a"), WEB, CLIENT, policy);
    graph.onUnreadable(policy.ref(), null, "spec.ingress[0].action: \"Alow\" is no action");
    assertThat(flush()).isEmpty();
    assertThat(graph.problems().get(policy.ref())).contains("Alow").contains("last valid");

    remove(policy);
    graph.onUnreadable(
        policy.ref(), policy.withSpec(selecting("app == 'web'")), "\"Alow\" is no action");
    flush();
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isFalse();
    assertThat(allows("10.0.0.1", "10.0.0.2", 80)).isTrue();

    remove(policy);
    graph.onUnreadable(policy.ref(), null, "not JSON");
    flush();
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isTrue();
    assertThat(graph.problems().get(policy.ref())).contains("not JSON").contains("does nothing");
  }

  @Test
  void an_unreadable_network_set_keeps_its_last_version_and_is_well_when_repaired() {
    Resource set = globalNetworkSet("bad", List.of("192.0.2.0/24"), "role=bad");
    flushInSync(
        namespace("a"),
        WEB,
        set,
        globalPolicy(
            "p",
            selecting("app == 'web'")
                .withIngress(List.of(deny().withSource(peer("role == 'bad'")), allow()))));
    assertThat(allows("192.0.2.7", "10.0.0.1", 80)).isFalse();
    graph.onUnreadable(set.ref(), null, "spec.nets[1]: \"198.51.100.0/240\" is no prefix");
    assertThat(flush()).isEmpty();
    assertThat(allows("192.0.2.7", "10.0.0.1", 80)).isFalse();
    assertThat(graph.problems().get(set.ref())).contains("nets[1]").contains("last valid");
    put(set);
    assertThat(graph.problems()).isEmpty();

    remove(set);
    graph.onUnreadable(set.ref(), null, "not JSON");
    flush();
    assertThat(graph.problems().get(set.ref())).contains("no rule finds it");
    put(set);
    flush();
    assertThat(graph.problems()).isEmpty();
    assertThat(allows("192.0.2.7", "10.0.0.1", 80)).isFalse();
  }

  @Test
  void of_a_network_set_that_never_was_valid_what_can_be_read_counts() {
    GlobalNetworkSet part = globalNetworkSet("bad", List.of("192.0.2.0/24"), "role=bad");
    flushInSync(
        namespace("a"),
        WEB,
        globalPolicy(
            "p",
            selecting("app == 'web'")
                .withIngress(List.of(deny().withSource(peer("role == 'bad'")), allow()))));
    graph.onUnreadable(part.ref(), part, "spec.nets[1]: \"198.51.100.0/240\" is no prefix");
    flush();
    assertThat(allows("192.0.2.7", "10.0.0.1", 80)).isFalse();
    assertThat(graph.problems().get(part.ref())).contains("nets[1]").contains("the rest");

    // It was never valid: what is written next counts as far as it can be read, too.
    graph.onUnreadable(
        part.ref(),
        globalNetworkSet("bad", List.of("198.51.100.0/24"), "role=bad"),
        "spec.nets[0]: no prefix");
    flush();
    assertThat(allows("192.0.2.7", "10.0.0.1", 80)).isTrue();
    assertThat(allows("198.51.100.7", "10.0.0.1", 80)).isFalse();

    put(part);
    graph.onUnreadable(part.ref(), null, "not JSON");
    flush();
    assertThat(allows("192.0.2.7", "10.0.0.1", 80)).isFalse();
    assertThat(graph.problems().get(part.ref())).contains("last valid");
  }

  @Test
  void an_unreadable_endpoint_stays_as_it_was_wherever_it_is() {
    Resource far = pod("node-2", "a", "far", List.of("kns.a"), "10.0.0.2", "app=bad");
    flushInSync(
        namespace("a"),
        WEB,
        far,
        globalPolicy(
            "p",
            selecting("app == 'web'")
                .withIngress(List.of(deny().withSource(peer("app == 'bad'")), allow()))));
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isFalse();
    graph.onUnreadable(far.ref(), null, "spec.ports: no list");
    graph.onUnreadable(WEB.ref(), null, "not JSON");
    assertThat(flush()).isEmpty();
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isFalse();
    assertThat(allows("10.0.0.3", "10.0.0.1", 80)).isTrue();
    assertThat(graph.problems()).containsOnlyKeys(far.ref(), WEB.ref());
    assertThat(graph.problems().get(WEB.ref())).contains("last valid");
    remove(far);
    flush();
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isTrue();
    graph.onUnreadable(far.ref(), null, "not JSON");
    assertThat(graph.problems().get(far.ref())).contains("no rule finds its addresses");
  }

  @Test
  void an_unreadable_tier_stays_where_it_was() {
    Resource tier = tier("t", 5, TierAction.PASS);
    Resource policy =
        globalPolicy("p", selecting("all()").withTier("t").withIngress(List.of(allow())));
    flushInSync(namespace("a"), WEB, tier, policy);
    graph.onUnreadable(tier.ref(), null, "spec.order: \"low\" is no number");
    assertThat(flush()).isEmpty();
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isTrue();
    assertThat(graph.problems().get(tier.ref())).contains("low").contains("last valid");

    remove(tier);
    graph.onUnreadable(tier.ref(), null, "not JSON");
    flush();
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isFalse();
    assertThat(graph.problems().get(tier.ref())).contains("taken for absent");
    put(tier);
    flush();
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isTrue();
    assertThat(graph.problems()).isEmpty();
  }

  @Test
  void a_tier_that_goes_closes_its_policies_and_one_that_comes_opens_them() {
    Resource tier = tier("t", 5, TierAction.PASS);
    Resource policy =
        globalPolicy("p", selecting("all()").withTier("t").withIngress(List.of(allow())));
    flushInSync(namespace("a"), WEB, policy);
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isFalse();
    assertThat(graph.problems().get(policy.ref())).contains("tier \"t\" does not exist");
    put(tier);
    flush();
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isTrue();
    assertThat(graph.problems()).isEmpty();
    remove(tier);
    flush();
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isFalse();
  }

  @Test
  void a_stored_default_tier_is_heeded_and_its_removal_brings_the_built_in_back() {
    Resource stored = tier("default", 1_000_000, TierAction.PASS);
    flushInSync(namespace("a"), WEB, policy("a", "p", selecting("app == 'web'")), stored);
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isTrue();
    remove(stored);
    flush();
    assertThat(allows("10.0.0.2", "10.0.0.1", 80)).isFalse();
  }

  @Test
  void an_endpoint_that_never_was_valid_is_absent_and_one_that_no_longer_is_stays() {
    Resource broken = withoutInterface(pod("a", "web", "10.0.0.1"));
    flushInSync(namespace("a"), broken);
    assertThat(dataplane.state().endpoints()).isEmpty();
    assertThat(graph.problems()).containsOnlyKeys(broken.ref());
    put(WEB);
    flush();
    assertThat(dataplane.state().endpoints()).containsOnlyKeys(key("a", "web"));
    assertThat(graph.problems()).isEmpty();
    put(Things.pod(NODE, "a", "web", List.of("kns.a"), "10.0.0.0/24"));
    assertThat(flush()).isEmpty();
    assertThat(dataplane.state().endpoints()).containsOnlyKeys(key("a", "web"));
    assertThat(graph.problems().get(WEB.ref())).contains("10.0.0.0/24").contains("last valid");
  }

  @Test
  void what_an_endpoint_of_this_node_asks_for_and_does_not_get_is_reported() {
    flushInSync(
        namespace("a"),
        Things.withFloatingAddress(
            pod("a", "web", "10.0.0.1", "app=web"), "10.0.0.1", "192.0.2.1"));
    assertThat(dataplane.state().endpoints()).containsOnlyKeys(key("a", "web"));
    assertThat(graph.problems().get(WEB.ref())).startsWith("spec.ipNATs has no effect here");
    put(WEB);
    flush();
    assertThat(graph.problems()).isEmpty();
    put(
        Things.withFloatingAddress(
            pod("node-2", "a", "web", List.of("kns.a"), "10.0.0.1"), "10.0.0.1", "192.0.2.1"));
    flush();
    assertThat(graph.problems()).isEmpty();
  }

  @Test
  void an_endpoint_that_moves_to_another_node_goes() {
    flushInSync(namespace("a"), WEB);
    put(pod("node-2", "a", "web", List.of("kns.a"), "10.0.0.1", "app=web"));
    assertThat(flush())
        .containsExactly(
            new PolicyUpdate.EndpointRemoved(key("a", "web")),
            new PolicyUpdate.ProfileRemoved("kns.a"));
  }

  @Test
  void kinds_without_a_say_are_passed_over() {
    graph.onUpdate(ResourceRef.global(Kind.NODE, "node-1"), null);
    graph.onUnreadable(ResourceRef.global(Kind.IP_POOL, "pool"), null, "not JSON");
    assertThat(flushInSync()).isEmpty();
    assertThat(graph.problems()).isEmpty();
  }

  @Test
  void unsupported_matches_are_reported() {
    Resource policy =
        globalPolicy(
            "p",
            selecting("app == 'web'")
                .withIngress(
                    List.of(
                        allow(),
                        allow()
                            .withSource(
                                EntityRule.EMPTY.withServices(
                                    new ServiceMatch(null, null, Map.of()))))));
    flushInSync(WEB, policy, globalNetworkSet("g", List.of("192.0.2.0/24")));
    assertThat(graph.problems().get(policy.ref()))
        .isEqualTo(
            "ingress rule 1: source.services can't be matched by this version; the rule matches"
                + " nothing");
  }
}
