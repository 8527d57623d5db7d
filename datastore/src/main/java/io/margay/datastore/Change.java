package io.margay.datastore;

/// What happened to one key.
public sealed interface Change {

  String key();

  /// The store's revision of the change.
  long modRevision();

  /// The key was created or overwritten.
  record Put(KeyValue item) implements Change {

    @Override
    public String key() {
      return item.key();
    }

    @Override
    public long modRevision() {
      return item.modRevision();
    }
  }

  /// The key went away.
  ///
  /// @param modRevision the revision of the deletion, or of the listing that showed it gone
  record Delete(String key, long modRevision) implements Change {}
}
