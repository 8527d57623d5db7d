package io.margay.bgp.rib;

/// A peer that is told every path to a prefix (RFC 7911). A path keeps its identifier, the number
/// of its slot, for as long as it exists.
final class PathsOut implements AdjRibOut {

  /// Paths to one prefix a peer is told of, the winner among them.
  static final int MAX_PATHS = 64;

  private final FamilyRib rib;
  private final AttributeStore attributes;

  /// By prefix: the first of the linked notes of what was told; 0 if nothing was.
  private final PagedInts heads = new PagedInts();

  private final PagedInts next = new PagedInts();
  private final PagedInts pathIds = new PagedInts();
  private final PagedInts told = new PagedInts();
  private int firstFree;
  private int limit = 1;
  private int count;

  private final IdSet dirty = new IdSet();
  private final IdSet again = new IdSet();

  private final int[] wantedIds = new int[MAX_PATHS];
  private final int[] wantedRoutes = new int[MAX_PATHS];

  PathsOut(FamilyRib rib, AttributeStore attributes) {
    this.rib = rib;
    this.attributes = attributes;
  }

  @Override
  public void mark(IdSet changed, IdSet considered) {
    dirty.addAll(considered);
  }

  @Override
  public void markAll() {
    for (int prefix = 0; prefix < rib.prefixes.limit(); prefix++) {
      if (rib.chosen(prefix) != 0 || heads.get(prefix) != 0) {
        dirty.add(prefix);
      }
    }
  }

  @Override
  public void refresh() {
    for (int prefix = 0; prefix < rib.prefixes.limit(); prefix++) {
      if (heads.get(prefix) != 0) {
        again.add(prefix);
        dirty.add(prefix);
      }
    }
  }

  @Override
  public boolean isSettled() {
    return dirty.isEmpty();
  }

  @Override
  public void take(Exporter exporter, OutBatch batch) {
    while (batch.hasRoomFor(2 * MAX_PATHS) && !exporter.isFull()) {
      int prefix = dirty.takeFirst();
      if (prefix < 0) {
        return;
      }
      int wanted = collect(prefix, exporter);
      withdrawOthers(prefix, wanted, batch);
      boolean repeat = again.contains(prefix);
      again.remove(prefix);
      for (int i = 0; i < wanted; i++) {
        if (tell(prefix, wantedIds[i], wantedRoutes[i]) || repeat) {
          batch.add(wantedRoutes[i], prefix, wantedIds[i]);
        }
      }
    }
  }

  /// The winner first, so that it is among those told where there are too many.
  private int collect(int prefix, Exporter exporter) {
    int wanted = 0;
    int best = rib.chosen(prefix);
    if (best == 0) {
      return 0;
    }
    int slot = best;
    int following = rib.first(prefix);
    while (slot != 0 && wanted < MAX_PATHS) {
      if (exporter.isEligible(slot)) {
        int route = exporter.export(prefix, slot);
        if (route >= 0) {
          wantedIds[wanted] = slot;
          wantedRoutes[wanted] = route;
          wanted++;
        }
      }
      slot = following == best ? rib.paths.next(following) : following;
      following = slot == 0 ? 0 : rib.paths.next(slot);
    }
    return wanted;
  }

  private void withdrawOthers(int prefix, int wanted, OutBatch batch) {
    int note = heads.get(prefix);
    while (note != 0) {
      int following = next.get(note);
      int pathId = pathIds.get(note);
      if (!isWanted(pathId, wanted)) {
        untold(prefix, pathId);
        batch.add(Exporter.NOTHING, prefix, pathId);
      }
      note = following;
    }
  }

  private boolean isWanted(int pathId, int wanted) {
    for (int i = 0; i < wanted; i++) {
      if (wantedIds[i] == pathId) {
        return true;
      }
    }
    return false;
  }

  /// Notes what the peer is told; false when it was told the same before.
  private boolean tell(int prefix, int pathId, int route) {
    int note = heads.get(prefix);
    while (note != 0 && pathIds.get(note) != pathId) {
      note = next.get(note);
    }
    if (note != 0) {
      int before = told.get(note);
      if (before == route) {
        return false;
      }
      attributes.acquire(route, 1);
      attributes.release(before);
      told.set(note, route);
      return true;
    }
    note = firstFree;
    if (note == 0) {
      note = limit++;
    } else {
      firstFree = next.get(note);
    }
    attributes.acquire(route, 1);
    int first = heads.get(prefix);
    if (first == 0) {
      rib.hold(prefix);
    }
    next.set(note, first);
    pathIds.set(note, pathId);
    told.set(note, route);
    heads.set(prefix, note);
    count++;
    return true;
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public int toTell() {
    return dirty.size();
  }

  @Override
  public boolean isTold(int prefix) {
    return heads.get(prefix) != 0;
  }

  @Override
  public void untold(int prefix, int pathId) {
    int before = 0;
    int note = heads.get(prefix);
    while (note != 0 && pathIds.get(note) != pathId) {
      before = note;
      note = next.get(note);
    }
    if (note == 0) {
      return;
    }
    if (before == 0) {
      heads.set(prefix, next.get(note));
    } else {
      next.set(before, next.get(note));
    }
    attributes.release(told.get(note));
    next.set(note, firstFree);
    firstFree = note;
    count--;
    if (heads.get(prefix) == 0) {
      rib.unhold(prefix);
    }
  }

  @Override
  public void forget() {
    dirty.clear();
    again.clear();
    for (int prefix = 0; count > 0; prefix++) {
      boolean held = heads.get(prefix) != 0;
      while (heads.get(prefix) != 0) {
        untold(prefix, pathIds.get(heads.get(prefix)));
      }
      if (held) {
        rib.freeIfUnused(prefix);
      }
    }
  }

  @Override
  public void visit(int prefix, Visitor visitor) {
    for (int note = heads.get(prefix); note != 0; note = next.get(note)) {
      visitor.told(pathIds.get(note), told.get(note));
    }
  }
}
