package io.margay.policy;

import static io.margay.policy.testing.Things.NODE;
import static io.margay.policy.testing.Things.ip;
import static io.margay.policy.testing.Things.pod;
import static io.margay.policy.testing.Things.policy;
import static io.margay.policy.testing.Things.slice;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.resource.Action;
import io.margay.model.resource.EndpointSlice;
import io.margay.model.resource.EntityRule;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Resource;
import io.margay.model.resource.Rule;
import io.margay.model.resource.ServiceMatch;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.PolicyOracle;
import io.margay.policy.oracle.RuleInterpreter;
import io.margay.policy.testing.StrictState;
import io.margay.policy.testing.Things;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Rules that name a service: what they mean, and what the kernel is told as its endpoints change.
class ServiceRulesTest {

  private static final WorkloadEndpoint WEB = pod("a", "web", "10.0.0.1");
  private static final EndpointSlice DB =
      slice("a", "db-1", "db", List.of("10.0.0.7", "192.0.2.1"), List.of("tcp/5432", "udp/53"));

  private final CalcGraph graph = new CalcGraph(NODE);
  private final StrictState dataplane = new StrictState();
  private final List<PolicyUpdate> steps = new ArrayList<>();

  private static NetworkPolicy to(ServiceMatch service) {
    return policy(
        "a",
        "p",
        PolicySpec.EMPTY
            .withTypes(List.of(PolicyType.EGRESS))
            .withEgress(
                List.of(
                    Rule.of(Action.ALLOW)
                        .withDestination(EntityRule.EMPTY.withServices(service)))));
  }

  private static NetworkPolicy from(ServiceMatch service) {
    return policy(
        "a",
        "p",
        PolicySpec.EMPTY
            .withTypes(List.of(PolicyType.INGRESS))
            .withIngress(
                List.of(Rule.of(Action.ALLOW).withSource(EntityRule.EMPTY.withServices(service)))));
  }

  private static ServiceMatch named(String name) {
    return new ServiceMatch(name, null, Map.of());
  }

  private void tell(Resource... resources) {
    for (Resource resource : resources) {
      graph.onUpdate(resource.ref(), resource);
    }
    flush();
  }

  private void flush() {
    graph.onInSync();
    dataplane.beginFlush();
    steps.clear();
    graph.flush(
        step -> {
          steps.add(step);
          dataplane.accept(step);
        });
  }

  private boolean allows(String from, String to, int protocol, int port) {
    return allows(PolicyType.EGRESS, from, to, protocol, port);
  }

  private boolean allows(PolicyType direction, String from, String to, int protocol, int port) {
    Flow flow = new Flow(ip(from), ip(to), protocol, 40_000, port, null);
    return new RuleInterpreter(dataplane.state())
        .decide(Things.key("a", "web"), direction, flow)
        .allowed();
  }

  private Set<SetMember> members() {
    return dataplane.state().sets().values().stream()
        .flatMap(Set::stream)
        .collect(Collectors.toSet());
  }

  @Test
  void egress_reaches_a_services_endpoints_at_its_ports_and_by_its_protocols_alone() {
    tell(WEB, DB, to(named("db")));

    assertThat(allows("10.0.0.1", "10.0.0.7", 6, 5432)).isTrue();
    assertThat(allows("10.0.0.1", "192.0.2.1", 17, 53)).isTrue();
    assertThat(allows("10.0.0.1", "10.0.0.7", 17, 5432)).isFalse();
    assertThat(allows("10.0.0.1", "10.0.0.7", 6, 53)).isFalse();
    assertThat(allows("10.0.0.1", "10.0.0.8", 6, 5432)).isFalse();
  }

  @Test
  void ingress_lets_a_services_endpoints_in_to_any_port() {
    tell(WEB, DB, from(named("db")));

    assertThat(allows(PolicyType.INGRESS, "10.0.0.7", "10.0.0.1", 6, 80)).isTrue();
    assertThat(allows(PolicyType.INGRESS, "10.0.0.7", "10.0.0.1", 17, 9999)).isTrue();
    assertThat(allows(PolicyType.INGRESS, "10.0.0.8", "10.0.0.1", 6, 80)).isFalse();
  }

  @Test
  void a_service_is_found_in_the_policys_namespace_unless_the_rule_names_another() {
    EndpointSlice other = slice("b", "db-1", "db", List.of("10.0.0.9"), List.of("tcp/5432"));
    tell(WEB, DB, other, to(new ServiceMatch("db", "b", Map.of())));

    assertThat(allows("10.0.0.1", "10.0.0.9", 6, 5432)).isTrue();
    assertThat(allows("10.0.0.1", "10.0.0.7", 6, 5432)).isFalse();
  }

  @Test
  void an_endpoint_comes_and_goes_as_one_member() {
    tell(WEB, DB, to(named("db")));
    tell(slice("a", "db-2", "db", List.of("10.0.0.7", "10.0.0.8"), List.of("tcp/5432")));

    assertThat(steps)
        .singleElement()
        .satisfies(
            step -> {
              PolicyUpdate.SetChanged change = (PolicyUpdate.SetChanged) step;
              assertThat(change.added())
                  .containsExactly(new SetMember.NamedPort(ip("10.0.0.8"), 6, 5432));
              assertThat(change.removed()).isEmpty();
            });

    // The other slice still has the address.
    graph.onUpdate(DB.ref(), null);
    flush();
    assertThat(members())
        .containsExactlyInAnyOrder(
            new SetMember.NamedPort(ip("10.0.0.7"), 6, 5432),
            new SetMember.NamedPort(ip("10.0.0.8"), 6, 5432));
  }

  @Test
  void a_slice_that_moves_to_another_service_leaves_the_first() {
    tell(WEB, DB, to(named("db")));
    tell(slice("a", "db-1", "cache", List.of("10.0.0.7"), List.of("tcp/5432")));

    assertThat(allows("10.0.0.1", "10.0.0.7", 6, 5432)).isFalse();
    assertThat(members()).isEmpty();
  }

  @Test
  void without_the_rule_there_is_no_set() {
    NetworkPolicy policy = to(named("db"));
    tell(WEB, DB, policy);
    graph.onUpdate(policy.ref(), null);
    flush();

    assertThat(dataplane.state().sets()).isEmpty();
  }

  @Test
  void an_unreadable_slice_stays_as_it_was() {
    tell(WEB, DB, to(named("db")));
    graph.onUnreadable(DB.ref(), null, "addressType: is required");
    flush();

    assertThat(allows("10.0.0.1", "10.0.0.7", 6, 5432)).isTrue();
    assertThat(graph.problems())
        .containsEntry(DB.ref(), "addressType: is required; the last valid version stays in force");
  }

  @Test
  void a_slice_that_was_never_readable_is_taken_for_absent_and_said_to_be() {
    tell(WEB, to(named("db")));
    graph.onUnreadable(DB.ref(), null, "addressType: is required");
    flush();

    assertThat(allows("10.0.0.1", "10.0.0.7", 6, 5432)).isFalse();
    assertThat(graph.problems())
        .containsEntry(
            DB.ref(),
            "addressType: is required; taken for absent, its service lacks its endpoints");
  }

  @Test
  void beside_a_selector_a_service_matches_nothing() {
    NetworkPolicy policy =
        policy(
            "a",
            "p",
            PolicySpec.EMPTY
                .withTypes(List.of(PolicyType.EGRESS))
                .withEgress(
                    List.of(
                        Rule.of(Action.ALLOW)
                            .withDestination(
                                EntityRule.EMPTY
                                    .withServices(named("db"))
                                    .withSelector(Things.sel("all()"))))));
    tell(WEB, DB, policy);

    assertThat(allows("10.0.0.1", "10.0.0.7", 6, 5432)).isFalse();
    assertThat(
            new PolicyOracle(List.of(WEB, DB, policy))
                .decide(
                    Things.key("a", "web"),
                    PolicyType.EGRESS,
                    new Flow(ip("10.0.0.1"), ip("10.0.0.7"), 6, 40_000, 5432, null))
                .allowed())
        .isFalse();
    assertThat(graph.problems().get(policy.ref())).contains("destination.services");
  }
}
