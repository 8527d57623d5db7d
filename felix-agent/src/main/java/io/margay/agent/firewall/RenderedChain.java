package io.margay.agent.firewall;

import io.margay.linux.nft.NftChain;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A chain and what its rules look up.
///
/// @param lists their own lists
/// @param unions of address sets
/// @param merged by rule id: the rules of policies among which is the one that it accepts for, in
///   evaluation order; the first that matches
record RenderedChain(
    NftChain chain,
    Set<RuleList> lists,
    Set<SetUnion> unions,
    Map<String, List<PolicyRule>> merged) {

  RenderedChain {
    lists = Set.copyOf(lists);
    unions = Set.copyOf(unions);
    merged = Map.copyOf(merged);
  }

  RenderedChain(NftChain chain, Set<RuleList> lists) {
    this(chain, lists, Set.of(), Map.of());
  }
}
