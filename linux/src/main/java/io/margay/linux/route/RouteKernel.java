package io.margay.linux.route;

import io.margay.linux.LinuxException;
import java.util.List;

/// The kernel's routes as the one writer of ours needs them: a port, with the kernel ([Routes]) and
/// a faithful fake behind it and one contract test for both.
public interface RouteKernel {

  /// Every route of [Route#OUR_PROTOCOL], of both families and all tables.
  List<Route> dumpOurs() throws LinuxException;

  /// Makes the changes in order. A refused one does not stop the others.
  ///
  /// @return the refused changes in order; empty when all took effect
  /// @throws LinuxException when it is unknown which took effect: dump again before believing
  ///   anything
  List<RouteFailure> apply(List<RouteChange> changes) throws LinuxException;
}
