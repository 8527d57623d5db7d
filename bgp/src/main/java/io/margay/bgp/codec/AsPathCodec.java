package io.margay.bgp.codec;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.AsPath.Kind;
import io.margay.bgp.message.AsPath.Segment;
import io.margay.model.net.Asn;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;

/// AS paths of 2- and 4-octet numbers, and their reconciliation (RFC 6793).
final class AsPathCodec {

  private AsPathCodec() {}

  static AsPath read(ByteBuf value, boolean fourOctets, boolean confederationsAllowed)
      throws MalformedAttribute {
    int width = fourOctets ? 4 : 2;
    AsPath.Builder path = AsPath.builder();
    while (value.isReadable()) {
      if (value.readableBytes() < 2) {
        throw new MalformedAttribute("segment header is cut short");
      }
      int wireKind = value.readUnsignedByte();
      Kind kind = Kind.ofWire(wireKind).orElse(null);
      int count = value.readUnsignedByte();
      if (kind == null) {
        throw new MalformedAttribute("segment type " + wireKind + " is unknown");
      }
      if (kind.isConfederation() && !confederationsAllowed) {
        throw new MalformedAttribute("confederation segment from another AS");
      }
      if (count == 0 || value.readableBytes() < count * width) {
        throw new MalformedAttribute("segment of " + count + " ASes does not fit");
      }
      path.begin(kind);
      for (int i = 0; i < count; i++) {
        int asn = fourOctets ? value.readInt() : value.readUnsignedShort();
        if (asn == 0) {
          // RFC 7607 §2: an UPDATE with AS 0 in AS_PATH is malformed.
          throw new MalformedAttribute("AS 0 in the path");
        }
        path.add(asn);
      }
    }
    return path.build();
  }

  static void write(AsPath path, boolean fourOctets, OctetWriter to) {
    int words = path.wordCount();
    for (int at = 0; at < words; ) {
      int head = path.word(at);
      int count = head & 0xff;
      to.u8(head >>> 8);
      to.u8(count);
      for (int i = 1; i <= count; i++) {
        int asn = path.word(at + i);
        if (fourOctets) {
          to.u32(asn);
        } else {
          to.u16(asn >>> Short.SIZE == 0 ? asn : Asn.TRANS.value());
        }
      }
      at += 1 + count;
    }
  }

  /// The true path a 2-octet neighbour sent in two halves (RFC 6793 §4.2.3): the leading ASes that
  /// AS4_PATH does not cover, then AS4_PATH.
  static AsPath merge(AsPath path, AsPath as4) {
    AsPath tail = as4.withoutConfederations();
    int surplus = path.hops() - tail.hops();
    if (surplus < 0) {
      // "If the number of AS numbers in the AS_PATH attribute is less than the number of AS numbers
      // in the AS4_PATH attribute, then the AS4_PATH attribute SHALL be ignored"
      return path;
    }
    List<Segment> merged = new ArrayList<>();
    for (Segment segment : path.segments()) {
      if (surplus == 0 && !segment.kind().isConfederation()) {
        break;
      }
      switch (segment.kind()) {
        case CONFED_SEQUENCE, CONFED_SET -> merged.add(segment);
        case SET -> {
          merged.add(segment);
          surplus--;
        }
        case SEQUENCE -> {
          int take = Math.min(surplus, segment.asns().size());
          merged.add(new Segment(Kind.SEQUENCE, segment.asns().subList(0, take)));
          surplus -= take;
        }
      }
    }
    for (Segment segment : tail.segments()) {
      Segment last = merged.isEmpty() ? null : merged.getLast();
      if (last != null
          && last.kind() == Kind.SEQUENCE
          && segment.kind() == Kind.SEQUENCE
          && last.asns().size() + segment.asns().size() <= Segment.MAX_ASNS) {
        List<Asn> joined = new ArrayList<>(last.asns());
        joined.addAll(segment.asns());
        merged.set(merged.size() - 1, new Segment(Kind.SEQUENCE, joined));
      } else {
        merged.add(segment);
      }
    }
    return new AsPath(merged);
  }
}
