package io.margay.cni.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Writes the files of a directory, over those that nobody needs any more: to make a file costs
/// half a millisecond where many were deleted lately, for ext4 gives out no inode whose last life
/// is hardly over (`recently_deleted`).
///
/// A spare file is empty; its name begins with a dot, like that of whatever a crash interrupted.
final class SpareFiles {

  /// Spare files that there should be when many are needed at once.
  static final int READY = 32;

  /// Spare files kept; further ones are deleted.
  static final int KEPT = 256;

  private static final Set<StandardOpenOption> OVER = Set.of(StandardOpenOption.WRITE);
  private static final Set<StandardOpenOption> EMPTIED =
      Set.of(StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
  private static final Set<StandardOpenOption> NEW =
      Set.of(
          StandardOpenOption.WRITE,
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING);

  private final Path directory;
  private final LinkedBlockingDeque<Path> spare = new LinkedBlockingDeque<>(KEPT);
  private final AtomicLong names = new AtomicLong();

  /// @param directory without spare files
  SpareFiles(Path directory) {
    this.directory = directory;
  }

  /// Puts octets under a name, whole or not at all.
  ///
  /// @throws NoSuchFileException when the directory is not there
  void write(Path file, byte[] octets) throws IOException {
    Path over = spare.pollFirst();
    if (over != null) {
      try {
        place(over, OVER, file, octets);
        return;
      } catch (NoSuchFileException taken) {
        spare.clear(); // somebody deleted the directory, or what is in it
      }
    }
    create(file, octets);
  }

  /// The same, with a file of its own.
  static void create(Path file, byte[] octets) throws IOException {
    place(file.resolveSibling("." + file.getFileName()), NEW, file, octets);
  }

  private static void place(Path under, Set<StandardOpenOption> options, Path file, byte[] octets)
      throws IOException {
    try {
      try (FileChannel channel = FileChannel.open(under, options)) {
        ByteBuffer left = ByteBuffer.wrap(octets);
        while (left.hasRemaining()) {
          channel.write(left);
        }
      }
      Files.move(under, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failure) {
      Files.deleteIfExists(under);
      throw failure;
    }
  }

  /// Takes a file away, if it is there.
  ///
  /// @throws IOException when it can't be; then it is there still
  void remove(Path file) throws IOException {
    Path free = fresh();
    if (free == null) {
      Files.deleteIfExists(file);
      return;
    }
    try {
      Files.move(file, free, StandardCopyOption.ATOMIC_MOVE);
    } catch (NoSuchFileException gone) {
      return;
    }
    empty(free);
  }

  /// Makes spare files where there are few: one is lost with each file that is replaced.
  void prepare() throws IOException {
    while (spare.size() < READY) {
      Path free = directory.resolve(".spare-" + names.getAndIncrement());
      Files.createFile(free);
      keep(free);
    }
  }

  private void empty(Path free) throws IOException {
    try {
      FileChannel.open(free, EMPTIED).close();
      keep(free);
    } catch (IOException refused) {
      Files.deleteIfExists(free);
    }
  }

  private void keep(Path free) throws IOException {
    if (!spare.offerFirst(free)) {
      Files.deleteIfExists(free);
    }
  }

  private @Nullable Path fresh() {
    return spare.remainingCapacity() == 0
        ? null
        : directory.resolve(".spare-" + names.getAndIncrement());
  }
}
