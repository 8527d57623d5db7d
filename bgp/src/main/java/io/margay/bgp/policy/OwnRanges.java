package io.margay.bgp.policy;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Ranges of this node that no peer may announce anything in, equal to, or around: such a route
/// would draw away traffic that belongs here. The default route is around everything and always
/// allowed.
///
/// A question costs one binary search, whatever the number of ranges.
public final class OwnRanges {

  /// No range: nothing is refused.
  public static final OwnRanges NONE = new OwnRanges(Set.of());

  private final Set<Prefix> prefixes;
  private final Map<IpFamily, Sorted> byFamily = new EnumMap<>(IpFamily.class);

  private OwnRanges(Set<Prefix> prefixes) {
    this.prefixes = prefixes;
    for (IpFamily family : IpFamily.values()) {
      byFamily.put(family, new Sorted(prefixes, family));
    }
  }

  /// @throws IllegalArgumentException naming a range that is a whole address family
  public static OwnRanges of(Collection<Prefix> prefixes) {
    for (Prefix prefix : prefixes) {
      if (prefix.length() == 0) {
        throw new IllegalArgumentException(
            prefix + " can't be an own range: nothing could be learned any more");
      }
    }
    return prefixes.isEmpty() ? NONE : new OwnRanges(Set.copyOf(prefixes));
  }

  public Set<Prefix> prefixes() {
    return prefixes;
  }

  public boolean isEmpty(IpFamily family) {
    return sorted(family).ranges.length == 0;
  }

  /// The range that a prefix lies in, is equal to or lies around; null if there is none.
  public @Nullable Prefix overlapping(Prefix prefix) {
    return overlapping(
        prefix.family(), high(prefix.address()), low(prefix.address()), prefix.length());
  }

  /// The same for a prefix in the form a flat table holds it in.
  ///
  /// @param high IPv4: the address as an unsigned number; IPv6: its upper 64 bits
  /// @param low IPv6: the lower 64 bits; IPv4: 0
  public @Nullable Prefix overlapping(IpFamily family, long high, long low, int length) {
    return length == 0 ? null : sorted(family).overlapping(high, low, length);
  }

  private Sorted sorted(IpFamily family) {
    return Objects.requireNonNull(byFamily.get(family));
  }

  private static long high(IpAddress address) {
    return switch (address) {
      case Ipv4Address(int value) -> Integer.toUnsignedLong(value);
      case Ipv6Address(long high, long _) -> high;
    };
  }

  private static long low(IpAddress address) {
    return switch (address) {
      case Ipv4Address _ -> 0;
      case Ipv6Address(long _, long low) -> low;
    };
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof OwnRanges that && prefixes.equals(that.prefixes);
  }

  @Override
  public int hashCode() {
    return prefixes.hashCode();
  }

  @Override
  public String toString() {
    return new TreeSet<>(prefixes).toString();
  }

  /// The ranges of one family that lie in no other, ascending: disjoint, so that the last one that
  /// begins at or before the end of a prefix is the only one that can reach into it.
  private static final class Sorted {

    private final int bits;
    private final Prefix[] ranges;
    private final long[] high;
    private final long[] low;

    Sorted(Set<Prefix> prefixes, IpFamily family) {
      List<Prefix> outermost = new ArrayList<>();
      for (Prefix prefix : new TreeSet<>(prefixes)) {
        if (prefix.family() == family
            && (outermost.isEmpty() || !outermost.getLast().contains(prefix))) {
          outermost.add(prefix);
        }
      }
      bits = family.bits();
      ranges = outermost.toArray(Prefix[]::new);
      high = new long[ranges.length];
      low = new long[ranges.length];
      for (int i = 0; i < ranges.length; i++) {
        high[i] = OwnRanges.high(ranges[i].address());
        low[i] = OwnRanges.low(ranges[i].address());
      }
    }

    @Nullable Prefix overlapping(long fromHigh, long fromLow, int length) {
      long lastHigh = fromHigh | ones(bits == 32 ? 32 - length : 64 - length);
      long lastLow = bits == 32 ? 0 : fromLow | ones(128 - length);
      int first = 0;
      int end = ranges.length;
      while (first < end) {
        int middle = (first + end) >>> 1;
        if (compare(high[middle], low[middle], lastHigh, lastLow) <= 0) {
          first = middle + 1;
        } else {
          end = middle;
        }
      }
      if (first == 0) {
        return null;
      }
      Prefix candidate = ranges[first - 1];
      int shorter = Math.min(candidate.length(), length);
      long highMask = ~ones(bits == 32 ? 32 - shorter : 64 - shorter);
      long lowMask = bits == 32 ? 0 : ~ones(128 - shorter);
      boolean same =
          ((high[first - 1] ^ fromHigh) & highMask) == 0
              && ((low[first - 1] ^ fromLow) & lowMask) == 0;
      return same ? candidate : null;
    }

    /// The lowest `count` bits of a word, none for a negative count.
    private static long ones(int count) {
      if (count <= 0) {
        return 0;
      }
      return count >= 64 ? -1L : (1L << count) - 1;
    }

    private static int compare(long high, long low, long otherHigh, long otherLow) {
      int byHigh = Long.compareUnsigned(high, otherHigh);
      return byHigh != 0 ? byHigh : Long.compareUnsigned(low, otherLow);
    }
  }
}
