package io.margay.policy.oracle;

import io.margay.model.resource.PolicyType;
import io.margay.policy.HostStage;
import io.margay.policy.oracle.HostDecision.Outcome;

/// The stages of one host endpoint put in a row, as a packet that begins a connection meets them.
/// Failsafe ports are not among them: they are the agent's, not policy.
public final class HostPath {

  /// What the endpoint says at one stage.
  public interface Stages {
    HostDecision at(HostStage stage, PolicyType direction, Flow flow);
  }

  private HostPath() {}

  /// Whether a packet that comes in by the endpoint reaches a process of the node.
  ///
  /// @param came as it came
  /// @param now after destination NAT
  public static boolean reachesHost(Stages stages, Flow came, Flow now) {
    return switch (beforeRouting(stages, came)) {
      case ALLOW -> true;
      case DENY -> false;
      case OPEN -> stages.at(HostStage.NORMAL, PolicyType.INGRESS, now).outcome() == Outcome.ALLOW;
    };
  }

  /// Whether the endpoint lets in a packet that the node forwards.
  public static boolean letsIn(Stages stages, Flow came, Flow now) {
    return switch (beforeRouting(stages, came)) {
      case ALLOW -> true;
      case DENY -> false;
      case OPEN ->
          stages.at(HostStage.FORWARDED, PolicyType.INGRESS, now).outcome() != Outcome.DENY;
    };
  }

  private static Outcome beforeRouting(Stages stages, Flow came) {
    Outcome untracked = stages.at(HostStage.UNTRACKED, PolicyType.INGRESS, came).outcome();
    return untracked == Outcome.OPEN
        ? stages.at(HostStage.PRE_DNAT, PolicyType.INGRESS, came).outcome()
        : untracked;
  }

  /// Whether a packet of a process of the node leaves by the endpoint.
  public static boolean leavesHost(Stages stages, Flow flow) {
    return switch (stages.at(HostStage.UNTRACKED, PolicyType.EGRESS, flow).outcome()) {
      case ALLOW -> true;
      case DENY -> false;
      case OPEN -> stages.at(HostStage.NORMAL, PolicyType.EGRESS, flow).outcome() == Outcome.ALLOW;
    };
  }

  /// Whether the endpoint lets out a packet that the node forwards.
  public static boolean letsOut(Stages stages, Flow flow) {
    return stages.at(HostStage.FORWARDED, PolicyType.EGRESS, flow).outcome() != Outcome.DENY;
  }
}
