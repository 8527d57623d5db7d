package io.margay.model.net;

import org.jspecify.annotations.Nullable;

/// An IPv4 address.
///
/// @param value the address as a big-endian 32-bit number
public record Ipv4Address(int value) implements IpAddress {

  public static Ipv4Address of(byte[] octets) {
    if (octets.length != 4) {
      throw new IllegalArgumentException("an IPv4 address has 4 octets, not " + octets.length);
    }
    int value = 0;
    for (byte octet : octets) {
      value = value << 8 | octet & 0xff;
    }
    return new Ipv4Address(value);
  }

  /// Parses dotted decimal. Leading zeros are refused: some readers take them for octal.
  public static Ipv4Address parse(String text) {
    int value = 0;
    int octets = 0;
    int start = 0;
    while (true) {
      int dot = text.indexOf('.', start);
      int end = dot < 0 ? text.length() : dot;
      value = value << 8 | octet(text, start, end);
      octets++;
      if (dot < 0) {
        break;
      }
      start = dot + 1;
    }
    if (octets != 4) {
      throw notAnAddress(text);
    }
    return new Ipv4Address(value);
  }

  private static int octet(String text, int start, int end) {
    int digits = end - start;
    if (digits < 1 || digits > 3 || digits > 1 && text.charAt(start) == '0') {
      throw notAnAddress(text);
    }
    int value = 0;
    for (int i = start; i < end; i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        throw notAnAddress(text);
      }
      value = value * 10 + (c - '0');
    }
    if (value > 255) {
      throw notAnAddress(text);
    }
    return value;
  }

  private static IllegalArgumentException notAnAddress(String text) {
    return new IllegalArgumentException("\"" + text + "\" is not an IPv4 address");
  }

  @Override
  public IpFamily family() {
    return IpFamily.IPV4;
  }

  @Override
  public byte[] toBytes() {
    return new byte[] {
      (byte) (value >>> 24), (byte) (value >>> 16), (byte) (value >>> 8), (byte) value
    };
  }

  @Override
  public boolean bit(int index) {
    return (value >>> (31 - index) & 1) != 0;
  }

  @Override
  public Ipv4Address masked(int prefixLength) {
    return new Ipv4Address(prefixLength == 0 ? 0 : value & -1 << (32 - prefixLength));
  }

  @Override
  public Ipv4Address plus(long offset) {
    return new Ipv4Address((int) (value + offset));
  }

  @Override
  public boolean isLinkLocal() {
    return value >>> 16 == 0xa9fe;
  }

  @Override
  public boolean isMulticast() {
    return value >>> 28 == 0xe;
  }

  @Override
  public boolean isLoopback() {
    return value >>> 24 == 127;
  }

  @Override
  public boolean isUnspecified() {
    return value == 0;
  }

  // Written out: what a record derives costs ten times as much until it is compiled well, and RIBs
  // compare from their first route on.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Ipv4Address that && value == that.value;
  }

  @Override
  public int hashCode() {
    return value;
  }

  @Override
  public String toString() {
    return (value >>> 24)
        + "."
        + (value >>> 16 & 255)
        + "."
        + (value >>> 8 & 255)
        + "."
        + (value & 255);
  }
}
