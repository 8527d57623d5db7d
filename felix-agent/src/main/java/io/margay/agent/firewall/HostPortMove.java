package io.margay.agent.firewall;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import org.jspecify.annotations.Nullable;

/// A port of the node that leads elsewhere than it did, in one family.
///
/// @param protocol IP protocol number
/// @param hostIp the node's address; null = all of the family
/// @param before where it led; null = nowhere, as far as this process knows
/// @param after where it leads; null = nowhere
public record HostPortMove(
    IpFamily family,
    int protocol,
    @Nullable IpAddress hostIp,
    int hostPort,
    @Nullable Target before,
    @Nullable Target after) {

  /// An address and port of an endpoint.
  public record Target(IpAddress address, int port) {}

  /// Rids connections of what moved from under them. Told after the kernel has the move.
  public interface Listener {
    void onMoves(Iterable<HostPortMove> moves);
  }
}
