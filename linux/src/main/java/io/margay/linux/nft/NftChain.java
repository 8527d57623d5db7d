package io.margay.linux.nft;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A chain and its rules, in order.
///
/// @param name unique in its table; letters, digits, `-`, `_` and `.` so that the nft tool can read
///   its own listing again
/// @param hook null = a regular chain, reached by jumps only
public record NftChain(String name, @Nullable NftHook hook, List<NftRule> rules) {

  public NftChain {
    NftSet.requireName(name);
    rules = List.copyOf(rules);
  }

  public static NftChain regular(String name, List<NftRule> rules) {
    return new NftChain(name, null, rules);
  }
}
