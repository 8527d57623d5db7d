package io.margay.cli.lab;

/// A topology that can't be: one line naming file, key path and what was expected. Nothing has been
/// created when it is thrown.
public final class TopologyException extends Exception {

  private static final long serialVersionUID = 1L;

  TopologyException(String message) {
    super(message);
  }
}
