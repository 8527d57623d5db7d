package io.margay.it.cni;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// A service manager's ear: the socket that `NOTIFY_SOCKET` names. A path, because the abstract
/// names of a node's namespace can't be heard from outside.
final class NotifyListener implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int MAX_OCTETS = 4096;

  private final Path path;
  private final int socket;
  private final List<String> heard = new ArrayList<>();

  private NotifyListener(Path path, int socket) {
    this.path = path;
    this.socket = socket;
  }

  static NotifyListener at(Path path) throws IOException {
    Files.deleteIfExists(path);
    int socket = LibC.socket(LibC.AF_UNIX, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, 0);
    NativeBuffer address = LibC.unixAddress(path.toString());
    LibC.bind(socket, address, address.size());
    LibC.receiveTimeout(socket, PATIENCE);
    return new NotifyListener(path, socket);
  }

  String address() {
    return path.toString();
  }

  /// Everything that was heard so far, assignment by assignment, in order.
  List<String> heard() {
    return heard;
  }

  /// An assignment that starts so, among those that were heard or are still to come.
  String hear(String start) throws LinuxException {
    for (String line : heard) {
      if (line.startsWith(start)) {
        return line;
      }
    }
    return await(start);
  }

  /// Waits for a further assignment that starts so.
  ///
  /// @throws LinuxException EAGAIN when none comes in a minute
  String await(String start) throws LinuxException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      if (System.nanoTime() > end) {
        throw new LinuxException("await " + start, "after " + heard, Errno.EAGAIN);
      }
      NativeBuffer buffer = NativeBuffer.allocate(MAX_OCTETS);
      byte[] octets;
      try {
        octets = new byte[LibC.recv(socket, buffer, 0)];
      } catch (LinuxException silence) {
        throw silence.is(Errno.EAGAIN)
            ? new LinuxException("await " + start, "after " + heard, Errno.EAGAIN)
            : silence;
      }
      buffer.bytes().get(0, octets);
      List<String> lines = new String(octets, StandardCharsets.UTF_8).lines().toList();
      heard.addAll(lines);
      for (String line : lines) {
        if (line.startsWith(start)) {
          return line;
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    LibC.close(socket);
    Files.deleteIfExists(path);
  }
}
