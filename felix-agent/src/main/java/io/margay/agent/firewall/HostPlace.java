package io.margay.agent.firewall;

import io.margay.model.net.InterfaceName;
import java.util.Set;

/// Where a host endpoint polices.
///
/// @param interfaces those that are its own by name or address; one by name need not be there
/// @param isAll whether it stands for all that no other has
public record HostPlace(Set<InterfaceName> interfaces, boolean isAll) {

  public HostPlace {
    interfaces = Set.copyOf(interfaces);
  }
}
