package io.margay.datastore.etcd;

import java.util.Arrays;
import java.util.BitSet;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// Which range to ask for next, of a listing that is read in pages.
///
/// For each page etcd counts all keys of the range asked for, so that a listing over one range
/// costs it the square of the keys. Here the rest is asked for in ranges of a few pages each, one
/// beginning where the one before ends. How far such a range may go is guessed from the keys read:
/// as in a tree they branch at certain octets, and branches beside each other are of one size, more
/// or less. A wrong guess costs a request, or counting, and never a key.
final class ListingWindow {

  /// Pages that a range shall hold.
  private static final int PAGES = 8;

  /// Of the keys of a page one in so many is looked at.
  private static final int STRIDE = 16;

  /// Octets of a key behind which nothing is learnt.
  private static final int DEPTH = 512;

  private static final int OCTETS = 256;

  private final int prefixLength;
  private final byte[] end;
  private byte[] from;
  private byte[] to;

  /// The octet that the present range differs in from the next one.
  private int level;

  private long read;
  private byte @Nullable [] last;

  /// Octets at which the keys that begin as the last one does have branched.
  private final BitSet branches = new BitSet(DEPTH);

  /// By octet: the value in the first branch.
  private final int[] firstValue = new int[DEPTH];

  /// By octet: keys read before its first branch, and before its present one.
  private final long[] begun = new long[DEPTH];

  private final long[] presentBegun = new long[DEPTH];

  /// @param prefix what all keys begin with, in UTF-8 (of which no octet is 0xff)
  ListingWindow(byte[] prefix) {
    prefixLength = prefix.length;
    from = prefix;
    end = successor(prefix, prefix.length);
    to = end;
  }

  /// The first key to ask for.
  byte[] from() {
    return from;
  }

  /// The first key not to ask for.
  byte[] to() {
    return to;
  }

  /// Moves on behind a page.
  ///
  /// @param keys how many it has
  /// @param key the key at a place of it
  /// @param count keys from its first one to the end of the range, as etcd says
  /// @param pageKeys the most keys of a page
  /// @return false at the end of the listing
  boolean advance(int keys, IntFunction<byte[]> key, long count, int pageKeys) {
    for (int i = 0; i < keys; i += STRIDE) {
      learn(key.apply(i), read + i);
    }
    long wanted = (long) PAGES * pageKeys;
    if (count > keys) {
      byte[] latest = key.apply(keys - 1);
      learn(latest, read + keys - 1);
      read += keys;
      from = Arrays.copyOf(latest, latest.length + 1);
      if (count > 2 * wanted) {
        narrow(key.apply(0), latest, wanted);
      }
      return true;
    }
    if (Arrays.equals(to, end)) {
      return false;
    }
    read += keys;
    from = to;
    to = keys > 0 ? next(wanted) : wider();
    return true;
  }

  /// The keys that began as `key` does up to an octet are one branch of those that do up to the one
  /// before.
  private void learn(byte[] key, long index) {
    byte[] before = last;
    last = key;
    if (before == null) {
      return;
    }
    int octet = Arrays.mismatch(before, key);
    if (octet < 0 || octet >= Math.min(before.length, DEPTH)) {
      return;
    }
    branches.clear(octet + 1, DEPTH);
    if (!branches.get(octet)) {
      int outer = branches.previousSetBit(octet);
      branches.set(octet);
      firstValue[octet] = Byte.toUnsignedInt(before[octet]);
      begun[octet] = outer < 0 ? 0 : presentBegun[outer];
    }
    presentBegun[octet] = index;
  }

  /// A range with far too many keys ends earlier, at least behind those that begin as a whole page
  /// did.
  private void narrow(byte[] first, byte[] latest, long wanted) {
    for (int octet = branches.nextSetBit(prefixLength); isShared(octet); octet = after(octet)) {
      byte[] nearer = guess(octet, wanted);
      if (nearer != null && Arrays.compareUnsigned(nearer, to) < 0) {
        to = nearer;
        level = octet;
        return;
      }
    }
    int shared = Arrays.mismatch(first, latest);
    level = shared < 0 ? latest.length : shared;
    to = successor(latest, level);
  }

  private byte[] next(long wanted) {
    for (int octet = branches.nextSetBit(prefixLength); isShared(octet); octet = after(octet)) {
      byte[] guess = guess(octet, wanted);
      if (guess != null) {
        level = octet;
        return guess;
      }
    }
    level = 0;
    return end;
  }

  /// Behind a range without any key.
  private byte[] wider() {
    int octet = level == 0 ? -1 : branches.previousSetBit(level - 1);
    while (octet >= prefixLength && !isShared(octet)) {
      octet = octet == 0 ? -1 : branches.previousSetBit(octet - 1);
    }
    if (octet < prefixLength) {
      level = 0;
      return end;
    }
    level = octet;
    return behind(octet, 1);
  }

  private int after(int octet) {
    return branches.nextSetBit(octet + 1);
  }

  /// Whether what was learnt of an octet holds for the keys that follow.
  private boolean isShared(int octet) {
    if (octet < 0 || octet >= from.length || last == null) {
      return false;
    }
    int differing = Arrays.mismatch(from, last);
    return differing < 0 || octet <= differing;
  }

  /// Where a range of so many keys ends if the next branches are as large as those read; null if
  /// one alone is larger.
  private byte @Nullable [] guess(int octet, long wanted) {
    if (last == null) {
      return null;
    }
    int values = Math.max(1, Byte.toUnsignedInt(last[octet]) - firstValue[octet]);
    double size = Math.max(1, (presentBegun[octet] - begun[octet]) / (double) values);
    return size > wanted ? null : behind(octet, (int) Math.min(wanted / size, OCTETS));
  }

  private byte[] behind(int octet, int values) {
    int value = Byte.toUnsignedInt(from[octet]) + values;
    if (value >= OCTETS) {
      return successor(from, octet);
    }
    byte[] key = Arrays.copyOf(from, octet + 1);
    key[octet] = (byte) value;
    return key;
  }

  /// The first key after all that begin with these octets.
  private static byte[] successor(byte[] key, int length) {
    byte[] next = Arrays.copyOf(key, length);
    next[length - 1]++;
    return next;
  }
}
