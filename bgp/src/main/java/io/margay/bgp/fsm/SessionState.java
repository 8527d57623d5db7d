package io.margay.bgp.fsm;

/// Where a connection stands (RFC 4271 §8.2.2). A state holds only what is true in it.
public sealed interface SessionState {

  /// Refuses everything until started, or until its back-off is over.
  record Idle() implements SessionState {}

  /// Waits for its TCP connection to be made.
  record Connect() implements SessionState {}

  /// Waits for the peer to connect, or to try again itself.
  record Active() implements SessionState {}

  /// Has sent its OPEN and waits for the peer's.
  record OpenSent() implements SessionState {}

  /// Has agreed and waits for the peer to confirm.
  record OpenConfirm(Negotiated negotiated) implements SessionState {}

  /// Exchanges routes.
  record Established(Negotiated negotiated) implements SessionState {}
}
