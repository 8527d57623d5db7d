package io.margay.model.k8s;

import io.margay.model.net.IpAddress;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// An [AdminPolicy]'s peers that depend on the world outside, put in terms of addresses for
/// somebody who knows all of that world: `nodes` become `networks`, and names, of whose answers
/// nobody knows, nothing.
public final class NodePeers {

  private NodePeers() {}

  /// @param nodes the addresses of the nodes a selector picks
  /// @throws IllegalArgumentException if a selector of nodes is none
  public static AdminPolicy resolve(
      AdminPolicy policy, Function<LabelSelector, List<IpAddress>> nodes) {
    AdminPolicySpec spec = policy.spec();
    AdminPolicySpec resolved =
        new AdminPolicySpec(
            spec.tier(),
            spec.priority(),
            spec.subject(),
            spec.ingress(),
            spec.egress().stream().map(rule -> resolve(rule, nodes)).toList());
    return switch (policy) {
      case KubernetesAdminNetworkPolicy _ ->
          new KubernetesAdminNetworkPolicy(policy.metadata(), resolved);
      case KubernetesBaselineAdminNetworkPolicy _ ->
          new KubernetesBaselineAdminNetworkPolicy(policy.metadata(), resolved);
      case KubernetesClusterNetworkPolicy _ ->
          new KubernetesClusterNetworkPolicy(policy.metadata(), resolved);
    };
  }

  private static AdminRule resolve(AdminRule rule, Function<LabelSelector, List<IpAddress>> nodes) {
    List<AdminRule.Peer> peers = rule.to();
    return peers == null
        ? rule
        : new AdminRule(
            rule.name(),
            rule.action(),
            rule.from(),
            peers.stream().flatMap(peer -> resolve(peer, nodes)).toList(),
            rule.protocols(),
            rule.ports());
  }

  private static Stream<AdminRule.Peer> resolve(
      AdminRule.Peer peer, Function<LabelSelector, List<IpAddress>> nodes) {
    LabelSelector selector = peer.nodes();
    if (selector != null) {
      List<String> networks =
          nodes.apply(selector).stream().map(a -> a.toHostPrefix().toString()).toList();
      return networks.isEmpty() ? Stream.of() : Stream.of(peerOf(networks));
    }
    return peer.domainNames() == null ? Stream.of(peer) : Stream.of();
  }

  private static AdminRule.Peer peerOf(@Nullable List<String> networks) {
    return new AdminRule.Peer(null, null, networks, null, null);
  }
}
