package io.margay.bgp.policy;

import io.margay.model.net.Prefix;
import org.jspecify.annotations.Nullable;

/// What a filter rule demands of a prefix.
///
/// @param operator how the prefix has to stand to `cidr`
/// @param cidr what it is compared with
/// @param min the least prefix length that counts as being in; null = that of `cidr`, which is also
///   what a smaller one means
/// @param max the greatest; null = a host route
public record PrefixMatch(
    Operator operator, Prefix cidr, @Nullable Integer min, @Nullable Integer max) {

  /// The operators of the v3 API. The negations negate the whole match, prefix length included.
  public enum Operator {
    EQUAL,
    NOT_EQUAL,
    IN,
    NOT_IN
  }

  public PrefixMatch {
    length(min, "prefixLength.min", cidr);
    length(max, "prefixLength.max", cidr);
    int least = min == null ? cidr.length() : Math.max(cidr.length(), min);
    if (max != null && max < least) {
      throw new IllegalArgumentException(
          "prefixLength.max: no prefix within "
              + cidr
              + " is at least /"
              + least
              + " and at most /"
              + max
              + " long");
    }
  }

  public PrefixMatch(Operator operator, Prefix cidr) {
    this(operator, cidr, null, null);
  }

  private static void length(@Nullable Integer length, String field, Prefix cidr) {
    if (length != null && (length < 0 || length > cidr.family().bits())) {
      throw new IllegalArgumentException(
          field + ": " + length + " is not in 0.." + cidr.family().bits());
    }
  }

  boolean matches(Prefix prefix) {
    return switch (operator) {
      case EQUAL -> prefix.equals(cidr) && isOfLength(prefix);
      case NOT_EQUAL -> !(prefix.equals(cidr) && isOfLength(prefix));
      case IN -> cidr.contains(prefix) && isOfLength(prefix);
      case NOT_IN -> !(cidr.contains(prefix) && isOfLength(prefix));
    };
  }

  private boolean isOfLength(Prefix prefix) {
    return (min == null || prefix.length() >= min) && (max == null || prefix.length() <= max);
  }

  @Override
  public String toString() {
    String lengths =
        min == null && max == null
            ? ""
            : "{"
                + (min == null ? cidr.length() : min)
                + ","
                + (max == null ? cidr.family().bits() : max)
                + "}";
    return operator + " " + cidr + lengths;
  }
}
