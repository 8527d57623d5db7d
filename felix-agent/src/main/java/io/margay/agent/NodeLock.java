package io.margay.agent;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/// One agent per run directory: a lock on `agent.lock` that the kernel gives back when the process
/// ends, however it ends.
final class NodeLock implements AutoCloseable {

  private final FileChannel file;

  private NodeLock(FileChannel file) {
    this.file = file;
  }

  /// @throws IOException when another agent runs here
  static NodeLock take(Path runDir) throws IOException {
    Path path = runDir.resolve("agent.lock");
    FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    @Nullable FileLock lock;
    try {
      lock = file.tryLock();
    } catch (OverlappingFileLockException ours) {
      lock = null;
    }
    if (lock == null) {
      file.close();
      throw new IOException(
          path
              + " is locked: another margay agent serves this run directory; stop it, or set another runDir");
    }
    return new NodeLock(file);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
