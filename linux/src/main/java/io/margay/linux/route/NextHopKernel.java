package io.margay.linux.route;

import io.margay.linux.LinuxException;
import java.util.List;

/// The kernel's next-hop objects as [GroupedRoutes] needs them: a port, with the kernel
/// ([NextHopObjects]) and a faithful fake behind it and one contract test for both.
public interface NextHopKernel {

  /// Every object of one origin: devices, gateways and groups. Objects of other shapes (blackholes,
  /// those of bridges) are left out.
  ///
  /// @param protocol who made them, 1 to 255
  /// @return empty also where the kernel has no such objects
  List<NextHopObject> dumpObjects(int protocol) throws LinuxException;

  /// Makes the changes in order. A refused one does not stop the others.
  ///
  /// @return the refused changes in order; empty when all took effect
  /// @throws LinuxException when it is unknown which took effect
  List<NextHopFailure> applyObjects(List<NextHopChange> changes) throws LinuxException;
}
