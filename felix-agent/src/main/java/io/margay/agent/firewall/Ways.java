package io.margay.agent.firewall;

import io.margay.linux.LinuxException;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.util.Set;

/// By which interfaces packets leave for an address, and so by which its own come in: tracked
/// connections don't tell, and where both ways differ no answer could be tracked.
@FunctionalInterface
public interface Ways {

  /// @return several where the node spreads packets over them; empty if no way is known
  /// @throws LinuxException if the kernel does not tell
  Set<InterfaceName> to(IpAddress address) throws LinuxException;
}
