package io.margay.linux.socket;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// One connection of a Unix stream socket. Descriptors that arrive are kept until taken; whatever
/// is not taken is closed with the connection.
public final class UnixStream implements AutoCloseable {

  /// The most descriptors one message may carry; more is refused.
  public static final int MAX_DESCRIPTORS = 4;

  /// The most octets one system call moves.
  private static final int CHUNK_OCTETS = 16 << 10;

  private static final int SCM_RIGHTS = 1;
  private static final int MSG_PEEK = 2;
  private static final int MSG_CTRUNC = 8;

  // struct msghdr and struct cmsghdr of 64-bit Linux (bits/socket.h).
  private static final int MSGHDR_OCTETS = 56;
  private static final int MSGHDR_IOV = 16;
  private static final int MSGHDR_IOV_LENGTH = 24;
  private static final int MSGHDR_CONTROL = 32;
  private static final int MSGHDR_CONTROL_LENGTH = 40;
  private static final int MSGHDR_FLAGS = 48;
  private static final int CMSGHDR_OCTETS = 16;
  private static final int CONTROL_OCTETS = CMSGHDR_OCTETS + MAX_DESCRIPTORS * Integer.BYTES;

  private final OwnedFd socket;
  private final NativeBuffer data = NativeBuffer.allocate(CHUNK_OCTETS);
  private final NativeBuffer iovec = NativeBuffer.allocate(2 * Long.BYTES);
  private final NativeBuffer control = NativeBuffer.allocate(CONTROL_OCTETS);
  private final NativeBuffer header = NativeBuffer.allocate(MSGHDR_OCTETS);
  private final List<OwnedFd> received = new ArrayList<>();

  UnixStream(OwnedFd socket) {
    this.socket = socket;
    iovec.bytes().putLong(0, data.address());
    header.bytes().putLong(MSGHDR_IOV, iovec.address()).putLong(MSGHDR_IOV_LENGTH, 1);
  }

  /// Connects to a listening socket.
  ///
  /// @throws LinuxException with ENOENT or ECONNREFUSED when nobody listens
  public static UnixStream connect(Path path) throws LinuxException {
    NativeBuffer address = LibC.unixAddress(path.toString());
    OwnedFd socket = OwnedFd.of(LibC.socket(LibC.AF_UNIX, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC, 0));
    try {
      LibC.connect(socket.number(), address, address.size());
      return new UnixStream(socket);
    } catch (LinuxException refused) {
      socket.close();
      throw new LinuxException("connect", path.toString(), refused.errno());
    }
  }

  /// Bounds every later wait for the peer; past it, calls fail with EAGAIN.
  public void limitWaits(Duration limit) throws LinuxException {
    LibC.receiveTimeout(socket.number(), limit);
    LibC.sendTimeout(socket.number(), limit);
  }

  /// Who opened the other end.
  public PeerCredentials peer() throws LinuxException {
    NativeBuffer ucred = NativeBuffer.allocate(3 * Integer.BYTES);
    LibC.getsockopt(socket.number(), LibC.SOL_SOCKET, LibC.SO_PEERCRED, ucred);
    return new PeerCredentials(
        ucred.bytes().getInt(0), ucred.bytes().getInt(4), ucred.bytes().getInt(8));
  }

  /// Receives what is there, at least one octet, into the free space of `target`.
  ///
  /// @return octets received, or -1 at the end of the stream
  /// @throws LinuxException with EMSGSIZE when more than {@link #MAX_DESCRIPTORS} descriptors came
  ///   at once
  public int receive(ByteBuffer target) throws LinuxException {
    int wanted = Math.min(target.remaining(), CHUNK_OCTETS);
    if (wanted == 0) {
      throw new IllegalArgumentException("no space to receive into");
    }
    iovec.bytes().putLong(8, wanted);
    header
        .bytes()
        .putLong(MSGHDR_CONTROL, control.address())
        .putLong(MSGHDR_CONTROL_LENGTH, CONTROL_OCTETS)
        .putInt(MSGHDR_FLAGS, 0);
    int count = LibC.recvmsg(socket.number(), header, LibC.MSG_CMSG_CLOEXEC);
    keepDescriptors();
    if ((header.bytes().getInt(MSGHDR_FLAGS) & MSG_CTRUNC) != 0) {
      throw new LinuxException(
          "receive", "more than " + MAX_DESCRIPTORS + " descriptors", Errno.EMSGSIZE);
    }
    if (count == 0) {
      return -1;
    }
    target.put(data.bytes().slice(0, count));
    return count;
  }

  private void keepDescriptors() {
    long present = header.bytes().getLong(MSGHDR_CONTROL_LENGTH);
    int at = 0;
    while (present - at >= CMSGHDR_OCTETS) {
      int length = (int) control.bytes().getLong(at);
      if (length < CMSGHDR_OCTETS || length > present - at) {
        return;
      }
      if (control.bytes().getInt(at + 8) == LibC.SOL_SOCKET
          && control.bytes().getInt(at + 12) == SCM_RIGHTS) {
        for (int fd = at + CMSGHDR_OCTETS; fd + Integer.BYTES <= at + length; fd += Integer.BYTES) {
          received.add(OwnedFd.of(control.bytes().getInt(fd)));
        }
      }
      at += (length + 7) & ~7;
    }
  }

  /// The descriptors that have arrived since the last call, in order; the caller owns them now.
  public List<OwnedFd> takeDescriptors() {
    List<OwnedFd> taken = List.copyOf(received);
    received.clear();
    return taken;
  }

  /// Sends all octets, the descriptors with the first of them. The descriptors stay the caller's.
  public void send(byte[] octets, List<OwnedFd> descriptors) throws LinuxException {
    if (descriptors.size() > MAX_DESCRIPTORS || octets.length == 0) {
      throw new IllegalArgumentException(
          descriptors.size() + " descriptors with " + octets.length + " octets can't be sent");
    }
    int sent = 0;
    while (sent < octets.length) {
      int chunk = Math.min(octets.length - sent, CHUNK_OCTETS);
      data.bytes().put(0, octets, sent, chunk);
      if (sent == 0 && !descriptors.isEmpty()) {
        sent += sendWith(descriptors, chunk);
      } else {
        sent += LibC.send(socket.number(), data, chunk, LibC.MSG_NOSIGNAL);
      }
    }
  }

  private int sendWith(List<OwnedFd> descriptors, int chunk) throws LinuxException {
    int length = CMSGHDR_OCTETS + descriptors.size() * Integer.BYTES;
    control.bytes().putLong(0, length).putInt(8, LibC.SOL_SOCKET).putInt(12, SCM_RIGHTS);
    for (int i = 0; i < descriptors.size(); i++) {
      control.bytes().putInt(CMSGHDR_OCTETS + i * Integer.BYTES, descriptors.get(i).number());
    }
    iovec.bytes().putLong(8, chunk);
    header
        .bytes()
        .putLong(MSGHDR_CONTROL, control.address())
        .putLong(MSGHDR_CONTROL_LENGTH, (length + 7) & ~7)
        .putInt(MSGHDR_FLAGS, 0);
    return LibC.sendmsg(socket.number(), header, LibC.MSG_NOSIGNAL);
  }

  /// Whether the other end has closed the connection. Never waits, takes nothing from the stream.
  public boolean isPeerGone() {
    try {
      return LibC.receiveNow(socket.number(), NativeBuffer.allocate(1), MSG_PEEK)
          .equals(OptionalInt.of(0));
    } catch (LinuxException failure) {
      return true;
    }
  }

  @Override
  public void close() {
    received.forEach(OwnedFd::close);
    received.clear();
    socket.close();
  }
}
