package io.margay.agent.firewall;

import io.margay.policy.ComputedRule;
import io.margay.policy.PeerMatch;
import io.margay.policy.RuleSet;
import io.margay.policy.SetId;
import java.util.List;

/// Which rules look into an address set.
final class SetUse {

  private SetUse() {}

  static boolean uses(RuleSet rules, SetId set) {
    return uses(rules.ingress(), set) || uses(rules.egress(), set);
  }

  private static boolean uses(List<ComputedRule> rules, SetId set) {
    for (ComputedRule rule : rules) {
      if (uses(rule.source(), set) || uses(rule.destination(), set)) {
        return true;
      }
    }
    return false;
  }

  private static boolean uses(PeerMatch peer, SetId set) {
    return peer.sets().contains(set) || peer.notSets().contains(set);
  }
}
