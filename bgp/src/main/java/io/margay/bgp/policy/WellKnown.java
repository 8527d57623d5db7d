package io.margay.bgp.policy;

import io.margay.bgp.message.Community;

/// The communities whose meaning is the same everywhere (IANA, BGP Well-known Communities). Nothing
/// here ever removes one that came with a route (RFC 8642).
final class WellKnown {

  /// RFC 8326: the path is about to go away.
  static final Community GRACEFUL_SHUTDOWN = new Community(0xffff0000);

  /// RFC 1997: not beyond the AS.
  static final Community NO_EXPORT = new Community(0xffffff01);

  /// RFC 1997: to nobody.
  static final Community NO_ADVERTISE = new Community(0xffffff02);

  /// RFC 1997: not to external peers, other members of a confederation included.
  static final Community NO_EXPORT_SUBCONFED = new Community(0xffffff03);

  /// RFC 3765: not to peers that are neither provider nor customer.
  static final Community NOPEER = new Community(0xffffff04);

  private WellKnown() {}
}
