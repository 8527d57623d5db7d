package io.margay.agent.dataplane;

import io.margay.linux.LinuxException;
import io.margay.linux.route.NextHop;
import io.margay.model.net.IpAddress;
import java.util.List;
import java.util.Optional;

/// How the kernel reaches the next hops that peers name. Asked on the dataplane loop only.
@FunctionalInterface
public interface GatewayPaths {

  /// Every gateway counts as on a link of the node: the kernel finds it or refuses the route.
  GatewayPaths ON_LINK = gateway -> Optional.of(List.of(NextHop.via(gateway)));

  /// The routers on links of the node behind which a gateway is; a gateway that is on a link itself
  /// is its own, without a device. Empty: no route leads there now.
  ///
  /// @throws LinuxException when the kernel can't be asked
  Optional<List<NextHop>> to(IpAddress gateway) throws LinuxException;
}
