package io.margay.model.net;

/// A 4-octet autonomous system number (RFC 6793).
///
/// @param value the number as an unsigned 32-bit integer
public record Asn(int value) implements Comparable<Asn> {

  /// What a 2-octet speaker sees in place of a number it cannot hold (RFC 6793 §9).
  public static final Asn TRANS = new Asn(23456);

  public static Asn of(long number) {
    if (number < 0 || number > 0xffff_ffffL) {
      throw new IllegalArgumentException("AS number " + number + " is not in 0..4294967295");
    }
    return new Asn((int) number);
  }

  /// Parses "65001" or the dotted form "1.10" (RFC 5396 asdot).
  public static Asn parse(String text) {
    try {
      int dot = text.indexOf('.');
      if (dot < 0) {
        return of(Long.parseLong(text));
      }
      long high = Long.parseLong(text.substring(0, dot));
      long low = Long.parseLong(text.substring(dot + 1));
      if (high < 0 || high > 0xffff || low < 0 || low > 0xffff) {
        throw new IllegalArgumentException(
            "\"" + text + "\" is not an AS number: halves run to 65535");
      }
      return of(high << 16 | low);
    } catch (NumberFormatException notANumber) {
      throw new IllegalArgumentException("\"" + text + "\" is not an AS number");
    }
  }

  /// The number as a non-negative long.
  public long toLong() {
    return Integer.toUnsignedLong(value);
  }

  /// Whether it fits the 2-octet fields of RFC 4271.
  public boolean isTwoOctet() {
    return toLong() <= 0xffff;
  }

  @Override
  public int compareTo(Asn other) {
    return Integer.compareUnsigned(value, other.value);
  }

  @Override
  public String toString() {
    return Integer.toUnsignedString(value);
  }
}
