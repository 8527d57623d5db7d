package io.margay.bgp.fsm;

import io.margay.bgp.message.Notification;

/// Why a connection ended.
public sealed interface EndReason {

  /// We ended it and said so.
  record NotificationSent(Notification notification) implements EndReason {}

  /// The peer ended it and said so.
  record NotificationReceived(Notification notification) implements EndReason {}

  /// It broke.
  record ConnectionLost(String cause) implements EndReason {}

  /// We ended it without a word.
  record ClosedSilently() implements EndReason {}

  /// Whether it gave way to another connection of the same peer: no error (RFC 4271 §6.8).
  default boolean isCollision() {
    return switch (this) {
      case NotificationSent(Notification sent) -> isCollision(sent);
      case NotificationReceived(Notification received) -> isCollision(received);
      case ConnectionLost _, ClosedSilently _ -> false;
    };
  }

  private static boolean isCollision(Notification notification) {
    return notification.code() == Notification.CEASE
        && notification.subcode() == Notification.CEASE_COLLISION;
  }

  /// For people.
  default String describe() {
    return switch (this) {
      case NotificationSent(Notification sent) -> "Sent: " + sent.describe();
      case NotificationReceived(Notification received) -> "Received: " + received.describe();
      case ConnectionLost(String cause) -> "Connection lost: " + cause;
      case ClosedSilently() -> "Closed for a restart";
    };
  }
}
