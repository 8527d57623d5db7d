package io.margay.model.net;

/// A BGP identifier: any non-zero 32-bit number, written like an IPv4 address (RFC 6286).
///
/// @param value the number, big-endian
public record RouterId(int value) implements Comparable<RouterId> {

  public RouterId {
    if (value == 0) {
      throw new IllegalArgumentException("a router id must not be 0.0.0.0");
    }
  }

  public static RouterId parse(String text) {
    return new RouterId(Ipv4Address.parse(text).value());
  }

  /// Unsigned, as collision resolution and the tie-break compare it (RFC 4271 §6.8).
  @Override
  public int compareTo(RouterId other) {
    return Integer.compareUnsigned(value, other.value);
  }

  @Override
  public String toString() {
    return new Ipv4Address(value).toString();
  }
}
