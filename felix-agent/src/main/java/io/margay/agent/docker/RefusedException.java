package io.margay.agent.docker;

/// A request of Docker's that is not carried out. The message is for whoever typed the command:
/// what is wrong, and what to do.
final class RefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  RefusedException(String message) {
    super(message);
  }

  RefusedException(String message, Throwable cause) {
    super(message, cause);
  }
}
