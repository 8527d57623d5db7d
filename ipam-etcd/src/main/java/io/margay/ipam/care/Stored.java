package io.margay.ipam.care;

import io.margay.datastore.Txn;

/// A document as it was read.
///
/// @param key where it is
/// @param modRevision when it was last written
record Stored<T>(String key, T value, long modRevision) {

  /// That nobody has written it since.
  Txn.Condition unchanged() {
    return new Txn.Condition.AtRevision(key, modRevision);
  }
}
