package io.margay.datastore;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What a [Syncer] remembers of the documents below a prefix: of each key when it was written and a
/// hash of what, to find what a listing differs in. Two values of one revision are only met when a
/// store was replaced by another, so 32 bits of hash will do. Confined to one thread.
final class KnownKeys {

  private final Map<String, Seen> keys = new HashMap<>();
  private int listing;

  private static final class Seen {
    private final long modRevision;
    private final int hash;
    private int listing;

    Seen(KeyValue item, int listing) {
      modRevision = item.modRevision();
      hash = item.value().hashCode();
      this.listing = listing;
    }

    boolean isOf(KeyValue item) {
      return modRevision == item.modRevision() && hash == item.value().hashCode();
    }
  }

  void put(KeyValue item) {
    keys.put(item.key(), new Seen(item, listing));
  }

  void remove(String key) {
    keys.remove(key);
  }

  boolean has(String key) {
    return keys.containsKey(key);
  }

  /// What [#isListedAnew] was asked of earlier listings does not count any more.
  void beginListing() {
    listing++;
  }

  /// The present listing has the item: whether it is not as remembered. Remembers nothing of it.
  boolean isListedAnew(KeyValue item) {
    Seen before = keys.get(item.key());
    if (before == null) {
      return true;
    }
    before.listing = listing;
    return !before.isOf(item);
  }

  /// Remembered keys that the present listing, now at its end, does not have.
  List<String> missing() {
    return keys.entrySet().stream()
        .filter(key -> key.getValue().listing != listing)
        .map(Map.Entry::getKey)
        .toList();
  }
}
