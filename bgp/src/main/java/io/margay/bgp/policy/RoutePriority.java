package io.margay.bgp.policy;

import io.margay.bgp.message.PathAttributes;

/// The priority of a route as Calico counts it: a metric, lower is better. Between routers it
/// travels as LOCAL_PREF, mirrored at the greatest positive 32-bit number, so that a lower metric
/// is a higher preference.
final class RoutePriority {

  /// Of a route that says nothing.
  static final int DEFAULT = 1024;

  static final int MIN = 1;
  static final int MAX = Integer.MAX_VALUE - 1;

  private RoutePriority() {}

  /// The priority of a route; negative for a LOCAL_PREF beyond what a priority can express.
  static long of(PathAttributes attributes) {
    return attributes.hasLocalPref() ? Integer.MAX_VALUE - attributes.localPref() : DEFAULT;
  }

  static long toLocalPref(int priority) {
    return (long) Integer.MAX_VALUE - priority;
  }
}
