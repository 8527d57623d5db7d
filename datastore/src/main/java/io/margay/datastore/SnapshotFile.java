package io.margay.datastore;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;

/// Reads the last known good state from disk, so that an agent can restart while the store is away;
/// [SnapshotWriter] wrote it.
///
/// The file is a list of records, appended as things change. One that closes a state carries a
/// checksum over everything before it: what follows the last such record, or a part of the file
/// that is damaged, does not count, and the state before it does. That guards against a torn disk,
/// not against somebody who may write the file (who may as well write the agent).
///
/// ```
/// file   = magic *record
/// record = PUT text(key) text(value) u64(modRevision)
///        | DELETE text(key)
///        | CLOSE u64(milliseconds since 1970) text(cluster) u32(n) n*text(endpoint) u64(revision)
///          u64(CRC-32C of all octets before)
/// text   = u32(octets) UTF-8
/// ```
public final class SnapshotFile {

  /// The largest file that is written or read back, in octets.
  public static final long MAX_OCTETS = 1L << 30;

  /// The longest single value: etcd's default request limit with room to spare.
  public static final int MAX_VALUE_OCTETS = 16 << 20;

  static final long MAGIC = 0x4d41_5247_4159_5333L; // "MARGAYS3"
  static final int PUT = 1;
  static final int DELETE = 2;
  static final int CLOSE = 3;

  private static final int MAX_NAME_OCTETS = 1024;
  private static final int MAX_KEY_OCTETS = Keys.MAX_LENGTH * 4;
  private static final int MAX_ENDPOINTS = 64;

  /// Of a WorkloadEndpoint with its key, which in a large cluster most records are.
  private static final int USUAL_RECORD_OCTETS = 1 << 10;

  private static final int BUFFER_OCTETS = 1 << 16;

  private SnapshotFile() {}

  /// What a state is of.
  ///
  /// @param takenAt when the writer knew it
  /// @param cluster whose state it is ({@link StoreId#cluster})
  /// @param endpoints where the writer found that store
  /// @param revision the store's revision it was complete up to
  public record Head(Instant takenAt, String cluster, List<String> endpoints, long revision) {

    public Head {
      endpoints = List.copyOf(endpoints);
    }

    /// Whether this is what the store at these endpoints said last: some member must be the same. A
    /// node that was moved to another cluster must not enforce the former one's policy.
    public boolean isOf(List<String> configured) {
      return configured.stream().anyMatch(endpoints::contains);
    }
  }

  /// What was known.
  ///
  /// @param isCut whether something newer followed that is damaged or not complete
  public record Snapshot(Head head, List<KeyValue> items, boolean isCut) {

    public Snapshot {
      items = List.copyOf(items);
    }
  }

  /// Reads the last whole state at `file`; empty when there is no file.
  ///
  /// @throws IOException when no whole state is in it, saying why; delete the file to start without
  public static Optional<Snapshot> read(Path file) throws IOException {
    List<KeyValue> items = new ArrayList<>();
    Optional<Index> index = read(file, items::add);
    return index.map(found -> new Snapshot(found.head, items, found.isCut));
  }

  /// The same without holding it: each item is handed over in no particular order.
  static Optional<Index> read(Path file, Consumer<KeyValue> each) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    long octets = Files.size(file);
    if (octets > MAX_OCTETS) {
      throw damaged(file, octets + " octets are beyond the limit of " + MAX_OCTETS);
    }
    Index index = index(file);
    forEachLive(file, index, each);
    return Optional.of(index);
  }

  /// Where the items of the last whole state are.
  static final class Index {
    private final KeyOffsets offsets;

    /// Since the last whole state.
    private final KeyOffsets.Steps steps;

    private Head head = new Head(Instant.EPOCH, "", List.of(), 0);
    private long end;
    private boolean isCut;

    Index(int expected) {
      offsets = new KeyOffsets(expected);
      steps = new KeyOffsets.Steps(expected);
    }

    private void step(String key, long offset) {
      steps.add(offsets.hash(key), offset);
    }

    private void close(Head now, long at) {
      steps.moveInto(offsets);
      head = now;
      end = at;
    }

    private boolean isLive(String key, long offset) {
      return offsets.isAt(offsets.hash(key), offset);
    }

    Head head() {
      return head;
    }

    /// Octets up to the end of the last whole state.
    long end() {
      return end;
    }
  }

  static Index index(Path file) throws IOException {
    Index index = new Index((int) (Files.size(file) / USUAL_RECORD_OCTETS));
    String trouble = "it ends too early";
    try (Records in = new Records(Files.newInputStream(file), file)) {
      in.magic();
      while (true) {
        long at = in.position();
        int type = in.type();
        if (type < 0) {
          break;
        }
        switch (type) {
          case PUT -> {
            index.step(in.key(), at);
            in.skipValue();
          }
          case DELETE -> index.step(in.key(), KeyOffsets.GONE);
          case CLOSE -> {
            Head head = in.head();
            in.verify();
            index.close(head, in.position());
          }
          default -> throw damaged(file, "a record of type " + type);
        }
      }
      index.isCut = !index.steps.isEmpty();
    } catch (EOFException cut) {
      index.isCut = true;
    } catch (IOException | IllegalArgumentException damage) {
      index.isCut = true;
      trouble = String.valueOf(damage.getMessage());
    }
    if (index.end == 0) {
      throw damaged(file, trouble);
    }
    index.steps.clear();
    return index;
  }

  /// Hands over the items of an indexed state.
  static void forEachLive(Path file, Index index, Consumer<KeyValue> each) throws IOException {
    try (Records in = new Records(Files.newInputStream(file), file)) {
      in.magic();
      while (in.position() < index.end) {
        long at = in.position();
        switch (in.type()) {
          case PUT -> {
            String key = in.key();
            if (index.isLive(key, at)) {
              each.accept(in.item(key));
            } else {
              in.skipValue();
            }
          }
          case DELETE -> in.key();
          case CLOSE -> {
            in.head();
            in.verify();
          }
          default -> throw damaged(file, "it changed while it was read");
        }
      }
    } catch (EOFException | IllegalArgumentException changed) {
      throw damaged(file, "it changed while it was read");
    }
  }

  /// The records of a file, one field after the other.
  private static final class Records implements AutoCloseable {
    private final Path file;
    private final CRC32C checksum = new CRC32C();
    private final DataInputStream in;
    private long position;

    Records(InputStream raw, Path file) {
      this.file = file;
      in =
          new DataInputStream(
              new CheckedInputStream(new BufferedInputStream(raw, BUFFER_OCTETS), checksum));
    }

    long position() {
      return position;
    }

    void magic() throws IOException {
      if (number() != MAGIC) {
        throw damaged(file, "it does not start like a snapshot of this version");
      }
    }

    /// -1 at the end.
    int type() throws IOException {
      int type = in.read();
      position += type < 0 ? 0 : 1;
      return type;
    }

    String key() throws IOException {
      return text(MAX_KEY_OCTETS);
    }

    KeyValue item(String key) throws IOException {
      return new KeyValue(key, text(MAX_VALUE_OCTETS), number());
    }

    void skipValue() throws IOException {
      int length = length(MAX_VALUE_OCTETS);
      in.skipNBytes(length);
      position += length;
      number();
    }

    Head head() throws IOException {
      Instant takenAt = Instant.ofEpochMilli(number());
      String cluster = text(MAX_NAME_OCTETS);
      int members = length(MAX_ENDPOINTS);
      List<String> endpoints = new ArrayList<>();
      for (int i = 0; i < members; i++) {
        endpoints.add(text(MAX_NAME_OCTETS));
      }
      return new Head(takenAt, cluster, endpoints, number());
    }

    void verify() throws IOException {
      long expected = checksum.getValue();
      if (number() != expected) {
        throw damaged(file, "its checksum is wrong");
      }
    }

    private long number() throws IOException {
      long number = in.readLong();
      position += Long.BYTES;
      return number;
    }

    private int length(int limit) throws IOException {
      int length = in.readInt();
      position += Integer.BYTES;
      if (length < 0 || length > limit) {
        throw damaged(file, length + " found where at most " + limit + " was expected");
      }
      return length;
    }

    private String text(int limit) throws IOException {
      int length = length(limit);
      byte[] octets = in.readNBytes(length);
      if (octets.length < length) {
        throw new EOFException();
      }
      position += length;
      return new String(octets, UTF_8);
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }

  static IOException damaged(Path file, String how) {
    return new IOException(
        "snapshot "
            + file
            + " is damaged: "
            + how
            + "; it is not used (delete it to silence this)");
  }
}
