package io.margay.linux.netlink;

import io.margay.linux.Errno;
import io.margay.linux.NetlinkException;

/// One netlink message without its 16-octet header: what is sent (built by [MessageBuilder]) and
/// what comes back.
public final class NetlinkMessage {

  /// Flags of `linux/netlink.h`. REQUEST, ACK and DUMP are added by the socket.
  public static final int REPLACE = 0x100;

  public static final int EXCL = 0x200;
  public static final int CREATE = 0x400;
  public static final int APPEND = 0x800;

  static final int REQUEST = 0x1;
  static final int ACK = 0x4;
  static final int DUMP_INTR = 0x10;
  static final int DUMP = 0x300;

  static final int HEADER_OCTETS = 16;

  private final int type;
  private final int flags;
  private final byte[] payload;
  private final String operation;
  private final Object object;

  NetlinkMessage(int type, int flags, byte[] payload, String operation, Object object) {
    this.type = type;
    this.flags = flags;
    this.payload = payload;
    this.operation = operation;
    this.object = object;
  }

  public int type() {
    return type;
  }

  public int flags() {
    return flags;
  }

  /// What the message does, for error texts: `replace route`.
  public String operation() {
    return operation;
  }

  /// What it does it to; written as text only when it fails.
  public Object object() {
    return object;
  }

  /// The octets after the netlink header: the family's own header, then attributes. A fresh array.
  public byte[] payload() {
    return payload.clone();
  }

  public int length() {
    return payload.length;
  }

  byte[] octets() {
    return payload;
  }

  /// An octet of the family header.
  public int u8(int offset) throws NetlinkException {
    require(offset, 1);
    return payload[offset] & 0xff;
  }

  /// A 16-bit field of the family header in the machine's byte order.
  public int u16(int offset) throws NetlinkException {
    require(offset, Short.BYTES);
    return (short) Attributes.SHORT.get(payload, offset) & 0xffff;
  }

  /// A 32-bit field of the family header in the machine's byte order.
  public int u32(int offset) throws NetlinkException {
    require(offset, Integer.BYTES);
    return (int) Attributes.INT.get(payload, offset);
  }

  /// The attributes behind a family header of `headerOctets`.
  ///
  /// @throws NetlinkException when the message is shorter than its header or an attribute leaves it
  public Attributes attributes(int headerOctets) throws NetlinkException {
    require(0, headerOctets);
    int start = Math.min(Attributes.align(headerOctets), payload.length);
    return Attributes.parse(payload, start, payload.length, this);
  }

  private void require(int offset, int octets) throws NetlinkException {
    if (offset < 0 || payload.length - octets < offset) {
      throw malformed("needs " + (offset + octets) + " octets, has " + payload.length);
    }
  }

  NetlinkException malformed(String how) {
    return new NetlinkException(
        operation, object.toString(), Errno.EBADMSG, "answer of type " + type + " " + how);
  }

  @Override
  public String toString() {
    return operation + " " + object;
  }
}
