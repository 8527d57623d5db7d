package io.margay.cli.policy;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.policy.EndpointKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A pod as an end of probes.
///
/// @param name `namespace/name`
/// @param addresses the main one first; made up where no document says any
/// @param node where it runs, as far as documents say
/// @param endpoint what is policed; null for a pod in its node's network
record Pod(
    String name, List<IpAddress> addresses, @Nullable String node, @Nullable Endpoint endpoint) {

  Pod {
    addresses = List.copyOf(addresses);
  }

  /// @param interfaceName of the host's end
  record Endpoint(EndpointKey key, InterfaceName interfaceName) {}
}
