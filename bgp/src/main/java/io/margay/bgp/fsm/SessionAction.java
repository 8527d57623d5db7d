package io.margay.bgp.fsm;

import io.margay.bgp.message.Message;
import io.margay.bgp.message.RouteRefresh;
import io.margay.bgp.message.Update;
import java.time.Duration;

/// What the owner of a connection has to do, in order.
public sealed interface SessionAction {

  /// Begin a TCP connection; answer with {@link SessionEvent.TcpConnectionAcked} or {@link
  /// SessionEvent.TcpConnectionFails}.
  record OpenConnection() implements SessionAction {}

  /// Close the connection, if there is one, after everything sent has left.
  record CloseConnection() implements SessionAction {}

  /// Close the connection, if there is one, at once: what was not sent yet is lost.
  record DropConnection() implements SessionAction {}

  record Send(Message message) implements SessionAction {}

  /// Start or restart a timer. The owner adds jitter to {@link TimerKind#CONNECT_RETRY} and {@link
  /// TimerKind#KEEPALIVE} (RFC 4271 §10), and restarts {@link TimerKind#SEND_HOLD} whenever the
  /// peer accepts something or nothing waits for it.
  record StartTimer(TimerKind kind, Duration duration) implements SessionAction {}

  record StopTimer(TimerKind kind) implements SessionAction {}

  /// Wait a while, longer after each failure, then answer with {@link
  /// SessionEvent.IdleHoldTimerExpires}.
  record BackOff() implements SessionAction {}

  /// Routes may flow.
  record SessionUp(Negotiated negotiated) implements SessionAction {}

  /// Routes no longer flow.
  record SessionDown(Negotiated negotiated, EndReason reason) implements SessionAction {}

  /// The attempt ended before routes could flow.
  record AttemptFailed(EndReason reason) implements SessionAction {}

  record DeliverUpdate(Update update) implements SessionAction {}

  record DeliverRefresh(RouteRefresh refresh) implements SessionAction {}
}
