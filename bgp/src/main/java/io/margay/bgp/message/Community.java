package io.margay.bgp.message;

/// A community (RFC 1997).
///
/// @param value the 32 bits: usually an AS number and a number it gives meaning to
public record Community(int value) implements Comparable<Community> {

  /// Parses `65001:100`.
  ///
  /// @throws IllegalArgumentException naming the text
  public static Community parse(String text) {
    int colon = text.indexOf(':');
    try {
      int high = Integer.parseInt(text.substring(0, Math.max(colon, 0)));
      int low = Integer.parseInt(text.substring(colon + 1));
      if (high >= 0 && high <= 0xffff && low >= 0 && low <= 0xffff) {
        return new Community(high << 16 | low);
      }
    } catch (NumberFormatException notNumbers) {
      // Falls through to the one message for every malformed text.
    }
    throw new IllegalArgumentException(
        "\"" + text + "\" is not a community: two numbers up to 65535 with \":\" between");
  }

  /// Unsigned.
  @Override
  public int compareTo(Community other) {
    return Integer.compareUnsigned(value, other.value);
  }

  @Override
  public String toString() {
    return (value >>> 16) + ":" + (value & 0xffff);
  }
}
