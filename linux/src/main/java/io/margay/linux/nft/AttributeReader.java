package io.margay.linux.nft;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// Walks netlink attributes. Trailing octets too short for an attribute end the walk.
final class AttributeReader {

  private static final int TYPE_MASK = 0x3fff;

  private final ByteBuffer buffer;
  private final int end;
  private int at;
  private int type;
  private int valueAt;
  private int valueLength;

  /// @param buffer whose octets `from` to `end` are attributes
  AttributeReader(ByteBuffer buffer, int from, int end) {
    this.buffer = buffer.duplicate().order(ByteOrder.nativeOrder());
    this.at = from;
    this.end = end;
  }

  boolean next() {
    if (at + 4 > end) {
      return false;
    }
    int length = Short.toUnsignedInt(buffer.getShort(at));
    if (length < 4 || at + length > end) {
      return false;
    }
    type = buffer.getShort(at + 2) & TYPE_MASK;
    valueAt = at + 4;
    valueLength = length - 4;
    at += NftData.padded(length);
    return true;
  }

  int type() {
    return type;
  }

  AttributeReader nested() {
    return new AttributeReader(buffer, valueAt, valueAt + valueLength);
  }

  NftData data() {
    return NftData.of(octets());
  }

  private byte[] octets() {
    byte[] octets = new byte[valueLength];
    buffer.get(valueAt, octets);
    return octets;
  }

  int be32() {
    int value = 0;
    for (int i = 0; i < 4 && i < valueLength; i++) {
      value = value << 8 | buffer.get(valueAt + i) & 0xff;
    }
    return value;
  }

  /// A 32-bit number in host order, as netlink's own attributes are.
  int host32() {
    return valueLength < 4 ? 0 : buffer.getInt(valueAt);
  }

  String text() {
    int length = valueLength;
    while (length > 0 && buffer.get(valueAt + length - 1) == 0) {
      length--;
    }
    return new String(octets(), 0, length, StandardCharsets.UTF_8);
  }
}
