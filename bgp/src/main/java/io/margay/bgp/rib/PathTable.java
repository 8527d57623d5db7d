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

  /// What lies beside each other of a path, so that it is one step away from the processor.
  private static final int NEXT = 0;

  private static final int RECEIVED = 1;
  private static final int ACCEPTED = 2;

  /// The number of the peer, and the flags.
  private static final int OWNER = 3;

  private static final int SINCE = 4;

  private final Records records = new Records(5);

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
      firstFree = records.get(slot, NEXT);
    }
    int[] page = records.writable(slot);
    int at = records.offset(slot);
    page[at + NEXT] = following;
    page[at + RECEIVED] = receivedId;
    page[at + ACCEPTED] = acceptedId;
    page[at + OWNER] = peer << PEER_SHIFT | flags;
    page[at + SINCE] = now;
    pathIds.set(slot, pathId);
    size++;
    return slot;
  }

  void remove(int slot) {
    records.set(slot, NEXT, firstFree);
    firstFree = slot;
    size--;
  }

  int next(int slot) {
    return records.get(slot, NEXT);
  }

  void linkNext(int slot, int following) {
    records.set(slot, NEXT, following);
  }

  /// The id of the attributes as they came.
  int received(int slot) {
    return records.get(slot, RECEIVED);
  }

  /// The id of the attributes after policy, or {@link #REJECTED}.
  int accepted(int slot) {
    return records.get(slot, ACCEPTED);
  }

  void replace(int slot, int receivedId, int acceptedId, int now) {
    records.set(slot, RECEIVED, receivedId);
    records.set(slot, ACCEPTED, acceptedId);
    records.set(slot, SINCE, now);
  }

  int peer(int slot) {
    return records.get(slot, OWNER) >>> PEER_SHIFT;
  }

  boolean has(int slot, int flag) {
    return (records.get(slot, OWNER) & flag) != 0;
  }

  int flags(int slot) {
    return records.get(slot, OWNER) & FLAGS;
  }

  void raise(int slot, int flags) {
    records.set(slot, OWNER, records.get(slot, OWNER) | flags);
  }

  void lower(int slot, int flags) {
    records.set(slot, OWNER, records.get(slot, OWNER) & ~flags);
  }

  /// The path was decided on.
  ///
  /// @param shares whether traffic is shared over it
  void decided(int slot, boolean shares) {
    int[] page = records.writable(slot);
    int at = records.offset(slot) + OWNER;
    page[at] = page[at] & ~(CHANGED | MULTIPATH) | (shares ? MULTIPATH : 0);
  }

  /// When the path came or was last replaced: seconds since 1970, unsigned.
  int since(int slot) {
    return records.get(slot, SINCE);
  }

  int pathId(int slot) {
    return pathIds.get(slot);
  }
}
