package io.margay.policy;

import static io.margay.policy.testing.Things.allow;
import static io.margay.policy.testing.Things.labels;
import static io.margay.policy.testing.Things.namespace;
import static io.margay.policy.testing.Things.pod;
import static io.margay.policy.testing.Things.policy;
import static io.margay.policy.testing.Things.selecting;
import static io.margay.policy.testing.Things.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.resource.Action;
import io.margay.model.resource.EntityRule;
import io.margay.model.resource.IcmpFields;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.Resource;
import io.margay.model.resource.Rule;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.policy.oracle.PolicyOracle;
import io.margay.policy.oracle.RuleInterpreter;
import io.margay.policy.testing.Expectation;
import io.margay.policy.testing.StrictState;
import io.margay.policy.testing.Things;
import io.margay.policy.testing.World;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Literal verdict tables: a case is a world and what becomes of packets in it, asked of the
/// oracle, and of the rules and sets the graph gives the dataplane.
final class Semantics {

  /// Two namespaces: `a` (env=prod) with `web` .1, `client` .2 and `job` .3; `b` (env=dev) with
  /// `web` .11 and `client` .12. All dual stack, the last number is the same.
  static final World PODS =
      World.of(
          namespace("a", "env=prod"),
          namespace("b", "env=dev"),
          dual("a", "web", 1, "app=web"),
          dual("a", "client", 2, "app=client"),
          dual("a", "job", 3),
          dual("b", "web", 11, "app=web"),
          dual("b", "client", 12, "app=client"));

  static WorkloadEndpoint dual(String namespace, String name, int number, String... labels) {
    return pod(namespace, name, "10.0.0." + number + ",fd00::" + number, labels);
  }

  private Semantics() {}

  record Case(String name, World world, List<Expectation> expected) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Case example(String name, World world, String... expected) {
    return new Case(name, world, Arrays.stream(expected).map(Expectation::parse).toList());
  }

  static World with(Resource... resources) {
    return with(PODS, resources);
  }

  static World with(World world, Resource... resources) {
    World extended = world;
    for (Resource resource : resources) {
      extended = extended.with(resource);
    }
    return extended;
  }

  /// Ingress rules of a policy in namespace `a` for its `web`.
  static World webIn(Rule... ingress) {
    return with(policy("a", "p", selecting("app == 'web'").withIngress(List.of(ingress))));
  }

  static Rule allowFrom(EntityRule source) {
    return allow().withSource(source);
  }

  static Rule allowTo(EntityRule destination) {
    return allow().withDestination(destination);
  }

  static PolicySpec in(@Nullable String tier, @Nullable Integer order, Rule... ingress) {
    return selecting("app == 'web'")
        .withTier(tier)
        .withOrder(order == null ? null : order.doubleValue())
        .withTypes(List.of(PolicyType.INGRESS))
        .withIngress(List.of(ingress));
  }

  static Rule with(Rule rule, @Nullable IcmpFields icmp, @Nullable IcmpFields notIcmp) {
    return new Rule(
        rule.action(),
        null,
        Protocol.Named.ICMP,
        null,
        icmp,
        notIcmp,
        rule.source(),
        rule.destination(),
        null,
        null,
        Map.of());
  }

  static Rule only(@Nullable Integer ipVersion, @Nullable Protocol notProtocol) {
    return new Rule(
        Action.ALLOW,
        ipVersion,
        null,
        notProtocol,
        null,
        null,
        EntityRule.EMPTY,
        EntityRule.EMPTY,
        null,
        null,
        Map.of());
  }

  /// Asks the oracle, and the graph's output.
  static void verify(World world, List<Expectation> expected) {
    PolicyOracle oracle = new PolicyOracle(world.all());
    StrictState dataplane = new StrictState();
    CalcGraph graph = new CalcGraph(Things.NODE);
    world.byRef().forEach(graph::onUpdate);
    graph.onInSync();
    graph.flush(dataplane);
    RuleInterpreter interpreter = new RuleInterpreter(dataplane.state());
    for (Expectation one : expected) {
      assertThat(oracle.decide(one.flow()).allowed())
          .as("oracle: %s; %s", one.text(), oracle.decide(one.flow()))
          .isEqualTo(one.allowed());
      assertThat(interpreter.decide(one.flow()))
          .as("rules: %s", one.text())
          .isEqualTo(oracle.decide(one.flow()));
    }
  }
}
