package io.margay.agent.dataplane;

import io.margay.linux.conntrack.Connection;

/// A part of all connections there can be, and how many of it may be held: tables larger than that
/// are gone through stretch by stretch. Connections are spread over [0, [#END]) by what tells them
/// apart. Confined to one thread.
final class Stretch {

  static final long END = 1L << 32;

  private final int most;
  private final long from;
  private final long to;
  private int admitted;
  private long passedOver;

  /// @param most how many connections may be held
  Stretch(int most, long from, long to) {
    this.most = most;
    this.from = from;
    this.to = to;
  }

  /// Whether the connection is of this stretch and may be held.
  boolean admits(Connection connection) {
    long place = place(connection);
    if (place < from || place >= to) {
      return false;
    }
    if (admitted == most) {
      passedOver++;
      return false;
    }
    admitted++;
    return true;
  }

  /// Whether every connection of it that was asked about is held. One that can't be shorter counts
  /// as whole.
  boolean isWhole() {
    return passedOver == 0 || to - from == 1;
  }

  /// Its beginning, so long that what it has should be no more than half of what may be held.
  Stretch shorter() {
    long parts = 2 * ((admitted + passedOver) / most + 1);
    return new Stretch(most, from, from + Math.max(1, (to - from) / parts));
  }

  boolean isLast() {
    return to == END;
  }

  /// All behind it.
  Stretch rest() {
    return new Stretch(most, to, END);
  }

  private static long place(Connection one) {
    int hash = one.source().hashCode();
    hash = 31 * hash + one.destination().hashCode();
    hash = 31 * hash + one.answerer().hashCode();
    hash = 31 * hash + (one.sourcePort() << 16 | one.destinationPort());
    hash = 31 * hash + one.protocol();
    // The last steps of MurmurHash3: neighbouring ports come to lie far apart.
    hash = (hash ^ hash >>> 16) * 0x85ebca6b;
    hash = (hash ^ hash >>> 13) * 0xc2b2ae35;
    return Integer.toUnsignedLong(hash ^ hash >>> 16);
  }
}
