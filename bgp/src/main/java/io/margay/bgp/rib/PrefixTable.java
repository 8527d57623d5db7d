package io.margay.bgp.rib;

import io.margay.bgp.message.Nlri;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.margay.model.net.Prefix;

/// The prefixes of one family, each with a small number (its id) other tables are indexed by.
///
/// Open addressing over an array of ids; the prefixes themselves lie in pages by id. The hash keeps
/// neighbours together: all but the last four network bits, mixed with a secret, choose a run of 16
/// slots (one cache line), the last four the slot in it. So a table that is dense, or arrives in
/// order, is walked and filled line by line, and yet nobody outside can choose prefixes that
/// collide. A collision moves on by a stride that the neighbours share.
///
/// Prefixes are given and kept as {@link Nlri} does: IPv4 in the low 32 bits of `high`, IPv6 in
/// `high` and `low`, host bits zero.
final class PrefixTable {

  /// What {@link #find} answers for a prefix that is not there.
  static final int NONE = -1;

  private static final int EMPTY = 0;
  private static final int REMOVED = -1;
  private static final int FIRST_SLOTS = 64;

  /// log2 of the slots in a run.
  private static final int RUN_SHIFT = 4;

  private static final int RUN_MASK = (1 << RUN_SHIFT) - 1;

  private static final int TAG_SHIFT = 27;
  private static final int ID_MASK = (1 << TAG_SHIFT) - 1;
  private static final int TAG_MASK = 0xf;
  private static final int MAX_PREFIXES = ID_MASK - 1;

  /// The fractional part of the golden ratio, odd: spreads what is multiplied by it over all bits.
  private static final long SPREAD = 0x9e3779b97f4a7c15L;

  /// Key of an id that names no prefix (IPv4 keys are positive, IPv6 lengths are not negative).
  private static final int FREE = -1;

  private final IpFamily family;
  private final boolean wide;
  private final long seed;
  private final long secretMultiplier;
  private final int[] lengthCounts;

  /// Id + 1 and above it a few bits of the hash, which tell most other prefixes from ours without a
  /// look at them; {@link #EMPTY} or {@link #REMOVED}.
  private int[] slots = new int[FIRST_SLOTS];

  /// Slots that are not {@link #EMPTY}.
  private int used;

  private int size;

  /// IPv4: address and length in one; IPv6: the upper half of the address.
  private final PagedLongs keys = new PagedLongs();

  /// IPv6 only.
  private final PagedLongs lows = new PagedLongs();

  /// IPv6 only.
  private final PagedInts lengths = new PagedInts();

  /// Ids of removed prefixes, to be given again.
  private final IdSet free = new IdSet();

  private int limit;

  /// @param seed a secret of the process
  PrefixTable(IpFamily family, long seed) {
    this.family = family;
    this.wide = family == IpFamily.IPV6;
    this.seed = seed;
    this.secretMultiplier = (seed * SPREAD ^ seed >>> 31) | 1;
    this.lengthCounts = new int[family.bits() + 1];
  }

  IpFamily family() {
    return family;
  }

  int size() {
    return size;
  }

  /// All ids are below.
  int limit() {
    return limit;
  }

  /// Whether the id names a prefix.
  boolean isLive(int id) {
    return wide ? lengths.get(id) >= 0 : keys.get(id) >= 0;
  }

  /// The id of a prefix, or {@link #NONE}.
  int find(long high, long low, int length) {
    long key = wide ? high : high << 8 | length;
    long hash = hash(high, low, length);
    int mask = slots.length - 1;
    int slot = slot(hash, high, low, length, mask);
    int stride = stride(hash);
    int tag = tag(hash);
    while (true) {
      int held = slots[slot];
      if (held == EMPTY) {
        return NONE;
      }
      if (held != REMOVED && held >>> TAG_SHIFT == tag && isAt(id(held), key, low, length)) {
        return id(held);
      }
      slot = slot + stride & mask;
    }
  }

  int find(Prefix prefix) {
    return switch (prefix.address()) {
      case Ipv4Address(int value) ->
          wide ? NONE : find(Integer.toUnsignedLong(value), 0, prefix.length());
      case Ipv6Address(long high, long low) -> wide ? find(high, low, prefix.length()) : NONE;
    };
  }

  /// The id of a prefix, which is added if need be.
  int findOrAdd(long high, long low, int length) {
    if (used * 3L >= slots.length * 2L) {
      rehash();
    }
    long key = wide ? high : high << 8 | length;
    long hash = hash(high, low, length);
    int mask = slots.length - 1;
    int slot = slot(hash, high, low, length, mask);
    int stride = stride(hash);
    int tag = tag(hash);
    int reusable = -1;
    while (true) {
      int held = slots[slot];
      if (held == EMPTY) {
        break;
      }
      if (held == REMOVED) {
        reusable = reusable < 0 ? slot : reusable;
      } else if (held >>> TAG_SHIFT == tag && isAt(id(held), key, low, length)) {
        return id(held);
      }
      slot = slot + stride & mask;
    }
    if (reusable < 0) {
      used++;
    } else {
      slot = reusable;
    }
    int id = newId();
    slots[slot] = tag << TAG_SHIFT | id + 1;
    keys.set(id, key);
    if (wide) {
      lows.set(id, low);
      lengths.set(id, length);
    }
    lengthCounts[length]++;
    size++;
    return id;
  }

  private int newId() {
    int recycled = free.takeFirst();
    if (recycled >= 0) {
      return recycled;
    }
    if (limit == MAX_PREFIXES) {
      throw new IllegalStateException("more than " + MAX_PREFIXES + " prefixes of " + family);
    }
    return limit++;
  }

  void remove(int id) {
    long high = high(id);
    long low = low(id);
    int length = length(id);
    long hash = hash(high, low, length);
    int mask = slots.length - 1;
    int slot = slot(hash, high, low, length, mask);
    int stride = stride(hash);
    while (id(slots[slot]) != id || slots[slot] == REMOVED) {
      slot = slot + stride & mask;
    }
    slots[slot] = REMOVED;
    if (wide) {
      lengths.set(id, FREE);
    } else {
      keys.set(id, FREE);
    }
    lengthCounts[length]--;
    free.add(id);
    size--;
    if (size == 0) {
      slots = new int[FIRST_SLOTS];
      used = 0;
      free.clear();
      limit = 0;
    }
  }

  long high(int id) {
    return wide ? keys.get(id) : keys.get(id) >>> 8;
  }

  long low(int id) {
    return wide ? lows.get(id) : 0;
  }

  int length(int id) {
    return wide ? lengths.get(id) : (int) keys.get(id) & 0xff;
  }

  Prefix prefix(int id) {
    IpAddress address = wide ? new Ipv6Address(high(id), low(id)) : new Ipv4Address((int) high(id));
    return new Prefix(address, length(id));
  }

  void appendTo(Nlri.Builder builder, int id, int pathId) {
    long key = keys.get(id);
    if (wide) {
      builder.add(key, lows.get(id), lengths.get(id), pathId);
    } else {
      builder.add(key >>> 8, 0, (int) key & 0xff, pathId);
    }
  }

  /// Whether any prefix has this length.
  boolean hasLength(int length) {
    return lengthCounts[length] > 0;
  }

  /// Slots looked at to find every prefix once: how good the hash is for what the table holds.
  long probes() {
    long probes = 0;
    int mask = slots.length - 1;
    for (int id = 0; id < limit; id++) {
      if (isLive(id)) {
        long hash = hash(high(id), low(id), length(id));
        int slot = slot(hash, high(id), low(id), length(id), mask);
        probes++;
        while (id(slots[slot]) != id || slots[slot] == REMOVED) {
          slot = slot + stride(hash) & mask;
          probes++;
        }
      }
    }
    return probes;
  }

  private boolean isAt(int id, long key, long low, int length) {
    return keys.get(id) == key && (!wide || lows.get(id) == low && lengths.get(id) == length);
  }

  /// Makes room, or sweeps {@link #REMOVED} away where these are what fills the table.
  private void rehash() {
    int[] old = slots;
    slots = new int[size * 3L >= old.length ? old.length * 2 : old.length];
    int mask = slots.length - 1;
    for (int id = 0; id < limit; id++) {
      if (isLive(id)) {
        long high = high(id);
        long low = low(id);
        int length = length(id);
        long hash = hash(high, low, length);
        int slot = slot(hash, high, low, length, mask);
        int stride = stride(hash);
        while (slots[slot] != EMPTY) {
          slot = slot + stride & mask;
        }
        slots[slot] = tag(hash) << TAG_SHIFT | id + 1;
      }
    }
    used = size;
  }

  /// The last 64 bits of the network part, right-aligned.
  private long aligned(long high, long low, int length) {
    if (!wide) {
      return length == 0 ? 0 : high >>> (32 - length);
    }
    if (length <= 64) {
      return length == 0 ? 0 : high >>> (64 - length);
    }
    return low >>> (128 - length);
  }

  /// The same for neighbours: prefixes of one length that differ in the last four network bits.
  private long hash(long high, long low, int length) {
    long block = (aligned(high, low, length) >>> RUN_SHIFT) * 256 + length;
    if (length > 64) {
      block ^= mix(high);
    }
    return mix(block);
  }

  /// Multiplication by a secret odd number is universal in the upper bits; the rest brings them
  /// down.
  private long mix(long value) {
    long mixed = (value ^ seed) * secretMultiplier;
    mixed = (mixed ^ mixed >>> 32) * SPREAD;
    return mixed ^ mixed >>> 29;
  }

  private int slot(long hash, long high, long low, int length, int mask) {
    int run = (int) (hash >>> 40) << RUN_SHIFT;
    return (run | (int) (aligned(high, low, length) ^ hash) & RUN_MASK) & mask;
  }

  private static int id(int held) {
    return (held & ID_MASK) - 1;
  }

  /// Bits of the hash that have no say in the first slot.
  private static int tag(long hash) {
    return (int) (hash >>> 36) & TAG_MASK;
  }

  /// Odd, so that it visits every slot.
  private static int stride(long hash) {
    return (int) (hash >>> 8) | 1;
  }
}
