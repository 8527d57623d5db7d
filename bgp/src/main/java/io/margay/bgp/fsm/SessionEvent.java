package io.margay.bgp.fsm;

import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Open;
import io.margay.bgp.message.RouteRefresh;
import io.margay.bgp.message.Update;
import org.jspecify.annotations.Nullable;

/// What can happen to a connection, by the names and numbers of RFC 4271 §8.1.
public sealed interface SessionEvent {

  record ManualStart() implements SessionEvent {}

  /// @param notification what to tell the peer; absent: nothing, so that it may wait for us
  record ManualStop(@Nullable Notification notification) implements SessionEvent {}

  record ConnectRetryTimerExpires() implements SessionEvent {}

  record HoldTimerExpires() implements SessionEvent {}

  record KeepaliveTimerExpires() implements SessionEvent {}

  record IdleHoldTimerExpires() implements SessionEvent {}

  /// Our connection was accepted.
  record TcpConnectionAcked() implements SessionEvent {}

  /// The peer's connection was accepted.
  record TcpConnectionConfirmed() implements SessionEvent {}

  record TcpConnectionFails(String cause) implements SessionEvent {}

  record BgpOpen(Open open) implements SessionEvent {}

  record BgpHeaderErr(Notification notification) implements SessionEvent {}

  record BgpOpenMsgErr(Notification notification) implements SessionEvent {}

  /// The peer's other connection stays.
  record OpenCollisionDump() implements SessionEvent {}

  record NotifMsg(Notification notification) implements SessionEvent {}

  record KeepAliveMsg() implements SessionEvent {}

  record UpdateMsg(Update update) implements SessionEvent {}

  record UpdateMsgErr(Notification notification) implements SessionEvent {}

  /// The peer has accepted nothing for the send hold time (RFC 9687 §4.2).
  record SendHoldTimerExpires() implements SessionEvent {}

  /// RFC 2918 gives it no number.
  record RouteRefreshMsg(RouteRefresh refresh) implements SessionEvent {}

  /// The number of RFC 4271 §8.1 and RFC 9687; 0 for what came after.
  default int number() {
    return switch (this) {
      case ManualStart _ -> 1;
      case ManualStop _ -> 2;
      case ConnectRetryTimerExpires _ -> 9;
      case HoldTimerExpires _ -> 10;
      case KeepaliveTimerExpires _ -> 11;
      case IdleHoldTimerExpires _ -> 13;
      case TcpConnectionAcked _ -> 16;
      case TcpConnectionConfirmed _ -> 17;
      case TcpConnectionFails _ -> 18;
      case BgpOpen _ -> 19;
      case BgpHeaderErr _ -> 21;
      case BgpOpenMsgErr _ -> 22;
      case OpenCollisionDump _ -> 23;
      case NotifMsg _ -> 25;
      case KeepAliveMsg _ -> 26;
      case UpdateMsg _ -> 27;
      case UpdateMsgErr _ -> 28;
      case SendHoldTimerExpires _ -> 29;
      case RouteRefreshMsg _ -> 0;
    };
  }
}
