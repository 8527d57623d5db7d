package io.margay.policy.testing;

import io.margay.model.k8s.AdminPolicy;
import io.margay.model.k8s.AdminPolicySpec;
import io.margay.model.k8s.AdminRule;
import io.margay.model.k8s.KubernetesBaselineAdminNetworkPolicy;
import io.margay.model.k8s.KubernetesNamespace;
import io.margay.model.k8s.KubernetesNetworkPolicy;
import io.margay.model.k8s.LabelSelector;
import io.margay.model.k8s.NamespacedPods;
import io.margay.model.k8s.PolicyPeer;
import io.margay.model.k8s.PolicyPort;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Port;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.policy.oracle.Flow;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What Kubernetes' own texts say becomes of a packet, straight from the documents: it knows no
/// tier, profile or selector of ours. Slow and obvious.
///
/// @param namespaces by name
/// @param pods all of them
/// @param admin administrators' policies of all kinds
/// @param policies of all namespaces
public record KubernetesOracle(
    Map<String, KubernetesNamespace> namespaces,
    List<WorkloadEndpoint> pods,
    List<AdminPolicy> admin,
    List<KubernetesNetworkPolicy> policies) {

  private static final int TCP = 6;

  public boolean allows(Flow flow) {
    Optional<WorkloadEndpoint> source = at(flow.source());
    Optional<WorkloadEndpoint> destination = at(flow.destination());
    return source.map(pod -> decide(pod, PolicyType.EGRESS, flow)).orElse(true)
        && destination.map(pod -> decide(pod, PolicyType.INGRESS, flow)).orElse(true);
  }

  private Optional<WorkloadEndpoint> at(IpAddress address) {
    return pods.stream()
        .filter(pod -> pod.spec().ipNetworks().contains(address.toHostPrefix()))
        .findFirst();
  }

  private boolean decide(WorkloadEndpoint pod, PolicyType direction, Flow flow) {
    Optional<Boolean> first = inTier(false, pod, direction, flow);
    if (first.isPresent()) {
      return first.get();
    }
    List<KubernetesNetworkPolicy> isolating =
        policies.stream()
            .filter(policy -> policy.metadata().namespaceOrEmpty().equals(namespaceOf(pod)))
            .filter(policy -> selects(policy.spec().podSelector(), labelsOf(pod)::get))
            .filter(policy -> isFor(policy.spec(), direction))
            .toList();
    if (!isolating.isEmpty()) {
      return isolating.stream().anyMatch(policy -> allows(policy, direction, flow));
    }
    return inTier(true, pod, direction, flow).orElse(true);
  }

  private static boolean isFor(KubernetesNetworkPolicy.Spec spec, PolicyType direction) {
    if (!spec.policyTypes().isEmpty()) {
      return spec.policyTypes().contains(direction);
    }
    return direction == PolicyType.INGRESS || !spec.egress().isEmpty();
  }

  /// Empty = no rule of the tier decides.
  private Optional<Boolean> inTier(
      boolean baseline, WorkloadEndpoint pod, PolicyType direction, Flow flow) {
    List<AdminPolicy> tier =
        admin.stream()
            .filter(policy -> isBaseline(policy) == baseline)
            .sorted(Comparator.comparingInt(KubernetesOracle::priority))
            .toList();
    for (AdminPolicy policy : tier) {
      AdminPolicySpec spec = policy.spec();
      if (!picks(spec.subject().namespaces(), spec.subject().pods(), pod)) {
        continue;
      }
      for (AdminRule rule : direction == PolicyType.INGRESS ? spec.ingress() : spec.egress()) {
        if (matches(rule, direction, flow)) {
          return switch (rule.action()) {
            case "Accept", "Allow" -> Optional.of(true);
            case "Deny" -> Optional.of(false);
            default -> Optional.empty();
          };
        }
      }
    }
    return Optional.empty();
  }

  private static boolean isBaseline(AdminPolicy policy) {
    return policy instanceof KubernetesBaselineAdminNetworkPolicy
        || policy.spec().tier() == AdminPolicySpec.Tier.BASELINE;
  }

  private static int priority(AdminPolicy policy) {
    return policy.spec().priority() == null ? Integer.MAX_VALUE : policy.spec().priority();
  }

  private boolean matches(AdminRule rule, PolicyType direction, Flow flow) {
    List<AdminRule.Peer> peers =
        Objects.requireNonNull(direction == PolicyType.INGRESS ? rule.from() : rule.to());
    IpAddress other = direction == PolicyType.INGRESS ? flow.source() : flow.destination();
    return peers.stream().anyMatch(peer -> isPeer(peer, other)) && hasPort(rule, flow);
  }

  private boolean isPeer(AdminRule.Peer peer, IpAddress other) {
    if (peer.networks() != null) {
      return peer.networks().stream().anyMatch(net -> holds(Prefix.parse(net), other));
    }
    return at(other).filter(pod -> picks(peer.namespaces(), peer.pods(), pod)).isPresent();
  }

  private boolean picks(
      @Nullable LabelSelector inNamespaces, @Nullable NamespacedPods some, WorkloadEndpoint pod) {
    LabelSelector where = some == null ? inNamespaces : some.namespaceSelector();
    return selects(where, namespaceLabels(pod)::get)
        && (some == null || selects(some.podSelector(), labelsOf(pod)::get));
  }

  private boolean hasPort(AdminRule rule, Flow flow) {
    boolean any = rule.protocols() == null && rule.ports() == null;
    return any
        || rule.protocols() != null && rule.protocols().stream().anyMatch(port -> is(port, flow))
        || rule.ports() != null && rule.ports().stream().anyMatch(port -> is(port, flow));
  }

  private boolean is(AdminRule.ProtocolMatch match, Flow flow) {
    return is(match.tcp(), TCP, flow)
        || is(match.udp(), 17, flow)
        || is(match.sctp(), 132, flow)
        || isNamed(match.destinationNamedPort(), null, flow);
  }

  private static boolean is(AdminRule.@Nullable Destination match, int protocol, Flow flow) {
    if (match == null || match.destinationPort() == null || flow.protocol() != protocol) {
      return false;
    }
    AdminRule.Range range = match.destinationPort().range();
    return range == null
        ? Integer.valueOf(flow.destinationPort()).equals(match.destinationPort().number())
        : within(range.start(), range.end(), flow);
  }

  private boolean is(AdminRule.PortMatch match, Flow flow) {
    if (match.portNumber() != null) {
      return flow.protocol() == numberOf(match.portNumber().protocol())
          && within(match.portNumber().port(), match.portNumber().port(), flow);
    }
    if (match.portRange() != null) {
      return flow.protocol() == numberOf(match.portRange().protocol())
          && within(match.portRange().start(), match.portRange().end(), flow);
    }
    return isNamed(match.namedPort(), null, flow);
  }

  private static boolean within(@Nullable Integer first, @Nullable Integer last, Flow flow) {
    return Objects.requireNonNull(first) <= flow.destinationPort()
        && flow.destinationPort() <= Objects.requireNonNull(last);
  }

  private static int numberOf(@Nullable Protocol protocol) {
    return protocol == null ? TCP : protocol.number();
  }

  private boolean isNamed(@Nullable String name, @Nullable Integer protocol, Flow flow) {
    return name != null
        && at(flow.destination()).stream()
            .flatMap(pod -> pod.spec().ports().stream())
            .filter(port -> port.name().equals(name))
            .filter(port -> protocol == null || port.protocol().number() == protocol)
            .anyMatch(port -> isTo(port, flow));
  }

  private static boolean isTo(EndpointPort port, Flow flow) {
    return port.protocol().number() == flow.protocol() && port.port() == flow.destinationPort();
  }

  private boolean allows(KubernetesNetworkPolicy policy, PolicyType direction, Flow flow) {
    String namespace = policy.metadata().namespaceOrEmpty();
    return switch (direction) {
      case INGRESS ->
          policy.spec().ingress().stream()
              .anyMatch(
                  rule ->
                      isPeer(rule.from(), namespace, flow.source()) && isPort(rule.ports(), flow));
      case EGRESS ->
          policy.spec().egress().stream()
              .anyMatch(
                  rule ->
                      isPeer(rule.to(), namespace, flow.destination())
                          && isPort(rule.ports(), flow));
    };
  }

  private boolean isPeer(List<PolicyPeer> peers, String namespace, IpAddress other) {
    return peers.isEmpty() || peers.stream().anyMatch(peer -> isPeer(peer, namespace, other));
  }

  private boolean isPeer(PolicyPeer peer, String namespace, IpAddress other) {
    PolicyPeer.IpBlock block = peer.ipBlock();
    if (block != null) {
      return holds(block.cidr(), other)
          && block.except().stream().noneMatch(net -> holds(net, other));
    }
    return at(other)
        .filter(
            pod -> peer.podSelector() == null || selects(peer.podSelector(), labelsOf(pod)::get))
        .filter(
            pod ->
                peer.namespaceSelector() == null
                    ? namespaceOf(pod).equals(namespace)
                    : selects(peer.namespaceSelector(), namespaceLabels(pod)::get))
        .isPresent();
  }

  private boolean isPort(List<PolicyPort> ports, Flow flow) {
    return ports.isEmpty() || ports.stream().anyMatch(port -> is(port, flow));
  }

  private boolean is(PolicyPort port, Flow flow) {
    int protocol = numberOf(port.protocol());
    return flow.protocol() == protocol
        && switch (port.port()) {
          case null -> true;
          case Port.Single(int first) ->
              within(first, port.endPort() == null ? first : port.endPort(), flow);
          case Port.Named(String name) -> isNamed(name, protocol, flow);
          case Port.Range _ -> throw new IllegalArgumentException("no port of a NetworkPolicy");
        };
  }

  private static boolean holds(Prefix prefix, IpAddress address) {
    return prefix.contains(address.toHostPrefix());
  }

  private static String namespaceOf(WorkloadEndpoint pod) {
    return pod.metadata().namespaceOrEmpty();
  }

  private static Map<String, String> labelsOf(WorkloadEndpoint pod) {
    return pod.metadata().labels();
  }

  /// Every namespace carries its name as a label.
  private Map<String, String> namespaceLabels(WorkloadEndpoint pod) {
    KubernetesNamespace namespace = Objects.requireNonNull(namespaces.get(namespaceOf(pod)));
    Map<String, String> labels = new HashMap<>(namespace.metadata().labels());
    labels.put("kubernetes.io/metadata.name", namespace.metadata().name());
    return labels;
  }

  private static boolean selects(
      @Nullable LabelSelector selector, Function<String, @Nullable String> labels) {
    return selector == null
        || Stream.concat(
                selector.matchLabels().entrySet().stream()
                    .map(pair -> pair.getValue().equals(labels.apply(pair.getKey()))),
                selector.matchExpressions().stream().map(one -> meets(one, labels)))
            .allMatch(Boolean::booleanValue);
  }

  private static boolean meets(
      LabelSelector.Requirement requirement, Function<String, @Nullable String> labels) {
    String value = labels.apply(requirement.key());
    return switch (requirement.operator()) {
      case IN -> value != null && requirement.values().contains(value);
      case NOT_IN -> value == null || !requirement.values().contains(value);
      case EXISTS -> value != null;
      case DOES_NOT_EXIST -> value == null;
    };
  }
}
