package io.margay.model.net;

/// An IPv4 or IPv6 address. Ordered by family, then as an unsigned number.
public sealed interface IpAddress extends Comparable<IpAddress> permits Ipv4Address, Ipv6Address {

  IpFamily family();

  /// The address in network byte order: 4 or 16 octets, a fresh array.
  byte[] toBytes();

  /// The value of bit `index`, counted from the most significant (0).
  boolean bit(int index);

  /// This address with all bits from `prefixLength` on cleared.
  IpAddress masked(int prefixLength);

  /// This address plus `offset`, modulo the size of the address space.
  IpAddress plus(long offset);

  /// The host route to this address: /32 or /128.
  default Prefix toHostPrefix() {
    return new Prefix(this, family().bits());
  }

  boolean isLinkLocal();

  boolean isMulticast();

  boolean isLoopback();

  /// All bits zero.
  boolean isUnspecified();

  /// Parses a literal address. Never resolves names.
  ///
  /// @throws IllegalArgumentException naming the text, when it is not an address literal
  static IpAddress parse(String text) {
    return text.indexOf(':') >= 0 ? Ipv6Address.parse(text) : Ipv4Address.parse(text);
  }

  /// The address in network byte order.
  ///
  /// @throws IllegalArgumentException unless 4 or 16 octets are given
  static IpAddress of(byte[] octets) {
    return switch (octets.length) {
      case 4 -> Ipv4Address.of(octets);
      case 16 -> Ipv6Address.of(octets);
      default ->
          throw new IllegalArgumentException("an address has 4 or 16 octets, not " + octets.length);
    };
  }

  @Override
  default int compareTo(IpAddress other) {
    return switch (this) {
      case Ipv4Address(int mine) ->
          other instanceof Ipv4Address(int theirs) ? Integer.compareUnsigned(mine, theirs) : -1;
      case Ipv6Address(long high, long low) -> {
        if (!(other instanceof Ipv6Address(long otherHigh, long otherLow))) {
          yield 1;
        }
        int byHigh = Long.compareUnsigned(high, otherHigh);
        yield byHigh != 0 ? byHigh : Long.compareUnsigned(low, otherLow);
      }
    };
  }
}
