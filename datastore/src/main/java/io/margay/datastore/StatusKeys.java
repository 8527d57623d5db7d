package io.margay.datastore;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The status a node reports of itself: keys under one lease, which are gone a `ttl` after the node
/// has stopped speaking. Callers say what is wanted and never wait; one thread writes, in batches,
/// and after the lease was lost (the store was away longer than the `ttl`) takes a new one and
/// writes everything again.
///
/// The keys have this one writer, so they are written whatever they hold.
public final class StatusKeys implements AutoCloseable {

  /// How long after a change it is written: changes of that time share a transaction.
  public static final Duration BATCH_DELAY = Duration.ofMillis(200);

  /// Wait after a failure.
  public static final Duration RETRY = Duration.ofSeconds(2);

  /// How long `close` waits for the lease to be revoked.
  public static final Duration CLOSE_LIMIT = Duration.ofSeconds(2);

  private static final int KEEP_ALIVES_PER_TTL = 3;
  private static final int MAX_RETRIES_LOGGED = 1;

  private static final Logger LOG = LoggerFactory.getLogger(StatusKeys.class);

  private final Leases leases;
  private final Duration ttl;
  private final ScheduledThreadPoolExecutor loop;
  private final TreeMap<String, String> wanted = new TreeMap<>();
  private final Set<String> dirty = new HashSet<>();
  private OptionalLong lease = OptionalLong.empty();
  private boolean writeScheduled;
  private int failures;

  public StatusKeys(Leases leases, Duration ttl) {
    this.leases = leases;
    this.ttl = ttl;
    loop =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("status-keys").factory());
    loop.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    long between = ttl.toMillis() / KEEP_ALIVES_PER_TTL;
    loop.scheduleWithFixedDelay(this::keepAlive, between, between, TimeUnit.MILLISECONDS);
  }

  /// The key shall hold this. From any thread; never blocks.
  public void put(String key, String value) {
    post(
        () -> {
          if (!value.equals(wanted.put(key, value))) {
            changed(key);
          }
        });
  }

  /// The key shall go. From any thread; never blocks.
  public void remove(String key) {
    post(
        () -> {
          if (wanted.remove(key) != null) {
            changed(key);
          }
        });
  }

  private void post(Runnable change) {
    try {
      loop.execute(change);
    } catch (RejectedExecutionException closed) {
      // After close there is no status.
    }
  }

  private void changed(String key) {
    dirty.add(key);
    writeIn(BATCH_DELAY);
  }

  private void writeIn(Duration delay) {
    if (!writeScheduled) {
      writeScheduled = true;
      loop.schedule(this::write, delay.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private void write() {
    writeScheduled = false;
    try {
      if (dirty.isEmpty()) {
        return;
      }
      long current = lease();
      while (!dirty.isEmpty()) {
        List<Txn.Write> batch = batch();
        if (!leases.write(current, batch)) {
          lost();
          return;
        }
        batch.forEach(write -> dirty.remove(write.key()));
      }
      failures = 0;
    } catch (DatastoreException failed) {
      retry(failed);
    }
  }

  private List<Txn.Write> batch() {
    List<Txn.Write> batch = new ArrayList<>();
    for (String key : dirty) {
      if (batch.size() == Txn.MAX_OPERATIONS) {
        break;
      }
      batch.add(
          Optional.ofNullable(wanted.get(key))
              .map(value -> (Txn.Write) new Txn.Write.Put(key, value))
              .orElseGet(() -> new Txn.Write.Delete(key)));
    }
    return batch;
  }

  private long lease() throws DatastoreException {
    if (lease.isEmpty()) {
      lease = OptionalLong.of(leases.grant(ttl));
    }
    return lease.getAsLong();
  }

  private void keepAlive() {
    if (lease.isEmpty()) {
      return;
    }
    try {
      if (!leases.keepAlive(lease.getAsLong())) {
        lost();
      }
    } catch (DatastoreException failed) {
      retry(failed);
    }
  }

  /// With the lease all keys are gone.
  private void lost() {
    LOG.atWarn()
        .addKeyValue("keys", wanted.size())
        .log("the lease of the status keys has run out; they are written again under a new one");
    lease = OptionalLong.empty();
    dirty.addAll(wanted.keySet());
    writeIn(Duration.ZERO);
  }

  private void retry(DatastoreException failed) {
    if (failures++ < MAX_RETRIES_LOGGED) {
      LOG.atWarn()
          .addKeyValue("reason", failed.getMessage())
          .addKeyValue("retryInMillis", RETRY.toMillis())
          .log("status can't be reported; trying again");
    }
    writeIn(RETRY);
  }

  /// Revokes the lease, so that the keys go at once; if the store does not answer in {@link
  /// #CLOSE_LIMIT} they go with the `ttl`.
  @Override
  public void close() {
    try {
      loop.execute(this::revoke);
    } catch (RejectedExecutionException alreadyClosed) {
      return;
    }
    loop.shutdown();
    try {
      if (!loop.awaitTermination(CLOSE_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        loop.shutdownNow();
      }
    } catch (InterruptedException stop) {
      loop.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  private void revoke() {
    if (lease.isEmpty()) {
      return;
    }
    try {
      leases.revoke(lease.getAsLong());
      lease = OptionalLong.empty();
    } catch (DatastoreException failed) {
      LOG.atWarn()
          .addKeyValue("reason", failed.getMessage())
          .addKeyValue("goneInSeconds", ttl.toSeconds())
          .log("the status keys can't be taken back; they go with their lease");
    }
  }
}
