package io.margay.cli.datastore;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// The datastore as it was at one revision, read a page at a time: that of the first reading.
final class StoreSnapshot {

  /// Keys asked for at once: a page of the largest documents, full blocks, is about 10 MB.
  static final int PAGE_KEYS = 1_000;

  /// Sorts behind every key that begins with what stands before it.
  private static final String BEHIND = Character.toString(Character.MAX_CODE_POINT);

  /// Takes what is read.
  @FunctionalInterface
  interface Visitor {
    void visit(KeyValue item) throws DatastoreException, IOException;
  }

  private final Datastore datastore;
  private long revision;

  StoreSnapshot(Datastore datastore) {
    this.datastore = datastore;
  }

  /// Which moment it is of; 0 before the first reading.
  long revision() {
    return revision;
  }

  /// Every key that starts with `prefix`, in key order.
  void each(String prefix, Visitor visitor) throws DatastoreException, IOException {
    eachOutside(prefix, List.of(), visitor);
  }

  /// Every key that starts with `prefix` and with none of `known`; what is below those is not read.
  void eachOutside(String prefix, List<String> known, Visitor visitor)
      throws DatastoreException, IOException {
    String after = "";
    while (true) {
      Listing page = datastore.page(prefix, after, PAGE_KEYS, revision);
      revision = page.revision();
      if (page.items().isEmpty()) {
        return;
      }
      Optional<String> skip = Optional.empty();
      for (KeyValue item : page.items()) {
        skip = known.stream().filter(item.key()::startsWith).findFirst();
        if (skip.isPresent()) {
          break;
        }
        visitor.visit(item);
        after = item.key();
      }
      after = skip.map(folder -> folder + BEHIND).orElse(after);
    }
  }

  Optional<KeyValue> get(String key) throws DatastoreException {
    Listing found = datastore.page(key, "", 1, revision);
    revision = found.revision();
    return found.items().stream().filter(item -> item.key().equals(key)).findFirst();
  }
}
