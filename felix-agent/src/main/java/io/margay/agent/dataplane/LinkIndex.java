package io.margay.agent.dataplane;

import io.margay.linux.LinuxException;
import io.margay.model.net.InterfaceName;
import java.util.OptionalInt;

/// The kernel's numbers of devices, which routes are made of. Asked on the dataplane loop only.
public interface LinkIndex {

  /// The device's present number; empty when there is no such device.
  ///
  /// @throws LinuxException when the kernel can't be asked
  OptionalInt find(InterfaceName name) throws LinuxException;

  /// Whether packets can leave by the device: a pod's host end carries none before the pod's end is
  /// up. True where that is not known.
  default boolean hasCarrier(InterfaceName name) throws LinuxException {
    return true;
  }
}
