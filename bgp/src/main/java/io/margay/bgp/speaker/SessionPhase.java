package io.margay.bgp.speaker;

import io.margay.bgp.fsm.SessionState;

/// The six states of RFC 4271 §8.2.2, as operators read them.
public enum SessionPhase {
  IDLE,
  CONNECT,
  ACTIVE,
  OPEN_SENT,
  OPEN_CONFIRM,
  ESTABLISHED;

  static SessionPhase of(SessionState state) {
    return switch (state) {
      case SessionState.Idle _ -> IDLE;
      case SessionState.Connect _ -> CONNECT;
      case SessionState.Active _ -> ACTIVE;
      case SessionState.OpenSent _ -> OPEN_SENT;
      case SessionState.OpenConfirm _ -> OPEN_CONFIRM;
      case SessionState.Established _ -> ESTABLISHED;
    };
  }
}
