package io.margay.linux.nft;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What the kernel holds under one of our table names, reduced to what tells it from the desired.
///
/// @param owned whether a living process owns it, this one or another
/// @param persistent whether it outlives its owner
/// @param dormant whether someone switched it off
/// @param objects strangers', all of them
public record NftDump(
    boolean owned,
    boolean persistent,
    boolean dormant,
    Map<String, Chain> chains,
    Map<String, Elements> sets,
    Set<NftObject> objects) {

  /// @param hook [NftHook#toString] of a base chain, empty for a regular one; foreign text if the
  ///   chain is not one we could have made
  /// @param ruleTags the rules' userdata in order: id and content hash ([NftRuleTag])
  public record Chain(String hook, List<NftData> ruleTags) {
    static String hookText(@Nullable NftHook hook) {
      return hook == null ? "" : hook.toString();
    }

    static Chain of(NftChain chain) {
      return new Chain(hookText(chain.hook()), chain.rules().stream().map(NftRuleTag::of).toList());
    }
  }

  /// @param definition null if the set is not of a shape we make
  /// @param elements by key; empty if the definition is null
  public record Elements(@Nullable NftSet definition, Map<NftData, NftElement> elements) {}
}
