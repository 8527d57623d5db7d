package io.margay.agent.bgp;

/// A session that can't be had as it is asked for, and so is not had at all. The message begins
/// with the field and says why.
final class NotServedException extends Exception {

  private static final long serialVersionUID = 1L;

  private final boolean passing;

  NotServedException(String message) {
    this(message, false);
  }

  private NotServedException(String message, boolean passing) {
    super(message);
    this.passing = passing;
  }

  /// It is known soon whether it can.
  static NotServedException notYet(String message) {
    return new NotServedException(message, true);
  }

  boolean isPassing() {
    return passing;
  }
}
