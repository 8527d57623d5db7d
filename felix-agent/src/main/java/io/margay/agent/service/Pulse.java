package io.margay.agent.service;

/// A part that works off what is handed to it, and so can be asked whether it still does. From any
/// thread.
@FunctionalInterface
public interface Pulse {

  /// @param answer run when the part comes to it; it may be run more than once
  /// @return false if the part has ended
  /// @throws IllegalStateException if the part takes no more
  boolean ask(Runnable answer);
}
