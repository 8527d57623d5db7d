package io.margay.bgp.rib;

/// A peer that is told the winner of each prefix.
final class BestOut implements AdjRibOut {

  private final FamilyRib rib;
  private final AttributeStore attributes;

  /// By prefix: the id of the attributes told + 1; 0: nothing told.
  private final PagedInts told = new PagedInts();

  private final IdSet dirty = new IdSet();

  /// To be told although the peer was told the same before.
  private final IdSet again = new IdSet();

  private int count;

  BestOut(FamilyRib rib, AttributeStore attributes) {
    this.rib = rib;
    this.attributes = attributes;
  }

  @Override
  public void mark(IdSet changed, IdSet considered) {
    dirty.addAll(changed);
  }

  @Override
  public void markAll() {
    for (int prefix = 0; prefix < rib.prefixes.limit(); prefix++) {
      if (rib.chosen(prefix) != 0 || told.get(prefix) != 0) {
        dirty.add(prefix);
      }
    }
  }

  @Override
  public void refresh() {
    for (int prefix = 0; prefix < rib.prefixes.limit(); prefix++) {
      if (told.get(prefix) != 0) {
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
    while (!batch.isFull() && !exporter.isFull()) {
      int prefix = dirty.takeFirst();
      if (prefix < 0) {
        return;
      }
      int wanted = exporter.export(prefix, rib.chosen(prefix));
      int before = told.get(prefix) - 1;
      if (wanted == before && !again.contains(prefix)) {
        continue;
      }
      again.remove(prefix);
      if (wanted == before && wanted < 0) {
        continue;
      }
      tell(prefix, before, wanted);
      batch.add(wanted, prefix, 0);
    }
  }

  private void tell(int prefix, int before, int wanted) {
    if (wanted >= 0) {
      attributes.acquire(wanted, 1);
    }
    told.set(prefix, wanted + 1);
    if (before < 0) {
      rib.hold(prefix);
      count++;
    } else {
      attributes.release(before);
      if (wanted < 0) {
        rib.unhold(prefix);
        count--;
      }
    }
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
    return told.get(prefix) != 0;
  }

  @Override
  public void untold(int prefix, int pathId) {
    int before = told.get(prefix) - 1;
    if (before >= 0) {
      tell(prefix, before, Exporter.NOTHING);
    }
  }

  @Override
  public void forget() {
    dirty.clear();
    again.clear();
    for (int prefix = 0; count > 0; prefix++) {
      if (told.get(prefix) != 0) {
        untold(prefix, 0);
        rib.freeIfUnused(prefix);
      }
    }
  }

  @Override
  public void visit(int prefix, Visitor visitor) {
    int id = told.get(prefix);
    if (id != 0) {
      visitor.told(0, id - 1);
    }
  }
}
