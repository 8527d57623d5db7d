package io.margay.agent;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One agent per run directory and per network namespace: a lock on `agent.lock`, because sockets
/// and queues are the directory's, and a name in the namespace, because routes, links and tables
/// are the namespace's. The kernel gives both back when the process ends, however it ends.
final class NodeLock implements AutoCloseable {

  private final FileChannel file;
  private final AgentPresence name;

  private NodeLock(FileChannel file, AgentPresence name) {
    this.file = file;
    this.name = name;
  }

  /// In the calling thread's network namespace.
  ///
  /// @throws IOException when another agent runs here
  static NodeLock take(Path runDir, String namespaceName) throws IOException {
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
              + " is locked: another margay agent serves this run directory; stop it, or set"
              + " another runDir");
    }
    Optional<AgentPresence> name;
    try {
      name = AgentPresence.take(namespaceName);
    } catch (IOException refused) {
      file.close();
      throw refused;
    }
    if (name.isEmpty()) {
      file.close();
      throw new IOException(
          "another margay agent serves this network namespace from another run directory (it holds"
              + " the socket @"
              + namespaceName
              + "), and routes and tables are one a namespace; stop it, or give this one a"
              + " namespace of its own");
    }
    return new NodeLock(file, name.get());
  }

  @Override
  public void close() throws IOException {
    name.close();
    file.close();
  }
}
