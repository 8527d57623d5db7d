package io.margay.linux;

import static io.margay.linux.NativeBinding.C;

import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.OptionalInt;
import jnr.ffi.Pointer;
import org.jspecify.annotations.Nullable;

/// The system calls the product makes, each retried on EINTR and failing with a [LinuxException].
/// File descriptors are plain integers: who opens one closes it.
public final class LibC {

  public static final int AF_UNIX = 1;
  public static final int AF_INET = 2;
  public static final int AF_INET6 = 10;
  public static final int AF_NETLINK = 16;

  public static final int SOCK_STREAM = 1;
  public static final int SOCK_DGRAM = 2;
  public static final int SOCK_RAW = 3;
  public static final int SOCK_SEQPACKET = 5;
  public static final int SOCK_CLOEXEC = 0x80000;
  public static final int SOCK_NONBLOCK = 0x800;

  public static final int SOL_SOCKET = 1;
  public static final int SO_RCVTIMEO = 20;
  public static final int SO_SNDTIMEO = 21;
  public static final int SO_PEERCRED = 17;
  public static final int SO_SNDBUF = 7;
  public static final int SO_RCVBUF = 8;
  public static final int SO_SNDBUFFORCE = 32;
  public static final int SO_RCVBUFFORCE = 33;
  public static final int SO_ATTACH_FILTER = 26;

  public static final int MSG_TRUNC = 0x20;
  public static final int MSG_DONTWAIT = 0x40;
  public static final int MSG_NOSIGNAL = 0x4000;
  public static final int MSG_CMSG_CLOEXEC = 0x40000000;

  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 1;
  public static final int O_CLOEXEC = 0x80000;

  public static final int CLONE_NEWNET = 0x40000000;

  public static final int POLLIN = 1;

  /// `sun_path` less its terminating zero (sys/un.h); an abstract name's leading zero takes the
  /// same place.
  public static final int MAX_UNIX_PATH_OCTETS = 107;

  private static final int EFD_CLOEXEC = 0x80000;
  private static final int EFD_NONBLOCK = 0x800;

  private LibC() {}

  /// Loads what every call here needs, which otherwise the first one waits for.
  public static void load() {
    Objects.requireNonNull(C);
  }

  /// @return the new file descriptor; pass SOCK_CLOEXEC in `type`
  public static int socket(int domain, int type, int protocol) throws LinuxException {
    return check(C.socket(domain, type, protocol), "socket", "family " + domain);
  }

  /// @param length octets of the socket address at the start of `address`
  public static void bind(int fd, NativeBuffer address, int length) throws LinuxException {
    check(C.bind(fd, address.pointer(), within(length, address)), "bind", fd);
  }

  public static void connect(int fd, NativeBuffer address, int length) throws LinuxException {
    check(C.connect(fd, address.pointer(), within(length, address)), "connect", fd);
  }

  /// Reads the address the socket is bound to into the start of `address`.
  public static void getsockname(int fd, NativeBuffer address) throws LinuxException {
    NativeBuffer length = NativeBuffer.allocate(Integer.BYTES);
    length.bytes().putInt(0, address.size());
    check(C.getsockname(fd, address.pointer(), length.pointer()), "getsockname", fd);
  }

  public static void listen(int fd, int backlog) throws LinuxException {
    check(C.listen(fd, backlog), "listen", fd);
  }

  /// Accepts one connection without asking for the peer's address.
  ///
  /// @param flags SOCK_CLOEXEC, SOCK_NONBLOCK
  public static int accept4(int fd, int flags) throws LinuxException {
    while (true) {
      int accepted = C.accept4(fd, nullPointer(), nullPointer(), flags);
      if (accepted >= 0 || !interrupted()) {
        return check(accepted, "accept4", fd);
      }
    }
  }

  /// @param how 0 stops reading, 1 writing, 2 both; wakes a thread blocked in [#accept4]
  public static void shutdown(int fd, int how) throws LinuxException {
    check(C.shutdown(fd, how), "shutdown", fd);
  }

  /// Sends the first `length` octets.
  ///
  /// @return octets taken by the kernel
  public static int send(int fd, NativeBuffer buffer, int length, int flags) throws LinuxException {
    within(length, buffer);
    while (true) {
      long sent = C.send(fd, buffer.pointer(), length, flags);
      if (sent >= 0 || !interrupted()) {
        return check((int) sent, "send", fd);
      }
    }
  }

  /// Receives into the start of the buffer.
  ///
  /// @return octets received (with MSG_TRUNC: the datagram's true length, which may exceed the
  ///   buffer); 0 at the end of a stream
  public static int recv(int fd, NativeBuffer buffer, int flags) throws LinuxException {
    while (true) {
      long received = C.recv(fd, buffer.pointer(), buffer.size(), flags);
      if (received >= 0 || !interrupted()) {
        return check((int) received, "recv", fd);
      }
    }
  }

  /// Receives what is there and waits for nothing.
  ///
  /// @param flags besides MSG_DONTWAIT
  /// @return octets received, 0 at the end of a stream; empty when nothing is there
  public static OptionalInt receiveNow(int fd, NativeBuffer buffer, int flags)
      throws LinuxException {
    while (true) {
      long received = C.recv(fd, buffer.pointer(), buffer.size(), flags | MSG_DONTWAIT);
      if (received >= 0) {
        return OptionalInt.of((int) received);
      }
      if (lastError() == Errno.EAGAIN.code()) {
        return OptionalInt.empty();
      }
      if (!interrupted()) {
        return OptionalInt.of(check((int) received, "recv", fd));
      }
    }
  }

  /// @param header a `struct msghdr` whose pointers the caller keeps alive
  public static int sendmsg(int fd, NativeBuffer header, int flags) throws LinuxException {
    while (true) {
      long sent = C.sendmsg(fd, header.pointer(), flags);
      if (sent >= 0 || !interrupted()) {
        return check((int) sent, "sendmsg", fd);
      }
    }
  }

  /// @param header a `struct msghdr` whose pointers the caller keeps alive
  public static int recvmsg(int fd, NativeBuffer header, int flags) throws LinuxException {
    while (true) {
      long received = C.recvmsg(fd, header.pointer(), flags);
      if (received >= 0 || !interrupted()) {
        return check((int) received, "recvmsg", fd);
      }
    }
  }

  public static void setsockopt(int fd, int level, int option, int value) throws LinuxException {
    NativeBuffer buffer = NativeBuffer.allocate(Integer.BYTES);
    buffer.bytes().putInt(0, value);
    setsockopt(fd, level, option, buffer, Integer.BYTES);
  }

  public static void setsockopt(int fd, int level, int option, NativeBuffer value, int length)
      throws LinuxException {
    check(
        C.setsockopt(fd, level, option, value.pointer(), within(length, value)),
        "setsockopt " + level + "/" + option,
        fd);
  }

  /// Reads an option into the start of `value`.
  ///
  /// @return octets written
  public static int getsockopt(int fd, int level, int option, NativeBuffer value)
      throws LinuxException {
    NativeBuffer length = NativeBuffer.allocate(Integer.BYTES);
    length.bytes().putInt(0, value.size());
    check(
        C.getsockopt(fd, level, option, value.pointer(), length.pointer()),
        "getsockopt " + level + "/" + option,
        fd);
    return length.bytes().getInt(0);
  }

  /// Lets a datagram into the socket's buffer only if the program says so: classic BPF, one `struct
  /// sock_filter` of 8 octets an instruction (linux/filter.h).
  public static void attachFilter(int fd, long... instructions) throws LinuxException {
    NativeBuffer code = NativeBuffer.allocate(Long.BYTES * instructions.length);
    for (int i = 0; i < instructions.length; i++) {
      code.bytes().putLong(Long.BYTES * i, instructions[i]);
    }
    NativeBuffer program = NativeBuffer.allocate(2 * Long.BYTES); // struct sock_fprog
    program.bytes().putShort(0, (short) instructions.length).putLong(8, code.address());
    try {
      setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.size());
    } finally {
      Reference.reachabilityFence(code);
    }
  }

  /// Limits how long a blocking receive waits; past it [#recv] fails with EAGAIN.
  public static void receiveTimeout(int fd, Duration limit) throws LinuxException {
    setTimeout(fd, SO_RCVTIMEO, limit);
  }

  /// Limits how long a blocking send waits; past it [#send] fails with EAGAIN.
  public static void sendTimeout(int fd, Duration limit) throws LinuxException {
    setTimeout(fd, SO_SNDTIMEO, limit);
  }

  private static void setTimeout(int fd, int option, Duration limit) throws LinuxException {
    NativeBuffer timeval = NativeBuffer.allocate(2 * Long.BYTES);
    timeval.bytes().putLong(0, limit.toSeconds()).putLong(8, limit.toNanosPart() / 1000);
    setsockopt(fd, SOL_SOCKET, option, timeval, timeval.size());
  }

  /// Waits until one of the descriptors is readable or has failed.
  ///
  /// @param timeoutMillis -1 waits for ever
  /// @return the index of the first ready descriptor, or -1 after the time
  public static int pollReadable(int timeoutMillis, int... fds) throws LinuxException {
    NativeBuffer entries =
        NativeBuffer.allocate(8 * fds.length); // struct pollfd {int; short; short}
    while (true) {
      for (int i = 0; i < fds.length; i++) {
        entries.bytes().putInt(8 * i, fds[i]).putShort(8 * i + 4, (short) POLLIN);
        entries.bytes().putShort(8 * i + 6, (short) 0);
      }
      int ready = C.poll(entries.pointer(), fds.length, timeoutMillis);
      if (ready < 0 && interrupted()) {
        continue;
      }
      check(ready, "poll", fds.length + " descriptors");
      for (int i = 0; i < fds.length; i++) {
        if (entries.bytes().getShort(8 * i + 6) != 0) {
          return i;
        }
      }
      return -1;
    }
  }

  /// A counter that makes [#pollReadable] return: how one thread wakes another.
  public static int eventfd() throws LinuxException {
    return check(C.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd", "new");
  }

  /// Makes an [#eventfd] readable.
  public static void signal(int eventFd) throws LinuxException {
    NativeBuffer one = NativeBuffer.allocate(Long.BYTES);
    one.bytes().putLong(0, 1);
    check((int) C.write(eventFd, one.pointer(), Long.BYTES), "write", eventFd);
  }

  /// Opens an existing file.
  public static int open(String path, int flags) throws LinuxException {
    if (path.indexOf('\0') >= 0) {
      throw new LinuxException("open", path.replace('\0', '?'), Errno.EINVAL);
    }
    while (true) {
      int fd = C.open(path, flags);
      if (fd >= 0 || !interrupted()) {
        return check(fd, "open", path);
      }
    }
  }

  /// Writes all octets in one call, as files of the kernel want it.
  ///
  /// @throws LinuxException also when the kernel took fewer (EIO)
  public static void write(int fd, byte[] octets) throws LinuxException {
    while (true) {
      long written = C.write(fd, octets, octets.length);
      if (written >= 0 || !interrupted()) {
        check((int) written, "write", fd);
        if (written != octets.length) {
          throw new LinuxException("write", "descriptor " + fd, Errno.EIO);
        }
        return;
      }
    }
  }

  /// Closes a descriptor. Never retried: Linux has released it even when it reports EINTR.
  public static void close(int fd) {
    if (C.close(fd) < 0 && lastError() == Errno.EBADF.code()) {
      throw new IllegalStateException("descriptor " + fd + " closed twice");
    }
  }

  /// Moves the calling thread into a namespace; see [io.margay.linux.netns.Netns] for who may.
  public static void setns(int fd, int type) throws LinuxException {
    check(C.setns(fd, type), "setns", fd);
  }

  /// A `struct sockaddr_un` for a file-system path.
  ///
  /// @throws IllegalArgumentException when the path has more than 107 octets
  public static NativeBuffer unixAddress(String path) {
    byte[] octets = path.getBytes(StandardCharsets.UTF_8);
    if (octets.length == 0 || octets.length > MAX_UNIX_PATH_OCTETS) {
      throw new IllegalArgumentException(
          "socket path \"" + path + "\" has " + octets.length + " octets; 1 to 107 are allowed");
    }
    NativeBuffer address = NativeBuffer.allocate(Short.BYTES + octets.length + 1);
    address.bytes().putShort(0, (short) AF_UNIX).put(2, octets);
    return address;
  }

  /// A `struct sockaddr_un` for a name in the abstract namespace, which is no file, is the network
  /// namespace's own and dies with its socket (unix(7)).
  ///
  /// @throws IllegalArgumentException when the name has more than 107 octets
  public static NativeBuffer abstractUnixAddress(String name) {
    byte[] octets = name.getBytes(StandardCharsets.UTF_8);
    if (octets.length == 0 || octets.length > MAX_UNIX_PATH_OCTETS) {
      throw new IllegalArgumentException(
          "abstract socket name \""
              + name
              + "\" has "
              + octets.length
              + " octets; 1 to 107 are allowed");
    }
    // The address's length ends the name: a zero behind it would be part of it.
    NativeBuffer address = NativeBuffer.allocate(Short.BYTES + 1 + octets.length);
    address.bytes().putShort(0, (short) AF_UNIX).put(3, octets);
    return address;
  }

  private static int check(int result, String operation, int fd) throws LinuxException {
    return result >= 0 ? result : check(result, operation, "descriptor " + fd);
  }

  private static int check(int result, String operation, String object) throws LinuxException {
    if (result < 0) {
      throw new LinuxException(operation, object, new Errno(lastError()));
    }
    return result;
  }

  private static boolean interrupted() {
    return lastError() == Errno.EINTR.code();
  }

  private static int lastError() {
    return NativeBinding.RUNTIME.getLastError();
  }

  private static int within(int length, NativeBuffer buffer) {
    return Objects.checkFromIndexSize(0, length, buffer.size()) + length;
  }

  @SuppressWarnings("NullAway") // JNR takes null for a null pointer
  private static Pointer nullPointer() {
    @Nullable Pointer none = null;
    return none;
  }
}
