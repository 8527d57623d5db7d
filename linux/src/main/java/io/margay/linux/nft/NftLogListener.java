package io.margay.linux.nft;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Takes the packets that rules log to one group (linux/netfilter/nfnetlink_log.h). A group has one
/// listener in a namespace at a time; without one, what is logged to it is dropped by the kernel.
public final class NftLogListener implements AutoCloseable {

  /// NFNL_SUBSYS_ULOG.
  private static final int SUBSYSTEM = 4;

  private static final int PACKET = 0;
  private static final int CONFIGURE = 1;
  private static final int CFG_COMMAND = 1;
  private static final int CFG_MODE = 2;
  private static final int CFG_QUEUE_THRESHOLD = 5;
  private static final byte BIND = 1;
  private static final byte COPY_PACKET = 2;

  private static final int NLMSG_ERROR = 2;
  private static final int IN_INTERFACE = 4;
  private static final int OUT_INTERFACE = 5;
  private static final int PAYLOAD = 9;
  private static final int PREFIX = 10;

  /// What the kernel may copy of each packet, unless a rule says less.
  private static final int COPY_OCTETS = 256;

  private final int socket;
  private final NativeBuffer buffer = NativeBuffer.allocate(NftSocket.DATAGRAM_OCTETS);
  private boolean closed;

  private NftLogListener(int socket) {
    this.socket = socket;
  }

  /// Listens to the group in the calling thread's namespace.
  ///
  /// @throws NftException with EPERM if somebody else listens to it
  public static NftLogListener open(int group) throws NftException {
    try {
      NftLogListener listener = new NftLogListener(NftSocket.descriptor());
      try {
        listener.configure(group);
        return listener;
      } catch (LinuxException failed) {
        listener.close();
        throw failed;
      }
    } catch (LinuxException failed) {
      throw new NftException(
          "cannot listen to log group " + group + ": " + failed.getMessage(),
          failed.errno().code(),
          failed);
    }
  }

  private void configure(int group) throws LinuxException {
    AttributeWriter out = new AttributeWriter();
    int type = SUBSYSTEM << 8 | CONFIGURE;
    int bind = out.beginMessage(type, NftBatch.REQUEST | NftBatch.ACK, 1, 0, group);
    out.attribute(CFG_COMMAND, new byte[] {BIND});
    out.endMessage(bind);
    exchange(out, group);
    out = new AttributeWriter();
    int mode = out.beginMessage(type, NftBatch.REQUEST | NftBatch.ACK, 2, 0, group);
    // struct nfulnl_msg_config_mode: be32 copy_range, u8 copy_mode, u8 padding.
    out.attribute(CFG_MODE, new byte[] {0, 0, COPY_OCTETS >>> 8, 0, COPY_PACKET, 0});
    out.be32(CFG_QUEUE_THRESHOLD, 1);
    out.endMessage(mode);
    exchange(out, group);
  }

  private void exchange(AttributeWriter out, int group) throws LinuxException {
    byte[] octets = out.toBytes();
    buffer.bytes().put(0, octets);
    LibC.send(socket, buffer, octets.length, 0);
    while (true) {
      LibC.recv(socket, buffer, LibC.MSG_DONTWAIT);
      if (buffer.bytes().getShort(4) == NLMSG_ERROR) {
        int error = -buffer.bytes().getInt(NftSocket.NLMSG_HEADER_OCTETS);
        if (error != 0) {
          throw new LinuxException("configure", "log group " + group, new Errno(error));
        }
        return;
      }
    }
  }

  /// The packets that have come, after waiting for the first of them.
  ///
  /// @return empty if none came in the time
  public List<NftLogEntry> take(Duration limit) throws NftException {
    List<NftLogEntry> entries = new ArrayList<>();
    try {
      if (LibC.pollReadable(Math.toIntExact(limit.toMillis()), socket) < 0) {
        return entries;
      }
      while (true) {
        int length = LibC.recv(socket, buffer, LibC.MSG_DONTWAIT | LibC.MSG_TRUNC);
        decode(buffer.bytes(), Math.min(length, buffer.size()), entries);
      }
    } catch (LinuxException failed) {
      // ENOBUFS: some were lost, as under load they may be.
      if (failed.is(Errno.EAGAIN) || failed.is(Errno.ENOBUFS)) {
        return entries;
      }
      throw new NftException(
          "taking logged packets: " + failed.getMessage(), failed.errno().code(), failed);
    }
  }

  private static void decode(ByteBuffer in, int end, List<NftLogEntry> entries) {
    int length;
    for (int at = 0; at + AttributeWriter.HEADER_OCTETS <= end; at += NftData.padded(length)) {
      length = in.getInt(at);
      if (length < AttributeWriter.HEADER_OCTETS || at + length > end) {
        return;
      }
      if (Short.toUnsignedInt(in.getShort(at + 4)) == (SUBSYSTEM << 8 | PACKET)) {
        entries.add(
            entry(new AttributeReader(in, at + AttributeWriter.HEADER_OCTETS, at + length)));
      }
    }
  }

  private static NftLogEntry entry(AttributeReader in) {
    String prefix = "";
    int inInterface = 0;
    int outInterface = 0;
    NftData packet = NftData.of(new byte[0]);
    while (in.next()) {
      switch (in.type()) {
        case IN_INTERFACE -> inInterface = in.be32();
        case OUT_INTERFACE -> outInterface = in.be32();
        case PAYLOAD -> packet = in.data();
        case PREFIX -> prefix = in.text();
        default -> {}
      }
    }
    return new NftLogEntry(prefix, inInterface, outInterface, packet);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      LibC.close(socket);
    }
  }
}
