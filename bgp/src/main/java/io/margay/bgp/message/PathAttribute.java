package io.margay.bgp.message;

import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One property of a route, or for {@link MpReach} and {@link MpUnreach} of a message.
public sealed interface PathAttribute {

  /// Where the first speaker had the route from (RFC 4271 §5.1.1); the lower code is preferred.
  enum OriginCode {
    IGP(0),
    EGP(1),
    INCOMPLETE(2);

    private final int wireValue;

    OriginCode(int wireValue) {
      this.wireValue = wireValue;
    }

    public int wireValue() {
      return wireValue;
    }
  }

  record Origin(OriginCode origin) implements PathAttribute {}

  /// The ASes a route came through, the nearest first (RFC 4271 §5.1.2).
  record AsPathAttribute(AsPath path) implements PathAttribute {}

  /// The IPv4 next hop (RFC 4271 §5.1.3).
  record NextHop(Ipv4Address address) implements PathAttribute {}

  /// MULTI_EXIT_DISC, unsigned; lower is preferred (RFC 4271 §5.1.4).
  record MultiExitDisc(int value) implements PathAttribute {}

  /// LOCAL_PREF, unsigned; higher is preferred (RFC 4271 §5.1.5).
  record LocalPref(int value) implements PathAttribute {}

  record AtomicAggregate() implements PathAttribute {}

  record Aggregator(Asn asn, Ipv4Address speaker) implements PathAttribute {}

  /// RFC 1997; at least one.
  record Communities(List<Community> communities) implements PathAttribute {
    public Communities {
      communities = List.copyOf(communities);
    }
  }

  /// RFC 4456 §8.
  record OriginatorId(RouterId id) implements PathAttribute {}

  /// RFC 4456 §8; at least one.
  record ClusterList(List<Integer> clusters) implements PathAttribute {
    public ClusterList {
      clusters = List.copyOf(clusters);
    }
  }

  /// Reachable prefixes of one family (RFC 4760 §3).
  ///
  /// @param linkLocal the second next hop of RFC 2545 §3; absent if there is none
  record MpReach(
      AfiSafi family, IpAddress nextHop, @Nullable IpAddress linkLocal, List<Prefix> prefixes)
      implements PathAttribute {
    public MpReach {
      prefixes = List.copyOf(prefixes);
    }
  }

  /// Prefixes of one family no longer reachable (RFC 4760 §4); none: End-of-RIB (RFC 4724 §2).
  record MpUnreach(AfiSafi family, List<Prefix> prefixes) implements PathAttribute {
    public MpUnreach {
      prefixes = List.copyOf(prefixes);
    }
  }

  /// RFC 4360: eight octets each, high octet first; at least one.
  record ExtendedCommunities(List<Long> communities) implements PathAttribute {
    public ExtendedCommunities {
      communities = List.copyOf(communities);
    }
  }

  /// The 4-octet AS_PATH as a 2-octet speaker carries it (RFC 6793 §3).
  record As4Path(AsPath path) implements PathAttribute {}

  record As4Aggregator(Asn asn, Ipv4Address speaker) implements PathAttribute {}

  /// RFC 8092; at least one.
  record LargeCommunities(List<LargeCommunity> communities) implements PathAttribute {
    public LargeCommunities {
      communities = List.copyOf(communities);
    }
  }

  /// An optional transitive attribute we do not know, to be passed on as it came.
  ///
  /// @param flags the first octet without the extended-length bit
  record Unrecognized(int flags, int code, Octets value) implements PathAttribute {}

  /// The type code (RFC 4271 §4.3 and the registry).
  default int code() {
    return switch (this) {
      case Origin _ -> 1;
      case AsPathAttribute _ -> 2;
      case NextHop _ -> 3;
      case MultiExitDisc _ -> 4;
      case LocalPref _ -> 5;
      case AtomicAggregate _ -> 6;
      case Aggregator _ -> 7;
      case Communities _ -> 8;
      case OriginatorId _ -> 9;
      case ClusterList _ -> 10;
      case MpReach _ -> 14;
      case MpUnreach _ -> 15;
      case ExtendedCommunities _ -> 16;
      case As4Path _ -> 17;
      case As4Aggregator _ -> 18;
      case LargeCommunities _ -> 32;
      case Unrecognized(_, int code, _) -> code;
    };
  }
}
