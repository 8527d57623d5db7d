package io.margay.bgp.policy;

import io.margay.bgp.message.RouteAttributes;

/// What policy makes of a received route.
public sealed interface ImportVerdict {

  /// The route to consider: the very one received where policy changes nothing.
  record Accepted(RouteAttributes route) implements ImportVerdict {}

  /// Not to be considered.
  ///
  /// @param detail what of the route did it, and which rule: for operators
  record Rejected(RejectReason reason, String detail) implements ImportVerdict {

    /// The reason and the detail.
    @Override
    public String toString() {
      return reason + ": " + detail;
    }
  }
}
