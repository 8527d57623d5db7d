package io.margay.agent;

import io.margay.agent.settings.AgentSettings;
import io.margay.cni.CniVerbs;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.datastore.KeyValue;
import io.margay.datastore.SnapshotFile;
import io.margay.datastore.Syncer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What has to be done now and then, the first time at once: deletions that clients queued on disk,
/// releases the datastore still owes us an answer for, and the last known good state on disk.
final class Maintenance implements AutoCloseable {

  static final Duration INTERVAL = Duration.ofSeconds(10);

  private static final Logger LOG = LoggerFactory.getLogger(Maintenance.class);

  private final Path snapshotFile;
  private final CniVerbs verbs;
  private final DeletionQueue deletions;
  private final Syncer syncer;
  private final InstantSource clock;
  private final ScheduledThreadPoolExecutor thread;
  private List<KeyValue> saved = List.of();

  Maintenance(
      AgentSettings settings,
      CniVerbs verbs,
      DeletionQueue deletions,
      Syncer syncer,
      InstantSource clock) {
    this.snapshotFile = snapshotFile(settings);
    this.verbs = verbs;
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

  private void run() {
    try {
      deletions.drain(verbs);
      verbs.repeatReleases();
      save();
    } catch (IOException refused) {
      LOG.atWarn()
          .addKeyValue("reason", refused.getMessage())
          .log("deletions queued on disk can't be read; they are tried again");
    } catch (RuntimeException bug) {
      LOG.atError().setCause(bug).log("maintenance failed; it is repeated");
    }
  }

  private void save() {
    try {
      List<KeyValue> items = syncer.items().get(INTERVAL.toSeconds(), TimeUnit.SECONDS);
      if (!items.equals(saved)) {
        long revision = items.stream().mapToLong(KeyValue::modRevision).max().orElse(0);
        SnapshotFile.write(
            snapshotFile, new SnapshotFile.Snapshot(clock.instant(), revision, items));
        saved = items;
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
