package io.margay.linux.nft;

import java.util.List;

/// Hears what other writers commit to the namespace, while it is open. Heard on a thread of its own
/// and taken by whoever owns the tables.
public interface NftWatch extends AutoCloseable {

  /// @param harmless generations whose transactions left our tables alone, in order
  /// @param suspicious whether our tables were written by others, or something may have been missed
  /// @param by the process that wrote our tables last; empty if none did, or none is known
  record Report(List<Integer> harmless, boolean suspicious, String by) {
    public Report {
      harmless = List.copyOf(harmless);
    }
  }

  /// What was heard since the last call.
  Report take();

  /// After it the alarm is not raised any more.
  @Override
  void close();
}
