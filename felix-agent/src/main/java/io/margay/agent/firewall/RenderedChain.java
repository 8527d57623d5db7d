package io.margay.agent.firewall;

import io.margay.linux.nft.NftChain;
import java.util.Set;

/// A chain and the lists its rules look up.
record RenderedChain(NftChain chain, Set<RuleList> lists) {

  RenderedChain {
    lists = Set.copyOf(lists);
  }
}
