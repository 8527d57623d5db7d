package io.margay.cni.protocol;

import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.CniJson;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Deletions that clients left on disk while no agent answered: one request frame a file, named
/// after the attachment.
///
/// A client writes while it holds the shared lock and finds nobody listening; the agent drains
/// under the exclusive lock once it listens. So every file is either seen by that drain, or its
/// client was answered by the agent. The agent repeats the drain now and then, for clients that
/// gave up on one that listened but did not answer.
///
/// A deletion is older than any ADD of its attachment that comes while it waits. So an ADD forgets
/// it ([#forget]), and one that is read already is abandoned ([CniCall#isAbandoned]) when its file
/// is gone: whoever carries it out asks once no ADD of the container is under way.
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

  /// Drops the deletion of an attachment that is added again; none is success. To be called while
  /// no other request about the container can begin.
  ///
  /// @throws IOException when the file is there and can't be deleted: it would take the new pod
  ///   away
  public void forget(AttachmentId id) throws IOException {
    Files.deleteIfExists(directory.resolve(fileName(id)));
  }

  /// As the client names it: FNV-1a of `<containerID>/<ifname>`.
  private static String fileName(AttachmentId id) {
    long hash = 0xcbf29ce484222325L;
    for (byte octet : id.toString().getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ Byte.toUnsignedLong(octet)) * 0x100000001b3L;
    }
    return String.format(Locale.ROOT, "%016x", hash) + SUFFIX;
  }

  /// Handles what is queued, oldest first. A deletion that fails stays for the next time; one that
  /// can never succeed, and a file that is no request, are set aside as `*.bad`.
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
    CniReply reply;
    try {
      if (Files.size(file) > CniFrame.HEADER_OCTETS + CniFrame.MAX_BODY_OCTETS) {
        throw new MalformedFrameException("the file is larger than any request");
      }
      reply =
          handler.handle(
              CniCall.replayed(
                  CniFrame.decodeRequest(Files.readAllBytes(file)), () -> !Files.exists(file)));
    } catch (NoSuchFileException gone) {
      return false;
    } catch (MalformedFrameException malformed) {
      setAside(file, String.valueOf(malformed.getMessage()));
      return false;
    }
    if (reply.exitCode() == 0) {
      Files.deleteIfExists(file);
      return true;
    }
    if (isRefusedForItself(reply)) {
      setAside(file, reply.stdout());
    } else if (Files.exists(file)) {
      LOG.atWarn()
          .addKeyValue("file", file)
          .addKeyValue("reply", reply.stdout())
          .log("a queued DEL failed and stays queued");
    }
    return false;
  }

  /// Whether the same request would be refused for ever.
  private static boolean isRefusedForItself(CniReply reply) {
    try {
      return switch (CniJson.parse(reply.stdout().getBytes(StandardCharsets.UTF_8))
          .path("code")
          .asInt()) {
        case CniError.INCOMPATIBLE_VERSION,
            CniError.UNSUPPORTED_FIELD,
            CniError.BAD_ENVIRONMENT,
            CniError.BAD_JSON,
            CniError.BAD_CONFIG ->
            true;
        default -> false;
      };
    } catch (CniException noErrorObject) {
      return false;
    }
  }

  private static void setAside(Path file, String reason) throws IOException {
    Path aside = file.resolveSibling(file.getFileName() + ".bad");
    try {
      Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
    } catch (NoSuchFileException forgotten) {
      return;
    }
    LOG.atError()
        .addKeyValue("file", aside)
        .addKeyValue("reason", reason)
        .log("set aside a queued DEL that can never be carried out; reclaiming does its work");
  }
}
