package io.margay.linux.socket;

import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import java.nio.charset.StandardCharsets;

/// The sending end of a Unix datagram socket, as a service manager gives one to its services
/// (`NOTIFY_SOCKET`, sd_notify(3)): each text is one datagram. From any thread.
public final class NotifySocket implements AutoCloseable {

  private final OwnedFd socket;
  private final NativeBuffer address;

  private NotifySocket(OwnedFd socket, NativeBuffer address) {
    this.socket = socket;
    this.address = address;
  }

  /// Opens a socket that sends to `address`. Whether somebody listens there is found when sending:
  /// a service manager that was started again listens anew.
  ///
  /// @param address an absolute path, or `@` and a name in the abstract namespace
  /// @throws IllegalArgumentException when it is neither, or too long
  public static NotifySocket to(String address) throws LinuxException {
    NativeBuffer target;
    if (address.startsWith("/")) {
      target = LibC.unixAddress(address);
    } else if (address.startsWith("@")) {
      target = LibC.abstractUnixAddress(address.substring(1));
    } else {
      throw new IllegalArgumentException(
          "\"" + address + "\" is neither an absolute path nor @ and an abstract name");
    }
    OwnedFd socket = OwnedFd.of(LibC.socket(LibC.AF_UNIX, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, 0));
    return new NotifySocket(socket, target);
  }

  /// Sends one datagram. Never waits: a listener that does not read fails it (EAGAIN).
  ///
  /// @throws LinuxException when nobody listens (ECONNREFUSED, ENOENT) or the listener's queue is
  ///   full; nothing was sent then
  public synchronized void send(String text) throws LinuxException {
    byte[] octets = text.getBytes(StandardCharsets.UTF_8);
    NativeBuffer buffer = NativeBuffer.allocate(octets.length);
    buffer.bytes().put(0, octets);
    // Connected each time: the address may mean another socket than the last time.
    LibC.connect(socket.number(), address, address.size());
    LibC.send(socket.number(), buffer, octets.length, LibC.MSG_NOSIGNAL | LibC.MSG_DONTWAIT);
  }

  @Override
  public synchronized void close() {
    socket.close();
  }
}
