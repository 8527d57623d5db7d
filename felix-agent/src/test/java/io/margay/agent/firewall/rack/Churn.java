package io.margay.agent.firewall.rack;

import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/// Random valid changes of a small cluster: what its users do to policies, labels, sets and pods,
/// all day in a minute.
final class Churn {

  static final int PODS = 6;

  private static final List<String> APPS = List.of("web", "client", "db");
  private static final List<String> SELECTORS =
      List.of(
          "app == 'web'",
          "app == 'client'",
          "app in {'web', 'db'}",
          "!has(role)",
          "role == 'x'",
          "all()",
          "app != 'db'");
  private static final List<String> ACTIONS =
      List.of("Allow", "Allow", "Allow", "Deny", "Deny", "Pass");

  private final RandomGenerator random;

  Churn(RandomGenerator random) {
    this.random = random;
  }

  /// Six pods of two namespaces on n1, without policies.
  World start() {
    World world = World.EMPTY;
    for (String namespace : List.of("x", "y")) {
      world =
          world.with(
              """
              apiVersion: v1
              kind: Namespace
              metadata: {name: %s, labels: {env: e-%s}}
              """
                  .formatted(namespace, namespace));
    }
    for (int pod = 1; pod <= PODS; pod++) {
      world = world.with(pod(pod));
    }
    return world;
  }

  static String podName(int pod) {
    return namespaceOf(pod) + "/p" + pod;
  }

  private static String namespaceOf(int pod) {
    return pod % 2 == 0 ? "x" : "y";
  }

  private String pod(int pod) {
    String labels = "app: " + any(APPS) + (random.nextBoolean() ? ", role: x" : "");
    return """
    apiVersion: projectcalico.org/v3
    kind: WorkloadEndpoint
    metadata: {namespace: %s, name: n1-k8s-p%d-eth0, labels: {%s}}
    spec:
      {orchestrator: k8s, node: n1, pod: p%d, endpoint: eth0, interfaceName: calip%d,
      ipNetworks: [10.65.1.%d/32, "fd00:65:1::%d/128"], profiles: [kns.%s],
      ports: [{name: http, protocol: TCP, port: 80}]}
    """
        .formatted(namespaceOf(pod), pod, labels, pod, pod, pod, pod, namespaceOf(pod));
  }

  /// The next world: mostly one change, sometimes several at once.
  World next(World world) {
    World next = world;
    int changes = random.nextInt(10) < 7 ? 1 : 2 + random.nextInt(3);
    for (int i = 0; i < changes; i++) {
      next = change(next);
    }
    return next;
  }

  private World change(World world) {
    return switch (random.nextInt(12)) {
      case 0, 1 -> world.with(pod(1 + random.nextInt(PODS)));
      case 2 -> {
        int pod = 1 + random.nextInt(PODS);
        yield world.without(
            new ResourceRef(Kind.WORKLOAD_ENDPOINT, namespaceOf(pod), "n1-k8s-p" + pod + "-eth0"));
      }
      case 3, 4 -> world.with(kubernetesPolicy());
      case 5, 6, 7 -> world.with(globalPolicy());
      case 8 -> removePolicy(world);
      case 9 -> world.with(tier());
      case 10 -> world.with(networkSet());
      default ->
          world.with(
              """
              apiVersion: v1
              kind: Namespace
              metadata: {name: %s, labels: {env: %s}}
              """
                  .formatted(any(List.of("x", "y")), any(List.of("e-x", "e-y"))));
    };
  }

  private World removePolicy(World world) {
    List<ResourceRef> policies = new ArrayList<>();
    for (ResourceRef ref : world.resources().keySet()) {
      if (ref.kind() == Kind.NETWORK_POLICY || ref.kind() == Kind.GLOBAL_NETWORK_POLICY) {
        policies.add(ref);
      }
    }
    return policies.isEmpty() ? world : world.without(any(policies));
  }

  private String kubernetesPolicy() {
    String from =
        switch (random.nextInt(4)) {
          case 0 -> "from: [{podSelector: {matchLabels: {app: %s}}}]".formatted(any(APPS));
          case 1 ->
              "from: [{namespaceSelector: {matchLabels: {env: %s}}}]"
                  .formatted(any(List.of("e-x", "e-y")));
          case 2 -> "from: [{ipBlock: {cidr: 10.65.1.0/30}}, {ipBlock: {cidr: 'fd00:65:1::/126'}}]";
          default -> "ports: [{port: http}, {protocol: UDP, port: 53}]";
        };
    return """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: %s, name: np%d}
    spec:
      podSelector: {matchLabels: {app: %s}}
      ingress: [{%s}]
    """
        .formatted(any(List.of("x", "y")), random.nextInt(4), any(APPS), from);
  }

  private String globalPolicy() {
    List<String> rules = new ArrayList<>();
    for (int i = random.nextInt(4); i >= 0; i--) {
      rules.add(rule());
    }
    String tier = any(List.of("default", "t1", "t2"));
    int number = random.nextInt(3);
    return """
    apiVersion: projectcalico.org/v3
    kind: GlobalNetworkPolicy
    metadata: {name: %s}
    spec:
      tier: %s
      order: %d
      selector: "%s"
      %s: [%s]
    """
        .formatted(
            tier + ".g" + number,
            tier,
            random.nextInt(4),
            any(SELECTORS),
            any(List.of("ingress", "egress")),
            String.join(", ", rules));
  }

  private String rule() {
    String peer =
        switch (random.nextInt(4)) {
          case 0 -> "{selector: \"%s\"}".formatted(any(SELECTORS));
          case 1 -> "{notSelector: \"%s\"}".formatted(any(SELECTORS));
          case 2 -> "{selector: \"kind == 'set'\"}";
          default -> "{}";
        };
    String protocol = any(List.of("", "protocol: TCP, ", "protocol: UDP, "));
    return "{action: %s, %s%s: %s}"
        .formatted(any(ACTIONS), protocol, any(List.of("source", "destination")), peer);
  }

  /// There is a tier or there is none; a policy in one that is not there denies.
  private String tier() {
    return """
    apiVersion: projectcalico.org/v3
    kind: Tier
    metadata: {name: %s}
    spec: {order: %d, defaultAction: %s}
    """
        .formatted(any(List.of("t1", "t2")), random.nextInt(4), any(List.of("Deny", "Pass")));
  }

  private String networkSet() {
    String nets =
        any(
            List.of(
                "10.65.1.0/30, 'fd00:65:1::/126'",
                "10.65.1.2/32, 10.65.1.4/31, 'fd00:65:1::2/128'",
                "0.0.0.0/0, '::/0'",
                "10.65.1.5/32"));
    return """
    apiVersion: projectcalico.org/v3
    kind: GlobalNetworkSet
    metadata: {name: s%d, labels: {kind: set}}
    spec: {nets: [%s]}
    """
        .formatted(random.nextInt(2), nets);
  }

  private <T> T any(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }
}
