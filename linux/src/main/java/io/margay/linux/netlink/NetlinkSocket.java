package io.margay.linux.netlink;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import io.margay.linux.NetlinkException;
import io.margay.linux.netns.Netns;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/// A netlink socket for requests. It belongs for good to the network namespace of the thread that
/// opened it and may then be used from any thread, but by one at a time: a second one at the same
/// moment is a bug and gets an `IllegalStateException`.
///
/// The kernel handles a request inside the sender's `send`, so every answer is in the receive
/// buffer when it returns.
public final class NetlinkSocket implements AutoCloseable {

  public static final int ROUTE = 0;
  public static final int NETFILTER = 12;

  /// Kernel-side buffers, when the process may force them (CAP_NET_ADMIN); 10,000 errors fit.
  static final int BUFFER_OCTETS = 8 << 20;

  /// The largest transaction accepted, about 1.5 million set elements.
  static final int MAX_TRANSACTION_OCTETS = 128 << 20;

  /// Messages of an ordinary batch in one `send`; more gains nothing measurable.
  static final int MESSAGES_PER_SEND = 1000;

  /// How often a dump that a concurrent change interrupted is started again.
  static final int DUMP_ATTEMPTS = 8;

  /// Answers are there at once; this only ends the wait when the kernel lost one.
  static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);

  private static final int SOL_NETLINK = 270;
  private static final int NETLINK_CAP_ACK = 10;
  private static final int NETLINK_EXT_ACK = 11;
  private static final int NETLINK_GET_STRICT_CHK = 12;
  private static final int SOCKADDR_NL_OCTETS = 12;
  private static final int PORT_OF_SOCKADDR_NL = 4;

  /// More than any datagram of the kernel: dumps come in at most 32 KiB.
  private static final int RECEIVE_OCTETS = 64 << 10;

  /// What most requests fit in; it grows with the first that does not.
  private static final int SEND_OCTETS = 8 << 10;

  private final int fd;
  private final NativeBuffer received = NativeBuffer.allocate(RECEIVE_OCTETS);
  private final AtomicBoolean busy = new AtomicBoolean();
  private NativeBuffer sending = NativeBuffer.allocate(SEND_OCTETS);
  private int sendLimit = BUFFER_OCTETS;
  private int sequence;
  private boolean closed;

  private NetlinkSocket(int fd) {
    this.fd = fd;
  }

  /// Opens a socket in the calling thread's network namespace.
  ///
  /// @param protocol [#ROUTE] or [#NETFILTER]
  public static NetlinkSocket open(int protocol) throws LinuxException {
    return new NetlinkSocket(openDescriptor(protocol));
  }

  /// Opens a socket in the network namespace behind a descriptor.
  public static NetlinkSocket openIn(int netnsFd, int protocol) throws LinuxException {
    return new NetlinkSocket(Netns.visit(netnsFd, () -> openDescriptor(protocol)));
  }

  static int openDescriptor(int protocol) throws LinuxException {
    int fd = LibC.socket(LibC.AF_NETLINK, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC, protocol);
    try {
      force(fd, LibC.SO_SNDBUFFORCE, LibC.SO_SNDBUF, BUFFER_OCTETS);
      force(fd, LibC.SO_RCVBUFFORCE, LibC.SO_RCVBUF, BUFFER_OCTETS);
      LibC.setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
      LibC.setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
      LibC.setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
      LibC.receiveTimeout(fd, ANSWER_TIMEOUT);
      NativeBuffer address = NativeBuffer.allocate(SOCKADDR_NL_OCTETS);
      address.bytes().putShort(0, (short) LibC.AF_NETLINK);
      LibC.bind(fd, address, SOCKADDR_NL_OCTETS);
      return fd;
    } catch (LinuxException e) {
      LibC.close(fd);
      throw e;
    }
  }

  private static void force(int fd, int forced, int ordinary, int octets) throws LinuxException {
    try {
      LibC.setsockopt(fd, LibC.SOL_SOCKET, forced, octets);
    } catch (LinuxException e) {
      if (!e.is(Errno.EPERM)) {
        throw e;
      }
      LibC.setsockopt(fd, LibC.SOL_SOCKET, ordinary, octets); // capped by net.core.?mem_max
    }
  }

  /// The socket's address: what the kernel writes into notifications of what it did for it.
  public int port() throws LinuxException {
    NativeBuffer address = NativeBuffer.allocate(SOCKADDR_NL_OCTETS);
    LibC.getsockname(fd, address);
    return address.bytes().getInt(PORT_OF_SOCKADDR_NL);
  }

  /// Sends one message and waits for its acknowledgement.
  public void request(NetlinkMessage message) throws LinuxException {
    List<NetlinkFailure> failures = transaction(List.of(message));
    if (!failures.isEmpty()) {
      throw failures.getFirst().toException();
    }
  }

  /// Asks for one object.
  ///
  /// @return the kernel's answer
  public NetlinkMessage get(NetlinkMessage question) throws LinuxException {
    enter();
    try {
      int asked = sequence + 1;
      send(List.of(question), NetlinkMessage.REQUEST, 0, 0);
      while (true) {
        for (Frame frame : receive(question, true)) {
          if (frame.sequence() == asked) {
            if (frame.type() == Frame.NLMSG_ERROR) {
              throw frame.failure(question, 0).toException();
            }
            return frame.toMessage(question);
          }
        }
      }
    } finally {
      leave();
    }
  }

  /// Sends independent messages, many to one system call. A refused one does not stop the others.
  ///
  /// @return the refused ones by ascending index; empty when all took effect
  /// @throws NetlinkException when answers were lost: which messages took effect is then unknown,
  ///   and the caller compares with the kernel
  public List<NetlinkFailure> batch(List<NetlinkMessage> messages) throws LinuxException {
    List<NetlinkFailure> failures = new ArrayList<>();
    for (int from = 0; from < messages.size(); from += MESSAGES_PER_SEND) {
      int to = Math.min(from + MESSAGES_PER_SEND, messages.size());
      for (NetlinkFailure failure : transaction(messages.subList(from, to))) {
        failures.add(
            new NetlinkFailure(
                from + failure.index(), failure.message(), failure.errno(), failure.extAck()));
      }
    }
    return failures;
  }

  /// Sends all messages in one system call, asking for the acknowledgement of the last only.
  ///
  /// @return the refused ones by ascending index
  public List<NetlinkFailure> transaction(List<NetlinkMessage> messages) throws LinuxException {
    return transaction(messages, messages.size() - 1);
  }

  /// Sends all messages in one system call, asking for the acknowledgement of one only. An
  /// nf_tables batch from NFNL_MSG_BATCH_BEGIN to _END is atomic so; there the one to ask for is
  /// the last before _END, since kernels before 6.10 do not acknowledge _END itself.
  ///
  /// @param acknowledged index of the message whose acknowledgement ends the exchange
  /// @return the refused ones by ascending index
  public List<NetlinkFailure> transaction(List<NetlinkMessage> messages, int acknowledged)
      throws LinuxException {
    if (messages.isEmpty()) {
      return List.of();
    }
    enter();
    try {
      int first = sequence + 1;
      send(messages, NetlinkMessage.REQUEST, acknowledged, NetlinkMessage.ACK);
      return collect(messages, first, acknowledged);
    } finally {
      leave();
    }
  }

  private List<NetlinkFailure> collect(List<NetlinkMessage> messages, int first, int acknowledged)
      throws LinuxException {
    List<NetlinkFailure> failures = new ArrayList<>();
    int last = messages.size() - 1;
    while (true) {
      // A batch refused at its head (no permission, no such subsystem) is never acknowledged at its
      // end; but what the kernel has to say about it is there already, so an empty buffer after an
      // error is the end as well.
      List<Frame> frames = receive(messages.get(last), failures.isEmpty());
      if (frames.isEmpty()) {
        return ordered(failures);
      }
      boolean ended = false;
      for (Frame frame : frames) {
        int index = frame.sequence() - first;
        if (index < 0 || index > last || frame.type() != Frame.NLMSG_ERROR) {
          continue; // the late answer to an earlier, abandoned request
        }
        if (frame.errno() != 0) {
          failures.add(frame.failure(messages.get(index), index));
        }
        ended |= index == acknowledged;
      }
      if (ended) {
        return ordered(failures);
      }
    }
  }

  private static List<NetlinkFailure> ordered(List<NetlinkFailure> failures) {
    failures.sort(Comparator.comparingInt(NetlinkFailure::index));
    return failures;
  }

  /// Reads a whole table. A dump during which the table changed is inconsistent (NLM_F_DUMP_INTR):
  /// it is thrown away and asked for again, a bounded number of times.
  ///
  /// @throws NetlinkException with EINTR when every attempt was interrupted
  public List<NetlinkMessage> dump(NetlinkMessage question) throws LinuxException {
    List<NetlinkMessage> answers = new ArrayList<>();
    dump(
        question,
        () -> {
          answers.clear();
          return answers::add;
        });
    return answers;
  }

  /// Takes the entries of a table, one by one.
  public interface Sink {
    void take(NetlinkMessage entry) throws LinuxException;
  }

  /// Reads a whole table without holding it.
  ///
  /// @param attempts asked for a new sink for each attempt; what an earlier one took does not count
  /// @throws NetlinkException with EINTR when every attempt was interrupted
  public void dump(NetlinkMessage question, Supplier<Sink> attempts) throws LinuxException {
    enter();
    try {
      for (int attempt = 1; attempt <= DUMP_ATTEMPTS; attempt++) {
        if (dumpOnce(question, attempts.get())) {
          return;
        }
      }
      throw failed(question, Errno.EINTR, DUMP_ATTEMPTS + " dumps were interrupted by changes");
    } finally {
      leave();
    }
  }

  private boolean dumpOnce(NetlinkMessage question, Sink sink) throws LinuxException {
    int flags = NetlinkMessage.REQUEST | NetlinkMessage.DUMP;
    int asked = sequence + 1;
    send(List.of(question), flags, 0, 0);
    boolean consistent = true;
    while (true) {
      for (Frame frame : receive(question, true)) {
        if (frame.sequence() != asked) {
          continue;
        }
        consistent &= (frame.flags() & NetlinkMessage.DUMP_INTR) == 0;
        if (frame.type() == Frame.NLMSG_ERROR || frame.type() == Frame.NLMSG_DONE) {
          if (frame.errno() == -Errno.EINTR.code()) {
            return false; // nf_tables says so when the ruleset's generation moved
          }
          if (frame.errno() != 0) {
            throw frame.failure(question, 0).toException();
          }
          return consistent;
        }
        sink.take(frame.toMessage(question));
      }
    }
  }

  private void send(List<NetlinkMessage> messages, int flags, int chosen, int chosenFlags)
      throws LinuxException {
    long total = 0;
    for (NetlinkMessage message : messages) {
      total += NetlinkMessage.HEADER_OCTETS + Attributes.align(message.length());
    }
    NetlinkMessage last = messages.getLast();
    if (total > MAX_TRANSACTION_OCTETS) {
      throw failed(last, Errno.EMSGSIZE, "a transaction of " + total + " octets");
    }
    if (sending.size() < total) {
      sending = NativeBuffer.allocate((int) Math.max(total, 2L * sending.size()));
    }
    if (sendLimit < 2 * total) {
      force(fd, LibC.SO_SNDBUFFORCE, LibC.SO_SNDBUF, (int) Math.min(2 * total, Integer.MAX_VALUE));
      sendLimit = (int) Math.min(2 * total, Integer.MAX_VALUE);
    }
    ByteBuffer out = sending.bytes().clear();
    int first = sequence + 1;
    for (NetlinkMessage message : messages) {
      int end = out.position() + NetlinkMessage.HEADER_OCTETS + Attributes.align(message.length());
      sequence++;
      out.putInt(NetlinkMessage.HEADER_OCTETS + message.length())
          .putShort((short) message.type())
          .putShort(
              (short) (message.flags() | flags | (sequence - first == chosen ? chosenFlags : 0)))
          .putInt(sequence)
          .putInt(0)
          .put(message.octets());
      while (out.position() < end) {
        out.put((byte) 0);
      }
    }
    try {
      LibC.send(fd, sending, (int) total, 0);
    } catch (LinuxException e) {
      throw failed(last, e.errno(), "sending " + messages.size() + " messages");
    }
  }

  /// One datagram as frames; empty only when `wait` is false and nothing is there.
  private List<Frame> receive(NetlinkMessage about, boolean wait) throws NetlinkException {
    OptionalInt length;
    try {
      length =
          wait
              ? OptionalInt.of(LibC.recv(fd, received, LibC.MSG_TRUNC))
              : LibC.receiveNow(fd, received, LibC.MSG_TRUNC);
    } catch (LinuxException e) {
      if (e.is(Errno.EAGAIN)) {
        throw failed(about, Errno.ETIMEDOUT, "no answer within " + ANSWER_TIMEOUT);
      }
      throw failed(about, e.errno(), "answers were lost; the outcome is unknown");
    }
    return length.isEmpty() ? List.of() : Frame.parse(received.bytes(), length.getAsInt(), about);
  }

  private static NetlinkException failed(NetlinkMessage about, Errno errno, String how) {
    return new NetlinkException(about.operation(), about.object().toString(), errno, how);
  }

  private void enter() {
    if (!busy.compareAndSet(false, true)) {
      throw new IllegalStateException("netlink socket " + fd + " used by two threads at once");
    }
    if (closed) {
      busy.set(false);
      throw new IllegalStateException("netlink socket " + fd + " is closed");
    }
  }

  private void leave() {
    busy.set(false);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      LibC.close(fd);
    }
  }
}
