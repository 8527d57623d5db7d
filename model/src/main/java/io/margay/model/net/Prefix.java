package io.margay.model.net;

import org.jspecify.annotations.Nullable;

/// A canonical CIDR prefix: no bit beyond the length is set.
///
/// @param address the network address
/// @param length 0 to 32 or 128
public record Prefix(IpAddress address, int length) implements Comparable<Prefix> {

  public Prefix {
    if (length < 0 || length > address.family().bits()) {
      throw new IllegalArgumentException(
          "prefix length "
              + length
              + " of "
              + address
              + " is not in 0.."
              + address.family().bits());
    }
    if (!address.masked(length).equals(address)) {
      throw new IllegalArgumentException(
          address
              + "/"
              + length
              + " has host bits set; the network is "
              + address.masked(length)
              + "/"
              + length);
    }
  }

  /// The prefix of `length` bits that holds `address`.
  public static Prefix containing(IpAddress address, int length) {
    return new Prefix(address.masked(length), length);
  }

  /// Parses `address/length`, refusing host bits.
  ///
  /// @throws IllegalArgumentException naming the text
  public static Prefix parse(String text) {
    int slash = slash(text);
    return new Prefix(IpAddress.parse(text.substring(0, slash)), lengthAfter(text, slash));
  }

  /// Parses `address/length` or a bare address, clearing host bits: for input that other tools
  /// write so.
  public static Prefix parseLenient(String text) {
    if (text.indexOf('/') < 0) {
      return IpAddress.parse(text).toHostPrefix();
    }
    int slash = slash(text);
    IpAddress address = IpAddress.parse(text.substring(0, slash));
    int length = lengthAfter(text, slash);
    if (length > address.family().bits()) {
      throw new IllegalArgumentException(
          "\"" + text + "\" has a prefix length beyond " + address.family().bits());
    }
    return containing(address, length);
  }

  private static int slash(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException("\"" + text + "\" is not a CIDR: no \"/length\"");
    }
    return slash;
  }

  private static int lengthAfter(String text, int slash) {
    int digits = text.length() - slash - 1;
    if (digits < 1 || digits > 3) {
      throw new IllegalArgumentException("\"" + text + "\" is not a CIDR");
    }
    int length = 0;
    for (int i = slash + 1; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        throw new IllegalArgumentException("\"" + text + "\" is not a CIDR");
      }
      length = length * 10 + (c - '0');
    }
    return length;
  }

  public IpFamily family() {
    return address.family();
  }

  /// Whether `inner` lies within this prefix (a prefix contains itself).
  public boolean contains(Prefix inner) {
    return inner.length >= length && contains(inner.address);
  }

  public boolean contains(IpAddress inner) {
    return inner.family() == family() && inner.masked(length).equals(address);
  }

  public boolean overlaps(Prefix other) {
    return contains(other) || other.contains(this);
  }

  /// Whether this is a single address.
  public boolean isHost() {
    return length == family().bits();
  }

  /// The last address of the prefix.
  public IpAddress lastAddress() {
    byte[] octets = address.toBytes();
    for (int bit = length; bit < family().bits(); bit++) {
      octets[bit / 8] |= (byte) (0x80 >>> bit % 8);
    }
    return IpAddress.of(octets);
  }

  @Override
  public int compareTo(Prefix other) {
    int byAddress = address.compareTo(other.address);
    return byAddress != 0 ? byAddress : Integer.compare(length, other.length);
  }

  @Override
  public String toString() {
    return address + "/" + length;
  }

  /// Written out, as is [#hashCode]: prefixes are keys of the largest maps there are.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Prefix(IpAddress otherAddress, int otherLength)
        && length == otherLength
        && address.equals(otherAddress);
  }

  @Override
  public int hashCode() {
    return address.hashCode() * 31 + length;
  }
}
