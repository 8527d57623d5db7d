package io.margay.linux.route;

import java.util.function.IntPredicate;

/// Who wants a route. When two want the same prefix, the earlier one has it.
public enum RouteClass {
  /// The /32 or /128 of a pod here. Nothing may divert a local pod's traffic.
  LOCAL_WORKLOAD,
  /// The blackhole of a block of ours, so that an unassigned address is not sent back to the ToR.
  /// Before BGP: nobody else's word counts for what lies in our own blocks.
  OWN_BLOCK,
  /// To what other nodes have of a pool whose packets are wrapped: through the tunnel, or straight
  /// to a node on our own subnet. Before BGP, as in Calico: of these pools the datastore says who
  /// has what, and a peer's word would lead packets to where they can't go unwrapped.
  TUNNEL,
  /// Learned from peers.
  BGP;

  /// The class of a route that an earlier process left behind, told by its shape.
  ///
  /// @param isWorkloadLink whether a device index is a pod's host end
  static RouteClass ofShape(Route route, IntPredicate isWorkloadLink) {
    return switch (route.type()) {
      case BLACKHOLE -> OWN_BLOCK;
      case UNICAST -> {
        if (route.nextHops().stream()
            .allMatch(hop -> hop.gateway().isEmpty() && isWorkloadLink.test(hop.index()))) {
          yield LOCAL_WORKLOAD;
        }
        // Of ours only tunnels have gateways that no address of the device covers, and ends on a
        // device that is no pod's. What goes straight to a node looks like BGP's, and is swept with
        // it.
        yield route.nextHops().stream().allMatch(hop -> hop.isOnlink() || hop.gateway().isEmpty())
            ? TUNNEL
            : BGP;
      }
      // None of these is ever written by us; BGP is the class swept last.
      case UNSPECIFIED,
          LOCAL,
          BROADCAST,
          ANYCAST,
          MULTICAST,
          UNREACHABLE,
          PROHIBIT,
          THROW,
          NAT,
          EXTERNAL_RESOLVE ->
          BGP;
    };
  }
}
