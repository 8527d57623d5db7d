package io.margay.linux.socket;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// A listening Unix stream socket, for its owner alone (mode 0600). It is bound under a temporary
/// name and renamed into place, so that nobody can connect before the mode is set, and a socket
/// left by a dead process is replaced at once.
public final class UnixListener implements AutoCloseable {

  /// Connections that may wait to be accepted; further clients block in connect.
  public static final int BACKLOG = 512;

  private static final Set<PosixFilePermission> OWNER_ONLY =
      Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

  private final Path path;
  private final Object inode;
  private final OwnedFd socket;
  private final OwnedFd closing;

  private UnixListener(Path path, Object inode, OwnedFd socket, OwnedFd closing) {
    this.path = path;
    this.inode = inode;
    this.socket = socket;
    this.closing = closing;
  }

  /// Listens on `path`. The directory must exist.
  ///
  /// @throws LinuxException with EADDRINUSE when a living process listens there
  public static UnixListener listen(Path path) throws IOException {
    refuseLiving(path);
    Path temporary =
        path.resolveSibling("." + path.getFileName() + "." + ProcessHandle.current().pid());
    Files.deleteIfExists(temporary);
    NativeBuffer address = LibC.unixAddress(temporary.toString());
    OwnedFd socket =
        OwnedFd.of(
            LibC.socket(
                LibC.AF_UNIX, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0));
    try {
      LibC.bind(socket.number(), address, address.size());
      Files.setPosixFilePermissions(temporary, OWNER_ONLY);
      LibC.listen(socket.number(), BACKLOG);
      Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
      return new UnixListener(path, inode(path), socket, OwnedFd.of(LibC.eventfd()));
    } catch (IOException failure) {
      socket.close();
      Files.deleteIfExists(temporary);
      throw failure;
    }
  }

  private static void refuseLiving(Path path) throws IOException {
    try (UnixStream living = UnixStream.connect(path)) {
      throw new LinuxException(
          "listen",
          path + " (process " + living.peer().processId() + " listens there)",
          Errno.EADDRINUSE);
    } catch (LinuxException failure) {
      if (failure.is(Errno.EADDRINUSE)) {
        throw failure;
      }
      // Nobody listens: ENOENT, or a dead process's socket (ECONNREFUSED).
    }
  }

  private static Object inode(Path path) throws IOException {
    return Objects.requireNonNull(Files.readAttributes(path, BasicFileAttributes.class).fileKey());
  }

  /// Waits for the next connection.
  ///
  /// @return empty once {@link #stopAccepting} was called
  public Optional<UnixStream> accept() throws LinuxException {
    while (true) {
      if (LibC.pollReadable(-1, closing.number(), socket.number()) == 0) {
        return Optional.empty();
      }
      try {
        return Optional.of(
            new UnixStream(OwnedFd.of(LibC.accept4(socket.number(), LibC.SOCK_CLOEXEC))));
      } catch (LinuxException failure) {
        // EAGAIN: the client went away between poll and accept.
        if (!failure.is(Errno.EAGAIN)) {
          throw failure;
        }
      }
    }
  }

  /// Makes {@link #accept} return empty, now and ever after. May be called from any thread, until
  /// {@link #close}.
  public void stopAccepting() throws LinuxException {
    LibC.signal(closing.number());
  }

  /// Closes the socket and removes its file, unless another process has put its own there. The
  /// accepting thread must have returned.
  @Override
  public void close() throws IOException {
    socket.close();
    closing.close();
    try {
      if (inode(path).equals(inode)) {
        Files.deleteIfExists(path);
      }
    } catch (NoSuchFileException gone) {
      // Somebody removed it: what we wanted.
    }
  }
}
