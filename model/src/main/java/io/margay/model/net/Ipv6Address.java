package io.margay.model.net;

import org.jspecify.annotations.Nullable;

/// An IPv6 address without a scope: the interface of a link-local address is its holder's business.
///
/// @param high the first 64 bits, big-endian
/// @param low the last 64 bits, big-endian
public record Ipv6Address(long high, long low) implements IpAddress {

  private static final int GROUPS = 8;

  public static Ipv6Address of(byte[] octets) {
    if (octets.length != 16) {
      throw new IllegalArgumentException("an IPv6 address has 16 octets, not " + octets.length);
    }
    return new Ipv6Address(read(octets, 0), read(octets, 8));
  }

  private static long read(byte[] octets, int from) {
    long value = 0;
    for (int i = from; i < from + 8; i++) {
      value = value << 8 | octets[i] & 0xff;
    }
    return value;
  }

  /// Parses the forms of RFC 4291 §2.2: full, `::`-compressed, and with a dotted IPv4 tail.
  public static Ipv6Address parse(String text) {
    int gap = text.indexOf("::");
    if (gap >= 0 && text.indexOf("::", gap + 1) >= 0) {
      throw notAnAddress(text);
    }
    int[] head = groups(text, gap < 0 ? text : text.substring(0, gap), gap < 0);
    int[] tail = gap < 0 ? new int[0] : groups(text, text.substring(gap + 2), true);
    int given = head.length + tail.length;
    if (gap < 0 ? given != GROUPS : given >= GROUPS) {
      throw notAnAddress(text);
    }
    int[] all = new int[GROUPS];
    System.arraycopy(head, 0, all, 0, head.length);
    System.arraycopy(tail, 0, all, GROUPS - tail.length, tail.length);
    return new Ipv6Address(join(all, 0), join(all, 4));
  }

  private static long join(int[] groups, int from) {
    long value = 0;
    for (int i = from; i < from + 4; i++) {
      value = value << 16 | groups[i];
    }
    return value;
  }

  private static int[] groups(String text, String part, boolean dottedTailAllowed) {
    if (part.isEmpty()) {
      return new int[0];
    }
    String[] words = part.split(":", -1);
    boolean dotted = words[words.length - 1].indexOf('.') >= 0;
    if (dotted && !dottedTailAllowed || words.length > GROUPS) {
      throw notAnAddress(text);
    }
    int[] groups = new int[words.length + (dotted ? 1 : 0)];
    for (int i = 0; i < words.length; i++) {
      if (dotted && i == words.length - 1) {
        int v4 = dottedTail(text, words[i]);
        groups[i] = v4 >>> 16;
        groups[i + 1] = v4 & 0xffff;
      } else {
        groups[i] = group(text, words[i]);
      }
    }
    return groups;
  }

  private static int dottedTail(String text, String tail) {
    try {
      return Ipv4Address.parse(tail).value();
    } catch (IllegalArgumentException notDotted) {
      throw notAnAddress(text);
    }
  }

  private static int group(String text, String word) {
    if (word.isEmpty() || word.length() > 4) {
      throw notAnAddress(text);
    }
    int value = 0;
    for (int i = 0; i < word.length(); i++) {
      int digit = word.charAt(i) < 128 ? Character.digit(word.charAt(i), 16) : -1;
      if (digit < 0) {
        throw notAnAddress(text);
      }
      value = value << 4 | digit;
    }
    return value;
  }

  private static IllegalArgumentException notAnAddress(String text) {
    return new IllegalArgumentException("\"" + text + "\" is not an IPv6 address");
  }

  @Override
  public IpFamily family() {
    return IpFamily.IPV6;
  }

  @Override
  public byte[] toBytes() {
    byte[] octets = new byte[16];
    for (int i = 0; i < 8; i++) {
      octets[i] = (byte) (high >>> (56 - 8 * i));
      octets[8 + i] = (byte) (low >>> (56 - 8 * i));
    }
    return octets;
  }

  @Override
  public boolean bit(int index) {
    return index < 64 ? (high >>> (63 - index) & 1) != 0 : (low >>> (127 - index) & 1) != 0;
  }

  @Override
  public Ipv6Address masked(int prefixLength) {
    if (prefixLength == 0) {
      return new Ipv6Address(0, 0);
    }
    return prefixLength <= 64
        ? new Ipv6Address(high & -1L << (64 - prefixLength), 0)
        : new Ipv6Address(high, low & -1L << (128 - prefixLength));
  }

  @Override
  public Ipv6Address plus(long offset) {
    long sum = low + offset;
    long carry = 0;
    if (offset >= 0 && Long.compareUnsigned(sum, low) < 0) {
      carry = 1;
    } else if (offset < 0 && Long.compareUnsigned(sum, low) > 0) {
      carry = -1;
    }
    return new Ipv6Address(high + carry, sum);
  }

  @Override
  public boolean isLinkLocal() {
    return high >>> 54 == 0xfe80L >>> 6;
  }

  @Override
  public boolean isMulticast() {
    return high >>> 56 == 0xff;
  }

  @Override
  public boolean isLoopback() {
    return high == 0 && low == 1;
  }

  @Override
  public boolean isUnspecified() {
    return (high | low) == 0;
  }

  // Written out: what a record derives costs ten times as much until it is compiled well, and RIBs
  // compare from their first route on.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Ipv6Address that && high == that.high && low == that.low;
  }

  @Override
  public int hashCode() {
    return 31 * Long.hashCode(high) + Long.hashCode(low);
  }

  /// The canonical text of RFC 5952: lower case, the longest run of two or more zero groups as
  /// `::`.
  @Override
  public String toString() {
    int[] groups = new int[GROUPS];
    for (int i = 0; i < 4; i++) {
      groups[i] = (int) (high >>> (48 - 16 * i)) & 0xffff;
      groups[4 + i] = (int) (low >>> (48 - 16 * i)) & 0xffff;
    }
    int bestStart = -1;
    int bestLength = 1;
    for (int i = 0; i < GROUPS; i++) {
      int length = 0;
      while (i + length < GROUPS && groups[i + length] == 0) {
        length++;
      }
      if (length > bestLength) {
        bestStart = i;
        bestLength = length;
      }
    }
    StringBuilder text = new StringBuilder(39);
    for (int i = 0; i < GROUPS; i++) {
      if (i == bestStart) {
        text.append("::");
        i += bestLength - 1;
        continue;
      }
      if (i > 0 && text.charAt(text.length() - 1) != ':') {
        text.append(':');
      }
      text.append(Integer.toHexString(groups[i]));
    }
    return text.toString();
  }
}
