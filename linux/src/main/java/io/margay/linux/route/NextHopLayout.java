package io.margay.linux.route;

import java.util.Optional;

/// How routes with several next hops are written.
public enum NextHopLayout {
  /// Each route has its next hops itself (RTA_MULTIPATH).
  NONE(null),
  /// Routes with the same next hops share a group that spreads flows as RTA_MULTIPATH does.
  MULTIPATH(new GroupKind.Multipath()),
  /// They share a group that leaves flows where they are when another member goes.
  RESILIENT(GroupKind.Resilient.DEFAULT);

  private final Optional<GroupKind> kind;

  NextHopLayout(GroupKind kind) {
    this.kind = Optional.ofNullable(kind);
  }

  /// Of the groups; empty: there are none.
  Optional<GroupKind> kind() {
    return kind;
  }
}
