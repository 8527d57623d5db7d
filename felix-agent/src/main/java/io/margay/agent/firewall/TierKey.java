package io.margay.agent.firewall;

import io.margay.policy.PolicyKey;
import io.margay.policy.TierPolicies;

/// What a tier's chain does depends on nothing else, so endpoints with equal ones share the chain.
record TierKey(Direction direction, TierPolicies tier, Manner manner) {

  /// A tier carried out as written.
  TierKey(Direction direction, TierPolicies tier) {
    this(direction, tier, Manner.ENFORCED);
  }

  String signature() {
    StringBuilder text =
        new StringBuilder(direction.word())
            .append('|')
            .append(tier.tier())
            .append('|')
            .append(tier.endAction());
    for (PolicyKey policy : tier.policies()) {
      text.append('|')
          .append(policy.kind())
          .append('|')
          .append(policy.namespace())
          .append('|')
          .append(policy.name());
    }
    if (manner != Manner.ENFORCED) {
      text.append('|').append(manner.word());
    }
    return text.toString();
  }
}
