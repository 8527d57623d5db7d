package io.margay.cni.protocol;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Deletions that clients left on disk while no agent answered: one request frame a file.
///
/// A client writes while it holds the shared lock and finds nobody listening; the agent listens
/// first and drains under the exclusive lock. So every file is either seen by that drain, or its
/// client was answered by the agent. The agent repeats the drain now and then, for clients that
/// gave up on one that listened but did not answer.
public final class DeletionQueue {

  /// The most files looked at in one go; the client stops queueing at as many.
  public static final int MAX_QUEUED = 10_000;

  private static final Logger LOG = LoggerFactory.getLogger(DeletionQueue.class);

  private static final String SUFFIX = ".del";
  private static final String UNFINISHED = ".*" + SUFFIX + ".*";
  private static final String LOCK = ".lock";

  private final Path directory;

  /// @param directory `<runDir>/delq`; made when absent
  public DeletionQueue(Path directory) {
    this.directory = directory;
  }

  /// Handles what is queued, oldest first. A deletion that fails stays for the next time; a file
  /// that is no request is set aside as `*.bad`.
  ///
  /// @return how many were handled
  public int drain(CniHandler handler) throws IOException {
    Files.createDirectories(directory);
    int handled = 0;
    try (FileChannel channel =
            FileChannel.open(
                directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      if (!lock.isValid()) {
        throw new IOException("the lock of " + directory + " was lost");
      }
      forgetUnfinished();
      for (Path file : queued()) {
        if (handle(file, handler)) {
          handled++;
        }
      }
    }
    return handled;
  }

  /// What clients began to write and did not finish: those that live hold the lock we have.
  private void forgetUnfinished() throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, UNFINISHED)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    }
  }

  private List<Path> queued() throws IOException {
    record Queued(Path file, long millis) {}
    List<Queued> queued = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
      for (Path file : files) {
        if (queued.size() < MAX_QUEUED) {
          queued.add(new Queued(file, Files.getLastModifiedTime(file).toMillis()));
        }
      }
    }
    queued.sort(Comparator.comparingLong(Queued::millis));
    return queued.stream().map(Queued::file).toList();
  }

  private boolean handle(Path file, CniHandler handler) throws IOException {
    try {
      if (Files.size(file) > CniFrame.HEADER_OCTETS + CniFrame.MAX_BODY_OCTETS) {
        throw new MalformedFrameException("the file is larger than any request");
      }
      CniReply reply =
          handler.handle(CniCall.replayed(CniFrame.decodeRequest(Files.readAllBytes(file))));
      if (reply.exitCode() != 0) {
        LOG.atWarn()
            .addKeyValue("file", file)
            .addKeyValue("reply", reply.stdout())
            .log("a queued DEL failed and stays queued");
        return false;
      }
      Files.deleteIfExists(file);
      return true;
    } catch (NoSuchFileException gone) {
      return false;
    } catch (MalformedFrameException malformed) {
      LOG.atError()
          .setCause(malformed)
          .addKeyValue("file", file)
          .log("set aside a queued DEL that cannot be read");
      Files.move(
          file,
          file.resolveSibling(file.getFileName() + ".bad"),
          StandardCopyOption.REPLACE_EXISTING);
      return false;
    }
  }
}
