package io.margay.datastore;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/// The last known good state on disk, so that an agent can restart while the store is away. Written
/// to a neighbour, synced and renamed: a reader sees a whole snapshot or the one before. A checksum
/// over everything closes the file: it guards against a torn disk, not against somebody who may
/// write it (who may as well write the agent).
public final class SnapshotFile {

  /// The largest file that is written or read back, in octets.
  public static final long MAX_OCTETS = 1L << 30;

  /// The longest single value: etcd's default request limit with room to spare.
  public static final int MAX_VALUE_OCTETS = 16 << 20;

  private static final int MAX_NAME_OCTETS = 1024;

  private static final int MAX_ENDPOINTS = 64;

  private static final long MAGIC = 0x4d41_5247_4159_5332L; // "MARGAYS2"

  private SnapshotFile() {}

  /// What was known.
  ///
  /// @param takenAt when the writer knew it
  /// @param cluster whose state it is ({@link StoreId#cluster})
  /// @param endpoints where the writer found that store
  /// @param revision the store's revision it was complete up to
  public record Snapshot(
      Instant takenAt,
      String cluster,
      List<String> endpoints,
      long revision,
      List<KeyValue> items) {

    public Snapshot {
      endpoints = List.copyOf(endpoints);
      items = List.copyOf(items);
    }

    /// Whether this is what the store at these endpoints said last: some member must be the same. A
    /// node that was moved to another cluster must not enforce the former one's policy.
    public boolean isOf(List<String> configured) {
      return configured.stream().anyMatch(endpoints::contains);
    }
  }

  /// Replaces the snapshot at `file`.
  ///
  /// @throws IOException when the disk refuses; the old snapshot is still there
  public static void write(Path file, Snapshot snapshot) throws IOException {
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null) {
      throw new IOException(file + " has no directory");
    }
    Files.createDirectories(directory);
    Path neighbour = directory.resolve(file.getFileName() + ".new");
    CRC32C checksum = new CRC32C();
    try (FileOutputStream raw = new FileOutputStream(neighbour.toFile())) {
      DataOutputStream out =
          new DataOutputStream(
              new CheckedOutputStream(new BufferedOutputStream(raw, 1 << 16), checksum));
      long octets = 0;
      out.writeLong(MAGIC);
      out.writeLong(snapshot.takenAt().toEpochMilli());
      writeText(out, snapshot.cluster());
      out.writeInt(snapshot.endpoints().size());
      for (String endpoint : snapshot.endpoints()) {
        writeText(out, endpoint);
      }
      out.writeLong(snapshot.revision());
      out.writeInt(snapshot.items().size());
      for (KeyValue item : snapshot.items()) {
        writeText(out, item.key());
        writeText(out, item.value());
        out.writeLong(item.modRevision());
        octets +=
            Utf8.length(item.key()) + Utf8.length(item.value()) + 2 * Integer.BYTES + Long.BYTES;
        if (octets > MAX_OCTETS) {
          throw new IOException(
              file + " would be larger than " + MAX_OCTETS + " octets; it is left as it was");
        }
      }
      out.writeLong(checksum.getValue());
      out.flush();
      raw.getFD().sync();
    }
    Files.move(
        neighbour, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    try (FileChannel entry = FileChannel.open(directory, StandardOpenOption.READ)) {
      entry.force(true);
    }
  }

  /// Reads the snapshot at `file`; empty when there is none.
  ///
  /// @throws IOException when it is damaged, saying how; delete the file to start without it
  public static Optional<Snapshot> read(Path file) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    long octets = Files.size(file);
    if (octets > MAX_OCTETS) {
      throw damaged(file, octets + " octets are beyond the limit of " + MAX_OCTETS);
    }
    CRC32C checksum = new CRC32C();
    try (DataInputStream in =
        new DataInputStream(
            new CheckedInputStream(
                new BufferedInputStream(Files.newInputStream(file), 1 << 16), checksum))) {
      if (in.readLong() != MAGIC) {
        throw damaged(file, "it does not start like a snapshot");
      }
      Instant takenAt = Instant.ofEpochMilli(in.readLong());
      String cluster = readText(in, file, MAX_NAME_OCTETS);
      int members = in.readInt();
      if (members < 0 || members > MAX_ENDPOINTS) {
        throw damaged(file, members + " endpoints are beyond the limit of " + MAX_ENDPOINTS);
      }
      List<String> endpoints = new ArrayList<>();
      for (int i = 0; i < members; i++) {
        endpoints.add(readText(in, file, MAX_NAME_OCTETS));
      }
      long revision = in.readLong();
      int count = in.readInt();
      List<KeyValue> items = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        items.add(
            new KeyValue(
                readText(in, file, Keys.MAX_LENGTH * 4),
                readText(in, file, MAX_VALUE_OCTETS),
                in.readLong()));
      }
      long expected = checksum.getValue();
      if (in.readLong() != expected) {
        throw damaged(file, "its checksum is wrong");
      }
      if (in.read() >= 0) {
        throw damaged(file, "something follows its checksum");
      }
      return Optional.of(new Snapshot(takenAt, cluster, endpoints, revision, items));
    } catch (EOFException cut) {
      throw damaged(file, "it ends too early");
    } catch (IllegalArgumentException impossible) {
      throw damaged(file, String.valueOf(impossible.getMessage()));
    }
  }

  private static void writeText(DataOutputStream out, String text) throws IOException {
    byte[] octets = text.getBytes(UTF_8);
    out.writeInt(octets.length);
    out.write(octets);
  }

  private static String readText(DataInputStream in, Path file, int limit) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > limit) {
      throw damaged(file, "a text of " + length + " octets is beyond the limit of " + limit);
    }
    byte[] octets = in.readNBytes(length);
    if (octets.length < length) {
      throw new EOFException();
    }
    return new String(octets, UTF_8);
  }

  private static IOException damaged(Path file, String how) {
    return new IOException(
        "snapshot "
            + file
            + " is damaged: "
            + how
            + "; it is not used (delete it to silence this)");
  }
}
