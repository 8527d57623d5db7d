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

  /// The attribute, to be read later.
  AttributeReader here() {
    AttributeReader copy = new AttributeReader(buffer, at, end);
    copy.type = type;
    copy.valueAt = valueAt;
    copy.valueLength = valueLength;
    return copy;
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

  long be64() {
    long value = 0;
    for (int i = 0; i < 8 && i < valueLength; i++) {
      value = value << 8 | buffer.get(valueAt + i) & 0xff;
    }
    return value;
  }

  /// Where the value begins in the buffer.
  int position() {
    return valueAt;
  }

  int length() {
    return valueLength;
  }

  /// A 32-bit number in host order, as netlink's own attributes are.
  int host32() {
    return valueLength < 4 ? 0 : buffer.getInt(valueAt);
  }

  /// Whether the value is this ASCII text, without making a string of it.
  boolean isText(String text) {
    int length = text.length();
    if (valueLength < length || valueLength > length && buffer.get(valueAt + length) != 0) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      if (buffer.get(valueAt + i) != text.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  String text() {
    int length = valueLength;
    while (length > 0 && buffer.get(valueAt + length - 1) == 0) {
      length--;
    }
    return new String(octets(), 0, length, StandardCharsets.UTF_8);
  }
}
