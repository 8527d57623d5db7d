package io.margay.bgp.policy;

import io.margay.bgp.message.RouteAttributes;

/// What policy makes of a route for one peer.
public sealed interface ExportVerdict {

  /// What the peer is told.
  ///
  /// @param by what let it pass: the rule of a filter, or the export mode
  record Announced(RouteAttributes route, String by) implements ExportVerdict {}

  /// The peer is not told.
  ///
  /// @param detail what of the route did it, and which rule: for operators
  record Withheld(WithholdReason reason, String detail) implements ExportVerdict {

    /// The reason and the detail.
    @Override
    public String toString() {
      return reason + ": " + detail;
    }
  }
}
