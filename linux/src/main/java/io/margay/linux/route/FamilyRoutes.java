package io.margay.linux.route;

import io.margay.model.net.IpFamily;
import java.util.Arrays;
import java.util.BitSet;

/// What [BulkRoutes] knows of one family's prefixes: arrays by the prefix's number.
final class FamilyRoutes {
  final PrefixIds ids;
  final BitSet queued = new BitSet();
  final BitSet refused = new BitSet();
  int[] wanted = new int[64];
  int[] believed = new int[64];
  private int[] dirty = new int[64];
  private int head;
  private int tail;
  int wantedCount;
  int leftovers;

  FamilyRoutes(IpFamily family) {
    ids = new PrefixIds(family);
  }

  /// Makes the arrays long enough for a number.
  void reach(int id) {
    if (id >= wanted.length) {
      wanted = Arrays.copyOf(wanted, Math.max(id + 1, wanted.length + (wanted.length >> 1)));
      believed = Arrays.copyOf(believed, wanted.length);
    }
  }

  /// Notes that a prefix may have to be written; once is enough.
  void enqueue(int id) {
    if (queued.get(id)) {
      return;
    }
    queued.set(id);
    if (tail == dirty.length) {
      if (head > dirty.length / 2) {
        System.arraycopy(dirty, head, dirty, 0, tail - head);
        tail -= head;
        head = 0;
      } else {
        dirty = Arrays.copyOf(dirty, dirty.length * 2);
      }
    }
    dirty[tail++] = id;
  }

  int dequeue() {
    int id = dirty[head++];
    queued.clear(id);
    if (head == tail) {
      head = 0;
      tail = 0;
    }
    return id;
  }

  int backlog() {
    return tail - head;
  }
}
