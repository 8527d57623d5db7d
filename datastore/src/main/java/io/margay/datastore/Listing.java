package io.margay.datastore;

import java.util.List;

/// A consistent read of several keys.
///
/// @param store who answered
/// @param revision the store's revision at which everything in `items` was true; a watch from
///   `revision + 1` misses nothing
/// @param items the keys found, in key order; immutable
public record Listing(StoreId store, long revision, List<KeyValue> items) {

  public Listing {
    items = List.copyOf(items);
  }
}
