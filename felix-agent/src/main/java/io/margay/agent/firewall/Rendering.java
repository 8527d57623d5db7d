package io.margay.agent.firewall;

import io.margay.linux.nft.NftRule;
import io.margay.linux.nft.NftRuleBuilder;
import io.margay.linux.nft.NftVerdict;
import io.margay.model.net.IpFamily;
import io.margay.policy.RuleAction;
import java.util.List;

/// What the rules of a family are written with.
///
/// @param logger writes those that log
/// @param tunnel who sends packets wrapped
record Rendering(IpFamily family, SetShapes shapes, PacketLogger logger, Tunnel tunnel) {

  /// What rules need to know of packets that are wrapped.
  ///
  /// @param port UDP
  /// @param isUsed whether nodes wrap packets of this family
  record Tunnel(int port, boolean isUsed) {}

  /// Drops whatever comes so far.
  List<NftRule> drop(RuleOrigin origin) {
    return logger.decide(
        new NftRuleBuilder(family),
        RuleAction.DENY,
        origin,
        rule -> rule.counter().verdict(NftVerdict.DROP));
  }
}
