package io.margay.bgp.codec;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;

/// Prefixes as length and the octets that matter (RFC 4271 §4.3).
final class PrefixCodec {

  private PrefixCodec() {}

  /// Reads `from` to its end. Bits beyond the length are ignored, as the RFC says they mean
  /// nothing.
  ///
  /// @throws MalformedAttribute when a length exceeds the family's or the octets run out: then
  ///   nothing after it can be delimited
  static List<Prefix> read(ByteBuf from, IpFamily family) throws MalformedAttribute {
    List<Prefix> prefixes = new ArrayList<>(Math.min(from.readableBytes() / 2 + 1, 64));
    while (from.isReadable()) {
      int length = from.readUnsignedByte();
      if (length > family.bits()) {
        throw new MalformedAttribute("prefix length " + length + " exceeds " + family.bits());
      }
      int octets = (length + 7) / 8;
      if (from.readableBytes() < octets) {
        throw new MalformedAttribute("prefix runs over the end of its field");
      }
      byte[] address = new byte[family.octets()];
      from.readBytes(address, 0, octets);
      prefixes.add(Prefix.containing(IpAddress.of(address), length));
    }
    return prefixes;
  }

  static void write(Prefix prefix, ByteBuf to) {
    to.writeByte(prefix.length());
    to.writeBytes(prefix.address().toBytes(), 0, (prefix.length() + 7) / 8);
  }

  static void writeAll(List<Prefix> prefixes, ByteBuf to) {
    for (Prefix prefix : prefixes) {
      write(prefix, to);
    }
  }
}
