package io.margay.bgp.rib;

import io.margay.model.net.IpFamily;
import org.jspecify.annotations.Nullable;

/// Adj-RIB-In and Loc-RIB of one family (RFC 4271 §3.2): all paths to each prefix, received and as
/// accepted, and which of them was chosen.
///
/// Changes to paths take effect at once; what they mean is decided in {@link #settle}, once for
/// many changes to a prefix.
final class FamilyRib {

  /// The chosen path went away since the prefix was decided.
  private static final int GONE = -1;

  /// By prefix: the first path, or 0.
  private static final int HEAD = 0;

  /// By prefix: the chosen path, 0 for none, {@link #GONE}.
  private static final int CHOSEN = 1;

  /// By prefix: how many peers were told of it. It keeps its id until all have been told it is
  /// gone.
  private static final int HOLDERS = 2;

  final PrefixTable prefixes;
  final PathTable paths = new PathTable();
  private final AttributeStore attributes;
  private final Peers peers;
  private final PeerFamily ourselves = new PeerFamily();

  private final Records states = new Records(3);
  private final IdSet touched = new IdSet();
  private final HeldPaths held;
  private int chosenCount;

  FamilyRib(IpFamily family, AttributeStore attributes, Peers peers, long seed) {
    this.prefixes = new PrefixTable(family, seed);
    this.attributes = attributes;
    this.peers = peers;
    this.held = new HeldPaths(attributes);
  }

  IpFamily family() {
    return prefixes.family();
  }

  /// Prefixes with a winner.
  int chosenCount() {
    return chosenCount;
  }

  int originatedCount() {
    return ourselves.received;
  }

  /// The first path to a prefix; 0 if there is none.
  int first(int prefix) {
    return states.get(prefix, HEAD);
  }

  /// The chosen path as of the last decision; 0 if there is none.
  int chosen(int prefix) {
    return Math.max(0, states.get(prefix, CHOSEN));
  }

  private PeerFamily counts(int peer) {
    PeerRibs found = peers.numbered(peer);
    return found == null ? ourselves : found.family(family());
  }

  /// Puts a path in the place of what the peer announced under this path id before.
  ///
  /// @param counts those of the peer
  /// @param accepted {@link PathTable#REJECTED} when import policy does not want it
  void put(
      int peer,
      PeerFamily counts,
      long high,
      long low,
      int length,
      int pathId,
      int received,
      int accepted,
      int now) {
    int prefix = prefixes.findOrAdd(high, low, length);
    int first = states.get(prefix, HEAD);
    int slot = first;
    while (slot != 0 && (paths.peer(slot) != peer || paths.pathId(slot) != pathId)) {
      slot = paths.next(slot);
    }
    if (slot != 0) {
      if (paths.has(slot, PathTable.STALE)) {
        paths.lower(slot, PathTable.STALE);
        counts.stale--;
        touched.add(prefix);
      }
      replace(prefix, slot, counts, received, accepted, now);
      return;
    }
    int flags = PathTable.CHANGED;
    if (accepted >= 0 && !counts.hasRoom()) {
      accepted = PathTable.REJECTED;
      flags |= PathTable.DISCARDED;
      counts.discarded++;
    }
    counts.received++;
    if (accepted >= 0) {
      counts.accepted++;
    }
    if (accepted == received) {
      attributes.acquire(received, 2);
    } else {
      attributes.acquire(received, 1);
      if (accepted >= 0) {
        attributes.acquire(accepted, 1);
      }
    }
    states.set(prefix, HEAD, paths.add(peer, pathId, received, accepted, flags, now, first));
    touched.add(prefix);
  }

  /// Gives a path other attributes, or another verdict; the accepted ones not before it is known
  /// how their next hop is reached.
  void replace(int prefix, int slot, PeerFamily counts, int received, int wanted, int now) {
    int receivedBefore = paths.received(slot);
    int acceptedBefore = paths.accepted(slot);
    int accepted = held.admit(prefix, slot, acceptedBefore, wanted);
    boolean discardedBefore = paths.has(slot, PathTable.DISCARDED);
    boolean discarded = accepted >= 0 && acceptedBefore < 0 && !counts.hasRoom();
    int acceptedNow = discarded ? PathTable.REJECTED : accepted;
    if (discarded != discardedBefore) {
      counts.discarded += discarded ? 1 : -1;
      if (discarded) {
        paths.raise(slot, PathTable.DISCARDED);
      } else {
        paths.lower(slot, PathTable.DISCARDED);
      }
    }
    if (received == receivedBefore && acceptedNow == acceptedBefore) {
      return;
    }
    attributes.acquire(received, 1);
    if (acceptedNow >= 0) {
      attributes.acquire(acceptedNow, 1);
      counts.accepted++;
    }
    attributes.release(receivedBefore);
    if (acceptedBefore >= 0) {
      attributes.release(acceptedBefore);
      counts.accepted--;
    }
    paths.replace(slot, received, acceptedNow, now);
    if (acceptedNow != acceptedBefore) {
      paths.raise(slot, PathTable.CHANGED);
      touched.add(prefix);
    }
  }

  /// Takes the path of a peer away, if there is one.
  void remove(int peer, PeerFamily counts, long high, long low, int length, int pathId) {
    int prefix = prefixes.find(high, low, length);
    if (prefix == PrefixTable.NONE) {
      return;
    }
    int before = 0;
    int slot = states.get(prefix, HEAD);
    while (slot != 0 && (paths.peer(slot) != peer || paths.pathId(slot) != pathId)) {
      before = slot;
      slot = paths.next(slot);
    }
    if (slot != 0) {
      remove(prefix, before, slot, counts);
    }
  }

  /// @param before the path it is linked from; 0: it is the first
  void remove(int prefix, int before, int slot, PeerFamily counts) {
    int next = paths.next(slot);
    if (before == 0) {
      states.set(prefix, HEAD, next);
    } else {
      paths.linkNext(before, next);
    }
    if (states.get(prefix, CHOSEN) == slot) {
      states.set(prefix, CHOSEN, GONE);
      counts.best--;
    }
    held.forget(slot);
    attributes.release(paths.received(slot));
    counts.received--;
    if (paths.accepted(slot) >= 0) {
      attributes.release(paths.accepted(slot));
      counts.accepted--;
    }
    if (paths.has(slot, PathTable.STALE)) {
      counts.stale--;
    }
    if (paths.has(slot, PathTable.DISCARDED)) {
      counts.discarded--;
    }
    paths.remove(slot);
    touched.add(prefix);
  }

  void putOurs(long high, long low, int length, int attributesId, int now) {
    put(Peers.OURSELVES, ourselves, high, low, length, 0, attributesId, attributesId, now);
  }

  void removeOurs(long high, long low, int length) {
    remove(Peers.OURSELVES, ourselves, high, low, length, 0);
  }

  /// What becomes of the paths of a peer.
  enum Fate {
    /// All go.
    DROP,
    /// Those marked before go.
    DROP_STALE,
    /// Those marked before go, the others are marked (RFC 4724 §4.2: "In case of consecutive
    /// restarts, the Receiving Speaker MUST delete any route [...] already marked as stale").
    MARK_STALE
  }

  /// @return the number of paths that went
  int sweep(int peer, PeerFamily counts, Fate fate) {
    if (counts.received == 0 || fate == Fate.DROP_STALE && counts.stale == 0) {
      return 0;
    }
    int went = 0;
    for (int prefix = 0; prefix < prefixes.limit(); prefix++) {
      int before = 0;
      int slot = states.get(prefix, HEAD);
      while (slot != 0) {
        int next = paths.next(slot);
        if (paths.peer(slot) == peer) {
          boolean stale = paths.has(slot, PathTable.STALE);
          if (fate == Fate.DROP || stale) {
            remove(prefix, before, slot, counts);
            went++;
            slot = next;
            continue;
          }
          if (fate == Fate.MARK_STALE) {
            paths.raise(slot, PathTable.STALE);
            counts.stale++;
            touched.add(prefix);
          }
        }
        before = slot;
        slot = next;
      }
    }
    return went;
  }

  /// Puts all paths of a peer before its import policy again, in the order of the prefixes' ids.
  void judgeAnew(int peer, PeerFamily counts, Importer importer, int now) {
    for (int prefix = 0; counts.received > 0 && prefix < prefixes.limit(); prefix++) {
      for (int slot = states.get(prefix, HEAD); slot != 0; slot = paths.next(slot)) {
        if (paths.peer(slot) == peer) {
          int received = paths.received(slot);
          int accepted =
              importer.judge(
                  prefixes.high(prefix), prefixes.low(prefix), prefixes.length(prefix), received);
          replace(prefix, slot, counts, received, accepted, now);
        }
      }
    }
  }

  /// Marks every prefix for decision that has a path of a peer, as if the path was another.
  void touchOf(int peer, PeerFamily counts) {
    for (int prefix = 0; counts.received > 0 && prefix < prefixes.limit(); prefix++) {
      for (int slot = states.get(prefix, HEAD); slot != 0; slot = paths.next(slot)) {
        if (paths.peer(slot) == peer) {
          paths.raise(slot, PathTable.CHANGED);
          touched.add(prefix);
        }
      }
    }
  }

  /// Marks every prefix for decision that has a path over one of these next hops.
  void touchOver(IdSet nextHops) {
    for (int prefix = 0; prefix < prefixes.limit(); prefix++) {
      for (int slot = states.get(prefix, HEAD); slot != 0; slot = paths.next(slot)) {
        int accepted = paths.accepted(slot);
        if (accepted >= 0 && nextHops.contains(attributes.hop(accepted))) {
          touched.add(prefix);
        }
      }
    }
  }

  /// More is known of next hops: paths that waited for that take up what they were given.
  void nextHopsAnswered() {
    IdSet waiting = held.takePrefixes();
    for (int prefix = waiting.next(0); prefix >= 0; prefix = waiting.next(prefix + 1)) {
      for (int slot = states.get(prefix, HEAD); slot != 0; slot = paths.next(slot)) {
        int wanted = held.wanted(slot);
        if (wanted >= 0) {
          attributes.acquire(wanted, 1);
          PeerFamily counts = counts(paths.peer(slot));
          replace(prefix, slot, counts, paths.received(slot), wanted, paths.since(slot));
          attributes.release(wanted);
        }
      }
    }
  }

  boolean isSettled() {
    return touched.isEmpty();
  }

  /// Decides every prefix that was touched.
  ///
  /// @param forwarding told of each; absent: nobody forwards
  /// @param changed takes those whose winner is another, or not what it was
  /// @param considered takes all that were decided
  void settle(
      Selection selection, @Nullable Forwarding forwarding, IdSet changed, IdSet considered) {
    for (int prefix = touched.next(0); prefix >= 0; prefix = touched.next(prefix + 1)) {
      boolean differs = decide(prefix, selection);
      if (forwarding != null) {
        forwarding.decided(this, prefix, selection);
      }
      if (isUnused(prefix)) {
        free(prefix);
        continue;
      }
      if (differs) {
        changed.add(prefix);
      }
      considered.add(prefix);
    }
    touched.clear();
  }

  private boolean decide(int prefix, Selection selection) {
    int before = states.get(prefix, CHOSEN);
    int first = states.get(prefix, HEAD);
    int after = selection.choose(paths, first);
    boolean differs = after != before || after != 0 && paths.has(after, PathTable.CHANGED);
    if (first != 0 && paths.next(first) == 0) {
      paths.decided(first, after != 0 && selection.shares(0));
    } else {
      for (int slot = first; slot != 0; slot = paths.next(slot)) {
        paths.decided(slot, false);
      }
      for (int i = 0; i < selection.size(); i++) {
        if (selection.shares(i)) {
          paths.raise(selection.slot(i), PathTable.MULTIPATH);
        }
      }
    }
    if (after != before) {
      if (before > 0) {
        counts(paths.peer(before)).best--;
      }
      if (after > 0) {
        counts(paths.peer(after)).best++;
      }
      wasChosen(prefix, before, after);
    }
    return differs;
  }

  private void wasChosen(int prefix, int before, int after) {
    chosenCount += (after > 0 ? 1 : 0) - (before == 0 ? 0 : 1);
    states.set(prefix, CHOSEN, after);
  }

  /// A peer was told of the prefix, having known nothing of it.
  void hold(int prefix) {
    states.add(prefix, HOLDERS, 1);
  }

  /// A peer no longer knows the prefix.
  void unhold(int prefix) {
    states.add(prefix, HOLDERS, -1);
  }

  /// Gives the id of a prefix back that nobody needs any more.
  void freeIfUnused(int prefix) {
    if (prefixes.isLive(prefix) && isUnused(prefix) && !touched.contains(prefix)) {
      free(prefix);
    }
  }

  private boolean isUnused(int prefix) {
    return states.get(prefix, HEAD) == 0 && states.get(prefix, HOLDERS) == 0;
  }

  private void free(int prefix) {
    prefixes.remove(prefix);
  }
}
