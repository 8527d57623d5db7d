package io.margay.datastore;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps what a [Syncer] knows in a [SnapshotFile]: written whole once after the start, then what
/// changes is appended, and written anew, without ever being in memory, when most of the file is
/// out of date. A whole file is written to a neighbour, synced and renamed: a reader sees a whole
/// state or the one before.
public final class SnapshotWriter implements StateRecorder, AutoCloseable {

  /// Octets that may be out of date before the file is written anew, if they are more than half of
  /// it.
  public static final long MIN_WASTE = 16L << 20;

  private static final int BUFFER_OCTETS = 1 << 16;
  private static final String SMALLER = ".small";
  private static final Logger LOG = LoggerFactory.getLogger(SnapshotWriter.class);

  private final Path file;
  private final List<String> endpoints;
  private final InstantSource clock;
  private final long minWaste;

  /// Held by whoever saves or reads, so that the file stays the same one.
  private final Object saving = new Object();

  private @Nullable Output out;
  private @Nullable Complete complete;
  private @Nullable IOException failure;
  private boolean hasBegun;
  private boolean isInPlace;
  private boolean isDirty;

  /// Whether the file has what the disk may not have yet.
  private boolean isUnsynced;

  /// Octets of the file when it was last written whole.
  private long wholeOctets;

  private record Complete(StoreId store, long revision) {}

  /// @param endpoints the store's, as configured
  public SnapshotWriter(Path file, List<String> endpoints, InstantSource clock) {
    this(file, endpoints, clock, MIN_WASTE);
  }

  SnapshotWriter(Path file, List<String> endpoints, InstantSource clock, long minWaste) {
    this.file = file.toAbsolutePath();
    this.endpoints = List.copyOf(endpoints);
    this.clock = clock;
    this.minWaste = minWaste;
  }

  @Override
  public synchronized void begin() {
    giveUp();
    failure = null;
    if (!hasBegun) {
      hasBegun = true;
      removeLeftover();
    }
    try {
      out = Output.create(neighbour());
    } catch (IOException refused) {
      failed(refused);
    }
  }

  /// Of a process that was killed while it wrote the file anew.
  private void removeLeftover() {
    Path leftover = beside(SMALLER);
    try {
      Files.deleteIfExists(leftover);
    } catch (IOException stays) {
      LOG.atWarn()
          .addKeyValue("file", leftover)
          .addKeyValue("reason", String.valueOf(stays.getMessage()))
          .log("what an earlier process left can't be removed; until it is gone the file grows");
    }
  }

  @Override
  public synchronized void put(KeyValue item, boolean isNews) {
    if (out == null || (isInPlace && !isNews)) {
      return;
    }
    try {
      out.put(item);
      isDirty = true;
      requireRoom(out.octets());
    } catch (IOException refused) {
      failed(refused);
    }
  }

  @Override
  public synchronized void delete(String key) {
    if (out == null) {
      return;
    }
    try {
      out.delete(key);
      isDirty = true;
      requireRoom(out.octets());
    } catch (IOException refused) {
      failed(refused);
    }
  }

  @Override
  public synchronized void complete(StoreId store, long revision) {
    complete = new Complete(store, revision);
  }

  private void requireRoom(long octets) throws IOException {
    if (octets > SnapshotFile.MAX_OCTETS) {
      throw new IOException(
          file + " would be larger than " + SnapshotFile.MAX_OCTETS + " octets; it stays as it is");
    }
  }

  /// Puts on the disk what was told and is complete; to be called now and then.
  ///
  /// @throws IOException when the disk refused, now or since the last call: what is on the disk
  ///   stays, and nothing is kept any more until the next [#begin]
  public void save() throws IOException {
    synchronized (saving) {
      saveNow();
    }
  }

  /// Appends what was told and is complete, without waiting for the disk: another process finds it,
  /// though perhaps not after the power went. To be called more often than [#save], without which
  /// there is no file to append to.
  ///
  /// @throws IOException as [#save]
  public void flush() throws IOException {
    synchronized (saving) {
      synchronized (this) {
        if (failure != null) {
          throw failure;
        }
        if (out == null || complete == null || !isDirty || !isInPlace) {
          return;
        }
        try {
          close(out, complete);
          isDirty = false;
          isUnsynced = true;
        } catch (IOException refused) {
          throw failed(refused);
        }
      }
    }
  }

  /// Whether the file has all that was told, and whether that is a whole state.
  public synchronized boolean isSaved() {
    return isInPlace && !isDirty && !isUnsynced;
  }

  private void saveNow() throws IOException {
    Output saved;
    boolean isFirst;
    boolean isWasteful;
    synchronized (this) {
      if (failure != null) {
        throw failure;
      }
      if (out == null || complete == null || !(isDirty || isUnsynced)) {
        return;
      }
      saved = out;
      try {
        if (isDirty) {
          close(saved, complete);
        }
        isDirty = false;
        isUnsynced = false;
        isFirst = !isInPlace;
        isWasteful = saved.octets() - wholeOctets > Math.max(minWaste, wholeOctets);
      } catch (IOException refused) {
        throw failed(refused);
      }
    }
    // Whoever tells news meanwhile does not wait for the disk.
    try {
      saved.sync();
      if (isFirst) {
        putInPlace(saved);
      }
    } catch (IOException refused) {
      synchronized (this) {
        if (out == saved) {
          throw failed(refused);
        }
        return; // given up meanwhile, and closed
      }
    }
    if (isWasteful && !isFirst) {
      tryToCompact(saved);
    }
  }

  private synchronized void putInPlace(Output saved) throws IOException {
    if (out == saved) {
      rename(neighbour());
      isInPlace = true;
      wholeOctets = saved.octets();
    }
  }

  /// The file as it is has everything, so one that can't be made smaller goes on growing, until as
  /// much again is out of date.
  private void tryToCompact(Output large) {
    try {
      compact();
    } catch (IOException refused) {
      LOG.atWarn()
          .addKeyValue("file", file)
          .addKeyValue("reason", String.valueOf(refused.getMessage()))
          .log("the last known good state can't be written smaller; it goes on growing");
      synchronized (this) {
        if (out == large) {
          wholeOctets = large.octets();
        }
      }
    }
  }

  private void close(Output to, Complete state) throws IOException {
    to.close(
        new SnapshotFile.Head(
            clock.instant(), state.store().cluster(), endpoints, state.revision()));
  }

  /// Copies what counts while more is appended, then that.
  private void compact() throws IOException {
    SnapshotFile.Index index = SnapshotFile.index(file);
    Path smaller = beside(SMALLER);
    Output fresh = Output.create(smaller);
    boolean isUsed = false;
    try {
      SnapshotFile.forEachLive(
          file,
          index,
          item -> {
            try {
              fresh.put(item);
            } catch (IOException refused) {
              throw new UncheckedIOException(refused);
            }
          });
      // Most of it, so that little is left to wait for while nobody can tell news.
      fresh.flush();
      fresh.sync();
      synchronized (this) {
        Output old = out;
        Complete state = complete;
        if (old == null || state == null || !isInPlace) {
          return; // begun anew meanwhile
        }
        old.flush();
        fresh.copy(file, index.end());
        close(fresh, state);
        fresh.sync();
        rename(smaller);
        isUsed = true;
        isDirty = false;
        out = fresh;
        wholeOctets = fresh.octets();
        old.discard();
      }
    } catch (UncheckedIOException refused) {
      throw refused.getCause();
    } finally {
      if (!isUsed) {
        fresh.discard();
        Files.deleteIfExists(smaller);
      }
    }
  }

  /// Hands over each item of what was last saved, in no particular order.
  ///
  /// @return what it is of; empty when nothing was saved yet
  public Optional<SnapshotFile.Head> forEach(Consumer<KeyValue> each) throws IOException {
    synchronized (saving) {
      synchronized (this) {
        if (!isInPlace) {
          return Optional.empty();
        }
      }
      SnapshotFile.Index index = SnapshotFile.index(file);
      SnapshotFile.forEachLive(file, index, each);
      return Optional.of(index.head());
    }
  }

  private IOException failed(IOException refused) {
    giveUp();
    try {
      Files.deleteIfExists(neighbour());
    } catch (IOException stays) {
      refused.addSuppressed(stays);
    }
    failure = refused;
    return refused;
  }

  private void giveUp() {
    if (out != null) {
      out.discard();
      out = null;
    }
    complete = null;
    isInPlace = false;
    isDirty = false;
    isUnsynced = false;
  }

  private Path neighbour() {
    return beside(".new");
  }

  private Path beside(String suffix) {
    return file.resolveSibling(file.getFileName() + suffix);
  }

  private void rename(Path written) throws IOException {
    Files.move(written, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    Path directory = file.getParent();
    if (directory != null) {
      try (FileChannel entry = FileChannel.open(directory, StandardOpenOption.READ)) {
        entry.force(true);
      }
    }
  }

  /// What was saved stays.
  @Override
  public synchronized void close() {
    giveUp();
  }

  /// A file that grows.
  private static final class Output {
    private final FileOutputStream raw;
    private final CRC32C checksum = new CRC32C();
    private final DataOutputStream out;
    private long octets;

    private Output(FileOutputStream raw) {
      this.raw = raw;
      out =
          new DataOutputStream(
              new CheckedOutputStream(new BufferedOutputStream(raw, BUFFER_OCTETS), checksum));
    }

    static Output create(Path file) throws IOException {
      Path directory = file.getParent();
      if (directory != null) {
        Files.createDirectories(directory);
      }
      Output created = new Output(new FileOutputStream(file.toFile()));
      created.number(SnapshotFile.MAGIC);
      return created;
    }

    long octets() {
      return octets;
    }

    void put(KeyValue item) throws IOException {
      type(SnapshotFile.PUT);
      text(item.key());
      text(item.value());
      number(item.modRevision());
    }

    void delete(String key) throws IOException {
      type(SnapshotFile.DELETE);
      text(key);
    }

    void close(SnapshotFile.Head head) throws IOException {
      type(SnapshotFile.CLOSE);
      number(head.takenAt().toEpochMilli());
      text(head.cluster());
      out.writeInt(head.endpoints().size());
      octets += Integer.BYTES;
      for (String endpoint : head.endpoints()) {
        text(endpoint);
      }
      number(head.revision());
      number(checksum.getValue());
      out.flush();
    }

    /// Records of another file, from an offset to its end.
    void copy(Path from, long offset) throws IOException {
      try (FileChannel channel = FileChannel.open(from, StandardOpenOption.READ)) {
        InputStream rest = Channels.newInputStream(channel.position(offset));
        octets += rest.transferTo(out);
      }
    }

    void flush() throws IOException {
      out.flush();
    }

    void sync() throws IOException {
      raw.getFD().sync();
    }

    void discard() {
      try {
        raw.close();
      } catch (IOException closed) {
        // Nobody reads what was not saved.
      }
    }

    private void type(int type) throws IOException {
      out.write(type);
      octets++;
    }

    private void number(long number) throws IOException {
      out.writeLong(number);
      octets += Long.BYTES;
    }

    private void text(String text) throws IOException {
      byte[] encoded = text.getBytes(UTF_8);
      out.writeInt(encoded.length);
      out.write(encoded);
      octets += Integer.BYTES + encoded.length;
    }
  }
}
