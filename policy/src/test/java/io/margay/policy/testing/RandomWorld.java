package io.margay.policy.testing;

import static io.margay.policy.testing.Things.NODE;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Action;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.EntityRule;
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
import io.margay.policy.oracle.Flow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Draws small, dense worlds: few names, labels and addresses, so that they meet often.
public final class RandomWorld {

  private static final String[] NAMESPACES = {"a", "b"};
  private static final String[] NETS = {
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/30",
    "10.0.0.4/30",
    "10.0.0.2/32",
    "192.0.2.0/24",
    "::/0",
    "fd00::/126",
    "fd00::4/126",
    "2001:db8::/32"
  };
  private static final String[] PORTS = {
    "80", "443", "80:90", "web", "web", "dns", "dns", "0:65535"
  };
  private static final String[] SELECTORS = {
    "all()",
    "",
    "app == 'x'",
    "app != 'x'",
    "app in {'x', 'y'}",
    "app not in {'y'}",
    "has(app)",
    "!has(role)",
    "role == 'front' && app == 'x'",
    "role == 'front' || app == 'y'",
    "!(app == 'x')",
    "app starts with 'x'",
    "role contains 'ron'",
    "role ends with 'nt'",
    "pcns.env == 'prod'",
    "projectcalico.org/namespace == 'a'",
    "projectcalico.org/orchestrator == 'k8s'",
    "projectcalico.org/serviceaccount == 'sa1'"
  };
  private static final String[] NAMESPACE_SELECTORS = {
    "all()",
    "global()",
    "env == 'prod'",
    "env != 'prod'",
    "has(env)",
    "!global()",
    "env == 'dev' || global()",
    "!all()"
  };
  private static final String[] ACCOUNT_SELECTORS = {"all()", "team == 'red'", "team != 'red'"};

  private final Gen gen;

  public RandomWorld(Gen gen) {
    this.gen = gen;
  }

  public World world() {
    World world = World.EMPTY;
    int size = gen.between(8, 24);
    for (int i = 0; i < size; i++) {
      world = world.with(resource());
    }
    return world;
  }

  /// A world a few changes away.
  public World mutated(World world) {
    World next = world;
    int changes = gen.between(1, 4);
    for (int i = 0; i < changes; i++) {
      if (gen.chance(35) && !next.all().isEmpty()) {
        next = next.without(gen.oneOf(List.copyOf(next.byRef().keySet())));
      } else {
        next = next.with(resource());
      }
    }
    return next;
  }

  private Resource resource() {
    int dice = gen.between(0, 99);
    if (gen.chance(8)) {
      return staged();
    }
    if (gen.chance(8)) {
      return localHost();
    }
    if (gen.chance(10)) {
      return slice();
    }
    if (dice < 30) {
      return pod();
    } else if (dice < 42) {
      return profile();
    } else if (dice < 48) {
      return gen.oneOf(
          Things.networkSet(gen.oneOf(NAMESPACES), "set", nets(), labels()),
          Things.globalNetworkSet("gset" + gen.between(1, 2), nets(), labels()));
    } else if (dice < 52) {
      return Things.tier(
          gen.oneOf("t1", "t2"),
          gen.maybe(80, () -> gen.oneOf(500, 2_000_000)),
          gen.oneOf(TierAction.values()));
    } else if (dice < 55) {
      return gen.chance(40)
          ? Things.host("host", "10.0.0." + gen.between(1, 7), labels())
          : localHost();
    } else if (dice < 80) {
      String name = gen.oneOf("p1", "p2", "p1-x");
      return Things.policy(gen.oneOf(NAMESPACES), name, spec(false));
    } else if (dice < 97) {
      return Things.globalPolicy(gen.oneOf("p1", "p2", "p3"), spec(true));
    }
    return brokenPolicy();
  }

  private Resource slice() {
    return Things.slice(
        gen.oneOf(NAMESPACES),
        gen.oneOf("s1", "s2", "s3"),
        gen.oneOf("svc", "svc", "db", ""),
        gen.listOf(
            0,
            3,
            () ->
                gen.oneOf(
                    "10.0.0." + gen.between(1, 7), "fd00::" + gen.between(1, 7), "192.0.2.1")),
        gen.listOf(0, 2, () -> gen.oneOf("tcp/80", "tcp/443", "udp/53", "sctp/80")));
  }

  private Resource localHost() {
    return Things.localHost(
        gen.oneOf("host1", "host2"),
        gen.maybe(70, () -> gen.oneOf("*", "eth0")),
        "10.0.0." + gen.between(1, 7),
        gen.chance(50) ? List.of(gen.oneOf("special", "projectcalico-default-allow")) : List.of(),
        labels());
  }

  private Resource staged() {
    return gen.chance(50)
        ? Things.staged(gen.oneOf(NAMESPACES), gen.oneOf("p1", "s1"), spec(false))
        : Things.staged(gen.oneOf("p1", "s1"), spec(true));
  }

  private Resource pod() {
    String namespace = gen.oneOf(NAMESPACES);
    boolean local = gen.chance(60);
    // Local addresses are one pod's own; remote pods may share theirs with anybody.
    int number = gen.between(1, 3);
    int host = local ? (namespace.equals("a") ? number : 3 + number) : gen.between(1, 7);
    String addresses =
        gen.oneOf("10.0.0." + host, "10.0.0." + host + ",fd00::" + host, "fd00::" + host);
    List<String> profiles = new ArrayList<>();
    if (gen.chance(90)) {
      profiles.add("kns." + namespace);
    }
    if (gen.chance(20)) {
      profiles.add(gen.oneOf("special", "projectcalico-default-allow"));
    }
    WorkloadEndpoint pod =
        Things.pod(
            local ? NODE : "node-2",
            namespace,
            (local ? "local" : "remote") + number,
            profiles,
            addresses,
            labels());
    if (gen.chance(50)) {
      pod = Things.runningAs(pod, gen.oneOf("sa1", "sa2"));
    }
    return gen.chance(80)
        ? Things.withPorts(pod, gen.listOf(1, 2, this::namedPort).toArray(EndpointPort[]::new))
        : pod;
  }

  private EndpointPort namedPort() {
    return Things.port(
        gen.oneOf("web", "dns"),
        gen.oneOf(Protocol.Named.TCP, Protocol.Named.UDP),
        gen.oneOf(80, 443, 53));
  }

  private Resource profile() {
    String name =
        gen.oneOf("kns.a", "kns.a", "kns.b", "kns.b", "ksa.a.sa1", "ksa.b.sa2", "special");
    String[] labels =
        name.startsWith("kns")
            ? gen.someOf("pcns.env=" + gen.oneOf("prod", "dev")).toArray(String[]::new)
            : name.startsWith("ksa")
                ? gen.someOf("pcsa.team=" + gen.oneOf("red", "blue")).toArray(String[]::new)
                : gen.someOf("role=front", "app=y").toArray(String[]::new);
    if (gen.chance(70)) {
      return Things.profile(name, Things.labels(labels), Action.ALLOW);
    }
    return Things.profile(
        name, Things.labels(labels), gen.listOf(0, 2, this::rule), gen.listOf(0, 2, this::rule));
  }

  private String[] labels() {
    return gen.someOf("app=" + gen.oneOf("x", "y", "xy"), "role=" + gen.oneOf("front", "back"))
        .toArray(String[]::new);
  }

  private List<String> nets() {
    return gen.listOf(0, 3, () -> gen.oneOf(NETS));
  }

  private PolicySpec spec(boolean global) {
    // Both at once is invalid, and an invalid policy must never have been valid here.
    int stage = gen.between(0, 6);
    return new PolicySpec(
        gen.maybe(40, () -> gen.oneOf("default", "t1", "t2", "kube-admin", "kube-baseline")),
        gen.maybe(70, () -> gen.oneOf(10.0, 10.0, 20.0, 1000.0)),
        gen.maybe(80, () -> Things.sel(gen.oneOf(SELECTORS))),
        global ? gen.maybe(25, () -> Things.sel(gen.oneOf(NAMESPACE_SELECTORS))) : null,
        gen.maybe(15, () -> Things.sel(gen.oneOf(ACCOUNT_SELECTORS))),
        gen.someOf(PolicyType.values()),
        gen.listOf(0, 3, this::rule),
        gen.listOf(0, 3, this::rule),
        global && stage == 0,
        global && stage == 1,
        global && gen.chance(40),
        List.of(),
        Map.of());
  }

  /// Always invalid, under a name that never is anything else.
  private Resource brokenPolicy() {
    Rule portsWithoutProtocol =
        Rule.of(Action.ALLOW)
            .withDestination(EntityRule.EMPTY.withPorts(List.of(Port.parse("80"))));
    return Things.policy(
        gen.oneOf(NAMESPACES), "broken", spec(false).withIngress(List.of(portsWithoutProtocol)));
  }

  private Rule rule() {
    Protocol protocol =
        gen.maybe(
            60,
            () ->
                gen.oneOf(
                    Protocol.Named.TCP,
                    Protocol.Named.TCP,
                    Protocol.Named.UDP,
                    Protocol.Named.ICMP,
                    Protocol.Named.ICMPV6));
    Supplier<IcmpFields> icmp =
        () -> new IcmpFields(gen.oneOf(8, 0, 128), gen.maybe(30, () -> 0), Map.of());
    boolean isIcmp = protocol != null && protocol.isIcmp();
    return new Rule(
        gen.oneOf(Action.ALLOW, Action.ALLOW, Action.ALLOW, Action.DENY, Action.PASS, Action.LOG),
        gen.maybe(10, () -> gen.oneOf(4, 6)),
        protocol,
        gen.maybe(8, () -> gen.oneOf(Protocol.Named.UDP, Protocol.Named.ICMP)),
        isIcmp ? gen.maybe(40, icmp) : null,
        isIcmp ? gen.maybe(30, icmp) : null,
        peer(protocol),
        peer(protocol),
        null,
        null,
        gen.chance(2) ? Map.of("later", "field") : Map.of());
  }

  private EntityRule peer(@Nullable Protocol protocol) {
    if (gen.chance(40)) {
      return EntityRule.EMPTY;
    }
    boolean ports = protocol != null && protocol.hasPorts();
    if (gen.chance(15)) {
      return EntityRule.EMPTY
          .withServices(service())
          .withPorts(ports && gen.chance(25) ? ports() : List.of());
    }
    return new EntityRule(
        gen.chance(15) ? prefixes() : List.of(),
        gen.chance(12) ? prefixes() : List.of(),
        gen.maybe(45, () -> Things.sel(gen.oneOf(SELECTORS))),
        gen.maybe(15, () -> Things.sel(gen.oneOf(SELECTORS))),
        gen.maybe(20, () -> Things.sel(gen.oneOf(NAMESPACE_SELECTORS))),
        ports && gen.chance(50) ? ports() : List.of(),
        ports && gen.chance(15) ? ports() : List.of(),
        gen.maybe(
            10,
            () ->
                new ServiceAccountMatch(
                    gen.someOf("sa1", "sa2"),
                    gen.maybe(50, () -> Things.sel(gen.oneOf(ACCOUNT_SELECTORS))),
                    Map.of())),
        gen.maybe(1, this::service),
        Map.of());
  }

  private ServiceMatch service() {
    return new ServiceMatch(
        gen.oneOf("svc", "svc", "db"), gen.maybe(60, () -> gen.oneOf(NAMESPACES)), Map.of());
  }

  private List<Prefix> prefixes() {
    return gen.listOf(1, 3, () -> Prefix.parse(gen.oneOf(NETS)));
  }

  private List<Port> ports() {
    return gen.listOf(1, 2, () -> Port.parse(gen.oneOf(PORTS)));
  }

  /// A flow with `own` at one end.
  public Flow flow(IpAddress own, boolean isSource) {
    boolean v4 = own.toBytes().length == 4;
    IpAddress other =
        IpAddress.parse(
            v4
                ? gen.oneOf("10.0.0." + gen.between(0, 8), "192.0.2.1", "198.51.100.1")
                : gen.oneOf("fd00::" + gen.between(0, 8), "2001:db8::1", "2001:dba::1"));
    int protocol = gen.oneOf(6, 6, 17, v4 ? 1 : 58, 132);
    boolean ports = protocol == 6 || protocol == 17 || protocol == 132;
    return new Flow(
        isSource ? own : other,
        isSource ? other : own,
        protocol,
        ports ? gen.oneOf(80, 443, 40_000) : 0,
        ports ? gen.oneOf(80, 443, 53, 85) : 0,
        ports ? null : new Flow.Icmp(gen.oneOf(8, 0, 128), gen.oneOf(0, 1)));
  }
}
