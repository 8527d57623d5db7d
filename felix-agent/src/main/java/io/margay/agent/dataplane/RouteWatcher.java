package io.margay.agent.dataplane;

import io.margay.linux.LinuxException;
import io.margay.linux.route.RouteWatch;

/// Starts to tell of what others do to our routes.
public interface RouteWatcher {

  /// Nobody tells: what others did is found at the regular comparison.
  RouteWatcher NONE = _ -> {};

  /// @param events told on a thread of the watch's own
  /// @throws LinuxException when the kernel tells nobody
  void start(RouteWatch.Events events) throws LinuxException;
}
