package io.margay.bgp.rib;

import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// What routes have in common, each distinct value once, under a small number (its id).
///
/// Ids are counted: a value goes with its last holder. {@link #intern} makes the caller a holder.
final class AttributeStore {

  private static final int FIRST_SLOTS = 64;
  private static final long EMPTY = 0;

  /// In place of an id + 1.
  private static final int REMOVED = -1;

  private static final int ORIGIN_BITS = 2;
  private static final int HOPS_BITS = 16;
  private static final int MAX_HOPS = (1 << HOPS_BITS) - 1;

  private final NextHops nextHops;
  private final int seed;

  /// The hash, so that another set is told from ours without looking at it, and the id + 1 or
  /// {@link #REMOVED}; or {@link #EMPTY}.
  private long[] slots = new long[FIRST_SLOTS];

  /// Slots that are not {@link #EMPTY}.
  private int used;

  private int size;
  private @Nullable RouteAttributes[] values = new @Nullable RouteAttributes[FIRST_SLOTS];
  private final PagedInts holders = new PagedInts();
  private final PagedInts generations = new PagedInts();
  private final PagedInts hops = new PagedInts();
  private final PagedLongs preferences = new PagedLongs();
  private final IdSet free = new IdSet();
  private int limit;

  /// @param seed a secret of the process
  AttributeStore(NextHops nextHops, long seed) {
    this.nextHops = nextHops;
    this.seed = Long.hashCode(seed);
  }

  int size() {
    return size;
  }

  /// The id of a value; the caller holds it once more.
  int intern(RouteAttributes value) {
    if (used * 2L >= slots.length) {
      rehash();
    }
    int hash = hash(value);
    int mask = slots.length - 1;
    int slot = hash & mask;
    int reusable = -1;
    while (true) {
      long content = slots[slot];
      if (content == EMPTY) {
        break;
      }
      int held = (int) content;
      if (held == REMOVED) {
        reusable = reusable < 0 ? slot : reusable;
      } else if ((int) (content >>> Integer.SIZE) == hash && value.equals(values[held - 1])) {
        holders.add(held - 1, 1);
        return held - 1;
      }
      slot = slot + 1 & mask;
    }
    if (reusable < 0) {
      used++;
    } else {
      slot = reusable;
    }
    int id = newId();
    slots[slot] = (long) hash << Integer.SIZE | id + 1;
    values[id] = value;
    holders.set(id, 1);
    hops.set(id, nextHops.acquire(value.nextHop()));
    preferences.set(id, preferenceOf(value.attributes()));
    size++;
    return id;
  }

  private int newId() {
    int recycled = free.takeFirst();
    if (recycled >= 0) {
      return recycled;
    }
    if (limit == values.length) {
      values = Arrays.copyOf(values, limit + (limit >> 1));
    }
    return limit++;
  }

  void acquire(int id, int times) {
    holders.add(id, times);
  }

  void release(int id) {
    release(id, 1);
  }

  void release(int id, int times) {
    if (times > 0 && holders.add(id, -times) == 0) {
      remove(id);
    }
  }

  private void remove(int id) {
    int mask = slots.length - 1;
    int slot = hash(get(id)) & mask;
    while ((int) slots[slot] != id + 1) {
      slot = slot + 1 & mask;
    }
    slots[slot] = REMOVED & 0xffff_ffffL;
    nextHops.release(hops.get(id));
    values[id] = null;
    generations.add(id, 1);
    free.add(id);
    size--;
    if (size == 0) {
      slots = new long[FIRST_SLOTS];
      values = new @Nullable RouteAttributes[FIRST_SLOTS];
      used = 0;
      limit = 0;
      free.clear();
    }
  }

  RouteAttributes get(int id) {
    RouteAttributes value = values[id];
    if (value == null) {
      throw new IllegalStateException("no attributes have id " + id);
    }
    return value;
  }

  /// Another number for each value that has the id in turn: tells whether what somebody remembers
  /// of an id still holds.
  int generation(int id) {
    return generations.get(id);
  }

  /// The id of the next hop in {@link NextHops}.
  int hop(int id) {
    return hops.get(id);
  }

  /// Whether the next hop can be reached.
  boolean isReachable(int id) {
    return nextHops.metric(hop(id)) != NextHops.UNREACHABLE;
  }

  /// Whether somebody has looked for the next hop.
  boolean isAnswered(int id) {
    return nextHops.isAnswered(hop(id));
  }

  /// LOCAL_PREF, AS_PATH length and ORIGIN as one number: the lower, the more preferred.
  long preference(int id) {
    return preferences.get(id);
  }

  private static long preferenceOf(PathAttributes attributes) {
    long localPref = 0xffff_ffffL - attributes.localPref();
    int hops = Math.min(attributes.asPath().hops(), MAX_HOPS);
    return (localPref << HOPS_BITS | hops) << ORIGIN_BITS | attributes.origin().wireValue();
  }

  /// The first of the three in which two preferences differ.
  static DecisionStep differsIn(long preference, long other) {
    if (preference >>> HOPS_BITS + ORIGIN_BITS != other >>> HOPS_BITS + ORIGIN_BITS) {
      return DecisionStep.LOCAL_PREF;
    }
    return preference >>> ORIGIN_BITS != other >>> ORIGIN_BITS
        ? DecisionStep.AS_PATH
        : DecisionStep.ORIGIN;
  }

  private int hash(RouteAttributes value) {
    int hash = value.attributes().hashCode() * 31 + hash(value.nextHop().address());
    hash = (hash ^ seed) * 0x9e3779b1;
    return hash ^ hash >>> 15;
  }

  private static int hash(IpAddress address) {
    return switch (address) {
      case Ipv4Address(int value) -> value;
      case Ipv6Address(long high, long low) -> Long.hashCode(high * 31 + low);
    };
  }

  private void rehash() {
    long[] old = slots;
    slots = new long[size * 4L >= old.length ? old.length * 2 : old.length];
    int mask = slots.length - 1;
    for (long content : old) {
      if (content != EMPTY && (int) content != REMOVED) {
        int slot = (int) (content >>> Integer.SIZE) & mask;
        while (slots[slot] != EMPTY) {
          slot = slot + 1 & mask;
        }
        slots[slot] = content;
      }
    }
    used = size;
  }
}
