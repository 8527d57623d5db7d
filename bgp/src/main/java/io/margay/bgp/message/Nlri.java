package io.margay.bgp.message;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.margay.model.net.Prefix;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Prefixes of one family as a message names them (RFC 4271 §4.3, RFC 4760 §5), each with its path
/// identifier where add-path is in use (RFC 7911 §3). Flat and immutable: a message of a thousand
/// prefixes is three arrays, not a thousand objects.
public final class Nlri implements Iterable<Prefix> {

  private static final Nlri NO_IPV4 = new Builder(IpFamily.IPV4, 0).build();
  private static final Nlri NO_IPV6 = new Builder(IpFamily.IPV6, 0).build();

  private final IpFamily family;
  private final int size;

  /// IPv4: the address; IPv6: its upper half.
  private final long[] high;

  /// IPv6: the lower half; IPv4: empty.
  private final long[] low;

  private final byte[] lengths;
  private final int @Nullable [] pathIds;

  private Nlri(
      IpFamily family,
      int size,
      long[] high,
      long[] low,
      byte[] lengths,
      int @Nullable [] pathIds) {
    this.family = family;
    this.size = size;
    this.high = high;
    this.low = low;
    this.lengths = lengths;
    this.pathIds = pathIds;
  }

  public static Nlri none(IpFamily family) {
    return switch (family) {
      case IPV4 -> NO_IPV4;
      case IPV6 -> NO_IPV6;
    };
  }

  /// These prefixes, without path identifiers.
  ///
  /// @throws IllegalArgumentException when one is of another family
  public static Nlri of(IpFamily family, Collection<Prefix> prefixes) {
    Builder builder = builder(family, prefixes.size());
    for (Prefix prefix : prefixes) {
      builder.add(prefix, 0);
    }
    return builder.build();
  }

  /// @param expected how many prefixes to make room for
  public static Builder builder(IpFamily family, int expected) {
    return new Builder(family, expected);
  }

  public IpFamily family() {
    return family;
  }

  public int size() {
    return size;
  }

  public boolean isEmpty() {
    return size == 0;
  }

  /// Whether the prefixes came with path identifiers.
  public boolean hasPathIds() {
    return pathIds != null;
  }

  /// The address bits: all 32 of IPv4, unsigned and right aligned, or the upper 64 of IPv6. Host
  /// bits are zero.
  public long high(int index) {
    return high[checked(index)];
  }

  /// The lower 64 bits of IPv6; zero for IPv4.
  public long low(int index) {
    checked(index);
    return family == IpFamily.IPV4 ? 0 : low[index];
  }

  /// The prefix length in bits.
  public int length(int index) {
    return lengths[checked(index)] & 0xff;
  }

  /// The path identifier; zero where there are none.
  public int pathId(int index) {
    checked(index);
    return pathIds == null ? 0 : pathIds[index];
  }

  public Prefix prefix(int index) {
    return prefix(family, high(index), low(index), length(index));
  }

  /// The prefix of these bits, as {@link #high(int)} and {@link #low(int)} give them.
  public static Prefix prefix(IpFamily family, long high, long low, int length) {
    IpAddress address =
        switch (family) {
          case IPV4 -> new Ipv4Address((int) high);
          case IPV6 -> new Ipv6Address(high, low);
        };
    return new Prefix(address, length);
  }

  private int checked(int index) {
    if (index >= size) {
      throw new IndexOutOfBoundsException("prefix " + index + " of " + size);
    }
    return index;
  }

  /// A view; its elements are made when asked for.
  public List<Prefix> toList() {
    return new AbstractList<>() {
      @Override
      public Prefix get(int index) {
        return prefix(index);
      }

      @Override
      public int size() {
        return size;
      }
    };
  }

  @Override
  public Iterator<Prefix> iterator() {
    return toList().iterator();
  }

  @Override
  public boolean equals(Object other) {
    if (!(other instanceof Nlri that) || size != that.size || family != that.family) {
      return false;
    }
    return Arrays.equals(high, that.high)
        && Arrays.equals(low, that.low)
        && Arrays.equals(lengths, that.lengths)
        && Arrays.equals(pathIds, that.pathIds);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(high) + Arrays.hashCode(lengths);
  }

  @Override
  public String toString() {
    return toList().toString();
  }

  /// Collects prefixes. Serves once.
  public static final class Builder {
    private final IpFamily family;
    private long[] high;
    private long[] low;
    private byte[] lengths;
    private int @Nullable [] pathIds;
    private int size;

    private Builder(IpFamily family, int expected) {
      this.family = family;
      this.high = new long[expected];
      this.low = new long[family == IpFamily.IPV4 ? 0 : expected];
      this.lengths = new byte[expected];
    }

    public int size() {
      return size;
    }

    /// @throws IllegalArgumentException when the prefix is of another family
    public Builder add(Prefix prefix, int pathId) {
      if (prefix.family() != family) {
        throw new IllegalArgumentException(prefix + " among " + family + " prefixes");
      }
      switch (prefix.address()) {
        case Ipv4Address(int value) ->
            add(Integer.toUnsignedLong(value), 0, prefix.length(), pathId);
        case Ipv6Address(long upper, long lower) -> add(upper, lower, prefix.length(), pathId);
      }
      return this;
    }

    /// Adds a prefix without a path identifier.
    ///
    /// @param upper as {@link Nlri#high(int)}; host bits must be zero
    /// @param lower as {@link Nlri#low(int)}
    public Builder add(long upper, long lower, int length) {
      if (size == high.length) {
        grow();
      }
      high[size] = upper;
      if (family == IpFamily.IPV6) {
        low[size] = lower;
      }
      lengths[size] = (byte) length;
      size++;
      return this;
    }

    /// Adds a prefix; an identifier of zero counts as none, which RFC 7911 leaves to the sender.
    public Builder add(long upper, long lower, int length, int pathId) {
      add(upper, lower, length);
      if (pathId != 0 || pathIds != null) {
        if (pathIds == null) {
          pathIds = new int[high.length];
        }
        pathIds[size - 1] = pathId;
      }
      return this;
    }

    /// @throws IllegalArgumentException when they are of another family
    public Builder addAll(Nlri more) {
      if (more.family != family) {
        throw new IllegalArgumentException(more.family + " prefixes among " + family);
      }
      for (int i = 0; i < more.size; i++) {
        add(more.high[i], more.low(i), more.length(i), more.pathId(i));
      }
      return this;
    }

    private void grow() {
      int room = Math.max(8, 2 * size);
      high = Arrays.copyOf(high, room);
      lengths = Arrays.copyOf(lengths, room);
      if (family == IpFamily.IPV6) {
        low = Arrays.copyOf(low, room);
      }
      if (pathIds != null) {
        pathIds = Arrays.copyOf(pathIds, room);
      }
    }

    /// Gives the arrays away where they are full.
    public Nlri build() {
      if (size < high.length) {
        high = Arrays.copyOf(high, size);
        lengths = Arrays.copyOf(lengths, size);
        low = family == IpFamily.IPV4 ? low : Arrays.copyOf(low, size);
        pathIds = pathIds == null ? null : Arrays.copyOf(pathIds, size);
      }
      return new Nlri(family, size, high, low, lengths, pathIds);
    }
  }
}
