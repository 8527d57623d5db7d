package io.margay.ipam.care;

import io.margay.ipam.Block;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Who holds an address, as its attributes and its handle tell.
///
/// @param sort what kind of holder that is, which says who could know whether it still needs the
///   address
/// @param handle its handle; a remark in brackets when it has none
/// @param node the node the address is for; empty when it does not say, or is for every node
record Holder(Sort sort, String handle, String node) {

  /// What kinds of holders there are.
  enum Sort {
    /// A pod, or a container without one.
    POD,
    /// A node's tunnel device.
    TUNNEL,
    /// A node's reserve for times without the datastore.
    RESERVE,
    /// Something we know nothing about: never freed, and nothing around it is.
    UNKNOWN
  }

  /// What stands for the handle of whoever has none.
  static final String NO_HANDLE = "(no handle)";

  /// Handles of nodes' reserves start like this; the node's name follows.
  static final String RESERVE = "margay-reserve.";

  /// Handles of the gateways that containers on every node use: whichever node asked first for one.
  private static final String GATEWAY = "margay-gateway.";

  private static final List<String> TUNNELS =
      List.of(
          "ipip-tunnel-addr-",
          "vxlan-tunnel-addr-",
          "vxlan-v6-tunnel-addr-",
          "wireguard-tunnel-addr-",
          "wireguard-v6-tunnel-addr-");

  private static final Set<String> TUNNEL_TYPES =
      Set.of(
          "ipipTunnelAddress",
          "vxlanTunnelAddress",
          "vxlanV6TunnelAddress",
          "wireguardTunnelAddress",
          "wireguardV6TunnelAddress");

  /// The node that the handle of a reserve or of a tunnel device names; empty for other handles.
  static Optional<String> nodeInHandle(String handle) {
    if (handle.startsWith(RESERVE)) {
      return Optional.of(handle.substring(RESERVE.length()));
    }
    return TUNNELS.stream()
        .filter(handle::startsWith)
        .map(tunnel -> handle.substring(tunnel.length()))
        .findFirst();
  }

  static Holder of(Block.Allocation allocation) {
    Block.Attribute attribute = allocation.holder();
    String handle = attribute.cleanHandleId().orElse("");
    String node = attribute.node().orElse("");
    if (handle.isEmpty()) {
      return new Holder(Sort.UNKNOWN, NO_HANDLE, node);
    }
    if (handle.startsWith(GATEWAY)) {
      return new Holder(Sort.UNKNOWN, handle, "");
    }
    Optional<String> named = nodeInHandle(handle);
    if (handle.startsWith(RESERVE)) {
      return new Holder(Sort.RESERVE, handle, named.orElseThrow());
    }
    String type = attribute.secondary().getOrDefault("type", "");
    if (named.isPresent()) {
      return new Holder(Sort.TUNNEL, handle, node.isEmpty() ? named.get() : node);
    }
    if (TUNNEL_TYPES.contains(type)) {
      return new Holder(Sort.TUNNEL, handle, node);
    }
    boolean isPod =
        attribute.secondary().containsKey("pod")
            || type.isEmpty() && !node.isEmpty() && handle.indexOf('.') > 0;
    return new Holder(isPod && type.isEmpty() ? Sort.POD : Sort.UNKNOWN, handle, node);
  }
}
