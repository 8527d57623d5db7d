package io.margay.linux.nft;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One netlink socket of nf_tables: sends batches and questions, and gathers the kernel's answers.
///
/// It is a socket of its own kind, because the acknowledgement of a batch has to be asked of its
/// last real message: kernels before 6.10 never acknowledge BATCH_END.
final class NftSocket implements AutoCloseable {

  private static final int NETLINK_NETFILTER = 12;
  private static final int SOL_NETLINK = 270;
  private static final int NETLINK_CAP_ACK = 10;
  private static final int NETLINK_EXT_ACK = 11;
  private static final int SOCKADDR_NL_OCTETS = 12;
  private static final int PORT_OF_SOCKADDR_NL = 4;

  /// A whole transaction goes in one send; the kernel's default of 208 KiB would not hold a
  /// rebuild.
  private static final int SEND_BUFFER_OCTETS = 64 << 20;

  private static final int RECEIVE_BUFFER_OCTETS = 8 << 20;

  /// More than the 32 KiB the kernel puts into one datagram of a dump.
  static final int DATAGRAM_OCTETS = 256 << 10;

  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(10);

  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  private static final int NLM_F_DUMP_INTR = 0x10;
  private static final int NLM_F_CAPPED = 0x100;
  private static final int NLM_F_ACK_TLVS = 0x200;
  private static final int NLMSGERR_ATTR_MSG = 1;
  private static final int NLMSGERR_ATTR_OFFS = 2;
  static final int NLMSG_HEADER_OCTETS = 16;

  /// Takes the messages of an answer.
  interface Sink {
    /// @param family of the message's nfgenmsg
    void message(int type, int family, AttributeReader attributes);
  }

  /// One refused message.
  ///
  /// @param offset of the attribute at fault, from the message's beginning; 0 if the kernel names
  ///   none
  record Failure(int sequence, int errno, String words, int offset) {}

  private final int socket;
  private final NativeBuffer answer = NativeBuffer.allocate(DATAGRAM_OCTETS);
  private NativeBuffer request = NativeBuffer.allocate(64 << 10);
  private int sequence = 1;
  private boolean closed;

  private NftSocket(int socket) {
    this.socket = socket;
  }

  /// Opens a socket of the calling thread's namespace.
  static NftSocket open() throws LinuxException {
    int socket = descriptor();
    try {
      LibC.setsockopt(socket, LibC.SOL_SOCKET, LibC.SO_SNDBUFFORCE, SEND_BUFFER_OCTETS);
      LibC.setsockopt(socket, SOL_NETLINK, NETLINK_CAP_ACK, 1);
      LibC.setsockopt(socket, SOL_NETLINK, NETLINK_EXT_ACK, 1);
      LibC.receiveTimeout(socket, ANSWER_LIMIT);
      return new NftSocket(socket);
    } catch (LinuxException failed) {
      LibC.close(socket);
      throw failed;
    }
  }

  /// A netfilter socket of the calling thread's namespace with a large receive buffer. It has an
  /// address already: without one it would hear no notification.
  static int descriptor() throws LinuxException {
    int socket = LibC.socket(LibC.AF_NETLINK, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC, NETLINK_NETFILTER);
    try {
      LibC.setsockopt(socket, LibC.SOL_SOCKET, LibC.SO_RCVBUFFORCE, RECEIVE_BUFFER_OCTETS);
      NativeBuffer address = NativeBuffer.allocate(SOCKADDR_NL_OCTETS);
      address.bytes().putShort(0, (short) LibC.AF_NETLINK);
      LibC.bind(socket, address, SOCKADDR_NL_OCTETS);
      return socket;
    } catch (LinuxException failed) {
      LibC.close(socket);
      throw failed;
    }
  }

  /// The socket's address: what the kernel writes into notifications of what it did.
  int port() throws LinuxException {
    NativeBuffer address = NativeBuffer.allocate(SOCKADDR_NL_OCTETS);
    LibC.getsockname(socket, address);
    return address.bytes().getInt(PORT_OF_SOCKADDR_NL);
  }

  /// Sends a transaction.
  ///
  /// @return the refused messages; empty if it took effect
  List<Failure> exchange(List<NftOp> steps, NftBatch batch) throws NftException {
    byte[] octets = batch.toBytes();
    List<Failure> failures = new ArrayList<>();
    try {
      send(octets);
      // The kernel answers within the send, so what is not there now will never come.
      while (true) {
        int length = LibC.recv(socket, answer, LibC.MSG_DONTWAIT | LibC.MSG_TRUNC);
        if (acknowledged(length, batch, failures)) {
          return failures;
        }
      }
    } catch (LinuxException failed) {
      if (failed.is(Errno.EAGAIN) && !failures.isEmpty()) {
        return failures;
      }
      throw new NftException(
          "transaction of "
              + steps.size()
              + " steps and "
              + octets.length
              + " octets: "
              + failed.getMessage()
              + "; whether it took effect is unknown until the tables are read again",
          failed.errno().code(),
          failed);
    }
  }

  /// The batch's octets, numbered on from the last message.
  NftBatch batch(List<NftOp> steps) {
    NftBatch batch = NftBatch.of(steps, sequence);
    sequence = batch.endSequence();
    return batch;
  }

  private void send(byte[] octets) throws LinuxException {
    if (request.size() < octets.length) {
      request = NativeBuffer.allocate(Integer.highestOneBit(octets.length) * 2);
    }
    request.bytes().put(0, octets);
    LibC.send(socket, request, octets.length, 0);
  }

  /// @return whether the datagram held the answer to the batch's last message
  private boolean acknowledged(int length, NftBatch batch, List<Failure> failures) {
    boolean last = false;
    ByteBuffer in = answer.bytes();
    int end = Math.min(length, answer.size());
    for (int at = 0; at + NLMSG_HEADER_OCTETS <= end; at += NftData.padded(in.getInt(at))) {
      int messageLength = in.getInt(at);
      if (messageLength < NLMSG_HEADER_OCTETS || at + messageLength > end) {
        break;
      }
      int of = in.getInt(at + 8);
      boolean ours = of >= batch.firstSequence() && of <= batch.lastSequence();
      if (ours && in.getShort(at + 4) == NLMSG_ERROR) {
        Failure failure = failure(in, at, at + messageLength);
        if (failure != null) {
          failures.add(failure);
        }
        last |= of == batch.lastSequence();
      }
    }
    return last;
  }

  /// @return null for an acknowledgement
  private static @Nullable Failure failure(ByteBuffer in, int at, int end) {
    int error = in.getInt(at + NLMSG_HEADER_OCTETS);
    if (error == 0) {
      return null;
    }
    String words = "";
    int offset = 0;
    int flags = in.getShort(at + 6);
    int echoed = at + NLMSG_HEADER_OCTETS + 4;
    if ((flags & NLM_F_ACK_TLVS) != 0) {
      boolean capped = (flags & NLM_F_CAPPED) != 0;
      int echo = capped ? NLMSG_HEADER_OCTETS : NftData.padded(in.getInt(echoed));
      AttributeReader attributes = new AttributeReader(in, echoed + echo, end);
      while (attributes.next()) {
        switch (attributes.type()) {
          case NLMSGERR_ATTR_MSG -> words = attributes.text();
          case NLMSGERR_ATTR_OFFS -> offset = attributes.host32();
          default -> {}
        }
      }
    }
    return new Failure(in.getInt(at + 8), -error, words, offset);
  }

  /// Begins a question; the result is for [AttributeWriter#endMessage].
  int begin(AttributeWriter out, int message, int flags, int family) {
    return out.beginMessage(NftBatch.SUBSYSTEM << 8 | message, flags, sequence++, family, 0);
  }

  /// Sends the question last begun, and hands its answers over, to the last.
  ///
  /// @return false if the answer is torn by a change (NLM_F_DUMP_INTR)
  boolean ask(AttributeWriter out, String subject, Sink sink) throws NftException {
    int asked = sequence - 1;
    boolean whole = true;
    try {
      send(out.toBytes());
      while (true) {
        int length = LibC.recv(socket, answer, LibC.MSG_TRUNC);
        if (length > answer.size()) {
          throw new NftException(
              "reading the " + subject + ": a datagram of " + length + " octets", 0);
        }
        ByteBuffer in = answer.bytes();
        int messageLength;
        for (int at = 0; at + NLMSG_HEADER_OCTETS <= length; at += NftData.padded(messageLength)) {
          messageLength = in.getInt(at);
          if (messageLength < NLMSG_HEADER_OCTETS || at + messageLength > length) {
            break;
          }
          if (in.getInt(at + 8) != asked) {
            continue;
          }
          whole &= (in.getShort(at + 6) & NLM_F_DUMP_INTR) == 0;
          int type = Short.toUnsignedInt(in.getShort(at + 4));
          if (type == NLMSG_DONE) {
            return whole;
          }
          if (type == NLMSG_ERROR) {
            Failure failure = failure(in, at, at + messageLength);
            if (failure == null) {
              return whole;
            }
            throw new NftException(
                "reading the "
                    + subject
                    + " was refused: "
                    + new Errno(failure.errno)
                    + (failure.words.isEmpty() ? "" : " (" + failure.words + ")"),
                failure.errno);
          }
          if (type >>> 8 == NftBatch.SUBSYSTEM) {
            sink.message(
                type & 0xff,
                in.get(at + NLMSG_HEADER_OCTETS),
                new AttributeReader(in, at + AttributeWriter.HEADER_OCTETS, at + messageLength));
          }
        }
      }
    } catch (LinuxException failed) {
      throw new NftException(
          "reading the " + subject + ": " + failed.getMessage(), failed.errno().code(), failed);
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      LibC.close(socket);
    }
  }
}
