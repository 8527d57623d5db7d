package io.margay.bgp.codec;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.PathAttribute.Aggregator;
import io.margay.bgp.message.PathAttribute.As4Aggregator;
import io.margay.bgp.message.PathAttribute.ClusterList;
import io.margay.bgp.message.PathAttribute.Communities;
import io.margay.bgp.message.PathAttribute.ExtendedCommunities;
import io.margay.bgp.message.PathAttribute.LargeCommunities;
import io.margay.bgp.message.PathAttribute.MpReach;
import io.margay.bgp.message.PathAttribute.MpUnreach;
import io.margay.bgp.message.PathAttribute.OriginCode;
import io.margay.bgp.message.PathAttribute.Unrecognized;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.margay.model.net.RouterId;
import org.jspecify.annotations.Nullable;

/// The values of attributes, each read up to the reader's limit.
final class AttributeReader {

  private static final int IPV4_OCTETS = 4;
  private static final int IPV6_OCTETS = 16;

  private AttributeReader() {}

  /// @throws MalformedAttribute when another number of octets is there
  static void exactly(OctetReader from, int octets) throws MalformedAttribute {
    if (from.remaining() != octets) {
      throw new MalformedAttribute(from.remaining() + " octets where " + octets + " belong");
    }
  }

  static OriginCode origin(OctetReader from) throws MalformedAttribute {
    int code = from.u8();
    return switch (code) {
      case 0 -> OriginCode.IGP;
      case 1 -> OriginCode.EGP;
      case 2 -> OriginCode.INCOMPLETE;
      default -> throw new MalformedAttribute("origin " + code + " is undefined");
    };
  }

  /// RFC 7606 §7.7: the length depends on the width of AS numbers.
  static Aggregator aggregator(OctetReader from, boolean fourOctetAs) throws MalformedAttribute {
    exactly(from, fourOctetAs ? 8 : 6);
    int asn = fourOctetAs ? from.u32() : from.u16();
    Ipv4Address speaker = new Ipv4Address(from.u32());
    return new Aggregator(real(asn), speaker);
  }

  static As4Aggregator as4Aggregator(OctetReader from) throws MalformedAttribute {
    exactly(from, 8);
    int asn = from.u32();
    Ipv4Address speaker = new Ipv4Address(from.u32());
    return new As4Aggregator(real(asn), speaker);
  }

  /// RFC 7607 §2: AS 0 aggregates nothing.
  private static Asn real(int asn) throws MalformedAttribute {
    if (asn == 0) {
      throw new MalformedAttribute("AS 0 as aggregator");
    }
    return new Asn(asn);
  }

  static AsPath as4Path(OctetReader from) throws MalformedAttribute {
    if (!from.hasMore()) {
      // RFC 6793 §6: too small to carry at least one AS number.
      throw new MalformedAttribute("no AS in it");
    }
    return AsPathCodec.read(from, true, true);
  }

  static Communities communities(OctetReader from) throws MalformedAttribute {
    return Communities.ofValues(words(from, 4));
  }

  static ClusterList clusterList(OctetReader from) throws MalformedAttribute {
    return ClusterList.ofValues(words(from, 4));
  }

  static LargeCommunities largeCommunities(OctetReader from) throws MalformedAttribute {
    return LargeCommunities.ofValues(words(from, 12));
  }

  static ExtendedCommunities extendedCommunities(OctetReader from) throws MalformedAttribute {
    long[] values = new long[elements(from, 8)];
    for (int i = 0; i < values.length; i++) {
      values[i] = from.u64();
    }
    return ExtendedCommunities.ofValues(values);
  }

  private static int[] words(OctetReader from, int size) throws MalformedAttribute {
    int[] words = new int[elements(from, size) * size / 4];
    for (int i = 0; i < words.length; i++) {
      words[i] = from.u32();
    }
    return words;
  }

  /// The number of elements of a list that must have some (RFC 7606 §7.8, §7.10, §7.14, RFC 8092
  /// §5).
  private static int elements(OctetReader from, int size) throws MalformedAttribute {
    int octets = from.remaining();
    if (octets == 0 || octets % size != 0) {
      throw new MalformedAttribute(octets + " octets are not a list of " + size + " each");
    }
    return octets / size;
  }

  static RouterId originatorId(OctetReader from) throws MalformedAttribute {
    int id = from.u32();
    if (id == 0) {
      // RFC 6286 §2.1: no speaker has this identifier.
      throw new MalformedAttribute("originator 0.0.0.0");
    }
    return new RouterId(id);
  }

  static Unrecognized onlyToCustomer(OctetReader from) throws MalformedAttribute {
    exactly(from, 4);
    Unrecognized whole =
        new Unrecognized(
            AttributeType.Flags.OPTIONAL_TRANSITIVE | AttributeType.Flags.PARTIAL,
            AttributeType.ONLY_TO_CUSTOMER.code(),
            from.between(from.position(), from.limit()));
    if (from.u32() == 0) {
      throw new MalformedAttribute("AS 0");
    }
    return whole;
  }

  /// MP_REACH_NLRI (RFC 4760 §3).
  ///
  /// @return null when it announces routes of a family that is not exchanged: they are not read. An
  ///   empty list when it announces nothing
  static @Nullable MpReach mpReach(OctetReader from, CodecContext context)
      throws MalformedAttribute {
    AfiSafi family = new AfiSafi(from.u16(), from.u8());
    int hopOctets = from.u8();
    if (hopOctets + 1 > from.remaining()) {
      throw new MalformedAttribute("next hop of " + hopOctets + " octets does not fit");
    }
    IpFamily unicast = exchanged(family, context);
    if (unicast == null) {
      from.skip(from.remaining());
      return null;
    }
    boolean ipv6Hop = hopOctets == IPV6_OCTETS || hopOctets == 2 * IPV6_OCTETS;
    boolean fits =
        switch (unicast) {
          case IPV4 ->
              hopOctets == IPV4_OCTETS || ipv6Hop && context.extendedNextHop().contains(family);
          case IPV6 -> ipv6Hop;
        };
    if (!fits) {
      // RFC 7606 §7.11: then the routes behind it cannot be located reliably.
      throw new MalformedAttribute("next hop of " + hopOctets + " octets for " + family);
    }
    IpAddress first = ipv6Hop ? ipv6(from) : new Ipv4Address(from.u32());
    IpAddress second = hopOctets == 2 * IPV6_OCTETS ? ipv6(from) : null;
    // The octet in front of the prefixes is reserved and not looked at.
    from.skip(1);
    Nlri nlri = PrefixReader.read(from, unicast, context.addPathReceive().contains(family));
    if (second == null || !second.isLinkLocal()) {
      return new MpReach(family, first, null, nlri);
    }
    // A peer without a global address leaves it out, or puts :: or the link-local one in its place.
    return first.isUnspecified() || first.isLinkLocal()
        ? new MpReach(family, second, null, nlri)
        : new MpReach(family, first, second, nlri);
  }

  private static Ipv6Address ipv6(OctetReader from) throws MalformedAttribute {
    return new Ipv6Address(from.u64(), from.u64());
  }

  /// MP_UNREACH_NLRI (RFC 4760 §4). One of a family that is not exchanged comes back without
  /// prefixes, so that the message does not pass for the IPv4 End-of-RIB.
  static MpUnreach mpUnreach(OctetReader from, CodecContext context) throws MalformedAttribute {
    AfiSafi family = new AfiSafi(from.u16(), from.u8());
    IpFamily unicast = exchanged(family, context);
    if (unicast == null) {
      from.skip(from.remaining());
      return new MpUnreach(family, Nlri.none(family.unicastFamily().orElse(IpFamily.IPV4)));
    }
    return new MpUnreach(
        family, PrefixReader.read(from, unicast, context.addPathReceive().contains(family)));
  }

  private static @Nullable IpFamily exchanged(AfiSafi family, CodecContext context) {
    return context.families().contains(family) ? family.unicastFamily().orElse(null) : null;
  }
}
