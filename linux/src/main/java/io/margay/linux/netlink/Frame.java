package io.margay.linux.netlink;

import io.margay.linux.Errno;
import io.margay.linux.NetlinkException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/// One message of a received datagram, header split off.
@SuppressWarnings("ArrayRecordComponent") // never compared; copied out of the receive buffer once
record Frame(int type, int flags, int sequence, byte[] payload) {

  static final int NLMSG_NOOP = 1;
  static final int NLMSG_ERROR = 2;
  static final int NLMSG_DONE = 3;

  private static final int CAPPED = 0x100;
  private static final int ACK_TLVS = 0x200;
  private static final int NLMSGERR_ATTR_MSG = 1;
  private static final int NLMSGERR_ATTR_OFFS = 2;

  /// Splits a datagram.
  ///
  /// @param length its true length; more than the buffer holds means that it was cut
  static List<Frame> parse(ByteBuffer bytes, int length, NetlinkMessage about)
      throws NetlinkException {
    if (length > bytes.capacity()) {
      throw about.malformed("of " + length + " octets exceeds the receive buffer");
    }
    List<Frame> frames = new ArrayList<>();
    int at = 0;
    while (length - at >= NetlinkMessage.HEADER_OCTETS) {
      int size = bytes.getInt(at);
      if (size < NetlinkMessage.HEADER_OCTETS || size > length - at) {
        throw about.malformed("has length " + size + " where " + (length - at) + " octets remain");
      }
      byte[] payload = new byte[size - NetlinkMessage.HEADER_OCTETS];
      bytes.get(at + NetlinkMessage.HEADER_OCTETS, payload);
      int type = bytes.getShort(at + 4) & 0xffff;
      if (type != NLMSG_NOOP) {
        int flags = bytes.getShort(at + 6) & 0xffff;
        frames.add(new Frame(type, flags, bytes.getInt(at + 8), payload));
      }
      at += Attributes.align(size);
    }
    if (at < length) {
      throw about.malformed("ends with " + (length - at) + " stray octets");
    }
    return frames;
  }

  /// The result of an ERROR or DONE frame: 0 or a negative error number.
  int errno() {
    return payload.length < Integer.BYTES ? 0 : (int) Attributes.INT.get(payload, 0);
  }

  NetlinkFailure failure(NetlinkMessage request, int index) throws NetlinkException {
    return new NetlinkFailure(index, request, new Errno(Math.max(1, -errno())), extAck(request));
  }

  /// The kernel's explanation: attributes behind the error number and, in an ERROR frame, the echo
  /// of the request's header (with CAPPED) or of all of it.
  private String extAck(NetlinkMessage request) throws NetlinkException {
    if ((flags & ACK_TLVS) == 0) {
      return "";
    }
    int start = Integer.BYTES;
    if (type == NLMSG_ERROR) {
      if (payload.length < Integer.BYTES + NetlinkMessage.HEADER_OCTETS) {
        return "";
      }
      int echoed = (int) Attributes.INT.get(payload, Integer.BYTES);
      boolean capped = (flags & CAPPED) != 0 || echoed < NetlinkMessage.HEADER_OCTETS;
      start += capped ? NetlinkMessage.HEADER_OCTETS : Attributes.align(echoed);
    }
    if (start < 0 || start > payload.length) {
      return "";
    }
    Attributes attributes = Attributes.parse(payload, start, payload.length, request);
    String text = attributes.string(NLMSGERR_ATTR_MSG, "");
    if (text.isEmpty() && attributes.has(NLMSGERR_ATTR_OFFS)) {
      return "at octet " + attributes.u32(NLMSGERR_ATTR_OFFS, 0);
    }
    return text;
  }

  NetlinkMessage toMessage(NetlinkMessage about) {
    return new NetlinkMessage(type, flags, payload, about.operation(), about.object());
  }
}
