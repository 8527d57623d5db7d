package io.margay.cli.policy;

/// A probe that can't be answered; the message says why, in one line.
final class ProbeException extends Exception {

  private static final long serialVersionUID = 1L;

  ProbeException(String message) {
    super(message, null, false, false);
  }
}
