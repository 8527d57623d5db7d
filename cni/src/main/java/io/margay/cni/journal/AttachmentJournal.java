package io.margay.cni.journal;

import io.margay.cni.spec.AttachmentId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The attachments of this node: a file each below one directory, and all of them in memory. A file
/// is written beside its place and renamed, so that it holds the old entry or the new one, never
/// half of either.
public final class AttachmentJournal {

  private static final Logger LOG = LoggerFactory.getLogger(AttachmentJournal.class);

  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
  private static final String SUFFIX = ".json";
  private static final Set<StandardOpenOption> WRITING =
      Set.of(
          StandardOpenOption.WRITE,
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING);

  private final Path directory;
  private final String bootId;
  private final Map<AttachmentId, JournalEntry> entries;
  private final Set<AttachmentId> unsynced = new HashSet<>();

  private AttachmentJournal(
      Path directory, String bootId, Map<AttachmentId, JournalEntry> entries) {
    this.directory = directory;
    this.bootId = bootId;
    this.entries = entries;
  }

  /// Opens the journal below `directory`, making it when absent. A file that can't be read is set
  /// aside as `*.bad` and reported; what it stood for is found by the alias of its veth.
  public static AttachmentJournal open(Path directory) throws IOException {
    return open(directory, Files.readString(BOOT_ID).strip());
  }

  static AttachmentJournal open(Path directory, String bootId) throws IOException {
    Files.createDirectories(directory);
    Map<AttachmentId, JournalEntry> entries = new HashMap<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (name.startsWith(".")) {
          Files.deleteIfExists(file); // a write that a crash interrupted before the rename
        } else if (name.endsWith(SUFFIX)) {
          load(file, entries);
        }
      }
    }
    return new AttachmentJournal(directory, bootId, entries);
  }

  private static void load(Path file, Map<AttachmentId, JournalEntry> entries) throws IOException {
    try {
      JournalEntry entry = EntryJson.read(Files.readAllBytes(file));
      entries.put(entry.attachment().id(), entry);
    } catch (IOException unreadable) {
      Path aside = file.resolveSibling(file.getFileName() + ".bad");
      LOG.atError()
          .setCause(unreadable)
          .addKeyValue("file", aside)
          .log("set aside a journal entry that cannot be read");
      Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /// The boot this process runs in, for new entries.
  public String bootId() {
    return bootId;
  }

  public synchronized Optional<JournalEntry> find(AttachmentId id) {
    return Optional.ofNullable(entries.get(id));
  }

  /// Every entry there is now.
  public synchronized List<JournalEntry> all() {
    return new ArrayList<>(entries.values());
  }

  /// Remembers an entry in place of any other of the same attachment. No end of this process loses
  /// it from then on; a loss of power does until [#sync], and takes the pod with it.
  public void write(JournalEntry entry) throws IOException {
    AttachmentId id = entry.attachment().id();
    Path file = file(id);
    Path temporary = directory.resolve("." + file.getFileName());
    try (FileChannel channel = FileChannel.open(temporary, WRITING)) {
      ByteBuffer octets = ByteBuffer.wrap(EntryJson.write(entry));
      while (octets.hasRemaining()) {
        channel.write(octets);
      }
    }
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    synchronized (this) {
      entries.put(id, entry);
      unsynced.add(id);
    }
  }

  /// Puts on the disk what is not there yet; to be called now and then. Neither ADD nor DEL waits
  /// for it (docs/adr/0014-journal-off-the-path.md).
  public void sync() throws IOException {
    List<AttachmentId> due;
    synchronized (this) {
      due = List.copyOf(unsynced);
      unsynced.clear();
    }
    for (AttachmentId id : due) {
      try (FileChannel channel = FileChannel.open(file(id), StandardOpenOption.WRITE)) {
        channel.force(false);
      } catch (NoSuchFileException gone) {
        // Forgotten meanwhile.
      }
    }
  }

  /// Forgets an attachment. Should the file come back after a loss of power, it carries another
  /// boot id and is released again, which is harmless.
  public void remove(AttachmentId id) throws IOException {
    try {
      Files.delete(file(id));
    } catch (NoSuchFileException gone) {
      // Already forgotten.
    }
    synchronized (this) {
      entries.remove(id);
    }
  }

  private Path file(AttachmentId id) {
    return directory.resolve(id.containerId() + "@" + id.ifName() + SUFFIX);
  }
}
