package io.margay.it.chaos;

import io.margay.cli.lab.Command;
import io.margay.cli.lab.LabException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// A file system of its own, a small one, in the place of a directory whose content it takes over
/// and gives back. Nobody may use the directory while it comes and goes.
final class SmallDisk implements AutoCloseable {

  private static final String SIZE = "2m";
  private static final int PAGE_OCTETS = 4096;

  private final Path directory;
  private final Path kept;

  private SmallDisk(Path directory, Path kept) {
    this.directory = directory;
    this.kept = kept;
  }

  static SmallDisk under(Path directory) throws LabException {
    Path kept = directory.resolveSibling(directory.getFileName() + ".kept");
    SmallDisk disk = new SmallDisk(directory, kept);
    Command.of("cp", "-a", directory.toString(), kept.toString()).output();
    Command.of("mount", "-t", "tmpfs", "-o", "size=" + SIZE, "tmpfs", directory.toString())
        .output();
    Command.of("cp", "-a", kept + "/.", directory.toString()).output();
    return disk;
  }

  private Path ballast() {
    return directory.resolve("ballast");
  }

  /// Until not one octet more is taken.
  void fill() throws LabException {
    byte[] page = new byte[PAGE_OCTETS];
    Arrays.fill(page, (byte) '.');
    try (OutputStream out = Files.newOutputStream(ballast())) {
      while (true) {
        out.write(page);
      }
    } catch (IOException full) {
      if (!String.valueOf(full.getMessage()).contains("No space left")) {
        throw new LabException("can't fill " + directory + ": " + full, full);
      }
    }
  }

  void makeRoom() throws LabException {
    try {
      Files.deleteIfExists(ballast());
    } catch (IOException failed) {
      throw new LabException("can't free " + directory + ": " + failed, failed);
    }
  }

  /// The directory is where it was before, with what the disk has now.
  @Override
  public void close() throws LabException {
    makeRoom();
    Command.of("rm", "-rf", kept.toString()).output();
    Command.of("cp", "-a", directory.toString(), kept.toString()).output();
    Command.of("umount", "-l", directory.toString()).output();
    Command.of("rm", "-rf", directory.toString()).output();
    Command.of("mv", kept.toString(), directory.toString()).output();
  }
}
