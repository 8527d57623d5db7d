package io.margay.ipam;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The reserve on disk: a file of records, one a line with its checksum, each flushed to the disk
/// before what it says is acted upon. A record half written when the power went is dropped. Owned
/// by {@link AddressReserve}'s lock.
final class ReserveJournal implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ReserveJournal.class);

  /// Records in the file before it is written anew with the state alone.
  static final int MAX_RECORDS = 512;

  /// The longest record.
  static final int MAX_RECORD_OCTETS = 256 << 10;

  /// An address nobody uses.
  ///
  /// @param freeAt when it has rested enough
  record Spare(IpAddress address, Prefix block, Instant freeAt) {}

  /// Addresses handed out from the reserve.
  ///
  /// @param bootId in which run of the machine
  /// @param document the endpoint to write under `key` with them
  /// @param moving whether the store may have heard of it
  /// @param doomed whether the holder is gone
  record Entry(
      String handleId,
      String bootId,
      Map<IpAddress, Prefix> blockByAddress,
      Map<String, String> attributes,
      String key,
      String document,
      boolean moving,
      boolean doomed) {

    Entry with(boolean nowMoving, boolean nowDoomed) {
      return new Entry(
          handleId, bootId, blockByAddress, attributes, key, document, nowMoving, nowDoomed);
    }
  }

  private final Path file;
  private final Map<IpAddress, Spare> spares = new LinkedHashMap<>();
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private Duration cooldown = Duration.ZERO;
  private int records;
  private boolean damaged;
  private @Nullable FileChannel channel;

  private ReserveJournal(Path file) {
    this.file = file;
  }

  /// Opens the journal, making it when absent. Entries of an earlier run of the machine are of pods
  /// that are gone. On a disk that takes nothing it is opened for what it says: nothing can be
  /// written before it could be written anew.
  static ReserveJournal open(Path file, String bootId) throws IOException {
    ReserveJournal journal = new ReserveJournal(file);
    journal.replay();
    for (Entry entry : List.copyOf(journal.entries.values())) {
      if (!entry.bootId().equals(bootId)) {
        journal.released(entry.handleId(), Instant.EPOCH);
      }
    }
    try {
      journal.rewrite();
    } catch (IOException refused) {
      journal.damaged = true;
      LOG.atWarn()
          .addKeyValue("file", file)
          .addKeyValue("reason", refused.getMessage())
          .log(
              "address reserve: the journal can be read but not written; until it can, pods get"
                  + " nothing of the reserve: give the disk room");
    }
    return journal;
  }

  /// Addresses nobody uses, longest-free first.
  List<Spare> spares() {
    return List.copyOf(spares.values());
  }

  /// How long an address rests.
  Duration cooldown() {
    return cooldown;
  }

  List<Entry> entries() {
    return List.copyOf(entries.values());
  }

  @Nullable Entry entry(String handleId) {
    return entries.get(handleId);
  }

  /// Replaces what the store holds under the reserve's handle.
  void reserve(Map<IpAddress, Prefix> held, Duration rest) throws IOException {
    ObjectNode record = record("reserve");
    record.put("cooldownSeconds", rest.toSeconds());
    ObjectNode addresses = record.putObject("addresses");
    held.forEach((address, block) -> addresses.put(address.toString(), block.toString()));
    append(record);
  }

  void take(Entry entry) throws IOException {
    append(takeRecord(entry));
  }

  private static ObjectNode takeRecord(Entry entry) {
    ObjectNode record = record("take");
    record.put("handle", entry.handleId());
    record.put("boot", entry.bootId());
    ObjectNode addresses = record.putObject("addresses");
    entry
        .blockByAddress()
        .forEach((address, block) -> addresses.put(address.toString(), block.toString()));
    ObjectNode attributes = record.putObject("attributes");
    entry.attributes().forEach(attributes::put);
    record.put("key", entry.key());
    record.put("document", entry.document());
    record.put("moving", entry.moving());
    record.put("doomed", entry.doomed());
    return record;
  }

  /// From here on the store may know.
  void moving(String handleId) throws IOException {
    append(record("moving").put("handle", handleId));
  }

  /// The holder is gone.
  void release(String handleId, Instant now) throws IOException {
    append(record("release").put("handle", handleId).put("at", now.getEpochSecond()));
  }

  /// The store knows all there is to know.
  void settle(String handleId) throws IOException {
    append(record("settle").put("handle", handleId));
  }

  private static ObjectNode record(String operation) {
    return Documents.JSON.createObjectNode().put("op", operation);
  }

  private void append(ObjectNode record) throws IOException {
    byte[] line = line(record);
    if (line.length > MAX_RECORD_OCTETS) {
      throw new IOException(
          "a record of " + line.length + " octets is beyond the limit of " + MAX_RECORD_OCTETS);
    }
    if (damaged || records >= MAX_RECORDS) {
      rewrite();
    }
    FileChannel out = channel;
    if (out == null) {
      throw new IOException(file + " is closed");
    }
    // Half a record must not stand before the next one: after a failure the file is written anew.
    damaged = true;
    try {
      write(out, line);
      out.force(false);
    } catch (IOException refused) {
      throw unwritable(refused);
    }
    damaged = false;
    apply(record);
    records++;
  }

  /// The kernel's word alone does not say where.
  private IOException unwritable(IOException refused) {
    return new IOException(file + " can't be written: " + refused.getMessage(), refused);
  }

  private static void write(FileChannel out, byte[] octets) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(octets);
    while (buffer.hasRemaining()) {
      out.write(buffer);
    }
  }

  private static byte[] line(ObjectNode record) {
    String json = Documents.write(record);
    return (checksum(json) + " " + json + "\n").getBytes(UTF_8);
  }

  private static String checksum(String json) {
    CRC32C checksum = new CRC32C();
    checksum.update(json.getBytes(UTF_8));
    return Long.toHexString(checksum.getValue());
  }

  private void replay() throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    String text = new String(Files.readAllBytes(file), UTF_8);
    int at = 0;
    while (at < text.length()) {
      int end = text.indexOf('\n', at);
      int space = text.indexOf(' ', at);
      if (end < 0
          || space < 0
          || space > end
          || !text.substring(at, space).equals(checksum(text.substring(space + 1, end)))) {
        LOG.atWarn()
            .addKeyValue("file", file)
            .addKeyValue("records", records)
            .log("address reserve: the rest of the journal can't be read and is dropped");
        return;
      }
      apply(Documents.readObject(text.substring(space + 1, end), file.toString()));
      records++;
      at = end + 1;
    }
  }

  private void apply(ObjectNode record) {
    String handleId = record.path("handle").asText();
    switch (record.path("op").asText()) {
      case "reserve" -> reserved(record);
      case "take" -> taken(record, handleId);
      case "moving" ->
          entries.computeIfPresent(handleId, (_, entry) -> entry.with(true, entry.doomed()));
      case "release" -> released(handleId, Instant.ofEpochSecond(record.path("at").asLong()));
      case "settle" -> entries.remove(handleId);
      default -> throw new IllegalArgumentException(file + ": unknown record " + record);
    }
  }

  private void reserved(ObjectNode record) {
    cooldown = Duration.ofSeconds(record.path("cooldownSeconds").asLong());
    Map<IpAddress, Spare> before = new LinkedHashMap<>(spares);
    Map<IpAddress, Prefix> held = addresses(record);
    entries.values().forEach(entry -> held.keySet().removeAll(entry.blockByAddress().keySet()));
    spares.clear();
    // Who waited longest stays in front.
    before.forEach(
        (address, spare) -> {
          Prefix block = held.remove(address);
          if (block != null) {
            spares.put(address, spare);
          }
        });
    held.forEach(
        (address, block) -> {
          long rests = record.path("rests").path(address.toString()).asLong();
          spares.put(address, new Spare(address, block, Instant.ofEpochSecond(rests)));
        });
  }

  private void taken(ObjectNode record, String handleId) {
    Map<String, String> attributes = new TreeMap<>();
    record
        .path("attributes")
        .properties()
        .forEach(field -> attributes.put(field.getKey(), field.getValue().asText()));
    Map<IpAddress, Prefix> addresses = addresses(record);
    spares.keySet().removeAll(addresses.keySet());
    entries.put(
        handleId,
        new Entry(
            handleId,
            record.path("boot").asText(),
            addresses,
            attributes,
            record.path("key").asText(),
            record.path("document").asText(),
            record.path("moving").asBoolean(),
            record.path("doomed").asBoolean()));
  }

  /// What the store never heard of is spare again, after its rest; what it may have heard of must
  /// be taken back there first.
  private void released(String handleId, Instant at) {
    Entry entry = entries.get(handleId);
    if (entry == null) {
      return;
    }
    if (entry.moving()) {
      entries.put(handleId, entry.with(true, true));
      return;
    }
    entries.remove(handleId);
    entry
        .blockByAddress()
        .forEach(
            (address, block) -> spares.put(address, new Spare(address, block, at.plus(cooldown))));
  }

  private static Map<IpAddress, Prefix> addresses(ObjectNode record) {
    Map<IpAddress, Prefix> addresses = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : record.path("addresses").properties()) {
      addresses.put(IpAddress.parse(field.getKey()), Prefix.parse(field.getValue().asText()));
    }
    return addresses;
  }

  /// Writes the state beside the file, flushes it and puts it in the file's place.
  private void rewrite() throws IOException {
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null) {
      throw new IOException(file + " has no directory");
    }
    Files.createDirectories(directory);
    List<ObjectNode> state = new ArrayList<>();
    ObjectNode reserve = record("reserve");
    reserve.put("cooldownSeconds", cooldown.toSeconds());
    ObjectNode addresses = reserve.putObject("addresses");
    ObjectNode rests = reserve.putObject("rests");
    for (Spare spare : spares.values()) {
      addresses.put(spare.address().toString(), spare.block().toString());
      if (spare.freeAt().isAfter(Instant.EPOCH)) {
        rests.put(spare.address().toString(), spare.freeAt().getEpochSecond());
      }
    }
    state.add(reserve);
    entries.values().forEach(entry -> state.add(takeRecord(entry)));
    Path neighbour = directory.resolve(file.getFileName() + ".new");
    try (FileChannel out =
        FileChannel.open(
            neighbour,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      for (ObjectNode record : state) {
        write(out, line(record));
      }
      out.force(true);
    } catch (IOException refused) {
      IOException unwritable = unwritable(refused);
      try {
        Files.deleteIfExists(neighbour);
      } catch (IOException stays) {
        unwritable.addSuppressed(stays);
      }
      throw unwritable;
    }
    close();
    Files.move(
        neighbour, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    try (FileChannel entry = FileChannel.open(directory, StandardOpenOption.READ)) {
      entry.force(true);
    }
    FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE);
    out.position(out.size());
    channel = out;
    records = state.size();
    damaged = false;
  }

  @Override
  public void close() throws IOException {
    FileChannel open = channel;
    channel = null;
    if (open != null) {
      open.close();
    }
  }
}
