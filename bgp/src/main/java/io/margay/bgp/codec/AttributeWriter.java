package io.margay.bgp.codec;

import static io.margay.bgp.codec.AttributeType.Flags.EXTENDED_LENGTH;
import static io.margay.bgp.codec.AttributeType.Flags.OPTIONAL;
import static io.margay.bgp.codec.AttributeType.Flags.OPTIONAL_TRANSITIVE;
import static io.margay.bgp.codec.AttributeType.Flags.PARTIAL;
import static io.margay.bgp.codec.AttributeType.Flags.WELL_KNOWN;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.PathAttribute.Aggregator;
import io.margay.bgp.message.PathAttribute.ClusterList;
import io.margay.bgp.message.PathAttribute.Communities;
import io.margay.bgp.message.PathAttribute.ExtendedCommunities;
import io.margay.bgp.message.PathAttribute.LargeCommunities;
import io.margay.bgp.message.PathAttribute.Unrecognized;
import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.Asn;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.RouterId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Writes a route's attributes: ascending by type code, flags exact, Partial as it was received,
/// nothing empty, the extended length only where it is needed.
///
/// Straight-line code instead of a table of encoders: a full table is written in more than a
/// hundred thousand sets.
final class AttributeWriter {

  private AttributeWriter() {}

  /// ORIGIN and AS_PATH are always written: every announcement must have them (RFC 4271 §5).
  ///
  /// @param nextHop NEXT_HOP; null if MP_REACH_NLRI has it
  static void write(
      PathAttributes attributes,
      @Nullable Ipv4Address nextHop,
      boolean fourOctetAs,
      OctetWriter to) {
    List<Unrecognized> unrecognized = attributes.unrecognized();
    int passed = 0;
    header(WELL_KNOWN, 1, 1, to);
    to.u8(attributes.origin().wireValue());
    AsPath path = attributes.asPath();
    header(WELL_KNOWN, 2, path.octets(fourOctetAs ? 4 : 2), to);
    AsPathCodec.write(path, fourOctetAs, to);
    if (nextHop != null) {
      header(WELL_KNOWN, 3, 4, to);
      to.u32(nextHop.value());
    }
    if (attributes.hasMed()) {
      header(OPTIONAL, 4, 4, to);
      to.u32((int) attributes.med());
    }
    if (attributes.hasLocalPref()) {
      header(WELL_KNOWN, 5, 4, to);
      to.u32((int) attributes.localPref());
    }
    if (attributes.atomicAggregate()) {
      header(WELL_KNOWN, 6, 0, to);
    }
    Aggregator aggregator = attributes.aggregator();
    if (aggregator != null) {
      header(transitive(attributes, 7), 7, fourOctetAs ? 8 : 6, to);
      asn(aggregator.asn(), fourOctetAs, to);
      to.u32(aggregator.speaker().value());
    }
    Communities communities = attributes.communities();
    if (!communities.isEmpty()) {
      header(transitive(attributes, 8), 8, 4 * communities.size(), to);
      for (int i = 0; i < communities.size(); i++) {
        to.u32(communities.value(i));
      }
    }
    RouterId originator = attributes.originatorId();
    if (originator != null) {
      header(OPTIONAL, 9, 4, to);
      to.u32(originator.value());
    }
    ClusterList clusters = attributes.clusterList();
    if (!clusters.isEmpty()) {
      header(OPTIONAL, 10, 4 * clusters.size(), to);
      for (int i = 0; i < clusters.size(); i++) {
        to.u32(clusters.value(i));
      }
    }
    passed = unrecognizedBelow(16, unrecognized, passed, to);
    ExtendedCommunities extended = attributes.extendedCommunities();
    if (!extended.isEmpty()) {
      header(transitive(attributes, 16), 16, 8 * extended.size(), to);
      for (int i = 0; i < extended.size(); i++) {
        to.u64(extended.value(i));
      }
    }
    if (!fourOctetAs) {
      as4(path, aggregator, to);
    }
    passed = unrecognizedBelow(32, unrecognized, passed, to);
    LargeCommunities large = attributes.largeCommunities();
    if (!large.isEmpty()) {
      header(transitive(attributes, 32), 32, 12 * large.size(), to);
      for (int i = 0; i < 3 * large.size(); i++) {
        to.u32(large.word(i));
      }
    }
    unrecognizedBelow(Integer.MAX_VALUE, unrecognized, passed, to);
  }

  /// A 2-octet peer gets as AS4 attributes what its AS_PATH and AGGREGATOR cannot hold (RFC 6793
  /// §4.2.2).
  private static void as4(AsPath path, @Nullable Aggregator aggregator, OctetWriter to) {
    if (path.hasFourOctetAs()) {
      // RFC 6793 §3: AS4_PATH never has confederation segments.
      AsPath whole = path.withoutConfederations();
      if (!whole.isEmpty()) {
        header(OPTIONAL_TRANSITIVE, 17, whole.octets(4), to);
        AsPathCodec.write(whole, true, to);
      }
    }
    if (aggregator != null && !aggregator.asn().isTwoOctet()) {
      header(OPTIONAL_TRANSITIVE, 18, 8, to);
      to.u32(aggregator.asn().value());
      to.u32(aggregator.speaker().value());
    }
  }

  private static int unrecognizedBelow(
      int code, List<Unrecognized> unrecognized, int passed, OctetWriter to) {
    int next = passed;
    while (next < unrecognized.size() && unrecognized.get(next).code() < code) {
      Unrecognized one = unrecognized.get(next);
      header(one.flags(), one.code(), one.value().length(), to);
      to.bytes(one.value().toBytes());
      next++;
    }
    return next;
  }

  private static int transitive(PathAttributes attributes, int code) {
    return attributes.isPartial(code) ? OPTIONAL_TRANSITIVE | PARTIAL : OPTIONAL_TRANSITIVE;
  }

  static void header(int flags, int code, int length, OctetWriter to) {
    if (length > 0xff) {
      to.u8(flags | EXTENDED_LENGTH);
      to.u8(code);
      to.u16(length);
    } else {
      to.u8(flags);
      to.u8(code);
      to.u8(length);
    }
  }

  private static void asn(Asn asn, boolean fourOctets, OctetWriter to) {
    if (fourOctets) {
      to.u32(asn.value());
    } else {
      to.u16((asn.isTwoOctet() ? asn : Asn.TRANS).value());
    }
  }
}
