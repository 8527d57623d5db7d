package io.margay.bgp.rib;

import io.margay.bgp.message.Nlri;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Collects what one peer is told next and sorts it by attributes, so that routes which share them
/// share messages.
final class OutBatch {

  /// Routes told and withdrawn at a time.
  static final int MAX_ROUTES = 4096;

  private static final int SLOTS = MAX_ROUTES * 2;
  private static final int WITHDRAWAL = 0;

  private final AttributeStore attributes;
  private final int[] prefixes = new int[MAX_ROUTES];
  private final int[] pathIds = new int[MAX_ROUTES];
  private final int[] following = new int[MAX_ROUTES];
  private int size;

  /// By group: the id of its attributes, its first and last route, its size. Group 0 is withdrawn.
  private final int[] routes = new int[MAX_ROUTES + 1];

  private final int[] firsts = new int[MAX_ROUTES + 1];
  private final int[] lasts = new int[MAX_ROUTES + 1];
  private final int[] sizes = new int[MAX_ROUTES + 1];
  private int groups = 1;

  /// Group of an id, by hash; 0: none.
  private final int[] slots = new int[SLOTS];

  private int lastGroup;

  OutBatch(AttributeStore attributes) {
    this.attributes = attributes;
  }

  boolean isFull() {
    return size == MAX_ROUTES;
  }

  boolean hasRoomFor(int more) {
    return size + more <= MAX_ROUTES;
  }

  boolean isEmpty() {
    return size == 0;
  }

  /// @param route the id of the attributes, or {@link Exporter#NOTHING} for a withdrawal
  void add(int route, int prefix, int pathId) {
    int group = route < 0 ? WITHDRAWAL : group(route);
    prefixes[size] = prefix;
    pathIds[size] = pathId;
    if (sizes[group] == 0) {
      firsts[group] = size;
    } else {
      following[lasts[group]] = size;
    }
    lasts[group] = size;
    sizes[group]++;
    size++;
  }

  private int group(int route) {
    if (lastGroup != WITHDRAWAL && routes[lastGroup] == route) {
      return lastGroup;
    }
    int at = slot(route);
    while (slots[at] != 0) {
      if (routes[slots[at]] == route) {
        lastGroup = slots[at];
        return lastGroup;
      }
      at = at + 1 & SLOTS - 1;
    }
    lastGroup = groups++;
    routes[lastGroup] = route;
    sizes[lastGroup] = 0;
    slots[at] = lastGroup;
    return lastGroup;
  }

  private static int slot(int route) {
    return route * 0x9e3779b1 >>> 15 & SLOTS - 1;
  }

  /// Hands the groups out, withdrawals first, and begins anew. Prefixes that nobody needs any more
  /// once they are withdrawn give their ids back.
  List<Rib.Group> takeGroups(FamilyRib rib) {
    List<Rib.Group> taken = new ArrayList<>(groups);
    for (int group = 0; group < groups; group++) {
      if (sizes[group] > 0) {
        taken.add(
            new Rib.Group(
                rib.family(),
                group == WITHDRAWAL ? null : attributes.get(routes[group]),
                nlri(rib.prefixes, group)));
      }
    }
    for (int i = firsts[WITHDRAWAL], n = sizes[WITHDRAWAL]; n > 0; n--, i = following[i]) {
      rib.freeIfUnused(prefixes[i]);
    }
    clear();
    return taken;
  }

  private Nlri nlri(PrefixTable table, int group) {
    Nlri.Builder builder = Nlri.builder(table.family(), sizes[group]);
    for (int i = firsts[group], n = sizes[group]; n > 0; n--, i = following[i]) {
      table.appendTo(builder, prefixes[i], pathIds[i]);
    }
    return builder.build();
  }

  private void clear() {
    if (groups * 8 > SLOTS) {
      Arrays.fill(slots, 0);
    } else {
      for (int group = 1; group < groups; group++) {
        forget(routes[group]);
      }
    }
    sizes[WITHDRAWAL] = 0;
    groups = 1;
    lastGroup = WITHDRAWAL;
    size = 0;
  }

  /// All groups go, so a run of slots may be cut anywhere.
  private void forget(int route) {
    int at = slot(route);
    while (slots[at] != 0) {
      slots[at] = 0;
      at = at + 1 & SLOTS - 1;
    }
  }
}
