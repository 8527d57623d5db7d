package io.margay.linux.nft;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Appends netlink messages and attributes to a growing array (linux/netlink.h). Lengths and types
/// in host order, payload integers big-endian, as nfnetlink wants them.
final class AttributeWriter {

  /// `struct nlmsghdr` and `struct nfgenmsg`.
  static final int HEADER_OCTETS = 20;

  private static final int NESTED = 0x8000;
  private static final int MAX_ATTRIBUTE_OCTETS = 0xffff;
  private static final int FIRST_CAPACITY = 4096;

  private ByteBuffer buffer = ByteBuffer.allocate(FIRST_CAPACITY).order(ByteOrder.nativeOrder());

  int position() {
    return buffer.position();
  }

  /// Begins a message; the result is for [#endMessage].
  ///
  /// @param resource `nfgenmsg.res_id`
  int beginMessage(int type, int flags, int sequence, int family, int resource) {
    room(HEADER_OCTETS);
    int start = buffer.position();
    buffer.putInt(0).putShort((short) type).putShort((short) flags).putInt(sequence).putInt(0);
    buffer.put((byte) family).put((byte) 0);
    buffer.put((byte) (resource >>> 8)).put((byte) resource);
    return start;
  }

  void endMessage(int start) {
    buffer.putInt(start, buffer.position() - start);
  }

  /// Adds flags to a message begun at `start`.
  void addFlags(int start, int flags) {
    buffer.putShort(start + 6, (short) (buffer.getShort(start + 6) | flags));
  }

  int beginNest(int type) {
    room(4);
    int start = buffer.position();
    buffer.putShort((short) 0).putShort((short) (type | NESTED));
    return start;
  }

  void endNest(int start) {
    int length = buffer.position() - start;
    if (length > MAX_ATTRIBUTE_OCTETS) {
      throw new IllegalStateException(
          "a netlink attribute of " + length + " octets; at most " + MAX_ATTRIBUTE_OCTETS);
    }
    buffer.putShort(start, (short) length);
  }

  void attribute(int type, byte[] value) {
    header(type, value.length);
    buffer.put(value);
    pad(value.length);
  }

  void attribute(int type, NftData value) {
    attribute(type, value.raw());
  }

  void text(int type, String value) {
    byte[] octets = value.getBytes(StandardCharsets.UTF_8);
    header(type, octets.length + 1);
    buffer.put(octets).put((byte) 0);
    pad(octets.length + 1);
  }

  void be16(int type, int value) {
    header(type, 2);
    buffer.put((byte) (value >>> 8)).put((byte) value);
    pad(2);
  }

  void be32(int type, int value) {
    header(type, 4);
    putBigEndian(value);
  }

  void be64(int type, long value) {
    header(type, 8);
    putBigEndian((int) (value >>> 32));
    putBigEndian((int) value);
  }

  private void putBigEndian(int value) {
    buffer
        .put((byte) (value >>> 24))
        .put((byte) (value >>> 16))
        .put((byte) (value >>> 8))
        .put((byte) value);
  }

  private void header(int type, int length) {
    room(NftData.padded(4 + length));
    buffer.putShort((short) (4 + length)).putShort((short) type);
  }

  private void pad(int length) {
    for (int i = length; i < NftData.padded(length); i++) {
      buffer.put((byte) 0);
    }
  }

  private void room(int octets) {
    if (buffer.remaining() < octets) {
      int capacity = Math.max(buffer.capacity() * 2, buffer.position() + octets);
      ByteBuffer larger = ByteBuffer.allocate(capacity).order(ByteOrder.nativeOrder());
      buffer.flip();
      larger.put(buffer);
      buffer = larger;
    }
  }

  /// Appends octets that already are attributes.
  void raw(byte[] attributes) {
    room(attributes.length);
    buffer.put(attributes);
  }

  /// What was written so far, to be read only.
  ByteBuffer buffer() {
    return buffer.duplicate().order(ByteOrder.nativeOrder());
  }

  byte[] toBytes() {
    return Arrays.copyOf(buffer.array(), buffer.position());
  }
}
