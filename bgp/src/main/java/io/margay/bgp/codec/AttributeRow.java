package io.margay.bgp.codec;

import io.margay.bgp.message.PathAttribute;
import io.netty.buffer.ByteBuf;

/// All there is to know of one attribute type.
///
/// @param flags the Optional and Transitive bits it must carry
/// @param onMalformed RFC 7606 §7
/// @param internalOnly whether it is discarded unread when the peer is in another AS
record AttributeRow<A extends PathAttribute>(
    int code,
    String name,
    Class<A> type,
    int flags,
    ErrorAction onMalformed,
    boolean internalOnly,
    Decoder<A> decoder,
    Encoder<A> encoder) {

  static final int OPTIONAL = 0x80;
  static final int TRANSITIVE = 0x40;
  static final int PARTIAL = 0x20;
  static final int EXTENDED_LENGTH = 0x10;

  static final int WELL_KNOWN = TRANSITIVE;
  static final int OPTIONAL_TRANSITIVE = OPTIONAL | TRANSITIVE;

  interface Decoder<A extends PathAttribute> {
    /// @param value exactly the attribute's octets
    A decode(ByteBuf value, CodecContext context) throws MalformedAttribute;
  }

  interface Encoder<A extends PathAttribute> {
    void encode(A attribute, ByteBuf to, CodecContext context);
  }

  /// Partial may accompany optional transitive attributes only (RFC 4271 §4.3).
  boolean flagsFit(int received) {
    if ((received & (OPTIONAL | TRANSITIVE)) != flags) {
      return false;
    }
    return flags == OPTIONAL_TRANSITIVE || (received & PARTIAL) == 0;
  }

  void encodeValue(PathAttribute attribute, ByteBuf to, CodecContext context) {
    encoder.encode(type.cast(attribute), to, context);
  }
}
