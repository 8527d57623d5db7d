package io.margay.linux.route;

import java.util.List;

/// What an apply did.
///
/// @param added routes created
/// @param replaced routes changed in place
/// @param deleted routes removed
/// @param kept routes of an earlier process that nobody wants yet but whose class may not be swept
/// @param pending changes the kernel refused; tried again by the next apply
public record RouteApplyResult(
    int added, int replaced, int deleted, int kept, List<RouteFailure> pending) {

  public RouteApplyResult {
    pending = List.copyOf(pending);
  }

  /// Changes that took effect.
  public int writes() {
    return added + replaced + deleted;
  }

  /// Whether the kernel now holds everything wanted.
  public boolean isComplete() {
    return pending.isEmpty();
  }
}
