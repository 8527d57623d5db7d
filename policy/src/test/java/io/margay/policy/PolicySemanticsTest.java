package io.margay.policy;

import static io.margay.policy.testing.Things.account;
import static io.margay.policy.testing.Things.allow;
import static io.margay.policy.testing.Things.allowTcpTo;
import static io.margay.policy.testing.Things.deny;
import static io.margay.policy.testing.Things.globalNetworkSet;
import static io.margay.policy.testing.Things.globalPolicy;
import static io.margay.policy.testing.Things.host;
import static io.margay.policy.testing.Things.labels;
import static io.margay.policy.testing.Things.log;
import static io.margay.policy.testing.Things.namespace;
import static io.margay.policy.testing.Things.nets;
import static io.margay.policy.testing.Things.networkSet;
import static io.margay.policy.testing.Things.notNets;
import static io.margay.policy.testing.Things.pass;
import static io.margay.policy.testing.Things.peer;
import static io.margay.policy.testing.Things.pod;
import static io.margay.policy.testing.Things.policy;
import static io.margay.policy.testing.Things.port;
import static io.margay.policy.testing.Things.profile;
import static io.margay.policy.testing.Things.runningAs;
import static io.margay.policy.testing.Things.sel;
import static io.margay.policy.testing.Things.selecting;
import static io.margay.policy.testing.Things.tier;
import static io.margay.policy.testing.Things.withPorts;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.resource.Action;
import io.margay.model.resource.EntityRule;
import io.margay.model.resource.HttpMatch;
import io.margay.model.resource.IcmpFields;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Port;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.Resource;
import io.margay.model.resource.Rule;
import io.margay.model.resource.ServiceAccountMatch;
import io.margay.model.resource.ServiceMatch;
import io.margay.model.resource.TierAction;
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
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The semantics of the v3 policy model as literal verdict tables. Every case is asked twice: of
/// the oracle, and of the rules and sets the graph gives the dataplane.
class PolicySemanticsTest {

  /// Two namespaces: `a` (env=prod) with `web` .1, `client` .2 and `job` .3; `b` (env=dev) with
  /// `web` .11 and `client` .12. All dual stack, the last number is the same.
  private static final World PODS =
      World.of(
          namespace("a", "env=prod"),
          namespace("b", "env=dev"),
          dual("a", "web", 1, "app=web"),
          dual("a", "client", 2, "app=client"),
          dual("a", "job", 3),
          dual("b", "web", 11, "app=web"),
          dual("b", "client", 12, "app=client"));

  private static WorkloadEndpoint dual(
      String namespace, String name, int number, String... labels) {
    return pod(namespace, name, "10.0.0." + number + ",fd00::" + number, labels);
  }

  record Case(String name, World world, List<Expectation> expected) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Case of(String name, World world, String... expected) {
    return new Case(name, world, Arrays.stream(expected).map(Expectation::parse).toList());
  }

  private static World with(Resource... resources) {
    return with(PODS, resources);
  }

  private static World with(World world, Resource... resources) {
    World extended = world;
    for (Resource resource : resources) {
      extended = extended.with(resource);
    }
    return extended;
  }

  /// Ingress rules of a policy in namespace `a` for its `web`.
  private static World webIn(Rule... ingress) {
    return with(policy("a", "p", selecting("app == 'web'").withIngress(List.of(ingress))));
  }

  /// Ingress rules of a global policy for `a`'s `web`.
  private static World globalWebIn(Rule... ingress) {
    return with(
        globalPolicy(
            "p",
            selecting("app == 'web' && projectcalico.org/namespace == 'a'")
                .withIngress(List.of(ingress))));
  }

  private static Rule from(EntityRule source) {
    return allow().withSource(source);
  }

  private static Rule to(EntityRule destination) {
    return allow().withDestination(destination);
  }

  private static PolicySpec in(@Nullable String tier, @Nullable Integer order, Rule... ingress) {
    return selecting("app == 'web'")
        .withTier(tier)
        .withOrder(order == null ? null : order.doubleValue())
        .withTypes(List.of(PolicyType.INGRESS))
        .withIngress(List.of(ingress));
  }

  private static Rule with(Rule rule, @Nullable IcmpFields icmp, @Nullable IcmpFields notIcmp) {
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

  private static Rule only(@Nullable Integer ipVersion, @Nullable Protocol notProtocol) {
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

  static Stream<Case> profiles() {
    return Stream.of(
        of(
            "without policies the namespace's profile allows",
            PODS,
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "192.0.2.1 > 10.0.0.1 icmp/8: allow",
            "fd00::1 > 2001:db8::1 udp/53: allow"),
        of(
            "an endpoint without a profile denies",
            World.of(pod(Things.NODE, "a", "x", List.of(), "10.0.0.9")),
            "192.0.2.1 > 10.0.0.9 tcp/80: deny",
            "10.0.0.9 > 192.0.2.1 tcp/80: deny"),
        of(
            "a missing profile denies, before the profiles after it are asked",
            World.of(
                namespace("a"),
                pod(Things.NODE, "a", "x", List.of("gone", "kns.a"), "10.0.0.9"),
                pod(Things.NODE, "a", "y", List.of("kns.a", "gone"), "10.0.0.8")),
            "192.0.2.1 > 10.0.0.9 tcp/80: deny",
            "192.0.2.1 > 10.0.0.8 tcp/80: allow"),
        of(
            "projectcalico-default-allow exists without being stored",
            World.of(
                pod(Things.NODE, "a", "x", List.of("projectcalico-default-allow"), "10.0.0.9")),
            "192.0.2.1 > 10.0.0.9 tcp/80: allow"),
        of(
            "projectcalico-default-allow can't be redefined",
            World.of(
                profile("projectcalico-default-allow", Map.of(), Action.DENY),
                pod(Things.NODE, "a", "x", List.of("projectcalico-default-allow"), "10.0.0.9")),
            "192.0.2.1 > 10.0.0.9 tcp/80: allow"),
        of(
            "pass in a profile denies; log goes on",
            World.of(
                profile("passes", Map.of(), Action.PASS),
                profile("logs", Map.of(), List.of(log(), allow()), List.of(log())),
                profile("allows", Map.of(), Action.ALLOW),
                pod(Things.NODE, "a", "x", List.of("passes", "allows"), "10.0.0.9"),
                pod(Things.NODE, "a", "y", List.of("logs"), "10.0.0.8")),
            "192.0.2.1 > 10.0.0.9 tcp/80: deny",
            "192.0.2.1 > 10.0.0.8 tcp/80: allow",
            "10.0.0.8 > 192.0.2.1 tcp/80: deny"),
        of(
            "own labels beat inherited ones, the earlier profile beats the later",
            with(
                profile("one", labels("role=one", "app=one"), Action.ALLOW),
                profile("two", labels("role=two"), Action.ALLOW),
                pod(Things.NODE, "a", "x", List.of("one", "two"), "10.0.0.9", "app=web"),
                globalPolicy("p", selecting("app == 'web' && role == 'one'"))),
            "192.0.2.1 > 10.0.0.9 tcp/80: deny",
            "192.0.2.1 > 10.0.0.1 tcp/80: allow"),
        of(
            "an endpoint always reaches itself",
            with(globalPolicy("deny", selecting("all()").withTypes(List.of(PolicyType.values())))),
            "10.0.0.1 > 10.0.0.1 tcp/80: allow",
            "10.0.0.1 > 10.0.0.2 tcp/80: deny"));
  }

  static Stream<Case> isolation() {
    return Stream.of(
        of(
            "a policy without rules isolates what it selects, in ingress only",
            with(policy("a", "p", selecting("app == 'web'"))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.1 > 10.0.0.2 tcp/80: allow",
            "10.0.0.12 > 10.0.0.11 tcp/80: allow"),
        of(
            "with egress rules alone it applies to egress alone",
            with(policy("a", "p", selecting("app == 'web'").withEgress(List.of(allowTcpTo("80"))))),
            "10.0.0.1 > 10.0.0.2 tcp/80: allow",
            "10.0.0.1 > 10.0.0.2 tcp/81: deny",
            "10.0.0.2 > 10.0.0.1 tcp/81: allow"),
        of(
            "with rules for both it applies to both",
            with(
                policy(
                    "a",
                    "p",
                    selecting("app == 'web'")
                        .withEgress(List.of(allowTcpTo("80")))
                        .withIngress(List.of(allowTcpTo("80"))))),
            "10.0.0.1 > 10.0.0.2 tcp/81: deny",
            "10.0.0.2 > 10.0.0.1 tcp/81: deny"),
        of(
            "types given by name need no rules, and rules of other types have no effect",
            with(
                policy(
                    "a",
                    "p",
                    selecting("app == 'web'")
                        .withTypes(List.of(PolicyType.EGRESS))
                        .withIngress(List.of(deny())))),
            "10.0.0.1 > 10.0.0.2 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        of(
            "both ends must allow, each for itself",
            with(
                policy("a", "in", selecting("app == 'web'").withIngress(List.of(allow()))),
                policy(
                    "a",
                    "out",
                    selecting("app == 'client'").withTypes(List.of(PolicyType.EGRESS)))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow"),
        of(
            "untracked and pre-DNAT policies never apply to workloads",
            with(
                globalPolicy("raw", hostOnly(true, false)),
                globalPolicy("nat", hostOnly(false, true))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        of(
            "an apply-on-forward policy applies to workloads as any other",
            with(globalPolicy("fwd", hostOnly(false, false))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"));
  }

  private static PolicySpec hostOnly(boolean doNotTrack, boolean preDnat) {
    return new PolicySpec(
        null,
        null,
        sel("all()"),
        null,
        null,
        List.of(),
        List.of(deny()),
        List.of(),
        doNotTrack,
        preDnat,
        true,
        List.of(),
        Map.of());
  }

  static Stream<Case> order() {
    return Stream.of(
        of(
            "the first matching rule wins",
            webIn(deny().withSource(nets("10.0.0.2/32")), allow(), deny()),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow"),
        of(
            "policies go by order, without one they are last",
            with(
                globalPolicy("z", in(null, 1, allow().withSource(nets("10.0.0.2/32")))),
                globalPolicy("m", in(null, 2, deny())),
                globalPolicy("a", in(null, null, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny"),
        of(
            "ties go by name/namespace/kind, so a-b comes before a",
            with(globalPolicy("a", in(null, 5, deny())), globalPolicy("a-b", in(null, 5, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        of(
            "a log rule does not decide; a policy that only logs leaves end-of-tier to deny",
            with(globalPolicy("p", in(null, 1, log()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        of(
            "pass leaves the tier, not only the policy",
            with(
                globalPolicy("p1", in(null, 1, pass().withSource(nets("10.0.0.2/32")))),
                globalPolicy("p2", in(null, 2, deny()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny"),
        of(
            "a tier that passes at its end hands on to the next",
            with(
                tier("first", 10, TierAction.PASS),
                globalPolicy("p1", in("first", 1, deny().withSource(nets("10.0.0.2/32")))),
                globalPolicy("p2", in(null, 2, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow"),
        of(
            "a tier that denies at its end hides the next",
            with(
                tier("first", 10, TierAction.DENY),
                globalPolicy("p1", in("first", 1, allow().withSource(nets("10.0.0.2/32")))),
                globalPolicy("p2", in(null, 2, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny"),
        of(
            "a tier counts only where one of its policies applies",
            with(
                tier("first", 10, TierAction.DENY),
                globalPolicy("p1", in("first", 1).withSelector(sel("app == 'client'")))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.1 > 10.0.0.2 tcp/80: deny"),
        of(
            "tiers go by order, then without order, ties by name",
            with(
                tier("late", null, TierAction.DENY),
                tier("b", 10, TierAction.DENY),
                tier("a", 10, TierAction.DENY),
                globalPolicy("p1", in("late", 1, deny())),
                globalPolicy("p2", in("b", 1, deny())),
                globalPolicy("p3", in("a", 1, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        of(
            "kube-admin comes before default and passes, kube-baseline after it",
            with(
                globalPolicy("admin", in("kube-admin", 1, deny().withSource(nets("10.0.0.2/32")))),
                globalPolicy(
                    "base", in("kube-baseline", 1, deny().withSource(nets("10.0.0.3/32")))),
                globalPolicy("p", in(null, 1, pass()).withSelector(sel("app == 'client'")))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny",
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.1 > 10.0.0.2 tcp/80: allow"),
        of(
            "a policy in a tier that does not exist denies what it selects, whatever others allow",
            with(
                globalPolicy("p1", in("gone", 1, allow())),
                globalPolicy("p2", in("kube-admin", 1, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.1 > 10.0.0.2 tcp/80: allow"));
  }

  static Stream<Case> selectors() {
    return Stream.of(
        of(
            "a namespaced policy selects in its own namespace",
            with(policy("b", "p", selecting("all()"))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.11 tcp/80: deny"),
        of(
            "its rule selectors are scoped to its namespace",
            webIn(from(peer("app == 'client'"))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.12 > 10.0.0.1 tcp/80: deny",
            "192.0.2.1 > 10.0.0.1 tcp/80: deny"),
        of(
            "a global policy's are not",
            globalWebIn(from(peer("app == 'client'"))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny"),
        of(
            "an empty selector is as good as none",
            webIn(from(EntityRule.EMPTY.withSelector(sel("")))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow"),
        of(
            "a namespaceSelector widens the scope to its namespaces",
            webIn(from(peer("app == 'client'").withNamespaceSelector(sel("env == 'dev'")))),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.11 > 10.0.0.1 tcp/80: deny"),
        of(
            "namespaceSelector alone finds everything in those namespaces",
            webIn(from(EntityRule.EMPTY.withNamespaceSelector(sel("env == 'dev'")))),
            "10.0.0.11 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        of(
            "namespaceSelector all() finds what has a namespace",
            with(
                webIn(from(EntityRule.EMPTY.withNamespaceSelector(sel("all()")))),
                globalNetworkSet("g", List.of("192.0.2.0/24")),
                networkSet("b", "n", List.of("198.51.100.0/24"))),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "198.51.100.1 > 10.0.0.1 tcp/80: allow",
            "192.0.2.1 > 10.0.0.1 tcp/80: deny"),
        of(
            "namespaceSelector global() finds what has none",
            with(
                webIn(from(EntityRule.EMPTY.withNamespaceSelector(sel("global()")))),
                globalNetworkSet("g", List.of("192.0.2.0/24")),
                host("h", "203.0.113.1"),
                networkSet("a", "n", List.of("198.51.100.0/24"))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "203.0.113.1 > 10.0.0.1 tcp/80: allow",
            "198.51.100.1 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        of(
            "a global policy's notSelector matches strangers too",
            globalWebIn(from(EntityRule.EMPTY.withNotSelector(sel("app == 'client'")))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        of(
            "a negated selector matches known objects only",
            globalWebIn(from(peer("!(app == 'client')"))),
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        of(
            "in a namespaced policy notSelector confines to known objects of the namespace",
            webIn(from(EntityRule.EMPTY.withNotSelector(sel("app == 'client'")))),
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow",
            "10.0.0.11 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        of(
            "a global policy's namespaceSelector picks the endpoints it applies to",
            with(
                globalPolicy(
                    "p", selecting("app == 'web'").withNamespaceSelector(sel("env == 'dev'")))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.11 tcp/80: deny"),
        of(
            "nobody labels himself into another namespace",
            with(
                webIn(from(peer("all()"))),
                pod(
                    "b",
                    "spy",
                    "10.0.0.66",
                    "projectcalico.org/namespace=a",
                    "projectcalico.org/serviceaccount=boss")),
            "10.0.0.66 > 10.0.0.1 tcp/80: deny"),
        of(
            "network sets are found by labels, their own and their namespace's",
            with(
                webIn(
                    from(peer("kind == 'office'")),
                    from(peer("kind == 'lab'").withNamespaceSelector(sel("env == 'dev'")))),
                networkSet("a", "office", List.of("192.0.2.0/24"), "kind=office"),
                networkSet("b", "office", List.of("198.51.100.0/24"), "kind=office"),
                networkSet("b", "lab", List.of("203.0.113.0/24"), "kind=lab")),
            "192.0.2.77 > 10.0.0.1 tcp/80: allow",
            "198.51.100.1 > 10.0.0.1 tcp/80: deny",
            "203.0.113.1 > 10.0.0.1 tcp/80: allow"),
        of(
            "network sets may overlap, each other and everything",
            with(
                globalWebIn(from(peer("kind == 'good'").withNotSelector(sel("kind == 'bad'")))),
                globalNetworkSet("g1", List.of("0.0.0.0/0", "192.0.2.0/24"), "kind=good"),
                globalNetworkSet("g2", List.of("192.0.2.128/25"), "kind=good"),
                globalNetworkSet("g3", List.of("192.0.2.7/32"), "kind=bad")),
            "192.0.2.200 > 10.0.0.1 tcp/80: allow",
            "198.51.100.1 > 10.0.0.1 tcp/80: allow",
            "192.0.2.7 > 10.0.0.1 tcp/80: deny",
            "2001:db8::1 > fd00::1 tcp/80: deny"));
  }

  static Stream<Case> serviceAccounts() {
    World accounts =
        World.of(
            namespace("a", "env=prod"),
            namespace("b", "env=dev"),
            account("a", "red", "team=red"),
            account("a", "blue", "team=blue"),
            account("b", "red", "team=red"),
            pod("a", "web", "10.0.0.1", "app=web"),
            runningAs(pod("a", "red", "10.0.0.2", "app=x"), "red"),
            runningAs(pod("a", "blue", "10.0.0.3", "app=x"), "blue"),
            runningAs(pod("b", "red", "10.0.0.12", "app=x"), "red"));
    return Stream.of(
        of(
            "names pick endpoints of the policy's namespace",
            with(accounts, accountsIn("a", List.of("red"), null, null)),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny",
            "10.0.0.12 > 10.0.0.1 tcp/80: deny",
            "192.0.2.1 > 10.0.0.1 tcp/80: deny"),
        of(
            "names, selector and endpoint selector are ANDed",
            with(accounts, accountsIn("a", List.of("red", "blue"), "team == 'blue'", "app == 'x'")),
            "10.0.0.3 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        of(
            "a global policy finds accounts of all namespaces",
            with(
                accounts,
                globalPolicy(
                    "p",
                    selecting("app == 'web'")
                        .withIngress(List.of(from(accountPeer(List.of(), "team == 'red'")))))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny"),
        of(
            "serviceAccountSelector all() of a global policy means: runs as one",
            with(
                accounts,
                globalPolicy("p", PolicySpec.EMPTY.withServiceAccountSelector(sel("all()")))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "192.0.2.1 > 10.0.0.2 tcp/80: deny"),
        of(
            "serviceAccountSelector all() of a namespaced policy means: all",
            with(
                accounts,
                policy("a", "p", PolicySpec.EMPTY.withServiceAccountSelector(sel("all()")))),
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "192.0.2.1 > 10.0.0.2 tcp/80: deny",
            "192.0.2.1 > 10.0.0.12 tcp/80: allow"),
        of(
            "serviceAccountSelector picks by the account's labels",
            with(
                accounts,
                policy(
                    "a", "p", PolicySpec.EMPTY.withServiceAccountSelector(sel("team == 'red'")))),
            "192.0.2.1 > 10.0.0.2 tcp/80: deny",
            "192.0.2.1 > 10.0.0.3 tcp/80: allow"));
  }

  private static Resource accountsIn(
      String namespace, List<String> names, @Nullable String accounts, @Nullable String selector) {
    EntityRule peer = accountPeer(names, accounts);
    return policy(
        namespace,
        "p",
        selecting("app == 'web'")
            .withIngress(
                List.of(from(selector == null ? peer : peer.withSelector(sel(selector))))));
  }

  private static EntityRule accountPeer(List<String> names, @Nullable String selector) {
    return EntityRule.EMPTY.withServiceAccounts(
        new ServiceAccountMatch(names, selector == null ? null : sel(selector), Map.of()));
  }

  static Stream<Case> addresses() {
    return Stream.of(
        of(
            "nets are ORed, notNets taken out",
            webIn(
                from(
                    nets("192.0.2.0/24", "198.51.100.0/24")
                        .withNotNets(notNets("192.0.2.128/25").notNets()))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "198.51.100.1 > 10.0.0.1 tcp/80: allow",
            "192.0.2.200 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        of(
            "nets match pods too",
            webIn(from(nets("10.0.0.0/24"))),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow"),
        of(
            "nets of one family confine the rule to it",
            webIn(from(nets("0.0.0.0/0"))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "2001:db8::1 > fd00::1 tcp/80: deny"),
        of(
            "so do notNets",
            webIn(from(notNets("192.0.2.0/24"))),
            "198.51.100.1 > 10.0.0.1 tcp/80: allow",
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "2001:db8::1 > fd00::1 tcp/80: deny"),
        of(
            "everything of both families is no constraint",
            webIn(from(nets("0.0.0.0/0", "::/0", "10.0.0.0/8"))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "2001:db8::1 > fd00::1 tcp/80: allow"),
        of(
            "everything of one family and some of the other",
            webIn(from(nets("0.0.0.0/0", "2001:db8::/32"))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "2001:db8::1 > fd00::1 tcp/80: allow",
            "2001:db9::1 > fd00::1 tcp/80: deny"),
        of(
            "a rule that excludes everything matches nothing",
            webIn(from(notNets("0.0.0.0/0", "2001:db8::/32")), deny()),
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "2001:db9::1 > fd00::1 tcp/80: allow",
            "2001:db8::1 > fd00::1 tcp/80: deny"),
        of(
            "nets of different families at both ends match nothing",
            webIn(from(nets("0.0.0.0/0")).withDestination(nets("::/0"))),
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "2001:db8::1 > fd00::1 tcp/80: deny"),
        of(
            "ipVersion",
            webIn(only(6, null)),
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "2001:db8::1 > fd00::1 tcp/80: allow"));
  }

  static Stream<Case> portsAndProtocols() {
    return Stream.of(
        of(
            "ports and ranges of one protocol",
            webIn(allowTcpTo("80", "8000:8010")),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/8000: allow",
            "10.0.0.2 > 10.0.0.1 tcp/8010: allow",
            "10.0.0.2 > 10.0.0.1 tcp/8011: deny",
            "10.0.0.2 > 10.0.0.1 udp/80: deny",
            "10.0.0.2 > 10.0.0.1 sctp/80: deny"),
        of(
            "notPorts",
            webIn(
                allow()
                    .withProtocol(Protocol.Named.TCP)
                    .withDestination(EntityRule.EMPTY.withNotPorts(List.of(Port.parse("1:1023"))))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/8080: allow"),
        of(
            "source ports",
            webIn(
                allow()
                    .withProtocol(Protocol.Named.TCP)
                    .withSource(EntityRule.EMPTY.withPorts(List.of(Port.parse("40000"))))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        of(
            "a protocol by number, and any but one",
            webIn(allow().withProtocol(Protocol.parse("47")), only(null, Protocol.Named.TCP)),
            "10.0.0.2 > 10.0.0.1 47/0: allow",
            "10.0.0.2 > 10.0.0.1 udp/1: allow",
            "10.0.0.2 > 10.0.0.1 tcp/1: deny"),
        of(
            "ICMP type and code",
            webIn(
                with(allow(), new IcmpFields(8, null, Map.of()), null),
                with(allow(), new IcmpFields(3, 4, Map.of()), null)),
            "10.0.0.2 > 10.0.0.1 icmp/8: allow",
            "10.0.0.2 > 10.0.0.1 icmp/3.4: allow",
            "10.0.0.2 > 10.0.0.1 icmp/3.1: deny",
            "10.0.0.2 > 10.0.0.1 tcp/8: deny"),
        of(
            "notICMP",
            webIn(with(allow(), null, new IcmpFields(8, null, Map.of()))),
            "10.0.0.2 > 10.0.0.1 icmp/8: deny",
            "10.0.0.2 > 10.0.0.1 icmp/0: allow",
            "10.0.0.2 > 10.0.0.1 tcp/8: deny"),
        of(
            "an ICMP match without a type is none",
            webIn(with(allow(), new IcmpFields(null, null, Map.of()), null)),
            "10.0.0.2 > 10.0.0.1 icmp/0: allow"),
        of(
            "a named port is each pod's own number, by name and protocol",
            with(
                withPorts(
                    pod("a", "web", "10.0.0.1", "app=web"),
                    port("http", Protocol.Named.TCP, 8080),
                    port("dns", Protocol.Named.UDP, 53)),
                withPorts(
                    pod("a", "job", "10.0.0.3", "app=web"), port("http", Protocol.Named.TCP, 9090)),
                policy(
                    "a",
                    "p",
                    selecting("app == 'web'").withIngress(List.of(allowTcpTo("http", "dns"))))),
            "10.0.0.2 > 10.0.0.1 tcp/8080: allow",
            "10.0.0.2 > 10.0.0.1 tcp/9090: deny",
            "10.0.0.2 > 10.0.0.3 tcp/9090: allow",
            "10.0.0.2 > 10.0.0.3 tcp/8080: deny",
            "10.0.0.2 > 10.0.0.1 tcp/53: deny",
            "10.0.0.2 > 10.0.0.1 udp/53: deny"),
        of(
            "a named port with a selector is looked up among what the selector finds",
            with(
                withPorts(
                    pod("a", "web", "10.0.0.1", "app=web"), port("http", Protocol.Named.TCP, 8080)),
                withPorts(pod("a", "job", "10.0.0.3"), port("http", Protocol.Named.TCP, 8080)),
                policy(
                    "a",
                    "p",
                    selecting("app == 'client'")
                        .withEgress(
                            List.of(
                                to(peer("app == 'web'").withPorts(List.of(Port.parse("http"))))
                                    .withProtocol(Protocol.Named.TCP),
                                to(peer("!has(app)")
                                        .withPorts(List.of(Port.parse("http"), Port.parse("22"))))
                                    .withProtocol(Protocol.Named.UDP))))),
            "10.0.0.2 > 10.0.0.1 tcp/8080: allow",
            "10.0.0.2 > 10.0.0.3 tcp/8080: deny",
            "10.0.0.2 > 10.0.0.3 udp/22: allow",
            "10.0.0.2 > 10.0.0.3 udp/8080: deny",
            "10.0.0.2 > 192.0.2.1 tcp/8080: deny"),
        of(
            "a named port finds no network set and no stranger",
            with(
                globalNetworkSet("g", List.of("192.0.2.0/24"), "app=web"),
                globalPolicy(
                    "p", selecting("app == 'client'").withEgress(List.of(allowTcpTo("http"))))),
            "10.0.0.2 > 192.0.2.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        of(
            "a named port among notPorts",
            with(
                withPorts(
                    pod("a", "web", "10.0.0.1", "app=web"),
                    port("admin", Protocol.Named.TCP, 9000)),
                policy(
                    "a",
                    "p",
                    selecting("app == 'web'")
                        .withIngress(
                            List.of(
                                allow()
                                    .withProtocol(Protocol.Named.TCP)
                                    .withDestination(
                                        EntityRule.EMPTY.withNotPorts(
                                            List.of(Port.parse("admin")))))))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/9000: deny"));
  }

  static Stream<Case> failClosed() {
    Rule broken = allow().withDestination(EntityRule.EMPTY.withPorts(List.of(Port.parse("80"))));
    Rule services =
        allow().withSource(EntityRule.EMPTY.withServices(new ServiceMatch(null, null, Map.of())));
    return Stream.of(
        of(
            "a policy with ports but no protocol denies what it selects, before the rules after it",
            with(
                globalPolicy("p1", in(null, 1, allow(), broken)),
                globalPolicy("p2", in(null, 2, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.1 > 10.0.0.2 tcp/80: allow"),
        of(
            "so does one with ICMP fields and no ICMP, or an unknown IP version",
            with(
                policy(
                    "a",
                    "p1",
                    in(
                        null,
                        1,
                        with(allow(), new IcmpFields(8, null, Map.of()), null)
                            .withProtocol(Protocol.Named.TCP))),
                policy("b", "p2", in(null, 1, only(5, null)))),
            "10.0.0.2 > 10.0.0.1 icmp/8: deny",
            "10.0.0.2 > 10.0.0.11 tcp/80: deny"),
        of(
            "so does one with global() outside a namespaceSelector",
            webIn(from(peer("global()"))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        of(
            "so does a namespaced policy with a namespaceSelector of its own",
            with(policy("a", "p", in(null, 1, allow()).withNamespaceSelector(sel("all()")))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.11 tcp/80: allow"),
        of(
            "an invalid profile denies",
            World.of(
                profile("bad", Map.of(), List.of(allow(), broken), List.of(allow())),
                namespace("a"),
                pod(Things.NODE, "a", "x", List.of("bad", "kns.a"), "10.0.0.9")),
            "192.0.2.1 > 10.0.0.9 tcp/80: deny",
            "10.0.0.9 > 192.0.2.1 tcp/80: deny"),
        of(
            "an Allow with a match beyond this version matches nothing",
            webIn(services, withHttp(), withUnknown(Action.ALLOW)),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        of(
            "a Deny or Pass with one denies what the rest of it matches",
            webIn(
                withUnknown(Action.DENY).withProtocol(Protocol.Named.UDP),
                withUnknown(Action.PASS).withProtocol(Protocol.Named.SCTP),
                allow()),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 udp/80: deny",
            "10.0.0.2 > 10.0.0.1 sctp/80: deny"));
  }

  private static Rule withHttp() {
    return new Rule(
        Action.ALLOW,
        null,
        null,
        null,
        null,
        null,
        EntityRule.EMPTY,
        EntityRule.EMPTY,
        new HttpMatch(List.of("GET"), List.of(), Map.of()),
        null,
        Map.of());
  }

  private static Rule withUnknown(Action action) {
    return new Rule(
        action,
        null,
        null,
        null,
        null,
        null,
        EntityRule.EMPTY,
        EntityRule.EMPTY,
        null,
        null,
        Map.of("onlyOnSundays", true));
  }

  @ParameterizedTest
  @MethodSource({
    "profiles",
    "isolation",
    "order",
    "selectors",
    "serviceAccounts",
    "addresses",
    "portsAndProtocols",
    "failClosed"
  })
  void packets_meet_the_fate_the_model_promises(Case example) {
    verify(example.world(), example.expected());
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
