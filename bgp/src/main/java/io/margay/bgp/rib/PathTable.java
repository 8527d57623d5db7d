package io.margay.bgp.rib;

/// The paths of one family, a few numbers each, under a small number (the slot) from 1 on; 0 is no
/// path. Paths to one prefix are linked.
final class PathTable {

  /// In place of accepted attributes: the path is not considered.
  static final int REJECTED = -1;

  /// Kept for a peer that restarts (RFC 4724 §4.2).
  static final int STALE = 1;

  /// Not what it was when its prefix was decided last.
  static final int CHANGED = 2;

  /// Traffic is shared over it.
  static final int MULTIPATH = 4;

  /// Kept out by the peer's prefix limit.
  static final int DISCARDED = 8;

  private static final int PEER_SHIFT = 4;
  private static final int FLAGS = (1 << PEER_SHIFT) - 1;

  private final PagedInts next = new PagedInts();
  private final PagedInts received = new PagedInts();
  private final PagedInts accepted = new PagedInts();

  /// The number of the peer, and the flags.
  private final PagedInts owners = new PagedInts();

  private final PagedInts since = new PagedInts();

  /// Stays without a page where no peer sends path identifiers.
  private final PagedInts pathIds = new PagedInts();

  private int firstFree;
  private int limit = 1;
  private int size;

  int size() {
    return size;
  }

  /// All slots are below.
  int limit() {
    return limit;
  }

  /// @param following the path it comes before
  int add(int peer, int pathId, int receivedId, int acceptedId, int flags, int now, int following) {
    int slot = firstFree;
    if (slot == 0) {
      slot = limit++;
    } else {
      firstFree = next.get(slot);
    }
    next.set(slot, following);
    received.set(slot, receivedId);
    accepted.set(slot, acceptedId);
    owners.set(slot, peer << PEER_SHIFT | flags);
    since.set(slot, now);
    pathIds.set(slot, pathId);
    size++;
    return slot;
  }

  void remove(int slot) {
    next.set(slot, firstFree);
    firstFree = slot;
    size--;
  }

  int next(int slot) {
    return next.get(slot);
  }

  void linkNext(int slot, int following) {
    next.set(slot, following);
  }

  /// The id of the attributes as they came.
  int received(int slot) {
    return received.get(slot);
  }

  /// The id of the attributes after policy, or {@link #REJECTED}.
  int accepted(int slot) {
    return accepted.get(slot);
  }

  void replace(int slot, int receivedId, int acceptedId, int now) {
    received.set(slot, receivedId);
    accepted.set(slot, acceptedId);
    since.set(slot, now);
  }

  int peer(int slot) {
    return owners.get(slot) >>> PEER_SHIFT;
  }

  boolean has(int slot, int flag) {
    return (owners.get(slot) & flag) != 0;
  }

  int flags(int slot) {
    return owners.get(slot) & FLAGS;
  }

  void raise(int slot, int flags) {
    owners.set(slot, owners.get(slot) | flags);
  }

  void lower(int slot, int flags) {
    owners.set(slot, owners.get(slot) & ~flags);
  }

  /// When the path came or was last replaced: seconds since 1970, unsigned.
  int since(int slot) {
    return since.get(slot);
  }

  int pathId(int slot) {
    return pathIds.get(slot);
  }
}
