package io.margay.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A set of objects by their identity, in one array: of the relations between the labels, selectors
/// and endpoints of a cluster there are millions, and each costs the place of a reference instead
/// of an entry's. What is visited must not be added to or taken from meanwhile.
@SuppressWarnings("ReferenceEquality") // that is what it is for
final class IdentitySet<T> {

  /// A power of two.
  private static final int FIRST_PLACES = 4;

  private static final Object[] NONE = {};

  /// Each object at the first free place from its own on, around the end.
  private @Nullable Object[] places = NONE;

  private int size;

  int size() {
    return size;
  }

  boolean isEmpty() {
    return size == 0;
  }

  boolean contains(T object) {
    return size > 0 && places[placeOf(object)] == object;
  }

  /// @return whether it was not there
  boolean add(T object) {
    if ((size + 1) * 3 > places.length * 2) {
      grow();
    }
    int place = placeOf(object);
    if (places[place] == object) {
      return false;
    }
    places[place] = object;
    size++;
    return true;
  }

  /// @return whether it was there
  boolean remove(T object) {
    if (!contains(object)) {
      return false;
    }
    int free = placeOf(object);
    places[free] = null;
    size--;
    if (size == 0) {
      places = NONE;
      return true;
    }
    // Whoever had to go on to a place behind the free one comes closer.
    int mask = places.length - 1;
    for (int at = free + 1 & mask; places[at] != null; at = at + 1 & mask) {
      int own = ownPlace(places[at], mask);
      if ((at - own & mask) >= (at - free & mask)) {
        places[free] = places[at];
        places[at] = null;
        free = at;
      }
    }
    return true;
  }

  void forEach(Consumer<? super T> visit) {
    for (Object object : places) {
      if (object != null) {
        visit.accept(cast(object));
      }
    }
  }

  /// What is in it now, to be visited while it changes.
  List<T> copy() {
    List<T> copy = new ArrayList<>(size);
    forEach(copy::add);
    return copy;
  }

  private void grow() {
    @Nullable Object[] before = places;
    places = new Object[Math.max(FIRST_PLACES, before.length * 2)];
    for (Object object : before) {
      if (object != null) {
        places[placeOf(object)] = object;
      }
    }
  }

  /// Where it is, or would be; there is a place.
  private int placeOf(Object object) {
    int mask = places.length - 1;
    int at = ownPlace(object, mask);
    while (places[at] != null && places[at] != object) {
      at = at + 1 & mask;
    }
    return at;
  }

  private static int ownPlace(@Nullable Object object, int mask) {
    int hash = System.identityHashCode(object) * 0x9E3779B9;
    return (hash ^ hash >>> 16) & mask;
  }

  @SuppressWarnings("unchecked") // nothing else is put there
  private T cast(Object object) {
    return (T) object;
  }
}
