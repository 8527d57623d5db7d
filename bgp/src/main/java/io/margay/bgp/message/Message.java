package io.margay.bgp.message;

/// A BGP message (RFC 4271 §4, RFC 2918).
public sealed interface Message permits Open, Update, Notification, Keepalive, RouteRefresh {

  /// The name operators and counters use.
  default String typeName() {
    return switch (this) {
      case Open _ -> "open";
      case Update _ -> "update";
      case Notification _ -> "notification";
      case Keepalive _ -> "keepalive";
      case RouteRefresh _ -> "route-refresh";
    };
  }
}
