package io.margay.bgp.codec;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.AsPath.Kind;
import io.margay.bgp.message.AsPath.Segment;
import io.margay.model.net.Asn;
import java.util.ArrayList;
import java.util.List;

/// AS paths of 2- and 4-octet numbers, and their reconciliation (RFC 6793).
final class AsPathCodec {

  private AsPathCodec() {}

  /// Reads to the limit.
  ///
  /// @param confederations whether their segments may occur (RFC 5065 §5)
  static AsPath read(OctetReader from, boolean fourOctets, boolean confederations)
      throws MalformedAttribute {
    int width = fourOctets ? 4 : 2;
    // One segment is the rule; then this is exactly its room.
    AsPath.Builder path = AsPath.builder((from.remaining() - 2) / width + 1);
    if (!from.hasMore()) {
      return AsPath.EMPTY;
    }
    while (from.hasMore()) {
      if (from.remaining() < 2) {
        throw new MalformedAttribute("segment header is cut short");
      }
      int wireKind = from.u8();
      int count = from.u8();
      Kind kind = Kind.ofWire(wireKind).orElse(null);
      if (kind == null) {
        throw new MalformedAttribute("segment type " + wireKind + " is unknown");
      }
      if (kind.isConfederation() && !confederations) {
        throw new MalformedAttribute("confederation segment from another AS");
      }
      if (count == 0 || from.remaining() < count * width) {
        throw new MalformedAttribute("segment of " + count + " ASes does not fit");
      }
      path.begin(kind);
      for (int i = 0; i < count; i++) {
        int asn = fourOctets ? from.u32() : from.u16();
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
