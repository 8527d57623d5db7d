package io.margay.linux.nft;

import org.jspecify.annotations.Nullable;

/// One element of a set or map.
///
/// @param key the key; the first of the range in an interval set
/// @param end the last key of the range, inclusive, field by field; interval sets only
/// @param verdict what the key yields; verdict maps only
/// @param value what the key yields; data maps only
public record NftElement(
    NftData key, @Nullable NftData end, @Nullable NftVerdict verdict, @Nullable NftData value) {

  public NftElement {
    if (end != null && end.length() != key.length()) {
      throw new IllegalArgumentException("element ends " + key + " and " + end + " differ in size");
    }
  }

  public static NftElement of(NftData key) {
    return new NftElement(key, null, null, null);
  }

  public static NftElement range(NftData first, NftData last) {
    return new NftElement(first, last, null, null);
  }

  public static NftElement verdict(NftData key, NftVerdict verdict) {
    return new NftElement(key, null, verdict, null);
  }

  public static NftElement value(NftData key, NftData value) {
    return new NftElement(key, null, null, value);
  }
}
