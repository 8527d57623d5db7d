package io.margay.bgp.codec;

import io.margay.bgp.message.Nlri;
import io.margay.model.net.IpFamily;

/// Prefixes as length and the octets that matter (RFC 4271 §4.3), each behind its path identifier
/// where that is agreed (RFC 7911 §3).
final class PrefixReader {

  private PrefixReader() {}

  /// Reads to the limit. Bits beyond a prefix's length are cleared: they mean nothing.
  ///
  /// @throws MalformedAttribute when a length exceeds the family's or the octets run out: then
  ///   nothing after it can be delimited
  static Nlri read(OctetReader from, IpFamily family, boolean ids) throws MalformedAttribute {
    if (!from.hasMore()) {
      return Nlri.none(family);
    }
    Nlri.Builder prefixes = Nlri.builder(family, count(from, family.bits(), ids));
    switch (family) {
      case IPV4 -> ipv4(from, ids, prefixes);
      case IPV6 -> ipv6(from, ids, prefixes);
    }
    return prefixes.build();
  }

  /// Walks over the prefixes once, to reserve exactly what they take.
  private static int count(OctetReader from, int bits, boolean ids) throws MalformedAttribute {
    int start = from.position();
    int count = 0;
    while (from.hasMore()) {
      if (ids) {
        from.skip(4);
      }
      int length = from.u8();
      if (length > bits) {
        throw new MalformedAttribute("prefix length " + length + " exceeds " + bits);
      }
      from.skip(length + 7 >>> 3);
      count++;
    }
    from.position(start);
    return count;
  }

  private static void ipv4(OctetReader from, boolean ids, Nlri.Builder into)
      throws MalformedAttribute {
    while (from.hasMore()) {
      int pathId = ids ? from.u32() : 0;
      int length = from.u8();
      long address = masked(from.leading(length + 7 >>> 3), length) >>> 32;
      into.add(address, 0, length, pathId);
    }
  }

  private static void ipv6(OctetReader from, boolean ids, Nlri.Builder into)
      throws MalformedAttribute {
    while (from.hasMore()) {
      int pathId = ids ? from.u32() : 0;
      int length = from.u8();
      int octets = length + 7 >>> 3;
      long high = from.leading(Math.min(octets, 8));
      long low = from.leading(Math.max(octets - 8, 0));
      into.add(
          masked(high, Math.min(length, 64)),
          masked(low, Math.max(length - 64, 0)),
          length,
          pathId);
    }
  }

  private static long masked(long value, int bits) {
    return bits == 0 ? 0 : value & -1L << (64 - bits);
  }
}
