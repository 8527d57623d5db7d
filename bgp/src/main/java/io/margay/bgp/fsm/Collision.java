package io.margay.bgp.fsm;

import io.margay.bgp.message.Open;

/// Which of two connections between the same speakers stays (RFC 4271 §6.8, RFC 6286 §2.3).
public final class Collision {

  private Collision() {}

  /// Whether the connection that we opened stays. The speaker with the higher identifier keeps its
  /// own; with equal identifiers the higher AS number decides.
  public static boolean oursStays(Open ours, Open theirs) {
    int byId = ours.routerId().compareTo(theirs.routerId());
    return byId != 0 ? byId > 0 : ours.asn().compareTo(theirs.asn()) > 0;
  }
}
