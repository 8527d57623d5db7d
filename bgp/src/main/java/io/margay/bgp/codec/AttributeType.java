package io.margay.bgp.codec;

import io.margay.bgp.message.PathAttribute;
import org.jspecify.annotations.Nullable;

/// The known attribute types and what RFC 7606 does about each, ascending by type code. {@link
/// UpdateDecoder} reads their values, {@link AttributeWriter} writes them.
enum AttributeType {
  ORIGIN(1, PathAttribute.Origin.class, Flags.WELL_KNOWN, ErrorAction.WITHDRAW),
  AS_PATH(2, PathAttribute.AsPathAttribute.class, Flags.WELL_KNOWN, ErrorAction.WITHDRAW),
  NEXT_HOP(3, PathAttribute.NextHop.class, Flags.WELL_KNOWN, ErrorAction.WITHDRAW),
  MULTI_EXIT_DISC(4, PathAttribute.MultiExitDisc.class, Flags.OPTIONAL, ErrorAction.WITHDRAW),
  LOCAL_PREF(5, PathAttribute.LocalPref.class, Flags.WELL_KNOWN, ErrorAction.WITHDRAW),
  ATOMIC_AGGREGATE(6, PathAttribute.AtomicAggregate.class, Flags.WELL_KNOWN, ErrorAction.DISCARD),
  AGGREGATOR(7, PathAttribute.Aggregator.class, Flags.OPTIONAL_TRANSITIVE, ErrorAction.DISCARD),
  COMMUNITIES(8, PathAttribute.Communities.class, Flags.OPTIONAL_TRANSITIVE, ErrorAction.WITHDRAW),
  ORIGINATOR_ID(9, PathAttribute.OriginatorId.class, Flags.OPTIONAL, ErrorAction.WITHDRAW),
  CLUSTER_LIST(10, PathAttribute.ClusterList.class, Flags.OPTIONAL, ErrorAction.WITHDRAW),
  MP_REACH_NLRI(14, PathAttribute.MpReach.class, Flags.OPTIONAL, ErrorAction.RESET),
  MP_UNREACH_NLRI(15, PathAttribute.MpUnreach.class, Flags.OPTIONAL, ErrorAction.RESET),
  EXTENDED_COMMUNITIES(
      16, PathAttribute.ExtendedCommunities.class, Flags.OPTIONAL_TRANSITIVE, ErrorAction.WITHDRAW),
  AS4_PATH(17, PathAttribute.As4Path.class, Flags.OPTIONAL_TRANSITIVE, ErrorAction.DISCARD),
  AS4_AGGREGATOR(
      18, PathAttribute.As4Aggregator.class, Flags.OPTIONAL_TRANSITIVE, ErrorAction.DISCARD),
  LARGE_COMMUNITY(
      32, PathAttribute.LargeCommunities.class, Flags.OPTIONAL_TRANSITIVE, ErrorAction.WITHDRAW),
  /// Only looked at, then passed on like one we do not know: RFC 9234 §5 makes it malformed, and
  /// with it the route a leak in disguise.
  ONLY_TO_CUSTOMER(
      35, PathAttribute.Unrecognized.class, Flags.OPTIONAL_TRANSITIVE, ErrorAction.WITHDRAW);

  /// Bits of an attribute's first octet (RFC 4271 §4.3).
  static final class Flags {
    static final int OPTIONAL = 0x80;
    static final int TRANSITIVE = 0x40;
    static final int PARTIAL = 0x20;
    static final int EXTENDED_LENGTH = 0x10;
    static final int WELL_KNOWN = TRANSITIVE;
    static final int OPTIONAL_TRANSITIVE = OPTIONAL | TRANSITIVE;

    private Flags() {}
  }

  private static final @Nullable AttributeType[] BY_CODE = index();

  private final int code;
  private final Class<? extends PathAttribute> holder;
  private final int flags;
  private final ErrorAction onMalformed;

  AttributeType(
      int code, Class<? extends PathAttribute> holder, int flags, ErrorAction onMalformed) {
    this.code = code;
    this.holder = holder;
    this.flags = flags;
    this.onMalformed = onMalformed;
  }

  private static @Nullable AttributeType[] index() {
    @Nullable AttributeType[] byCode = new AttributeType[256];
    for (AttributeType type : values()) {
      byCode[type.code] = type;
    }
    return byCode;
  }

  /// @param code one octet
  static @Nullable AttributeType ofCode(int code) {
    return BY_CODE[code];
  }

  int code() {
    return code;
  }

  Class<? extends PathAttribute> holder() {
    return holder;
  }

  /// RFC 7606 §7.
  ErrorAction onMalformed() {
    return onMalformed;
  }

  /// Discarded unread when the peer is in another AS (RFC 7606 §7.5, §7.9, §7.10).
  boolean isInternal() {
    return this == LOCAL_PREF || this == ORIGINATOR_ID || this == CLUSTER_LIST;
  }

  /// Meaningless from a peer that speaks 4-octet AS numbers (RFC 6793 §4.1).
  boolean isForTwoOctetPeers() {
    return this == AS4_PATH || this == AS4_AGGREGATOR;
  }

  /// Whether the Optional and Transitive bits are as specified, and Partial stands only where it
  /// may: on optional transitive attributes (RFC 4271 §4.3).
  boolean flagsFit(int received) {
    if ((received & (Flags.OPTIONAL | Flags.TRANSITIVE)) != flags) {
      return false;
    }
    return flags == Flags.OPTIONAL_TRANSITIVE || (received & Flags.PARTIAL) == 0;
  }
}
