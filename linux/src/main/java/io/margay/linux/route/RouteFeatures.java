package io.margay.linux.route;

/// What is used of the kernel's routing beyond what every kernel has: next-hop objects (5.3) and
/// resilient groups of them (5.13). Probed where it is to be used, and done without where it is
/// missing.
final class RouteFeatures {

  /// System property: `off` uses none, whatever the kernel has.
  static final String PROPERTY = "margay.route.features";

  private RouteFeatures() {}

  static boolean allowed() {
    return !System.getProperty(PROPERTY, "").equals("off");
  }
}
