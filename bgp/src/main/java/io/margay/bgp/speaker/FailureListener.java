package io.margay.bgp.speaker;

/// Hears that a speaker has ended on a bug. A speaker that is wrong must not go on answering: its
/// connections are closed without a word, so that peers with graceful restart keep our routes, and
/// whoever owns it decides what comes next.
@FunctionalInterface
public interface FailureListener {

  /// Nobody listens; the log has it all the same.
  FailureListener NONE = (_, _) -> {};

  /// Called once, on the loop that failed: must not wait for the speaker.
  ///
  /// @param loop its name
  void failed(String loop, Throwable bug);
}
