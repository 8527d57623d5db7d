package io.margay.cni.journal;

import io.margay.cni.spec.AttachmentId;
import io.margay.model.net.IpAddress;
import java.io.IOException;
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
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The attachments of this node: files below one directory, and all of them in memory. A file is
/// written beside its place and renamed, so that it holds the old entry or the new one, never half
/// of either.
///
/// An ADD writes twice, and a file system may put a file on the disk at once when it replaces
/// another (ext4 does, a millisecond each). So what is begun stands in a file of its own,
/// `C@IF.begun.json`, that the next state, `C@IF.json`, outranks from the moment it is there.
public final class AttachmentJournal {

  private static final Logger LOG = LoggerFactory.getLogger(AttachmentJournal.class);

  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
  private static final String SUFFIX = ".json";
  private static final String BEGUN_SUFFIX = ".begun.json";
  private final Path directory;
  private final String bootId;
  private final SpareFiles files;
  private final Map<AttachmentId, JournalEntry> entries;
  private final Set<AttachmentId> unsynced = new HashSet<>();

  /// Attachments whose file of the begun state is outranked and still there.
  private final Set<AttachmentId> outranked = new HashSet<>();

  private AttachmentJournal(
      Path directory, String bootId, Map<AttachmentId, JournalEntry> entries) {
    this.directory = directory;
    this.bootId = bootId;
    this.files = new SpareFiles(directory);
    this.entries = entries;
  }

  /// Opens the journal below `directory`, making it when absent. A file that can't be read is set
  /// aside as `*.bad` and reported; what it stood for is found by the alias of its veth.
  public static AttachmentJournal open(Path directory) throws IOException {
    return open(directory, Files.readString(BOOT_ID).strip());
  }

  static AttachmentJournal open(Path directory, String bootId) throws IOException {
    Files.createDirectories(directory);
    List<Path> begun = new ArrayList<>();
    List<Path> settled = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (name.startsWith(".")) {
          Files.deleteIfExists(file); // spare, or of a write that a crash interrupted
        } else if (name.endsWith(BEGUN_SUFFIX)) {
          begun.add(file);
        } else if (name.endsWith(SUFFIX)) {
          settled.add(file);
        }
      }
    }
    // An outranked file goes first: where what outranks it can't be read, a pod that lives would
    // else be taken for one that was only begun.
    for (Path file : settled) {
      Path outranked = begunOf(file);
      Files.deleteIfExists(outranked);
      begun.remove(outranked);
    }
    Map<AttachmentId, JournalEntry> entries = new HashMap<>();
    for (Path file : begun) {
      load(file, entries);
    }
    for (Path file : settled) {
      load(file, entries);
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

  /// Whether a wired attachment has `address` by another handle than `handleId`.
  public synchronized boolean isOfAnother(IpAddress address, String handleId) {
    for (JournalEntry entry : entries.values()) {
      if (entry instanceof JournalEntry.Committed committed
          && committed.addresses().contains(address)
          && !entry.attachment().handleId().equals(handleId)) {
        return true;
      }
    }
    return false;
  }

  /// Remembers an entry in place of any other of the same attachment. No end of this process loses
  /// it from then on; a loss of power does until [#sync], and takes the pod with it.
  public void write(JournalEntry entry) throws IOException {
    AttachmentId id = entry.attachment().id();
    boolean isFirst = entry instanceof JournalEntry.Prepared && find(id).isEmpty();
    Path file = isFirst ? begunOf(file(id)) : file(id);
    synchronized (this) {
      outranked.remove(id);
    }
    byte[] octets = EntryJson.write(entry);
    try {
      files.write(file, octets);
    } catch (NoSuchFileException deleted) {
      restore();
      files.write(file, octets);
    }
    synchronized (this) {
      JournalEntry before = entries.put(id, entry);
      if (!isFirst && before instanceof JournalEntry.Prepared) {
        outranked.add(id);
      }
      unsynced.add(id);
    }
  }

  /// Makes the directory again, with all that is known, if somebody deleted it. It comes into its
  /// place whole: until then every write fails, so that none can be overtaken by an older entry.
  private synchronized void restore() throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    LOG.atError()
        .addKeyValue("directory", directory)
        .addKeyValue("attachments", entries.size())
        .log("the journal of attachments was deleted; it is written anew from memory");
    Path above = Objects.requireNonNull(directory.toAbsolutePath().getParent());
    Files.createDirectories(above);
    Path made = Files.createTempDirectory(above, ".journal");
    for (JournalEntry entry : entries.values()) {
      AttachmentId id = entry.attachment().id();
      SpareFiles.create(made.resolve(file(id).getFileName()), EntryJson.write(entry));
      unsynced.add(id);
    }
    Files.move(made, directory, StandardCopyOption.ATOMIC_MOVE);
  }

  /// Puts on the disk what is not there yet, and tidies up; to be called now and then. Neither ADD
  /// nor DEL waits for it (docs/adr/0014-journal-off-the-path.md).
  public void sync() throws IOException {
    restore();
    List<AttachmentId> due;
    synchronized (this) {
      due = List.copyOf(unsynced);
      unsynced.clear();
    }
    for (AttachmentId id : due) {
      try (FileChannel channel = FileChannel.open(file(id), StandardOpenOption.WRITE)) {
        channel.force(false);
      } catch (NoSuchFileException gone) {
        // Forgotten meanwhile, or only begun: nothing to lose.
      }
    }
    removeOutranked();
    files.prepare();
  }

  private synchronized void removeOutranked() throws IOException {
    for (AttachmentId id : outranked) {
      files.remove(begunOf(file(id)));
    }
    outranked.clear();
  }

  /// Forgets an attachment. Should the file come back after a loss of power, it carries another
  /// boot id and is released again, which is harmless.
  ///
  /// @throws IOException when a file can't be deleted; the attachment is still known
  public void remove(AttachmentId id) throws IOException {
    JournalEntry forgotten;
    synchronized (this) {
      // First, so that a directory written anew can't bring it back.
      forgotten = entries.remove(id);
      outranked.remove(id);
    }
    try {
      files.remove(begunOf(file(id)));
      files.remove(file(id));
    } catch (IOException refused) {
      synchronized (this) {
        if (forgotten != null) {
          entries.putIfAbsent(id, forgotten);
        }
      }
      throw refused;
    }
  }

  private Path file(AttachmentId id) {
    return directory.resolve(id.containerId() + "@" + id.ifName() + SUFFIX);
  }

  private static Path begunOf(Path file) {
    String name = file.getFileName().toString();
    return file.resolveSibling(name.substring(0, name.length() - SUFFIX.length()) + BEGUN_SUFFIX);
  }
}
