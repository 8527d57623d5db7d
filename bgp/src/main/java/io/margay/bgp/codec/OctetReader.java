package io.margay.bgp.codec;

import io.margay.bgp.message.Octets;
import java.util.Arrays;

/// One received message, read from front to back, high octet first. What would run over the limit
/// is refused before it is touched, so that no length field can lead anywhere.
final class OctetReader {

  private final byte[] octets;
  private final int length;
  private int at;
  private int limit;

  /// @param octets hold the message at their beginning
  /// @param length of the message
  OctetReader(byte[] octets, int length) {
    this.octets = octets;
    this.length = length;
    this.limit = length;
  }

  /// Octets of the whole message.
  int length() {
    return length;
  }

  /// The array the message stands in; it may be longer.
  byte[] octets() {
    return octets;
  }

  int position() {
    return at;
  }

  void position(int to) {
    at = to;
  }

  int limit() {
    return limit;
  }

  /// Makes the next `octets` all there is.
  ///
  /// @return the limit to go back to with {@link #leave(int)}
  int enter(int octets) throws MalformedAttribute {
    need(octets);
    int outer = limit;
    limit = at + octets;
    return outer;
  }

  /// Goes on behind what was {@link #enter entered}, read or not.
  void leave(int outer) {
    at = limit;
    limit = outer;
  }

  int remaining() {
    return limit - at;
  }

  boolean hasMore() {
    return at < limit;
  }

  private void need(int more) throws MalformedAttribute {
    if (more > limit - at) {
      throw new MalformedAttribute(more + " octets where " + (limit - at) + " are left");
    }
  }

  int u8() throws MalformedAttribute {
    need(1);
    return octets[at++] & 0xff;
  }

  int u16() throws MalformedAttribute {
    need(2);
    int value = (octets[at] & 0xff) << 8 | octets[at + 1] & 0xff;
    at += 2;
    return value;
  }

  int u32() throws MalformedAttribute {
    need(4);
    int value =
        octets[at] << 24
            | (octets[at + 1] & 0xff) << 16
            | (octets[at + 2] & 0xff) << 8
            | octets[at + 3] & 0xff;
    at += 4;
    return value;
  }

  long u64() throws MalformedAttribute {
    need(8);
    long high = u32();
    return high << 32 | Integer.toUnsignedLong(u32());
  }

  void skip(int count) throws MalformedAttribute {
    need(count);
    at += count;
  }

  /// Up to eight octets, left aligned.
  long leading(int count) throws MalformedAttribute {
    need(count);
    long value = 0;
    for (int i = 0; i < count; i++) {
      value |= (octets[at + i] & 0xffL) << (56 - 8 * i);
    }
    at += count;
    return value;
  }

  /// A copy of the next octets.
  Octets copy(int count) throws MalformedAttribute {
    need(count);
    Octets copied = between(at, at + count);
    at += count;
    return copied;
  }

  /// A copy of octets read before.
  Octets between(int from, int to) {
    return Octets.of(Arrays.copyOfRange(octets, from, to));
  }

  /// The message's beginning, to be shown.
  Octets sample() {
    return between(0, Math.min(length, DecodeOutcome.Malformed.MAX_SAMPLE_OCTETS));
  }
}
