package io.margay.datastore;

/// Hears all that a [Syncer] knows, and so can keep it where memory is cheaper. Called on the
/// syncer's thread; a recorder that fails keeps that to itself.
public interface StateRecorder {

  /// Everything is going to be told from the beginning; what was told before is void.
  void begin();

  /// @param isNews false for what was told since [#begin] at the latest if it was told at all: it
  ///   comes again for who has just begun
  void put(KeyValue item, boolean isNews);

  void delete(String key);

  /// What was told since [#begin] is all there was at this revision.
  void complete(StoreId store, long revision);

  /// Keeps nothing.
  StateRecorder NONE =
      new StateRecorder() {
        @Override
        public void begin() {}

        @Override
        public void put(KeyValue item, boolean isNews) {}

        @Override
        public void delete(String key) {}

        @Override
        public void complete(StoreId store, long revision) {}
      };
}
