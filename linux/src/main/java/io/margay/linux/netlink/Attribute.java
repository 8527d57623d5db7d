package io.margay.linux.netlink;

import io.margay.linux.NetlinkException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// One attribute of a received message. Every reader checks the length and fails with a
/// [NetlinkException] on a short one.
public final class Attribute {

  private final int type;
  private final byte[] bytes;
  private final int offset;
  private final int length;
  private final NetlinkMessage message;

  Attribute(int type, byte[] bytes, int offset, int length, NetlinkMessage message) {
    this.type = type;
    this.bytes = bytes;
    this.offset = offset;
    this.length = length;
    this.message = message;
  }

  /// The type without the NESTED and NET_BYTEORDER bits.
  public int type() {
    return type;
  }

  /// Octets of the value.
  public int length() {
    return length;
  }

  public int u8() throws NetlinkException {
    return u8(0);
  }

  public int u16() throws NetlinkException {
    return u16(0);
  }

  /// The 8 bits at `at` of a structured value.
  public int u8(int at) throws NetlinkException {
    require(at + 1);
    return bytes[offset + at] & 0xff;
  }

  /// The 16 bits at `at` of a structured value.
  public int u16(int at) throws NetlinkException {
    require(at + Short.BYTES);
    return (short) Attributes.SHORT.get(bytes, offset + at) & 0xffff;
  }

  /// The 32 bits at `at` of a structured value.
  public int u32(int at) throws NetlinkException {
    require(at + Integer.BYTES);
    return (int) Attributes.INT.get(bytes, offset + at);
  }

  public int be16() throws NetlinkException {
    require(Short.BYTES);
    return (bytes[offset] & 0xff) << 8 | bytes[offset + 1] & 0xff;
  }

  public int u32() throws NetlinkException {
    return u32(0);
  }

  public int be32() throws NetlinkException {
    require(Integer.BYTES);
    return (int) big(Integer.BYTES);
  }

  public long u64() throws NetlinkException {
    require(Long.BYTES);
    return (long) Attributes.LONG.get(bytes, offset);
  }

  public long be64() throws NetlinkException {
    require(Long.BYTES);
    return big(Long.BYTES);
  }

  private long big(int octets) {
    long value = 0;
    for (int i = 0; i < octets; i++) {
      value = value << 8 | bytes[offset + i] & 0xff;
    }
    return value;
  }

  /// The text up to its first zero or the attribute's end.
  public String string() {
    int end = offset;
    while (end < offset + length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, offset, end - offset, StandardCharsets.UTF_8);
  }

  /// The value, a fresh array.
  public byte[] bytes() {
    return Arrays.copyOfRange(bytes, offset, offset + length);
  }

  /// The attributes inside this one.
  public Attributes nested() throws NetlinkException {
    return nested(0, length);
  }

  /// The attributes between two offsets of this one's value, for those that hold structures.
  public Attributes nested(int from, int to) throws NetlinkException {
    require(to);
    if (from < 0 || from > to) {
      throw message.malformed("has a structure of " + (to - from) + " octets in attribute " + type);
    }
    return Attributes.parse(bytes, offset + from, offset + to, message);
  }

  private void require(int octets) throws NetlinkException {
    if (length < octets) {
      throw message.malformed(
          "has an attribute " + type + " of " + length + " octets; " + octets + " are needed");
    }
  }
}
