package io.margay.bgp.message;

import java.util.Arrays;
import java.util.HexFormat;

/// An immutable run of octets, compared by content.
public final class Octets {

  /// No octets.
  public static final Octets EMPTY = new Octets(new byte[0]);

  private final byte[] bytes;

  private Octets(byte[] bytes) {
    this.bytes = bytes;
  }

  /// A copy of `bytes`.
  public static Octets of(byte[] bytes) {
    return bytes.length == 0 ? EMPTY : new Octets(bytes.clone());
  }

  /// Parses pairs of hex digits.
  public static Octets ofHex(String hex) {
    return of(HexFormat.of().parseHex(hex));
  }

  public int length() {
    return bytes.length;
  }

  /// These, or so many of the first.
  public Octets first(int atMost) {
    return length() <= atMost ? this : of(Arrays.copyOf(bytes, atMost));
  }

  /// A fresh array.
  public byte[] toBytes() {
    return bytes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Octets that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /// Hex digits.
  @Override
  public String toString() {
    return HexFormat.of().formatHex(bytes);
  }
}
