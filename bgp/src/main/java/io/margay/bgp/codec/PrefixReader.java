package io.margay.bgp.codec;

import io.margay.bgp.message.Nlri;
import io.margay.model.net.IpFamily;

/// Prefixes as length and the octets that matter (RFC 4271 §4.3), each behind its path identifier
/// where that is agreed (RFC 7911 §3).
final class PrefixReader {

  private static final int PATH_ID_OCTETS = 4;
  private static final int IPV4_OCTETS = 4;

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

  /// Walks over the prefixes once, to reserve exactly what they take. This loop and that of IPv4
  /// run for every route, so they go by the array.
  private static int count(OctetReader from, int bits, boolean ids) throws MalformedAttribute {
    byte[] octets = from.octets();
    int end = from.limit();
    int header = ids ? PATH_ID_OCTETS + 1 : 1;
    int count = 0;
    int at = from.position();
    while (at < end) {
      if (header > end - at) {
        throw new MalformedAttribute("path identifier is cut short");
      }
      int length = octets[at + header - 1] & 0xff;
      if (length > bits) {
        throw new MalformedAttribute("prefix length " + length + " exceeds " + bits);
      }
      at += header + (length + 7 >>> 3);
      if (at > end) {
        throw new MalformedAttribute("prefix runs over the end of its field");
      }
      count++;
    }
    return count;
  }

  private static void ipv4(OctetReader from, boolean ids, Nlri.Builder into)
      throws MalformedAttribute {
    byte[] octets = from.octets();
    // Up to here four octets of address can be read whatever the length: those too many are masked.
    int easy = Math.min(from.limit(), octets.length - IPV4_OCTETS);
    int at = from.position();
    while (!ids && at < easy) {
      int length = octets[at] & 0xff;
      long address =
          (octets[at + 1] & 0xffL) << 24
              | (octets[at + 2] & 0xff) << 16
              | (octets[at + 3] & 0xff) << 8
              | octets[at + 4] & 0xff;
      into.add(address & -1L << (Integer.SIZE - length), 0, length);
      at += 1 + (length + 7 >>> 3);
    }
    from.position(at);
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
