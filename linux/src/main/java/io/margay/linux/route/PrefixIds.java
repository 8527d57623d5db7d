package io.margay.linux.route;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.margay.model.net.Prefix;
import java.util.Arrays;

/// Small whole numbers for prefixes of one family, so that what is known of a million of them fits
/// arrays: about 20 octets a prefix (IPv6: 28). Open addressing with linear probing; a removed
/// prefix's number is given to the next.
final class PrefixIds {

  static final int ABSENT = -1;

  private static final int LEAST_SLOTS = 64;

  /// Odd, near 2^64 divided by the golden ratio: spreads neighbouring prefixes.
  private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L;

  private final IpFamily family;

  /// Of each slot the number plus one, zero where there is none.
  private int[] slots = new int[LEAST_SLOTS];

  private long[] high = new long[LEAST_SLOTS / 2];
  private long[] low;
  private byte[] lengths = new byte[LEAST_SLOTS / 2];
  private int[] free = new int[16];
  private int freeCount;
  private int limit;
  private int size;

  PrefixIds(IpFamily family) {
    this.family = family;
    low = new long[family == IpFamily.IPV6 ? LEAST_SLOTS / 2 : 0];
  }

  int size() {
    return size;
  }

  /// All numbers in use are below.
  int limit() {
    return limit;
  }

  int find(Prefix prefix) {
    return slots[slotOf(highOf(prefix), lowOf(prefix), prefix.length())] - 1;
  }

  /// The prefix's number, a new one if it had none.
  int add(Prefix prefix) {
    long upper = highOf(prefix);
    long lower = lowOf(prefix);
    int slot = slotOf(upper, lower, prefix.length());
    if (slots[slot] != 0) {
      return slots[slot] - 1;
    }
    int id = freeCount > 0 ? free[--freeCount] : limit++;
    if (id == high.length) {
      int more = high.length + (high.length >> 1);
      high = Arrays.copyOf(high, more);
      lengths = Arrays.copyOf(lengths, more);
      low = family == IpFamily.IPV6 ? Arrays.copyOf(low, more) : low;
    }
    high[id] = upper;
    lengths[id] = (byte) prefix.length();
    if (family == IpFamily.IPV6) {
      low[id] = lower;
    }
    slots[slot] = id + 1;
    size++;
    if (size * 3L > slots.length * 2L) {
      rehash();
    }
    return id;
  }

  Prefix prefix(int id) {
    IpAddress address =
        switch (family) {
          case IPV4 -> new Ipv4Address((int) high[id]);
          case IPV6 -> new Ipv6Address(high[id], low[id]);
        };
    return new Prefix(address, lengths[id] & 0xff);
  }

  /// Forgets a number that is in use.
  void remove(int id) {
    int slot = slotOf(high[id], lowAt(id), lengths[id] & 0xff);
    size--;
    if (freeCount == free.length) {
      free = Arrays.copyOf(free, free.length * 2);
    }
    free[freeCount++] = id;
    // Moves up what was pushed behind this slot, so that no search ends early.
    int mask = slots.length - 1;
    int hole = slot;
    int next = (slot + 1) & mask;
    while (slots[next] != 0) {
      int home = home(slots[next] - 1);
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        slots[hole] = slots[next];
        hole = next;
      }
      next = (next + 1) & mask;
    }
    slots[hole] = 0;
  }

  private void rehash() {
    int[] old = slots;
    slots = new int[old.length * 2];
    int mask = slots.length - 1;
    for (int entry : old) {
      if (entry != 0) {
        int slot = home(entry - 1);
        while (slots[slot] != 0) {
          slot = (slot + 1) & mask;
        }
        slots[slot] = entry;
      }
    }
  }

  private int slotOf(long upper, long lower, int length) {
    int mask = slots.length - 1;
    int slot = hash(upper, lower, length) & mask;
    while (slots[slot] != 0) {
      int id = slots[slot] - 1;
      if (high[id] == upper && (lengths[id] & 0xff) == length && lowAt(id) == lower) {
        return slot;
      }
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private int home(int id) {
    return hash(high[id], lowAt(id), lengths[id] & 0xff) & (slots.length - 1);
  }

  private static int hash(long upper, long lower, int length) {
    long mixed = (upper * SPREAD ^ lower) * SPREAD + length;
    mixed *= SPREAD;
    return (int) (mixed >>> 32);
  }

  private long lowAt(int id) {
    return family == IpFamily.IPV6 ? low[id] : 0;
  }

  private static long highOf(Prefix prefix) {
    return switch (prefix.address()) {
      case Ipv4Address(int value) -> Integer.toUnsignedLong(value);
      case Ipv6Address(long upper, long _) -> upper;
    };
  }

  private static long lowOf(Prefix prefix) {
    return switch (prefix.address()) {
      case Ipv4Address _ -> 0;
      case Ipv6Address(long _, long lower) -> lower;
    };
  }
}
