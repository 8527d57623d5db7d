package io.margay.agent;

import io.margay.agent.firewall.Failsafe;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.net.URI;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Where the datastore is, as ports that no policy closes: a node that can't reach it would never
/// hear of the policy that opens it again.
final class DatastorePorts {

  private static final int TCP = 6;

  private DatastorePorts() {}

  /// @param endpoints URLs with host and port
  static List<Failsafe> of(List<String> endpoints) {
    return endpoints.stream().map(DatastorePorts::port).toList();
  }

  /// A name may mean any address, and other ones tomorrow.
  private static Failsafe port(String endpoint) {
    URI uri = URI.create(endpoint);
    return new Failsafe(TCP, uri.getPort(), literal(uri.getHost()));
  }

  private static @Nullable Prefix literal(String host) {
    try {
      return IpAddress.parse(host.replaceAll("[\\[\\]]", "")).toHostPrefix();
    } catch (IllegalArgumentException name) {
      return null;
    }
  }
}
