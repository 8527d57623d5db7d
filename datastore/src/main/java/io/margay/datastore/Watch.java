package io.margay.datastore;

/// A running watch.
public interface Watch extends AutoCloseable {

  /// Ends the watch. Idempotent. A call to the listener already under way may still finish.
  @Override
  void close();
}
