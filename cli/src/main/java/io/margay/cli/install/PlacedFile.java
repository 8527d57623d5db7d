package io.margay.cli.install;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;

/// A file that appears in its place whole, by a rename within its own directory. A runtime that
/// watches the directory sees that rename; of a file moved in from elsewhere containerd sees the
/// creation alone, which it ignores.
///
/// @param path where it belongs
/// @param mode permissions as `ls` shows them: `rwxr-xr-x`
record PlacedFile(Path path, String mode) {

  /// Loaded by no runtime, and executed by none either.
  private static final String SUFFIX = ".tmp";

  /// Where its octets are until the rename. Always the same, so that one a kill left is reused.
  Path temporary() {
    return path.resolveSibling("." + path.getFileName() + SUFFIX);
  }

  /// Whether there is nothing to do.
  boolean holds(byte[] content) throws IOException {
    return Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
        && Files.size(path) == content.length
        && Arrays.equals(Files.readAllBytes(path), content)
        && Files.getPosixFilePermissions(path).equals(permissions());
  }

  private Set<PosixFilePermission> permissions() {
    return PosixFilePermissions.fromString(mode);
  }

  /// Puts it there, on the disk when this returns. What was there before is there until then.
  void place(byte[] content) throws IOException {
    try {
      write(content);
      // Closed by now: who executes a file that somebody still writes to is told "text file busy".
      Files.move(temporary(), path, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failure) {
      Files.deleteIfExists(temporary());
      throw failure;
    }
    flushDirectory();
  }

  private void write(byte[] content) throws IOException {
    Files.deleteIfExists(temporary());
    try (FileChannel channel =
        FileChannel.open(
            temporary(),
            Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      ByteBuffer octets = ByteBuffer.wrap(content);
      while (octets.hasRemaining()) {
        channel.write(octets);
      }
      // Set by itself, since the mode at creation is subject to the umask.
      Files.setPosixFilePermissions(temporary(), permissions());
      channel.force(true);
    }
  }

  /// Takes it away, with what a killed installation may have left beside it.
  ///
  /// @return whether it was there
  boolean remove() throws IOException {
    boolean wasThere = Files.deleteIfExists(path);
    if (Files.deleteIfExists(temporary()) || wasThere) {
      flushDirectory();
    }
    return wasThere;
  }

  private void flushDirectory() throws IOException {
    Path directory = path.getParent();
    if (directory != null) {
      try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }
}
