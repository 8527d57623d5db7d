package io.margay.agent;

import io.margay.agent.settings.AgentSettings;
import io.margay.cni.CniVerbs;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.datastore.KeyValue;
import io.margay.datastore.SnapshotFile;
import io.margay.datastore.Syncer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What has to be done now and then, the first time at once: deletions that clients queued on disk,
/// releases the datastore still owes us an answer for, the journal of attachments and the last
/// known good state on disk.
final class Maintenance implements AutoCloseable {

  static final Duration INTERVAL = Duration.ofSeconds(10);

  private static final Logger LOG = LoggerFactory.getLogger(Maintenance.class);

  private final Path snapshotFile;
  private final List<String> endpoints;
  private final CniVerbs verbs;
  private final AttachmentJournal journal;
  private final DeletionQueue deletions;
  private final Syncer syncer;
  private final InstantSource clock;
  private final ScheduledThreadPoolExecutor thread;
  private List<KeyValue> saved = List.of();

  Maintenance(
      AgentSettings settings,
      CniVerbs verbs,
      AttachmentJournal journal,
      DeletionQueue deletions,
      Syncer syncer,
      InstantSource clock) {
    this.snapshotFile = snapshotFile(settings);
    this.endpoints = settings.datastore().endpoints();
    this.verbs = verbs;
    this.journal = journal;
    this.deletions = deletions;
    this.syncer = syncer;
    this.clock = clock;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("maintenance").factory());
    thread.scheduleWithFixedDelay(this::run, 0, INTERVAL.toSeconds(), TimeUnit.SECONDS);
  }

  /// Where the last known good state is kept.
  static Path snapshotFile(AgentSettings settings) {
    return settings.stateDir().resolve("datastore.snapshot");
  }

  /// The last known good state, if it is that of the configured store and whole; whoever asks goes
  /// on without it otherwise.
  static List<KeyValue> lastKnownGood(AgentSettings settings) {
    Path file = snapshotFile(settings);
    try {
      Optional<SnapshotFile.Snapshot> found = SnapshotFile.read(file);
      if (found.isEmpty()) {
        return List.of();
      }
      if (!found.get().isOf(settings.datastore().endpoints())) {
        LOG.atWarn()
            .addKeyValue("file", file)
            .addKeyValue("endpoints", found.get().endpoints())
            .log("the last known good state is another datastore's; it is not used");
        return List.of();
      }
      LOG.atWarn()
          .addKeyValue("file", file)
          .addKeyValue("takenAt", found.get().takenAt())
          .addKeyValue("cluster", found.get().cluster())
          .addKeyValue("revision", found.get().revision())
          .log("the datastore does not answer; the last known good state is in force");
      return found.get().items();
    } catch (IOException damaged) {
      LOG.atWarn()
          .addKeyValue("file", file)
          .addKeyValue("reason", damaged.getMessage())
          .log("the last known good state can't be read; it is not used");
      return List.of();
    }
  }

  private void run() {
    try {
      deletions.drain(verbs);
      verbs.repeatReleases();
      journal.sync();
      save();
    } catch (IOException refused) {
      LOG.atWarn()
          .addKeyValue("reason", refused.getMessage())
          .log(
              "queued deletions can't be read, or the journal is not on the disk yet; trying"
                  + " again");
    } catch (RuntimeException bug) {
      LOG.atError().setCause(bug).log("maintenance failed; it is repeated");
    }
  }

  private void save() {
    try {
      Optional<Syncer.Known> known = syncer.known().get(INTERVAL.toSeconds(), TimeUnit.SECONDS);
      if (known.isPresent() && !known.get().items().equals(saved)) {
        Syncer.Known now = known.get();
        SnapshotFile.write(
            snapshotFile,
            new SnapshotFile.Snapshot(
                clock.instant(), now.store().cluster(), endpoints, now.revision(), now.items()));
        saved = now.items();
      }
    } catch (IOException | ExecutionException | TimeoutException refused) {
      LOG.atWarn()
          .addKeyValue("file", snapshotFile)
          .addKeyValue("reason", String.valueOf(refused.getMessage()))
          .log("the last known good state was not saved; trying again");
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
