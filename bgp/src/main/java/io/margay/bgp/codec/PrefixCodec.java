package io.margay.bgp.codec;

import io.margay.bgp.message.Nlri;
import io.margay.model.net.IpFamily;
import io.netty.buffer.ByteBuf;

/// Prefixes as length and the octets that matter (RFC 4271 §4.3).
final class PrefixCodec {

  private PrefixCodec() {}

  /// Reads `from` to its end. Bits beyond the length are ignored, as the RFC says they mean
  /// nothing.
  ///
  /// @throws MalformedAttribute when a length exceeds the family's or the octets run out: then
  ///   nothing after it can be delimited
  static Nlri read(ByteBuf from, IpFamily family) throws MalformedAttribute {
    if (!from.isReadable()) {
      return Nlri.none(family);
    }
    Nlri.Builder prefixes = Nlri.builder(family, Math.min(from.readableBytes() / 2 + 1, 64));
    int bits = family.bits();
    while (from.isReadable()) {
      int length = from.readUnsignedByte();
      if (length > bits) {
        throw new MalformedAttribute("prefix length " + length + " exceeds " + bits);
      }
      int octets = (length + 7) / 8;
      if (from.readableBytes() < octets) {
        throw new MalformedAttribute("prefix runs over the end of its field");
      }
      switch (family) {
        case IPV4 -> prefixes.add(leading(from, octets, length) >>> 32, 0, length);
        case IPV6 -> {
          long high = leading(from, Math.min(octets, 8), Math.min(length, 64));
          long low = leading(from, Math.max(octets - 8, 0), Math.max(length - 64, 0));
          prefixes.add(high, low, length);
        }
      }
    }
    return prefixes.build();
  }

  /// Up to eight octets, left aligned, cleared beyond `bits`.
  private static long leading(ByteBuf from, int octets, int bits) {
    long value = 0;
    for (int i = 0; i < octets; i++) {
      value |= (long) from.readUnsignedByte() << (56 - 8 * i);
    }
    return bits == 0 ? 0 : value & -1L << (64 - bits);
  }

  static void writeAll(Nlri nlri, ByteBuf to) {
    for (int i = 0; i < nlri.size(); i++) {
      write(nlri, i, to);
    }
  }

  static void write(Nlri nlri, int index, ByteBuf to) {
    int length = nlri.length(index);
    int octets = (length + 7) / 8;
    to.writeByte(length);
    switch (nlri.family()) {
      case IPV4 -> writeLeading(nlri.high(index) << 32, octets, to);
      case IPV6 -> {
        writeLeading(nlri.high(index), Math.min(octets, 8), to);
        writeLeading(nlri.low(index), Math.max(octets - 8, 0), to);
      }
    }
  }

  private static void writeLeading(long value, int octets, ByteBuf to) {
    for (int i = 0; i < octets; i++) {
      to.writeByte((int) (value >>> (56 - 8 * i)));
    }
  }
}
