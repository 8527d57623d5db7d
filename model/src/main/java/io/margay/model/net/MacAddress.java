package io.margay.model.net;

import java.util.HexFormat;

/// A 48-bit Ethernet address.
///
/// @param value the address in the low 48 bits
public record MacAddress(long value) {

  private static final HexFormat COLONS = HexFormat.ofDelimiter(":");

  public MacAddress {
    if (value >>> 48 != 0) {
      throw new IllegalArgumentException("a MAC address has 48 bits");
    }
  }

  public static MacAddress of(byte[] octets) {
    if (octets.length != 6) {
      throw new IllegalArgumentException("a MAC address has 6 octets, not " + octets.length);
    }
    long value = 0;
    for (byte octet : octets) {
      value = value << 8 | octet & 0xff;
    }
    return new MacAddress(value);
  }

  /// Parses `aa:bb:cc:dd:ee:ff`.
  public static MacAddress parse(String text) {
    try {
      byte[] octets = COLONS.parseHex(text);
      if (octets.length == 6) {
        return of(octets);
      }
    } catch (IllegalArgumentException notHex) {
      // Falls through to the one message for every malformed text.
    }
    throw new IllegalArgumentException("\"" + text + "\" is not a MAC address");
  }

  public byte[] toBytes() {
    byte[] octets = new byte[6];
    for (int i = 0; i < 6; i++) {
      octets[i] = (byte) (value >>> (40 - 8 * i));
    }
    return octets;
  }

  @Override
  public String toString() {
    return COLONS.formatHex(toBytes());
  }
}
