package io.margay.bgp.codec;

import io.margay.bgp.message.AfiSafi;
import java.util.Set;

/// What a session agreed on that changes how octets read.
///
/// @param fourOctetAs both ends speak 4-octet AS numbers (RFC 6793)
/// @param internal the peer is in our own AS
/// @param families what may be exchanged; routes of others are ignored
/// @param addPathReceive families whose prefixes come with path identifiers (RFC 7911 §3)
/// @param addPathSend families whose prefixes we write with path identifiers
/// @param extendedNextHop families whose next hop may be of IPv6 although they are not (RFC 8950)
/// @param maxOctets longest message the peer takes
public record CodecContext(
    boolean fourOctetAs,
    boolean internal,
    Set<AfiSafi> families,
    Set<AfiSafi> addPathReceive,
    Set<AfiSafi> addPathSend,
    Set<AfiSafi> extendedNextHop,
    int maxOctets) {

  /// Before the OPENs are exchanged.
  public static final CodecContext INITIAL = new CodecContext(false, false, Set.of());

  public CodecContext {
    families = Set.copyOf(families);
    addPathReceive = Set.copyOf(addPathReceive);
    addPathSend = Set.copyOf(addPathSend);
    extendedNextHop = Set.copyOf(extendedNextHop);
    if (maxOctets < MessageCodec.HEADER_OCTETS || maxOctets > MessageCodec.MAX_MESSAGE_OCTETS) {
      throw new IllegalArgumentException(
          "a BGP message has 19 to 4096 octets; a limit of " + maxOctets + " makes no sense");
    }
  }

  /// A session without path identifiers and extended next hops.
  public CodecContext(boolean fourOctetAs, boolean internal, Set<AfiSafi> families) {
    this(
        fourOctetAs,
        internal,
        families,
        Set.of(),
        Set.of(),
        Set.of(),
        MessageCodec.MAX_MESSAGE_OCTETS);
  }

  /// The same with path identifiers (RFC 7911 §4).
  public CodecContext withAddPath(Set<AfiSafi> receive, Set<AfiSafi> send) {
    return new CodecContext(
        fourOctetAs, internal, families, receive, send, extendedNextHop, maxOctets);
  }

  /// The same with IPv6 next hops for these families (RFC 8950 §4).
  public CodecContext withExtendedNextHop(Set<AfiSafi> extended) {
    return new CodecContext(
        fourOctetAs, internal, families, addPathReceive, addPathSend, extended, maxOctets);
  }

  /// The same for a peer that takes only shorter messages.
  CodecContext withMaxOctets(int octets) {
    return new CodecContext(
        fourOctetAs, internal, families, addPathReceive, addPathSend, extendedNextHop, octets);
  }
}
