package io.margay.linux.route;

import java.time.Duration;

/// How a group of next hops spreads packets (NEXTHOP_GRP_TYPE_ of `linux/nexthop.h`).
public sealed interface GroupKind {

  /// By ranges of the flows' hash, as RTA_MULTIPATH does: a member that comes or goes moves flows
  /// of the others too. Linux 5.3.
  record Multipath() implements GroupKind {}

  /// By a table of buckets: a member that goes moves its own flows alone, one that comes is given
  /// buckets that have been idle. Linux 5.13.
  ///
  /// @param buckets 1 to 65535; at least as many as members
  /// @param idle how long a bucket has had no packet before it may go to another member
  /// @param unbalanced how long members may have more or fewer buckets than their share before busy
  ///   ones move too; zero: for ever
  record Resilient(int buckets, Duration idle, Duration unbalanced) implements GroupKind {

    /// The kernel's own timers. As many buckets as keep the shares of eight members within a tenth.
    public static final Resilient DEFAULT =
        new Resilient(128, Duration.ofMinutes(2), Duration.ZERO);

    public Resilient {
      if (buckets < 1 || buckets > 0xffff) {
        throw new IllegalArgumentException(buckets + " buckets of a group are not in 1..65535");
      }
      if (idle.isNegative() || unbalanced.isNegative()) {
        throw new IllegalArgumentException("a group's timers are not negative");
      }
    }
  }
}
