package io.margay.linux.netlink;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/// Writes one [NetlinkMessage]: first the fields of the family header, then attributes. Integers
/// are in the machine's byte order unless the method says `be`.
public final class MessageBuilder {

  /// An attribute's length field has 16 bits and counts its own header of 4.
  public static final int MAX_ATTRIBUTE_OCTETS = 0xffff - 4;

  private static final int NESTED = 0x8000;

  private final int type;
  private final int flags;
  private final String operation;
  private final Object object;
  private byte[] bytes = new byte[96];
  private int length;

  /// @param type the message type, e.g. RTM_NEWROUTE
  /// @param flags CREATE, EXCL, REPLACE, APPEND of [NetlinkMessage]
  /// @param operation what the message does, for error texts: `replace route`
  /// @param object what it does it to; `toString` is called only on failure
  public MessageBuilder(int type, int flags, String operation, Object object) {
    this.type = type;
    this.flags = flags;
    this.operation = operation;
    this.object = object;
  }

  public MessageBuilder u8(int value) {
    room(1);
    bytes[length++] = (byte) value;
    return this;
  }

  public MessageBuilder u16(int value) {
    room(Short.BYTES);
    Attributes.SHORT.set(bytes, length, (short) value);
    length += Short.BYTES;
    return this;
  }

  public MessageBuilder be16(int value) {
    return u8(value >>> 8).u8(value);
  }

  public MessageBuilder u32(int value) {
    room(Integer.BYTES);
    Attributes.INT.set(bytes, length, value);
    length += Integer.BYTES;
    return this;
  }

  public MessageBuilder octets(byte[] value) {
    room(value.length);
    System.arraycopy(value, 0, bytes, length, value.length);
    length += value.length;
    return this;
  }

  /// Zero octets up to the next multiple of four.
  public MessageBuilder pad() {
    int padded = Attributes.align(length);
    room(padded - length);
    length = padded;
    return this;
  }

  public MessageBuilder attr(int attribute, byte[] value) {
    if (value.length > MAX_ATTRIBUTE_OCTETS) {
      throw new IllegalArgumentException(
          operation
              + " "
              + object
              + ": attribute "
              + attribute
              + " has "
              + value.length
              + " octets");
    }
    return pad().u16(4 + value.length).u16(attribute).octets(value).pad();
  }

  /// An attribute whose presence is its value.
  public MessageBuilder attrFlag(int attribute) {
    return pad().u16(4).u16(attribute);
  }

  public MessageBuilder attrU8(int attribute, int value) {
    return pad().u16(5).u16(attribute).u8(value).pad();
  }

  public MessageBuilder attrU16(int attribute, int value) {
    return pad().u16(6).u16(attribute).u16(value).pad();
  }

  public MessageBuilder attrBe16(int attribute, int value) {
    return pad().u16(6).u16(attribute).be16(value).pad();
  }

  public MessageBuilder attrU32(int attribute, int value) {
    return pad().u16(8).u16(attribute).u32(value);
  }

  public MessageBuilder attrBe32(int attribute, int value) {
    return pad().u16(8).u16(attribute).be16(value >>> 16).be16(value);
  }

  public MessageBuilder attrU64(int attribute, long value) {
    pad().u16(12).u16(attribute);
    room(Long.BYTES);
    Attributes.LONG.set(bytes, length, value);
    length += Long.BYTES;
    return this;
  }

  public MessageBuilder attrBe64(int attribute, long value) {
    pad().u16(12).u16(attribute);
    return be16((int) (value >>> 48))
        .be16((int) (value >>> 32))
        .be16((int) (value >>> 16))
        .be16((int) value);
  }

  /// A text with its terminating zero (NLA_NUL_STRING).
  public MessageBuilder attrString(int attribute, String value) {
    byte[] octets = value.getBytes(StandardCharsets.UTF_8);
    return attr(attribute, Arrays.copyOf(octets, octets.length + 1));
  }

  /// An attribute made of attributes, marked NLA_F_NESTED.
  public MessageBuilder nest(int attribute, Consumer<MessageBuilder> body) {
    return container(attribute | NESTED, body);
  }

  /// An attribute with inner structure but without NLA_F_NESTED, as old rtnetlink ones are
  /// (RTA_MULTIPATH, VETH_INFO_PEER).
  public MessageBuilder container(int attribute, Consumer<MessageBuilder> body) {
    pad();
    int start = length;
    u16(0).u16(attribute);
    body.accept(this);
    closeLength(start);
    return pad();
  }

  /// A structure that starts with its own 16-bit length, like `struct rtnexthop`.
  public MessageBuilder sized(Consumer<MessageBuilder> body) {
    pad();
    int start = length;
    u16(0);
    body.accept(this);
    closeLength(start);
    return pad();
  }

  private void closeLength(int start) {
    int size = length - start;
    if (size > 0xffff) {
      throw new IllegalArgumentException(
          operation + " " + object + ": a nest has " + size + " octets; split it");
    }
    Attributes.SHORT.set(bytes, start, (short) size);
  }

  /// Octets written so far, to keep a nest below its limit.
  public int length() {
    return length;
  }

  public NetlinkMessage build() {
    pad();
    return new NetlinkMessage(type, flags, Arrays.copyOf(bytes, length), operation, object);
  }

  private void room(int octets) {
    if (bytes.length - length < octets) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + octets));
    }
  }
}
