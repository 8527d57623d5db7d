package io.margay.policy;

import static io.margay.policy.Semantics.allowFrom;
import static io.margay.policy.Semantics.allowTo;
import static io.margay.policy.Semantics.example;
import static io.margay.policy.Semantics.only;
import static io.margay.policy.Semantics.verify;
import static io.margay.policy.Semantics.webIn;
import static io.margay.policy.Semantics.with;
import static io.margay.policy.testing.Things.account;
import static io.margay.policy.testing.Things.allow;
import static io.margay.policy.testing.Things.allowTcpTo;
import static io.margay.policy.testing.Things.deny;
import static io.margay.policy.testing.Things.globalNetworkSet;
import static io.margay.policy.testing.Things.globalPolicy;
import static io.margay.policy.testing.Things.host;
import static io.margay.policy.testing.Things.namespace;
import static io.margay.policy.testing.Things.nets;
import static io.margay.policy.testing.Things.networkSet;
import static io.margay.policy.testing.Things.notNets;
import static io.margay.policy.testing.Things.peer;
import static io.margay.policy.testing.Things.pod;
import static io.margay.policy.testing.Things.policy;
import static io.margay.policy.testing.Things.port;
import static io.margay.policy.testing.Things.runningAs;
import static io.margay.policy.testing.Things.sel;
import static io.margay.policy.testing.Things.selecting;
import static io.margay.policy.testing.Things.withPorts;

import io.margay.model.resource.EntityRule;
import io.margay.model.resource.IcmpFields;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.Port;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.Resource;
import io.margay.model.resource.Rule;
import io.margay.model.resource.ServiceAccountMatch;
import io.margay.policy.Semantics.Case;
import io.margay.policy.testing.World;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What rules of the v3 policy model match, as verdict tables ([Semantics]).
final class RuleSemanticsTest {

  /// Ingress rules of a global policy for `a`'s `web`.
  private static World globalWebIn(Rule... ingress) {
    return with(
        globalPolicy(
            "p",
            selecting("app == 'web' && projectcalico.org/namespace == 'a'")
                .withIngress(List.of(ingress))));
  }

  private static Resource accountsIn(
      String namespace, List<String> names, @Nullable String accounts, @Nullable String selector) {
    EntityRule peer = accountPeer(names, accounts);
    return policy(
        namespace,
        "p",
        selecting("app == 'web'")
            .withIngress(
                List.of(allowFrom(selector == null ? peer : peer.withSelector(sel(selector))))));
  }

  private static EntityRule accountPeer(List<String> names, @Nullable String selector) {
    return EntityRule.EMPTY.withServiceAccounts(
        new ServiceAccountMatch(names, selector == null ? null : sel(selector), Map.of()));
  }

  static Stream<Case> selectors() {
    return Stream.of(
        example(
            "a namespaced policy selects in its own namespace",
            with(policy("b", "p", selecting("all()"))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.11 tcp/80: deny"),
        example(
            "its rule selectors are scoped to its namespace",
            webIn(allowFrom(peer("app == 'client'"))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.12 > 10.0.0.1 tcp/80: deny",
            "192.0.2.1 > 10.0.0.1 tcp/80: deny"),
        example(
            "a global policy's are not",
            globalWebIn(allowFrom(peer("app == 'client'"))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny"),
        example(
            "an empty selector is as good as none",
            webIn(allowFrom(EntityRule.EMPTY.withSelector(sel("")))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow"),
        example(
            "a namespaceSelector widens the scope to its namespaces",
            webIn(allowFrom(peer("app == 'client'").withNamespaceSelector(sel("env == 'dev'")))),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.11 > 10.0.0.1 tcp/80: deny"),
        example(
            "namespaceSelector alone finds everything in those namespaces",
            webIn(allowFrom(EntityRule.EMPTY.withNamespaceSelector(sel("env == 'dev'")))),
            "10.0.0.11 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "namespaceSelector all() finds what has a namespace",
            with(
                webIn(allowFrom(EntityRule.EMPTY.withNamespaceSelector(sel("all()")))),
                globalNetworkSet("g", List.of("192.0.2.0/24")),
                networkSet("b", "n", List.of("198.51.100.0/24"))),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "198.51.100.1 > 10.0.0.1 tcp/80: allow",
            "192.0.2.1 > 10.0.0.1 tcp/80: deny"),
        example(
            "namespaceSelector global() finds what has none",
            with(
                webIn(allowFrom(EntityRule.EMPTY.withNamespaceSelector(sel("global()")))),
                globalNetworkSet("g", List.of("192.0.2.0/24")),
                host("h", "203.0.113.1"),
                networkSet("a", "n", List.of("198.51.100.0/24"))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "203.0.113.1 > 10.0.0.1 tcp/80: allow",
            "198.51.100.1 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "a global policy's notSelector matches strangers too",
            globalWebIn(allowFrom(EntityRule.EMPTY.withNotSelector(sel("app == 'client'")))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "a negated selector matches known objects only",
            globalWebIn(allowFrom(peer("!(app == 'client')"))),
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "in a namespaced policy notSelector confines to known objects of the namespace",
            webIn(allowFrom(EntityRule.EMPTY.withNotSelector(sel("app == 'client'")))),
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow",
            "10.0.0.11 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "a global policy's namespaceSelector picks the endpoints it applies to",
            with(
                globalPolicy(
                    "p", selecting("app == 'web'").withNamespaceSelector(sel("env == 'dev'")))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.11 tcp/80: deny"),
        example(
            "nobody labels himself into another namespace",
            with(
                webIn(allowFrom(peer("all()"))),
                pod(
                    "b",
                    "spy",
                    "10.0.0.66",
                    "projectcalico.org/namespace=a",
                    "projectcalico.org/serviceaccount=boss")),
            "10.0.0.66 > 10.0.0.1 tcp/80: deny"),
        example(
            "network sets are found by labels, their own and their namespace's",
            with(
                webIn(
                    allowFrom(peer("kind == 'office'")),
                    allowFrom(peer("kind == 'lab'").withNamespaceSelector(sel("env == 'dev'")))),
                networkSet("a", "office", List.of("192.0.2.0/24"), "kind=office"),
                networkSet("b", "office", List.of("198.51.100.0/24"), "kind=office"),
                networkSet("b", "lab", List.of("203.0.113.0/24"), "kind=lab")),
            "192.0.2.77 > 10.0.0.1 tcp/80: allow",
            "198.51.100.1 > 10.0.0.1 tcp/80: deny",
            "203.0.113.1 > 10.0.0.1 tcp/80: allow"),
        example(
            "network sets may overlap, each other and everything",
            with(
                globalWebIn(
                    allowFrom(peer("kind == 'good'").withNotSelector(sel("kind == 'bad'")))),
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
        example(
            "names pick endpoints of the policy's namespace",
            with(accounts, accountsIn("a", List.of("red"), null, null)),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny",
            "10.0.0.12 > 10.0.0.1 tcp/80: deny",
            "192.0.2.1 > 10.0.0.1 tcp/80: deny"),
        example(
            "names, selector and endpoint selector are ANDed",
            with(accounts, accountsIn("a", List.of("red", "blue"), "team == 'blue'", "app == 'x'")),
            "10.0.0.3 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "a global policy finds accounts of all namespaces",
            with(
                accounts,
                globalPolicy(
                    "p",
                    selecting("app == 'web'")
                        .withIngress(List.of(allowFrom(accountPeer(List.of(), "team == 'red'")))))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny"),
        example(
            "serviceAccountSelector all() of a global policy means: runs as one",
            with(
                accounts,
                globalPolicy("p", PolicySpec.EMPTY.withServiceAccountSelector(sel("all()")))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "192.0.2.1 > 10.0.0.2 tcp/80: deny"),
        example(
            "serviceAccountSelector all() of a namespaced policy means: all",
            with(
                accounts,
                policy("a", "p", PolicySpec.EMPTY.withServiceAccountSelector(sel("all()")))),
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "192.0.2.1 > 10.0.0.2 tcp/80: deny",
            "192.0.2.1 > 10.0.0.12 tcp/80: allow"),
        example(
            "serviceAccountSelector picks by the account's labels",
            with(
                accounts,
                policy(
                    "a", "p", PolicySpec.EMPTY.withServiceAccountSelector(sel("team == 'red'")))),
            "192.0.2.1 > 10.0.0.2 tcp/80: deny",
            "192.0.2.1 > 10.0.0.3 tcp/80: allow"));
  }

  static Stream<Case> addresses() {
    return Stream.of(
        example(
            "nets are ORed, notNets taken out",
            webIn(
                allowFrom(
                    nets("192.0.2.0/24", "198.51.100.0/24")
                        .withNotNets(notNets("192.0.2.128/25").notNets()))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "198.51.100.1 > 10.0.0.1 tcp/80: allow",
            "192.0.2.200 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "nets match pods too",
            webIn(allowFrom(nets("10.0.0.0/24"))),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow"),
        example(
            "nets of one family confine the rule to it",
            webIn(allowFrom(nets("0.0.0.0/0"))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "2001:db8::1 > fd00::1 tcp/80: deny"),
        example(
            "so do notNets",
            webIn(allowFrom(notNets("192.0.2.0/24"))),
            "198.51.100.1 > 10.0.0.1 tcp/80: allow",
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "2001:db8::1 > fd00::1 tcp/80: deny"),
        example(
            "everything of both families is no constraint",
            webIn(allowFrom(nets("0.0.0.0/0", "::/0", "10.0.0.0/8"))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "2001:db8::1 > fd00::1 tcp/80: allow"),
        example(
            "everything of one family and some of the other",
            webIn(allowFrom(nets("0.0.0.0/0", "2001:db8::/32"))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "2001:db8::1 > fd00::1 tcp/80: allow",
            "2001:db9::1 > fd00::1 tcp/80: deny"),
        example(
            "a rule that excludes everything matches nothing",
            webIn(allowFrom(notNets("0.0.0.0/0", "2001:db8::/32")), deny()),
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "2001:db9::1 > fd00::1 tcp/80: allow",
            "2001:db8::1 > fd00::1 tcp/80: deny"),
        example(
            "nets of different families at both ends match nothing",
            webIn(allowFrom(nets("0.0.0.0/0")).withDestination(nets("::/0"))),
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "2001:db8::1 > fd00::1 tcp/80: deny"),
        example(
            "ipVersion",
            webIn(only(6, null)),
            "192.0.2.1 > 10.0.0.1 tcp/80: deny",
            "2001:db8::1 > fd00::1 tcp/80: allow"));
  }

  static Stream<Case> portsAndProtocols() {
    return Stream.of(
        example(
            "ports and ranges of one protocol",
            webIn(allowTcpTo("80", "8000:8010")),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/8000: allow",
            "10.0.0.2 > 10.0.0.1 tcp/8010: allow",
            "10.0.0.2 > 10.0.0.1 tcp/8011: deny",
            "10.0.0.2 > 10.0.0.1 udp/80: deny",
            "10.0.0.2 > 10.0.0.1 sctp/80: deny"),
        example(
            "notPorts",
            webIn(
                allow()
                    .withProtocol(Protocol.Named.TCP)
                    .withDestination(EntityRule.EMPTY.withNotPorts(List.of(Port.parse("1:1023"))))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/8080: allow"),
        example(
            "source ports",
            webIn(
                allow()
                    .withProtocol(Protocol.Named.TCP)
                    .withSource(EntityRule.EMPTY.withPorts(List.of(Port.parse("40000"))))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        example(
            "a protocol by number, and any but one",
            webIn(allow().withProtocol(Protocol.parse("47")), only(null, Protocol.Named.TCP)),
            "10.0.0.2 > 10.0.0.1 47/0: allow",
            "10.0.0.2 > 10.0.0.1 udp/1: allow",
            "10.0.0.2 > 10.0.0.1 tcp/1: deny"),
        example(
            "ICMP type and code",
            webIn(
                with(allow(), new IcmpFields(8, null, Map.of()), null),
                with(allow(), new IcmpFields(3, 4, Map.of()), null)),
            "10.0.0.2 > 10.0.0.1 icmp/8: allow",
            "10.0.0.2 > 10.0.0.1 icmp/3.4: allow",
            "10.0.0.2 > 10.0.0.1 icmp/3.1: deny",
            "10.0.0.2 > 10.0.0.1 tcp/8: deny"),
        example(
            "notICMP",
            webIn(with(allow(), null, new IcmpFields(8, null, Map.of()))),
            "10.0.0.2 > 10.0.0.1 icmp/8: deny",
            "10.0.0.2 > 10.0.0.1 icmp/0: allow",
            "10.0.0.2 > 10.0.0.1 tcp/8: deny"),
        example(
            "an ICMP match without a type is none",
            webIn(with(allow(), new IcmpFields(null, null, Map.of()), null)),
            "10.0.0.2 > 10.0.0.1 icmp/0: allow"),
        example(
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
        example(
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
                                allowTo(peer("app == 'web'").withPorts(List.of(Port.parse("http"))))
                                    .withProtocol(Protocol.Named.TCP),
                                allowTo(
                                        peer("!has(app)")
                                            .withPorts(
                                                List.of(Port.parse("http"), Port.parse("22"))))
                                    .withProtocol(Protocol.Named.UDP))))),
            "10.0.0.2 > 10.0.0.1 tcp/8080: allow",
            "10.0.0.2 > 10.0.0.3 tcp/8080: deny",
            "10.0.0.2 > 10.0.0.3 udp/22: allow",
            "10.0.0.2 > 10.0.0.3 udp/8080: deny",
            "10.0.0.2 > 192.0.2.1 tcp/8080: deny"),
        example(
            "a named port finds no network set and no stranger",
            with(
                globalNetworkSet("g", List.of("192.0.2.0/24"), "app=web"),
                globalPolicy(
                    "p", selecting("app == 'client'").withEgress(List.of(allowTcpTo("http"))))),
            "10.0.0.2 > 192.0.2.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
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

  @ParameterizedTest
  @MethodSource({"selectors", "serviceAccounts", "addresses", "portsAndProtocols"})
  void packets_meet_the_fate_the_model_promises(Case example) {
    verify(example.world(), example.expected());
  }
}
