package io.margay.agent;

import io.margay.agent.settings.AgentSettings;
import io.margay.cni.CniVerbs;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.datastore.KeyValue;
import io.margay.datastore.SnapshotFile;
import io.margay.datastore.SnapshotWriter;
import io.margay.datastore.Syncer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What has to be done now and then, the first time at once: deletions that clients queued on disk,
/// releases the datastore still owes us an answer for, the journal of attachments and the last
/// known good state on disk.
final class Maintenance implements AutoCloseable {

  static final Duration INTERVAL = Duration.ofSeconds(10);

  /// How much of what the datastore said a process that dies may take along: a pod wired a moment
  /// before is known to the next one, also when the datastore is not there.
  static final Duration FLUSHING = Duration.ofMillis(200);

  private static final Logger LOG = LoggerFactory.getLogger(Maintenance.class);

  private final SnapshotKeeper snapshot;
  private final CniVerbs verbs;
  private final AttachmentJournal journal;
  private final DeletionQueue deletions;
  private final Chore queued =
      new Chore(
          "queued deletions can't be read; it is tried again", "queued deletions are read again");
  private final Chore onDisk =
      new Chore(
          "the journal of attachments can't be put on the disk; it is tried again",
          "the journal of attachments is on the disk");
  private final ScheduledThreadPoolExecutor thread;

  Maintenance(
      AgentSettings settings,
      CniVerbs verbs,
      AttachmentJournal journal,
      DeletionQueue deletions,
      Syncer syncer,
      SnapshotWriter snapshot) {
    this.snapshot = SnapshotKeeper.of(snapshotFile(settings), snapshot, syncer::recordAgain);
    this.verbs = verbs;
    this.journal = journal;
    this.deletions = deletions;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("maintenance").factory());
    thread.scheduleWithFixedDelay(this::run, 0, INTERVAL.toSeconds(), TimeUnit.SECONDS);
    thread.scheduleWithFixedDelay(
        () -> guarded(this.snapshot::flush),
        FLUSHING.toMillis(),
        FLUSHING.toMillis(),
        TimeUnit.MILLISECONDS);
  }

  /// Where the last known good state is kept.
  static Path snapshotFile(AgentSettings settings) {
    return settings.stateDir().resolve("datastore.snapshot");
  }

  /// What an earlier process knew last, whatever has become of the store since; nothing if that
  /// can't be read.
  static List<KeyValue> lastKnown(AgentSettings settings) {
    try {
      return SnapshotFile.read(snapshotFile(settings))
          .map(SnapshotFile.Snapshot::items)
          .orElse(List.of());
    } catch (IOException damaged) {
      LOG.atWarn()
          .addKeyValue("file", snapshotFile(settings))
          .addKeyValue("reason", damaged.getMessage())
          .log("the last known good state can't be read; it is not used");
      return List.of();
    }
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
      SnapshotFile.Head head = found.get().head();
      if (!head.isOf(settings.datastore().endpoints())) {
        LOG.atWarn()
            .addKeyValue("file", file)
            .addKeyValue("endpoints", head.endpoints())
            .log("the last known good state is another datastore's; it is not used");
        return List.of();
      }
      LOG.atWarn()
          .addKeyValue("file", file)
          .addKeyValue("takenAt", head.takenAt())
          .addKeyValue("cluster", head.cluster())
          .addKeyValue("revision", head.revision())
          .addKeyValue("endsDamaged", found.get().isCut())
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
    queued.attempt(() -> deletions.drain(verbs));
    onDisk.attempt(
        () -> {
          verbs.repeatReleases();
          journal.sync();
        });
    guarded(snapshot::save);
  }

  private static void guarded(Runnable work) {
    try {
      work.run();
    } catch (RuntimeException bug) {
      LOG.atError().setCause(bug).log("maintenance failed; it is repeated");
    }
  }

  /// What one run does with files, apart from the rest: what can't be done is tried again by the
  /// next run, and told once, as is that it can be done again.
  private static final class Chore {

    interface Work {
      void run() throws IOException;
    }

    private final String failing;
    private final String working;
    private boolean isFailing;

    Chore(String failing, String working) {
      this.failing = failing;
      this.working = working;
    }

    void attempt(Work work) {
      guarded(
          () -> {
            try {
              work.run();
              if (isFailing) {
                isFailing = false;
                LOG.atInfo().log(working);
              }
            } catch (IOException refused) {
              if (!isFailing) {
                isFailing = true;
                LOG.atWarn()
                    .addKeyValue("reason", String.valueOf(refused.getMessage()))
                    .log(failing);
              }
            }
          });
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
