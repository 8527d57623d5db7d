package io.margay.policy;

import static io.margay.policy.Semantics.PODS;
import static io.margay.policy.Semantics.allowFrom;
import static io.margay.policy.Semantics.example;
import static io.margay.policy.Semantics.in;
import static io.margay.policy.Semantics.only;
import static io.margay.policy.Semantics.verify;
import static io.margay.policy.Semantics.webIn;
import static io.margay.policy.Semantics.with;
import static io.margay.policy.testing.Things.allow;
import static io.margay.policy.testing.Things.allowTcpTo;
import static io.margay.policy.testing.Things.deny;
import static io.margay.policy.testing.Things.globalPolicy;
import static io.margay.policy.testing.Things.labels;
import static io.margay.policy.testing.Things.log;
import static io.margay.policy.testing.Things.namespace;
import static io.margay.policy.testing.Things.nets;
import static io.margay.policy.testing.Things.pass;
import static io.margay.policy.testing.Things.peer;
import static io.margay.policy.testing.Things.pod;
import static io.margay.policy.testing.Things.policy;
import static io.margay.policy.testing.Things.profile;
import static io.margay.policy.testing.Things.sel;
import static io.margay.policy.testing.Things.selecting;
import static io.margay.policy.testing.Things.tier;

import io.margay.model.resource.Action;
import io.margay.model.resource.EntityRule;
import io.margay.model.resource.HttpMatch;
import io.margay.model.resource.IcmpFields;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Port;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.Rule;
import io.margay.model.resource.ServiceMatch;
import io.margay.model.resource.TierAction;
import io.margay.policy.Semantics.Case;
import io.margay.policy.testing.Things;
import io.margay.policy.testing.World;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Which policies of the v3 model apply and which of them decides, as verdict tables ([Semantics]).
final class PolicySemanticsTest {

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

  static Stream<Case> profiles() {
    return Stream.of(
        example(
            "without policies the namespace's profile allows",
            PODS,
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "192.0.2.1 > 10.0.0.1 icmp/8: allow",
            "fd00::1 > 2001:db8::1 udp/53: allow"),
        example(
            "an endpoint without a profile denies",
            World.of(pod(Things.NODE, "a", "x", List.of(), "10.0.0.9")),
            "192.0.2.1 > 10.0.0.9 tcp/80: deny",
            "10.0.0.9 > 192.0.2.1 tcp/80: deny"),
        example(
            "a missing profile denies, before the profiles after it are asked",
            World.of(
                namespace("a"),
                pod(Things.NODE, "a", "x", List.of("gone", "kns.a"), "10.0.0.9"),
                pod(Things.NODE, "a", "y", List.of("kns.a", "gone"), "10.0.0.8")),
            "192.0.2.1 > 10.0.0.9 tcp/80: deny",
            "192.0.2.1 > 10.0.0.8 tcp/80: allow"),
        example(
            "projectcalico-default-allow exists without being stored",
            World.of(
                pod(Things.NODE, "a", "x", List.of("projectcalico-default-allow"), "10.0.0.9")),
            "192.0.2.1 > 10.0.0.9 tcp/80: allow"),
        example(
            "projectcalico-default-allow can't be redefined",
            World.of(
                profile("projectcalico-default-allow", Map.of(), Action.DENY),
                pod(Things.NODE, "a", "x", List.of("projectcalico-default-allow"), "10.0.0.9")),
            "192.0.2.1 > 10.0.0.9 tcp/80: allow"),
        example(
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
        example(
            "own labels beat inherited ones, the earlier profile beats the later",
            with(
                profile("one", labels("role=one", "app=one"), Action.ALLOW),
                profile("two", labels("role=two"), Action.ALLOW),
                pod(Things.NODE, "a", "x", List.of("one", "two"), "10.0.0.9", "app=web"),
                globalPolicy("p", selecting("app == 'web' && role == 'one'"))),
            "192.0.2.1 > 10.0.0.9 tcp/80: deny",
            "192.0.2.1 > 10.0.0.1 tcp/80: allow"),
        example(
            "an endpoint always reaches itself",
            with(globalPolicy("deny", selecting("all()").withTypes(List.of(PolicyType.values())))),
            "10.0.0.1 > 10.0.0.1 tcp/80: allow",
            "10.0.0.1 > 10.0.0.2 tcp/80: deny"));
  }

  static Stream<Case> isolation() {
    return Stream.of(
        example(
            "a policy without rules isolates what it selects, in ingress only",
            with(policy("a", "p", selecting("app == 'web'"))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.1 > 10.0.0.2 tcp/80: allow",
            "10.0.0.12 > 10.0.0.11 tcp/80: allow"),
        example(
            "with egress rules alone it applies to egress alone",
            with(policy("a", "p", selecting("app == 'web'").withEgress(List.of(allowTcpTo("80"))))),
            "10.0.0.1 > 10.0.0.2 tcp/80: allow",
            "10.0.0.1 > 10.0.0.2 tcp/81: deny",
            "10.0.0.2 > 10.0.0.1 tcp/81: allow"),
        example(
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
        example(
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
        example(
            "both ends must allow, each for itself",
            with(
                policy("a", "in", selecting("app == 'web'").withIngress(List.of(allow()))),
                policy(
                    "a",
                    "out",
                    selecting("app == 'client'").withTypes(List.of(PolicyType.EGRESS)))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow"),
        example(
            "untracked and pre-DNAT policies never apply to workloads",
            with(
                globalPolicy("raw", hostOnly(true, false)),
                globalPolicy("nat", hostOnly(false, true))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        example(
            "an apply-on-forward policy applies to workloads as any other",
            with(globalPolicy("fwd", hostOnly(false, false))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"));
  }

  static Stream<Case> order() {
    return Stream.of(
        example(
            "the first matching rule wins",
            webIn(deny().withSource(nets("10.0.0.2/32")), allow(), deny()),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow"),
        example(
            "policies go by order, without one they are last",
            with(
                globalPolicy("z", in(null, 1, allow().withSource(nets("10.0.0.2/32")))),
                globalPolicy("m", in(null, 2, deny())),
                globalPolicy("a", in(null, null, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny"),
        example(
            "ties go by name/namespace/kind, so a-b comes before a",
            with(globalPolicy("a", in(null, 5, deny())), globalPolicy("a-b", in(null, 5, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        example(
            "a log rule does not decide; a policy that only logs leaves end-of-tier to deny",
            with(globalPolicy("p", in(null, 1, log()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "pass leaves the tier, not only the policy",
            with(
                globalPolicy("p1", in(null, 1, pass().withSource(nets("10.0.0.2/32")))),
                globalPolicy("p2", in(null, 2, deny()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny"),
        example(
            "a tier that passes at its end hands on to the next",
            with(
                tier("first", 10, TierAction.PASS),
                globalPolicy("p1", in("first", 1, deny().withSource(nets("10.0.0.2/32")))),
                globalPolicy("p2", in(null, 2, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow"),
        example(
            "a tier that denies at its end hides the next",
            with(
                tier("first", 10, TierAction.DENY),
                globalPolicy("p1", in("first", 1, allow().withSource(nets("10.0.0.2/32")))),
                globalPolicy("p2", in(null, 2, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny"),
        example(
            "a tier counts only where one of its policies applies",
            with(
                tier("first", 10, TierAction.DENY),
                globalPolicy("p1", in("first", 1).withSelector(sel("app == 'client'")))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.1 > 10.0.0.2 tcp/80: deny"),
        example(
            "tiers go by order, then without order, ties by name",
            with(
                tier("late", null, TierAction.DENY),
                tier("b", 10, TierAction.DENY),
                tier("a", 10, TierAction.DENY),
                globalPolicy("p1", in("late", 1, deny())),
                globalPolicy("p2", in("b", 1, deny())),
                globalPolicy("p3", in("a", 1, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        example(
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
        example(
            "a policy in a tier that does not exist denies what it selects, whatever others allow",
            with(
                globalPolicy("p1", in("gone", 1, allow())),
                globalPolicy("p2", in("kube-admin", 1, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.1 > 10.0.0.2 tcp/80: allow"));
  }

  static Stream<Case> failClosed() {
    Rule broken = allow().withDestination(EntityRule.EMPTY.withPorts(List.of(Port.parse("80"))));
    Rule services =
        allow().withSource(EntityRule.EMPTY.withServices(new ServiceMatch(null, null, Map.of())));
    return Stream.of(
        example(
            "a policy with ports but no protocol denies what it selects, before the rules after it",
            with(
                globalPolicy("p1", in(null, 1, allow(), broken)),
                globalPolicy("p2", in(null, 2, allow()))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.1 > 10.0.0.2 tcp/80: allow"),
        example(
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
        example(
            "so does one with global() outside a namespaceSelector",
            webIn(allowFrom(peer("global()"))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "so does a namespaced policy with a namespaceSelector of its own",
            with(policy("a", "p", in(null, 1, allow()).withNamespaceSelector(sel("all()")))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.11 tcp/80: allow"),
        example(
            "an invalid profile denies",
            World.of(
                profile("bad", Map.of(), List.of(allow(), broken), List.of(allow())),
                namespace("a"),
                pod(Things.NODE, "a", "x", List.of("bad", "kns.a"), "10.0.0.9")),
            "192.0.2.1 > 10.0.0.9 tcp/80: deny",
            "10.0.0.9 > 192.0.2.1 tcp/80: deny"),
        example(
            "an Allow with a match beyond this version matches nothing",
            webIn(services, withHttp(), withUnknown(Action.ALLOW)),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "a Deny or Pass with one denies what the rest of it matches",
            webIn(
                withUnknown(Action.DENY).withProtocol(Protocol.Named.UDP),
                withUnknown(Action.PASS).withProtocol(Protocol.Named.SCTP),
                allow()),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 udp/80: deny",
            "10.0.0.2 > 10.0.0.1 sctp/80: deny"));
  }

  @ParameterizedTest
  @MethodSource({"profiles", "isolation", "order", "failClosed"})
  void packets_meet_the_fate_the_model_promises(Case example) {
    verify(example.world(), example.expected());
  }
}
