package io.margay.linux.route;

import io.margay.linux.LinuxException;
import io.margay.model.net.IpAddress;
import java.util.List;
import java.util.Optional;

/// The kernel's routes as the one writer of ours needs them: a port, with the kernel ([Routes]) and
/// a faithful fake behind it and one contract test for both.
public interface RouteKernel {

  /// In place of a protocol: whoever installed them.
  int ANYBODY = 0;

  /// Every route of one origin, of both families and all tables.
  ///
  /// @param protocol who installed them, 1 to 255, or [#ANYBODY]
  List<Route> dump(int protocol) throws LinuxException;

  /// Every route of [Route#OUR_PROTOCOL], of both families and all tables.
  default List<Route> dumpOurs() throws LinuxException {
    return dump(Route.OUR_PROTOCOL);
  }

  /// The route that packets to an address take, if one does: not one that drops them, and not one
  /// whose only device has no carrier.
  Optional<Route> lookup(IpAddress destination) throws LinuxException;

  /// Whether a route that leads where it should is also written as it would be written now.
  ///
  /// @param wanted a route that the kernel holds
  default boolean isLaidOut(Route wanted) throws LinuxException {
    return true;
  }

  /// Makes the changes in order. A refused one does not stop the others.
  ///
  /// @return the refused changes in order; empty when all took effect
  /// @throws LinuxException when it is unknown which took effect: dump again before believing
  ///   anything
  List<RouteFailure> apply(List<RouteChange> changes) throws LinuxException;
}
