package io.margay.bgp.message;

/// Hash codes for values that resemble each other: AS numbers and communities count upwards, and
/// the usual polynomial in 31 maps whole tables of them to a few sums.
final class Hash {

  /// 2^32 divided by the golden ratio, odd: spreads what is multiplied by it.
  private static final int SPREAD = 0x9e3779b1;

  private Hash() {}

  static int with(int hash, int value) {
    int mixed = (Integer.rotateLeft(hash, 13) ^ value) * SPREAD;
    return mixed ^ mixed >>> 15;
  }

  static int of(int[] values) {
    int hash = values.length;
    for (int value : values) {
      hash = with(hash, value);
    }
    return hash;
  }
}
