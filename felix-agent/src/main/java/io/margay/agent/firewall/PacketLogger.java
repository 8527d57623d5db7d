package io.margay.agent.firewall;

import io.margay.linux.nft.NftRule;
import io.margay.linux.nft.NftRuleBuilder;
import io.margay.policy.PolicyKey;
import io.margay.policy.RuleAction;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Writes the kernel rules that log. They have no verdict: a rule whose limit is reached ends where
/// the limit stands, so one that also decided would no longer decide.
///
/// @param tiers the tier of a policy that is in use; null for others
record PacketLogger(PacketLog log, Function<PolicyKey, @Nullable String> tiers) {

  /// Ends a rule with action Log.
  void log(NftRuleBuilder rule, RuleOrigin origin) {
    rule.counter().limit(log.limit());
    switch (log.rules()) {
      case KERNEL -> rule.log(LogPrefix.ofKernel(log.prefix(), origin, tiers));
      case NFLOG -> toGroup(rule, RuleAction.LOG, origin);
    }
  }

  /// What decides, behind what tells of it if that is to be.
  ///
  /// @param matches what both look for
  /// @param decides adds the verdict
  List<NftRule> decide(
      NftRuleBuilder matches, RuleAction action, RuleOrigin origin, Deciding decides) {
    List<NftRule> rules = new ArrayList<>();
    if (tells(action)) {
      NftRuleBuilder telling = matches.fork().limit(log.limit());
      toGroup(telling, action, origin);
      rules.add(telling.build(origin.id()));
    }
    decides.end(matches);
    rules.add(matches.build(origin.id()));
    return rules;
  }

  /// Ends a rule.
  @FunctionalInterface
  interface Deciding {
    void end(NftRuleBuilder rule);
  }

  private boolean tells(RuleAction action) {
    return switch (log.verdicts()) {
      case NONE -> false;
      case DENIED -> action == RuleAction.DENY;
      case ALL -> action != RuleAction.LOG;
    };
  }

  private void toGroup(NftRuleBuilder rule, RuleAction action, RuleOrigin origin) {
    int group =
        switch (origin.direction()) {
          case INGRESS -> PacketLog.INGRESS_GROUP;
          case EGRESS -> PacketLog.EGRESS_GROUP;
        };
    rule.logGroup(LogPrefix.ofGroup(action, origin, tiers), group, PacketLog.PACKET_OCTETS);
  }
}
