package io.margay.linux.route;

import java.util.Optional;

/// How routes with several next hops are written.
public enum NextHopLayout {
  /// Each route has its next hops itself (RTA_MULTIPATH).
  NONE(Optional.empty()),
  /// Routes with the same next hops share a group that spreads flows as RTA_MULTIPATH does.
  MULTIPATH(Optional.of(new GroupKind.Multipath())),
  /// They share a group that leaves flows where they are when another member goes.
  RESILIENT(Optional.of(GroupKind.Resilient.DEFAULT));

  private final Optional<GroupKind> kind;

  NextHopLayout(Optional<GroupKind> kind) {
    this.kind = kind;
  }

  /// Of the groups; empty: there are none.
  Optional<GroupKind> kind() {
    return kind;
  }
}
