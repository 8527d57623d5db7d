package io.margay.bgp.rib;

/// What paths of one family are to become once somebody has looked for the next hop it has.
///
/// A route that is announced anew with a next hop nobody has looked for takes its place only then:
/// until it is known, it would count as one that leads nowhere, and what the peer announced before
/// still forwards. A path that forwards nothing now, or is new, has nothing to wait with.
final class HeldPaths {

  private final AttributeStore attributes;

  /// By path: the id of the attributes + 1, 0 for none.
  private final PagedInts wanted = new PagedInts();

  /// Those with a path that waits, and some that had one.
  private IdSet prefixes = new IdSet();

  HeldPaths(AttributeStore attributes) {
    this.attributes = attributes;
  }

  /// A path is given other attributes.
  ///
  /// @param used the id of what is considered now; {@link PathTable#REJECTED}: nothing
  /// @param given the id of what should be; {@link PathTable#REJECTED}: nothing
  /// @return which of the two is to be considered for now
  int admit(int prefix, int slot, int used, int given) {
    boolean waits =
        used >= 0
            && given >= 0
            && used != given
            && !attributes.isAnswered(given)
            && attributes.isReachable(used);
    if (!waits) {
      forget(slot);
      return given;
    }
    attributes.acquire(given, 1);
    forget(slot);
    wanted.set(slot, given + 1);
    prefixes.add(prefix);
    return used;
  }

  /// What a path waits to become; negative: nothing.
  int wanted(int slot) {
    return wanted.get(slot) - 1;
  }

  /// A path waits no more.
  void forget(int slot) {
    int before = wanted(slot);
    if (before >= 0) {
      wanted.set(slot, 0);
      attributes.release(before);
    }
  }

  /// Prefixes that may have a path that waits. Whoever takes them asks each path to wait again.
  IdSet takePrefixes() {
    IdSet taken = prefixes;
    prefixes = new IdSet();
    return taken;
  }
}
