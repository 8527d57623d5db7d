package io.margay.policy;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.util.Set;

/// Which of the node's interfaces a host endpoint stands for. Interfaces of workloads and the
/// loopback are never among them.
public sealed interface HostInterface {

  /// Every interface that no other host endpoint stands for.
  record All() implements HostInterface {}

  /// The interface of this name.
  record Named(InterfaceName name) implements HostInterface {}

  /// The interfaces that have one of these addresses.
  record Holding(Set<IpAddress> addresses) implements HostInterface {
    public Holding {
      addresses = Set.copyOf(addresses);
    }
  }
}
