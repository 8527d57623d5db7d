package io.margay.bgp.speaker;

/// The six states of RFC 4271 §8.2.2, as operators read them.
public enum SessionPhase {
  IDLE,
  CONNECT,
  ACTIVE,
  OPEN_SENT,
  OPEN_CONFIRM,
  ESTABLISHED
}
