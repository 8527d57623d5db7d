package io.margay.bgp.speaker;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;

/// Own next hops per family of the routes, checked.
final class NextHopMap {

  private NextHopMap() {}

  /// @param mayCross families whose next hop may be of the other family
  static Map<IpFamily, IpAddress> checked(
      Map<IpFamily, IpAddress> nextHops, Set<IpFamily> mayCross) {
    Map<IpFamily, IpAddress> copy = new EnumMap<>(IpFamily.class);
    nextHops.forEach(
        (family, address) -> {
          if (address.family() != family && !mayCross.contains(family)
              || address.isUnspecified()
              || address.isMulticast()) {
            throw new IllegalArgumentException(
                address + " cannot be the next hop of " + family + " routes");
          }
          copy.put(family, address);
        });
    return Collections.unmodifiableMap(copy);
  }
}
