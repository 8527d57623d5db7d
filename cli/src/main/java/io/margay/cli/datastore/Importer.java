package io.margay.cli.datastore;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.Progress;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;

/// Writes what of a checked file is not in the datastore yet, in the file's order, several keys a
/// transaction; every key as the comparison found it, or nothing.
final class Importer implements ExportReader.Visitor {

  /// etcd takes 128 operations and 1.5 MiB in one request.
  static final int BATCH_KEYS = 100;

  static final int BATCH_OCTETS = 512 * 1024;

  /// Tries of one batch whose answers get lost.
  private static final int MAX_ATTEMPTS = 5;

  /// Writing had to end before everything was written.
  static final class Stopped extends Exception {
    private static final long serialVersionUID = 1L;

    private final String lastKey;
    private final String uncertainKey;

    Stopped(String reason, String lastKey, String uncertainKey) {
      super(reason);
      this.lastKey = lastKey;
      this.uncertainKey = uncertainKey;
    }

    /// The last key of a batch that may be written too: its answer was lost; empty = there is none.
    String uncertainKey() {
      return uncertainKey;
    }

    /// The last key that is surely written; empty = none.
    String lastKey() {
      return lastKey;
    }
  }

  /// Carries [Stopped] through the reading.
  private static final class StoppedWhileReading extends IOException {
    private static final long serialVersionUID = 1L;

    StoppedWhileReading(Stopped stopped) {
      super(stopped);
    }
  }

  private final Datastore datastore;
  private final ImportPlan plan;
  private final InstantSource clock;
  private final BooleanSupplier stop;
  private final Progress progress;
  private final List<ExportReader.Entry> batch = new ArrayList<>();
  private int batchOctets;
  private long written;
  private long unchanged;
  private String lastKey = "";

  /// @param stop asked between batches: whether the user wants an end
  Importer(
      Datastore datastore,
      ImportPlan plan,
      InstantSource clock,
      BooleanSupplier stop,
      Progress progress) {
    this.datastore = datastore;
    this.plan = plan;
    this.clock = clock;
    this.stop = stop;
    this.progress = progress;
  }

  /// Keys written so far.
  long written() {
    return written;
  }

  /// Keys that held what the file has.
  long unchanged() {
    return unchanged;
  }

  void run(Path file, String source) throws Stopped, IOException {
    try {
      ExportReader.read(file, source, this);
      flush();
    } catch (StoppedWhileReading carried) {
      if (carried.getCause() instanceof Stopped stopped) {
        throw stopped;
      }
      throw carried;
    } catch (DatastoreException failed) {
      throw new Stopped(
          String.valueOf(failed.getMessage()),
          lastKey,
          failed.isOutcomeUnknown() && !batch.isEmpty() ? batch.getLast().key() : "");
    }
  }

  @Override
  public void entry(ExportReader.Entry entry) throws DatastoreException, IOException {
    if (plan.isSame(entry.key())) {
      unchanged++;
      return;
    }
    int octets = entry.key().length() + entry.value().getBytes(StandardCharsets.UTF_8).length;
    if (batch.size() == BATCH_KEYS || batchOctets + octets > BATCH_OCTETS) {
      flush();
    }
    batch.add(entry);
    batchOctets += octets;
  }

  @Override
  public void problem(String problem) {
    throw new IllegalStateException("the file was whole before and is not now: " + problem);
  }

  private void flush() throws DatastoreException, IOException {
    if (batch.isEmpty()) {
      return;
    }
    if (stop.getAsBoolean()) {
      throw new StoppedWhileReading(new Stopped("interrupted", lastKey, ""));
    }
    Map<String, String> values = new HashMap<>();
    Txn.Builder txn = Txn.builder();
    for (ExportReader.Entry entry : batch) {
      String value = identified(entry);
      values.put(entry.key(), value);
      Optional<Long> revision = plan.revisionOf(entry.key());
      if (revision.isPresent()) {
        txn.ifAtRevision(entry.key(), revision.get());
      } else {
        txn.ifAbsent(entry.key());
      }
      txn.put(entry.key(), value);
    }
    commit(txn.build(), values);
    written += batch.size();
    lastKey = batch.getLast().key();
    batch.clear();
    batchOctets = 0;
    progress.at("importing", written + unchanged, plan.size());
  }

  private void commit(Txn txn, Map<String, String> values) throws DatastoreException, IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        switch (datastore.commit(txn)) {
          case CommitResult.Committed _ -> {
            return;
          }
          case CommitResult.Conflict(long _, Map<String, KeyValue> current) -> {
            if (isWritten(current, values)) {
              return;
            }
            throw new StoppedWhileReading(
                new Stopped(
                    "somebody else writes to the datastore: "
                        + firstForeign(current, values)
                        + " has changed since it was compared",
                    lastKey,
                    ""));
          }
        }
      } catch (DatastoreException lost) {
        if (!lost.isOutcomeUnknown() || attempt == MAX_ATTEMPTS) {
          throw lost;
        }
      }
    }
  }

  /// Whether a batch whose answer was lost is in the datastore after all.
  private static boolean isWritten(Map<String, KeyValue> current, Map<String, String> values) {
    return values.entrySet().stream()
        .allMatch(
            entry -> {
              KeyValue found = current.get(entry.getKey());
              return found != null && found.value().equals(entry.getValue());
            });
  }

  private static String firstForeign(Map<String, KeyValue> current, Map<String, String> values) {
    return current.values().stream()
        .filter(found -> !found.value().equals(values.get(found.key())))
        .map(KeyValue::key)
        .sorted()
        .findFirst()
        .orElse("a key");
  }

  /// calicoctl leaves out who an object is; it gets an identity then, as a new one would.
  private String identified(ExportReader.Entry entry) throws IOException {
    if (entry.hasIdentity()
        || !(Trees.parse(entry.value()) instanceof ObjectNode document)
        || !(document.path("metadata") instanceof ObjectNode metadata)) {
      return entry.value();
    }
    metadata.put("uid", UUID.randomUUID().toString());
    metadata.put("creationTimestamp", clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
    return Trees.compact(document);
  }
}
