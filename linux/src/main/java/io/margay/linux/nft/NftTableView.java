package io.margay.linux.nft;

import io.margay.model.net.IpFamily;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A table to read in, as packets do: chains by name, sets by key.
public interface NftTableView {

  IpFamily family();

  /// The chain of that name, null if there is none.
  @Nullable NftChain chain(String name);

  /// The base chains at a hook, in the order packets meet them: by priority, then by name.
  List<NftChain> baseChains(NftHook.Point hook);

  /// The definition of a set, null if there is none.
  @Nullable NftSet set(String name);

  /// The element of the set that `key` is, or lies in; null if there is none.
  ///
  /// @param key as long as the set's keys
  @Nullable NftElement find(String set, NftData key);

  /// The table that a snapshot is of.
  static NftTableView of(NftTableState state) {
    FamilyTable table = new FamilyTable(state.table());
    state
        .sets()
        .forEach(
            (set, elements) -> {
              table.declareSet(set);
              elements.forEach(element -> table.putElement(set.name(), element));
            });
    state.chains().forEach(table::putChain);
    return table;
  }
}
