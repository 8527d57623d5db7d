package io.margay.linux.nft;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import io.margay.linux.netns.Netns;
import io.margay.model.net.IpFamily;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The nf_tables of the network namespace in which [#open] ran, over one netlink socket.
///
/// It keeps its own socket: the acknowledgement of a batch has to be asked of its last real
/// message, since kernels before 6.10 never acknowledge BATCH_END.
///
/// The socket stays bound to that namespace whichever thread uses it. Table ownership hangs on the
/// socket: it ends when this is closed or the process dies.
public final class KernelNftables implements NftKernel {

  private static final int NETLINK_NETFILTER = 12;
  private static final int SOL_NETLINK = 270;
  private static final int NETLINK_CAP_ACK = 10;
  private static final int NETLINK_EXT_ACK = 11;

  /// A whole transaction goes in one send; the kernel's default of 208 KiB would not hold a
  /// rebuild.
  private static final int SEND_BUFFER_OCTETS = 64 << 20;

  private static final int RECEIVE_BUFFER_OCTETS = 8 << 20;

  /// More than the 32 KiB the kernel puts into one datagram of a dump.
  private static final int DATAGRAM_OCTETS = 256 << 10;

  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(10);

  /// Times a dump is begun anew because the tables changed under it.
  private static final int MAX_DUMP_ATTEMPTS = 5;

  /// Fewer come in one datagram, which is one walk.
  private static final int MIN_ELEMENTS_READ_TWICE = 64;

  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  private static final int NLM_F_DUMP = 0x300;
  private static final int NLM_F_DUMP_INTR = 0x10;
  private static final int NLM_F_CAPPED = 0x100;
  private static final int NLM_F_ACK_TLVS = 0x200;
  private static final int NLMSGERR_ATTR_MSG = 1;
  private static final int NLMSG_HEADER_OCTETS = 16;
  private static final int NEW_GENERATION = 15;
  private static final int GET_GENERATION = 16;
  private static final String PROBE_TABLE = "margay-probe";

  /// Takes the messages of an answer.
  private interface Sink {
    void message(int type, AttributeReader attributes);
  }

  private record Failure(int sequence, int errno, String words) {}

  private final int socket;
  private final NativeBuffer answer = NativeBuffer.allocate(DATAGRAM_OCTETS);
  private NativeBuffer request = NativeBuffer.allocate(64 << 10);
  private int sequence = 1;
  private boolean closed;

  private KernelNftables(int socket) {
    this.socket = socket;
  }

  /// Opens the namespace the calling thread is in.
  public static KernelNftables open() throws NftException {
    try {
      return new KernelNftables(openSocket());
    } catch (LinuxException failed) {
      throw unopened(failed);
    }
  }

  /// Opens the namespace behind a descriptor.
  public static KernelNftables openIn(int netnsFd) throws NftException {
    try {
      return new KernelNftables(Netns.callIn(netnsFd, KernelNftables::openSocket));
    } catch (LinuxException failed) {
      throw unopened(failed);
    }
  }

  private static int openSocket() throws LinuxException {
    int socket = LibC.socket(LibC.AF_NETLINK, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC, NETLINK_NETFILTER);
    try {
      LibC.setsockopt(socket, LibC.SOL_SOCKET, LibC.SO_SNDBUFFORCE, SEND_BUFFER_OCTETS);
      LibC.setsockopt(socket, LibC.SOL_SOCKET, LibC.SO_RCVBUFFORCE, RECEIVE_BUFFER_OCTETS);
      LibC.setsockopt(socket, SOL_NETLINK, NETLINK_CAP_ACK, 1);
      LibC.setsockopt(socket, SOL_NETLINK, NETLINK_EXT_ACK, 1);
      LibC.receiveTimeout(socket, ANSWER_LIMIT);
      return socket;
    } catch (LinuxException failed) {
      LibC.close(socket);
      throw failed;
    }
  }

  private static NftException unopened(LinuxException failed) {
    return new NftException(
        "cannot open the nf_tables socket: "
            + failed.getMessage()
            + "; needs CAP_NET_ADMIN and a kernel with nf_tables",
        failed.errno().code(),
        failed);
  }

  @Override
  public void commit(List<NftOp> steps) throws NftException {
    if (steps.isEmpty()) {
      return;
    }
    NftBatch batch = NftBatch.of(steps, sequence);
    sequence = batch.endSequence();
    List<Failure> failures = exchangeBatch(batch);
    if (failures.isEmpty()) {
      return;
    }
    Failure first = failures.getFirst();
    int step = batch.stepOf(first.sequence);
    String what =
        step < 0 ? "transaction of " + steps.size() + " steps" : steps.get(step).subject();
    throw new NftException(
        what
            + " was refused: "
            + new Errno(first.errno)
            + (first.words.isEmpty() ? "" : " (" + first.words + ")")
            + hint(first.errno)
            + "; nothing of the transaction took effect",
        first.errno);
  }

  private static String hint(int errno) {
    return errno == NftException.EPERM
        ? ", another process owns the table or CAP_NET_ADMIN is missing"
        : "";
  }

  private List<Failure> exchangeBatch(NftBatch batch) throws NftException {
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
              + octets.length
              + " octets: "
              + failed.getMessage()
              + "; whether it took effect is unknown until the tables are read again",
          failed.errno().code(),
          failed);
    }
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
    int flags = in.getShort(at + 6);
    int echoed = at + NLMSG_HEADER_OCTETS + 4;
    if ((flags & NLM_F_ACK_TLVS) != 0) {
      boolean capped = (flags & NLM_F_CAPPED) != 0;
      int echo = capped ? NLMSG_HEADER_OCTETS : NftData.padded(in.getInt(echoed));
      AttributeReader attributes = new AttributeReader(in, echoed + echo, end);
      while (attributes.next()) {
        if (attributes.type() == NLMSGERR_ATTR_MSG) {
          words = attributes.text();
        }
      }
    }
    return new Failure(in.getInt(at + 8), -error, words);
  }

  @Override
  public int generation() throws NftException {
    int[] generation = new int[1];
    AttributeWriter out = new AttributeWriter();
    int start = begin(out, GET_GENERATION, NftBatch.REQUEST | NftBatch.ACK, 0);
    out.endMessage(start);
    ask(
        out,
        "generation of nf_tables",
        (type, attributes) -> {
          while (type == NEW_GENERATION && attributes.next()) {
            if (attributes.type() == 1) {
              generation[0] = attributes.be32();
            }
          }
        });
    return generation[0];
  }

  @Override
  public Optional<NftDump> dump(NftTableName table) throws NftException {
    for (int attempt = 0; attempt < MAX_DUMP_ATTEMPTS; attempt++) {
      int before = generation();
      DumpDecoder decoder = new DumpDecoder();
      boolean whole = read(table, decoder);
      if (whole && generation() == before) {
        return decoder.isFound() ? Optional.of(decoder.toDump()) : Optional.empty();
      }
    }
    throw new NftException(
        "table "
            + table
            + " changed during each of "
            + MAX_DUMP_ATTEMPTS
            + " readings; it is read again at the next attempt",
        NftException.EINTR);
  }

  /// @return false if the kernel says the answer is torn
  private boolean read(NftTableName table, DumpDecoder decoder) throws NftException {
    AttributeWriter get = new AttributeWriter();
    int start =
        begin(
            get,
            NftBatch.GET_TABLE,
            NftBatch.REQUEST | NftBatch.ACK,
            NftBatch.familyCode(table.family()));
    get.text(1, table.name());
    get.endMessage(start);
    try {
      ask(get, "table " + table, message(NftBatch.NEW_TABLE, decoder::table));
    } catch (NftException refused) {
      if (refused.errno() == NftException.ENOENT) {
        return true;
      }
      throw refused;
    }
    boolean whole =
        dump(
                NftBatch.GET_CHAIN,
                table,
                null,
                message(NftBatch.NEW_CHAIN, in -> decoder.chain(in, table.name())))
            && dump(
                NftBatch.GET_RULE,
                table,
                null,
                message(NftBatch.NEW_RULE, in -> decoder.rule(in, table.name())))
            && dump(NftBatch.GET_SET, table, null, message(NftBatch.NEW_SET, decoder::set));
    for (NftSet set : List.copyOf(decoder.sets())) {
      whole = whole && readElements(table, set, decoder);
    }
    return whole;
  }

  /// The kernel walks a hash set anew for each datagram of a dump and counts off those already
  /// sent, so a table that is just being resized, as after a large load, shows some elements twice
  /// and others never, without a word. Two equal readings in a row are believed.
  private boolean readElements(NftTableName table, NftSet set, DumpDecoder decoder)
      throws NftException {
    Map<NftData, NftElement> before = Map.of();
    for (int reading = 0; reading < MAX_DUMP_ATTEMPTS; reading++) {
      Map<NftData, NftElement> elements = new HashMap<>();
      boolean whole =
          dump(
              NftBatch.GET_SET_ELEMENT,
              table,
              set,
              message(NftBatch.NEW_SET_ELEMENT, in -> DumpDecoder.elements(in, elements)));
      if (!whole) {
        return false;
      }
      if (elements.size() < MIN_ELEMENTS_READ_TWICE || elements.equals(before)) {
        decoder.elements(set, elements);
        return true;
      }
      before = elements;
    }
    return false;
  }

  private static Sink message(int wanted, Consumer<AttributeReader> taker) {
    return (type, attributes) -> {
      if (type == wanted) {
        taker.accept(attributes);
      }
    };
  }

  private boolean dump(int message, NftTableName table, @Nullable NftSet set, Sink sink)
      throws NftException {
    AttributeWriter out = new AttributeWriter();
    int start =
        begin(out, message, NftBatch.REQUEST | NLM_F_DUMP, NftBatch.familyCode(table.family()));
    if (message != NftBatch.GET_CHAIN) {
      out.text(1, table.name());
    }
    if (set != null) {
      out.text(2, set.name());
    }
    out.endMessage(start);
    try {
      return ask(out, "contents of table " + table, sink);
    } catch (NftException refused) {
      if (refused.errno() == NftException.ENOENT) {
        // Deleted since it was listed: the generation has moved on too.
        return false;
      }
      throw refused;
    }
  }

  private int begin(AttributeWriter out, int message, int flags, int family) {
    return out.beginMessage(NftBatch.SUBSYSTEM << 8 | message, flags, sequence++, family, 0);
  }

  /// Sends one request and hands its answers over, to the last.
  ///
  /// @return false if the answer is torn by a change (NLM_F_DUMP_INTR)
  private boolean ask(AttributeWriter out, String subject, Sink sink) throws NftException {
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
  public boolean supportsPersistentOwner() throws NftException {
    NftTableName probe = new NftTableName(IpFamily.IPV4, PROBE_TABLE);
    try {
      // Created and deleted in one transaction: nobody ever sees it.
      commit(List.of(new NftOp.AddTable(probe, true), new NftOp.DeleteTable(probe)));
      return true;
    } catch (NftException refused) {
      if (refused.errno() == Errno.EOPNOTSUPP.code() || refused.errno() == NftException.EINVAL) {
        return false;
      }
      throw refused;
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
