package io.margay.bgp.speaker;

/// How a speaker leaves.
public enum CloseMode {
  /// Every peer is told (Cease, Administrative Shutdown: RFC 4486 §4) and drops our routes.
  SHUTDOWN,

  /// Connections end without a NOTIFICATION, so that peers with graceful restart keep our routes
  /// and wait for us (RFC 4724 §4.2). The FIB is left as it is: what peers announced goes on being
  /// forwarded until the next speaker has heard from them.
  GRACEFUL_RESTART
}
