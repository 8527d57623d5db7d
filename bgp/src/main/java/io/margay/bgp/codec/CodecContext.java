package io.margay.bgp.codec;

import io.margay.bgp.message.AfiSafi;
import java.util.Set;

/// What a session agreed on that changes how octets read.
///
/// @param fourOctetAs both ends speak 4-octet AS numbers (RFC 6793)
/// @param internal the peer is in our own AS
/// @param families what may be exchanged; routes of others are ignored
public record CodecContext(boolean fourOctetAs, boolean internal, Set<AfiSafi> families) {

  /// Before the OPENs are exchanged.
  public static final CodecContext INITIAL = new CodecContext(false, false, Set.of());

  public CodecContext {
    families = Set.copyOf(families);
  }
}
