package io.margay.linux.route;

/// One write to the kernel's routes.
public sealed interface RouteChange {

  Route route();

  /// Creates a route; refused with EEXIST when its key is taken, by whomever. (A replacing write
  /// would silently take over a stranger's route.)
  record Add(Route route) implements RouteChange {}

  /// Changes a route believed to be there in one step, without a gap; refused with ENOENT when its
  /// key is free. An ECMP set is replaced as a whole.
  record Replace(Route route) implements RouteChange {}

  /// Creates or changes.
  record Put(Route route) implements RouteChange {}

  /// Removes the route of this key and protocol, an ECMP set as a whole. Absent is success.
  record Delete(Route route) implements RouteChange {}
}
