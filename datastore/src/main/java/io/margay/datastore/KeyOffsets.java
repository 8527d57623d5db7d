package io.margay.datastore;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/// Where in a file each key's record is, for very many keys: of a key nothing is kept but 64 bits
/// of hash, salted anew each time, so that two of a million keys being taken for one is a matter of
/// one in ten million, and not again the next time.
final class KeyOffsets {

  /// Of a key that has no record any more.
  static final long GONE = -1;

  private static final int FIRST_PLACES = 1 << 10;
  private static final long NOBODY = 0;
  private static final long MULTIPLIER = 0x9E3779B97F4A7C15L;

  private final long salt = RandomGenerator.getDefault().nextLong();
  private long[] hashes;
  private long[] offsets;
  private int size;

  /// @param expected so many keys find place without the table growing, which leaves large garbage
  KeyOffsets(int expected) {
    int places = FIRST_PLACES;
    while (places * 2L < expected * 3L) {
      places *= 2;
    }
    hashes = new long[places];
    offsets = new long[places];
  }

  long hash(String key) {
    long hash = salt;
    for (int i = 0; i < key.length(); i++) {
      hash = (hash ^ key.charAt(i)) * MULTIPLIER;
      hash ^= hash >>> 32;
    }
    hash *= MULTIPLIER;
    hash ^= hash >>> 29;
    return hash == NOBODY ? 1 : hash;
  }

  void put(long hash, long offset) {
    int place = place(hash);
    if (hashes[place] == NOBODY) {
      if (++size * 3L > hashes.length * 2L) {
        grow();
        place = place(hash);
      }
      hashes[place] = hash;
    }
    offsets[place] = offset;
  }

  /// Whether the record at an offset is the key's.
  boolean isAt(long hash, long offset) {
    int place = place(hash);
    return hashes[place] == hash && offsets[place] == offset;
  }

  private int place(long hash) {
    int mask = hashes.length - 1;
    int place = (int) hash & mask;
    while (hashes[place] != NOBODY && hashes[place] != hash) {
      place = place + 1 & mask;
    }
    return place;
  }

  private void grow() {
    long[] oldHashes = hashes;
    long[] oldOffsets = offsets;
    hashes = new long[oldHashes.length * 2];
    offsets = new long[oldHashes.length * 2];
    for (int i = 0; i < oldHashes.length; i++) {
      if (oldHashes[i] != NOBODY) {
        int place = place(oldHashes[i]);
        hashes[place] = oldHashes[i];
        offsets[place] = oldOffsets[i];
      }
    }
  }

  /// Pairs of a hash and an offset, in order.
  static final class Steps {
    private long[] pairs;
    private int end;

    /// @param expected how many pairs there is room for at first
    Steps(int expected) {
      pairs = new long[Math.max(FIRST_PLACES, expected * 2)];
    }

    void add(long hash, long offset) {
      if (end == pairs.length) {
        pairs = Arrays.copyOf(pairs, end * 2);
      }
      pairs[end++] = hash;
      pairs[end++] = offset;
    }

    boolean isEmpty() {
      return end == 0;
    }

    /// What came later counts.
    void moveInto(KeyOffsets offsets) {
      for (int i = 0; i < end; i += 2) {
        offsets.put(pairs[i], pairs[i + 1]);
      }
      clear();
    }

    void clear() {
      pairs = new long[FIRST_PLACES];
      end = 0;
    }
  }
}
