package io.margay.datastore.file;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.zip.CRC32C;

/// What has been committed, one line each, before any file is touched: a checksum, a blank, JSON.
/// So a commit of several keys is whole or absent after any crash, and revisions survive a restart.
///
/// Lines: `{"store":…,"revision":…}` first; `{"r":…,"k":…,"v":…}` a key as it was when the log was
/// last rewritten; `{"r":…,"w":[{"k":…,"v":…}]}` a commit, a write without `v` being a deletion;
/// `{"applied":…}` the files hold everything up to that revision.
final class FileLog implements AutoCloseable {

  /// A log longer than this is rewritten, if half of it is of the past.
  static final long REWRITE_OCTETS = 16L << 20;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int CHECKSUM_DIGITS = 8;

  private final Path file;
  private FileChannel channel;
  private String store = "";
  private long revision = 1;
  private final NavigableMap<String, KeyValue> items = new TreeMap<>();

  /// What a key held when the files were last known to hold everything; for keys written since.
  private final NavigableMap<String, String> beforeUnapplied = new TreeMap<>();

  /// Stands for "was not there" in `beforeUnapplied`.
  static final String ABSENT = "";

  private FileLog(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /// Reads the log, and drops a last line that a crash cut off: its commit has not happened.
  ///
  /// @throws IOException also when it is damaged elsewhere
  static FileLog open(Path file) throws IOException {
    Files.createDirectories(file.getParent());
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    FileLog log = new FileLog(file, channel);
    try {
      log.read(Files.readAllBytes(file));
      if (log.store.isEmpty()) {
        log.store = "file-" + UUID.randomUUID();
        log.append(log.header());
      }
      channel.position(channel.size());
      return log;
    } catch (IOException damaged) {
      channel.close();
      throw damaged;
    }
  }

  private void read(byte[] content) throws IOException {
    int at = 0;
    while (at < content.length) {
      int end = at;
      while (end < content.length && content[end] != '\n') {
        end++;
      }
      String line = new String(content, at, end - at, UTF_8);
      if (end == content.length || !isWhole(line)) {
        if (end < content.length - 1) {
          throw new IOException(
              file
                  + " is damaged at octet "
                  + at
                  + "; move it away to begin anew from the files (revisions restart)");
        }
        channel.truncate(at);
        return;
      }
      take(line.substring(CHECKSUM_DIGITS + 1));
      at = end + 1;
    }
  }

  private static boolean isWhole(String line) {
    return line.length() > CHECKSUM_DIGITS
        && line.startsWith(checksum(line.substring(CHECKSUM_DIGITS + 1)) + " ");
  }

  private void take(String json) throws IOException {
    JsonNode line;
    try {
      line = JSON.readTree(json);
    } catch (JacksonException impossible) {
      throw new IOException(file + " holds a line that is not JSON", impossible);
    }
    if (line.has("store")) {
      store = line.get("store").asText();
      revision = line.get("revision").asLong();
    } else if (line.has("applied")) {
      beforeUnapplied.clear();
    } else if (line.has("k")) {
      String key = line.get("k").asText();
      items.put(key, new KeyValue(key, line.get("v").asText(), line.get("r").asLong()));
    } else {
      revision = line.get("r").asLong();
      for (JsonNode write : line.get("w")) {
        String key = write.get("k").asText();
        remember(
            write.has("v")
                ? new Txn.Write.Put(key, write.get("v").asText())
                : new Txn.Write.Delete(key));
      }
    }
  }

  private void remember(Txn.Write write) {
    KeyValue before = items.get(write.key());
    beforeUnapplied.putIfAbsent(write.key(), before == null ? ABSENT : "=" + before.value());
    switch (write) {
      case Txn.Write.Put(String key, String value) ->
          items.put(key, new KeyValue(key, value, revision));
      case Txn.Write.Delete(String key) -> items.remove(key);
    }
  }

  String store() {
    return store;
  }

  long revision() {
    return revision;
  }

  /// Everything committed.
  Collection<KeyValue> items() {
    return items.values();
  }

  /// Keys whose files may not hold what was committed, with what they held before: `ABSENT`, or `=`
  /// and the value.
  NavigableMap<String, String> unapplied() {
    return beforeUnapplied;
  }

  /// Makes a commit durable. When this throws, it has not happened.
  void commit(long newRevision, List<Txn.Write> writes) throws IOException {
    ObjectNode line = JSON.createObjectNode().put("r", newRevision);
    ArrayNode all = line.putArray("w");
    for (Txn.Write write : writes) {
      ObjectNode one = all.addObject().put("k", write.key());
      if (write instanceof Txn.Write.Put(String _, String value)) {
        one.put("v", value);
      }
    }
    append(line);
    revision = newRevision;
    writes.forEach(this::remember);
  }

  /// The files hold everything, and the disk holds the files.
  void applied() throws IOException {
    append(JSON.createObjectNode().put("applied", revision));
    beforeUnapplied.clear();
    if (channel.size() > REWRITE_OCTETS && channel.size() > 2 * live()) {
      rewrite();
    }
  }

  private long live() {
    return items.values().stream()
        .mapToLong(item -> item.key().length() + item.value().length())
        .sum();
  }

  /// Only what is there now; nothing may be unapplied.
  private void rewrite() throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try (FileChannel out =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      write(out, header());
      for (KeyValue item : items.values()) {
        write(
            out,
            JSON.createObjectNode()
                .put("r", item.modRevision())
                .put("k", item.key())
                .put("v", item.value()));
      }
      out.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    channel.close();
    channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    channel.position(channel.size());
  }

  private ObjectNode header() {
    return JSON.createObjectNode().put("store", store).put("revision", revision);
  }

  private void append(ObjectNode line) throws IOException {
    long before = channel.size();
    try {
      channel.position(before);
      write(channel, line);
      channel.force(false);
    } catch (IOException full) {
      channel.truncate(before);
      throw full;
    }
  }

  private static void write(FileChannel out, ObjectNode line) throws IOException {
    String json = JSON.writeValueAsString(line);
    ByteBuffer octets = ByteBuffer.wrap((checksum(json) + " " + json + "\n").getBytes(UTF_8));
    while (octets.hasRemaining()) {
      out.write(octets);
    }
  }

  private static String checksum(String json) {
    CRC32C crc = new CRC32C();
    crc.update(json.getBytes(UTF_8));
    return String.format(Locale.ROOT, "%08x", crc.getValue());
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
