package io.margay.bgp.speaker;

import java.util.LinkedHashSet;
import java.util.Set;

/// What a new configuration does to one entry.
///
/// @param live fields that change without anybody noticing
/// @param nextSession fields that wait until the next session, since nothing forces one
/// @param reset fields the protocol cannot change within a session: it ends with Cease/6 and is set
///   up again
public record PeerChange(
    Remote remote, Outcome outcome, Set<String> live, Set<String> nextSession, Set<String> reset) {

  /// Changes after which the routes of before are still true, so that they may be kept over the
  /// reset where both ends can (RFC 8538).
  private static final Set<String> ROUTES_STAY = Set.of("families", "addPath", "nextHops");

  public enum Outcome {
    ADDED,
    /// The session ends with Cease/3.
    REMOVED,
    UNCHANGED,
    /// The session goes on.
    CHANGED,
    RESET
  }

  public PeerChange {
    live = Set.copyOf(live);
    nextSession = Set.copyOf(nextSession);
    reset = Set.copyOf(reset);
  }

  boolean keepsRoutes() {
    return ROUTES_STAY.containsAll(reset);
  }

  static PeerChange added(Remote remote) {
    return new PeerChange(remote, Outcome.ADDED, Set.of(), Set.of(), Set.of());
  }

  static PeerChange removed(Remote remote) {
    return new PeerChange(remote, Outcome.REMOVED, Set.of(), Set.of(), Set.of());
  }

  /// One change of a range for all its sessions.
  PeerChange and(PeerChange other) {
    return of(
        remote,
        union(live, other.live),
        union(nextSession, other.nextSession),
        union(reset, other.reset));
  }

  private static Set<String> union(Set<String> one, Set<String> other) {
    Set<String> all = new LinkedHashSet<>(one);
    all.addAll(other);
    return all;
  }

  static PeerChange of(
      Remote remote, Set<String> live, Set<String> nextSession, Set<String> reset) {
    Outcome outcome;
    if (!reset.isEmpty()) {
      outcome = Outcome.RESET;
    } else if (live.isEmpty() && nextSession.isEmpty()) {
      outcome = Outcome.UNCHANGED;
    } else {
      outcome = Outcome.CHANGED;
    }
    return new PeerChange(remote, outcome, live, nextSession, reset);
  }
}
