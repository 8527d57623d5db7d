package io.margay.agent.dataplane;

import io.margay.linux.LinuxException;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.util.Map;
import java.util.Set;

/// Reads the addresses of the node's own interfaces from the kernel.
public interface HostAddresses {

  /// By interface; pods' and the loopback are left out.
  ///
  /// @throws LinuxException if the kernel does not tell
  Map<InterfaceName, Set<IpAddress>> read() throws LinuxException;
}
