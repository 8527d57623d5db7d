package io.margay.bgp.transport;

import java.nio.charset.StandardCharsets;

/// A TCP MD5 key (RFC 2385). Its text never shows it.
///
/// @param value 1 to 80 octets of UTF-8, none of them zero (TCP_MD5SIG_MAXKEYLEN, linux/tcp.h)
public record Password(String value) {

  /// TCP_MD5SIG_MAXKEYLEN of linux/tcp.h.
  public static final int MAX_OCTETS = 80;

  public Password {
    int octets = value.getBytes(StandardCharsets.UTF_8).length;
    if (octets < 1 || octets > MAX_OCTETS) {
      throw new IllegalArgumentException(
          "a BGP password has 1 to " + MAX_OCTETS + " octets, not " + octets);
    }
    if (value.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a BGP password must not contain a zero octet");
    }
  }

  byte[] toBytes() {
    return value.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public String toString() {
    return "(hidden)";
  }
}
