package io.margay.agent.firewall;

import io.margay.linux.nft.NftHook;
import io.margay.linux.nft.NftRuleBuilder.Side;
import io.margay.model.resource.PolicyType;
import io.margay.policy.HostEndpointPolicy;
import io.margay.policy.HostStage;
import io.margay.policy.TierPolicies;
import java.util.List;

/// A stage and direction of host endpoints' policy: one base chain, and one chain for each host
/// endpoint that has something to say there.
enum HostSlot {
  /// Behind the check of sources (-301), before connection tracking (-200).
  UNTRACKED_IN(1, HostStage.UNTRACKED, Direction.INGRESS, NftHook.Point.PREROUTING, -299, "hui"),
  UNTRACKED_OUT(2, HostStage.UNTRACKED, Direction.EGRESS, NftHook.Point.OUTPUT, -299, "huo"),
  /// Before anybody's destination NAT (-100).
  PRE_DNAT(3, HostStage.PRE_DNAT, Direction.INGRESS, NftHook.Point.PREROUTING, -101, "hd"),
  IN(4, HostStage.NORMAL, Direction.INGRESS, NftHook.Point.INPUT, -9, "hi"),
  OUT(5, HostStage.NORMAL, Direction.EGRESS, NftHook.Point.OUTPUT, -9, "ho"),
  /// Around the workloads' own (-11).
  FORWARD_IN(6, HostStage.FORWARDED, Direction.INGRESS, NftHook.Point.FORWARD, -13, "hfi"),
  FORWARD_OUT(7, HostStage.FORWARDED, Direction.EGRESS, NftHook.Point.FORWARD, -9, "hfo");

  private final int id;
  private final HostStage stage;
  private final Direction direction;
  private final NftHook hook;
  private final String prefix;

  HostSlot(
      int id,
      HostStage stage,
      Direction direction,
      NftHook.Point point,
      int priority,
      String prefix) {
    this.id = id;
    this.stage = stage;
    this.direction = direction;
    this.hook = new NftHook(NftHook.Type.FILTER, point, priority);
    this.prefix = prefix;
  }

  HostStage stage() {
    return stage;
  }

  Direction direction() {
    return direction;
  }

  NftHook hook() {
    return hook;
  }

  /// First part of the key in [Layout#HOSTS].
  int id() {
    return id;
  }

  /// Which of the packet's interfaces is the endpoint's.
  Side side() {
    return switch (direction) {
      case INGRESS -> Side.SOURCE;
      case EGRESS -> Side.DESTINATION;
    };
  }

  /// As rule ids have it.
  String word() {
    return switch (stage) {
      case UNTRACKED -> "untracked-" + direction.suffix();
      case PRE_DNAT -> "pre-dnat";
      case NORMAL -> direction.word();
      case FORWARDED -> "forward-" + direction.suffix();
    };
  }

  String baseChain() {
    return "host_"
        + switch (this) {
          case UNTRACKED_IN -> "untracked_in";
          case UNTRACKED_OUT -> "untracked_out";
          case PRE_DNAT -> "pre_dnat";
          case IN -> "in";
          case OUT -> "out";
          case FORWARD_IN -> "forward_in";
          case FORWARD_OUT -> "forward_out";
        };
  }

  /// The chain of a host endpoint.
  ///
  /// @param interfaceName empty for the one that stands for all interfaces
  String chain(String interfaceName) {
    return interfaceName.isEmpty() ? prefix : prefix + "-" + interfaceName;
  }

  /// The chain in which later slots ask what was allowed before destination NAT.
  ///
  /// @param interfaceName as [#chain] has it
  static String allowedBeforeDnat(String interfaceName) {
    return interfaceName.isEmpty() ? "hda" : "hda-" + interfaceName;
  }

  List<TierPolicies> tiers(HostEndpointPolicy policy) {
    return policy.tiers(
        stage,
        switch (direction) {
          case INGRESS -> PolicyType.INGRESS;
          case EGRESS -> PolicyType.EGRESS;
        });
  }

  /// Whether the endpoint has something to say here.
  boolean concerns(HostEndpointPolicy policy) {
    return stage == HostStage.NORMAL || !tiers(policy).isEmpty();
  }

  /// How the slot's own tiers are carried out.
  Manner manner() {
    return stage == HostStage.UNTRACKED ? Manner.UNTRACKED : Manner.ENFORCED;
  }

  /// Whether failsafe ports are open here, whatever policy says. What is forwarded is not the
  /// node's own.
  boolean hasFailsafes() {
    return stage != HostStage.FORWARDED;
  }
}
