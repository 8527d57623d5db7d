package io.margay.agent.firewall;

import io.margay.linux.nft.NftRuleBuilder;
import io.margay.model.net.IpFamily;

/// How the rules of a policy are carried out, by where its tier stands.
enum Manner {
  /// As written.
  ENFORCED(""),
  /// Before connection tracking: what is allowed is exempted from it.
  UNTRACKED("untracked"),
  /// Asks once more, further on, whether an untracked packet was allowed before connection
  /// tracking. No translation touches untracked packets, so the answer is the same.
  UNTRACKED_AGAIN("untracked-again"),
  /// Asks once more, after destination NAT, whether the packet was allowed before it: by the ends
  /// its connection had then.
  PRE_DNAT_AGAIN("pre-dnat-again"),
  /// Counted; nothing is decided.
  STAGED("staged");

  private final String word;

  Manner(String word) {
    this.word = word;
  }

  /// As signatures of tiers have it; empty for the usual one.
  String word() {
    return word;
  }

  NftRuleBuilder rule(IpFamily family) {
    return switch (this) {
      case PRE_DNAT_AGAIN -> NftRuleBuilder.ofOriginal(family);
      case ENFORCED, UNTRACKED, UNTRACKED_AGAIN, STAGED -> new NftRuleBuilder(family);
    };
  }

  /// Whether the packet has met the same rules before: nothing is counted or logged twice.
  boolean isRepeated() {
    return this == UNTRACKED_AGAIN || this == PRE_DNAT_AGAIN;
  }
}
