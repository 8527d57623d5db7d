package io.margay.datastore.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.Change;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreException.Kind;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.Leases;
import io.margay.datastore.LeasesContract;
import io.margay.datastore.RecordingSync;
import io.margay.datastore.StatusKeys;
import io.margay.datastore.Syncer;
import io.margay.datastore.Txn;
import io.margay.datastore.testing.EtcdProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Leases of a real etcd, and what an outage does to them.
@Tag("etcd")
class EtcdLeasesTest extends LeasesContract {

  @TempDir private Path directory;

  private EtcdProcess etcd;
  private TcpProxy proxy;
  private EtcdDatastore store;

  /// Behind the proxy, so that it can lose its server while the others don't.
  private EtcdDatastore reporter;

  @BeforeEach
  void start() throws Exception {
    etcd = new EtcdProcess(directory);
    proxy = new TcpProxy(etcd.clientPort());
    store = EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint()));
    reporter = EtcdDatastore.open(DatastoreSettings.of(proxy.endpoint()));
  }

  @AfterEach
  void stop() throws Exception {
    reporter.close();
    store.close();
    proxy.close();
    etcd.close();
  }

  @Override
  protected Datastore store() {
    return store;
  }

  @Override
  protected Leases leases() {
    return reporter;
  }

  /// Nobody can keep a lease alive for longer than its time.
  @Override
  protected void expire() throws Exception {
    proxy.partition();
    RecordingSync seen = new RecordingSync();
    try (Syncer syncer =
        new Syncer(store, List.of("/status/"), seen, InstantSource.system(), new Random(1))) {
      syncer.start();
      seen.await("all leases ran out", now -> now.isInSync() && now.content().isEmpty());
    }
    proxy.heal();
    answerEventually();
  }

  private void answerEventually() throws Exception {
    DatastoreException last = null;
    for (int attempt = 0; attempt < 100; attempt++) {
      try {
        reporter.get("/status/probe");
        return;
      } catch (DatastoreException reconnecting) {
        last = reconnecting;
        Thread.sleep(100);
      }
    }
    throw new AssertionError("never came back", last);
  }

  /// The outage begins when the first write was answered: one whose answer is lost is made again.
  @Test
  void an_outage_shorter_than_the_ttl_costs_nothing() throws Exception {
    CountDownLatch answered = new CountDownLatch(1);
    RecordingSync seen = new RecordingSync();
    try (StatusKeys status =
            new StatusKeys(new AfterWrites(reporter, answered::countDown), Duration.ofSeconds(30));
        Syncer syncer =
            new Syncer(store, List.of("/status/"), seen, InstantSource.system(), new Random(1))) {
      syncer.start();
      status.put("/status/a", "up");
      seen.await("a", now -> now.content().size() == 1);
      assertThat(answered.await(30, TimeUnit.SECONDS)).isTrue();
      proxy.partition();
      status.put("/status/b", "up");
      proxy.heal();
      seen.await("b", now -> now.content().size() == 2);
      assertThat(seen.changes()).hasSize(2);
    }
  }

  @Test
  void a_write_whose_answer_was_lost_is_made_again_under_the_same_lease() throws Exception {
    AtomicInteger writes = new AtomicInteger();
    Answer lost =
        () -> {
          if (writes.incrementAndGet() == 1) {
            throw new DatastoreException(Kind.UNREACHABLE, proxy.endpoint(), "the answer is lost");
          }
        };
    RecordingSync seen = new RecordingSync();
    try (StatusKeys status =
            new StatusKeys(new AfterWrites(reporter, lost), Duration.ofSeconds(30));
        Syncer syncer =
            new Syncer(store, List.of("/status/"), seen, InstantSource.system(), new Random(1))) {
      syncer.start();
      status.put("/status/a", "up");
      seen.await("a twice", now -> now.changes().size() == 2);
      assertThat(seen.content()).containsOnly(Map.entry("/status/a", "up"));
      assertThat(seen.changes()).allMatch(change -> change instanceof Change.Put);
    }
  }

  /// What becomes of the answer to a write.
  @FunctionalInterface
  private interface Answer {
    void arrives() throws DatastoreException;
  }

  private record AfterWrites(Leases leases, Answer answer) implements Leases {

    @Override
    public long grant(Duration ttl) throws DatastoreException {
      return leases.grant(ttl);
    }

    @Override
    public boolean keepAlive(long lease) throws DatastoreException {
      return leases.keepAlive(lease);
    }

    @Override
    public boolean write(long lease, List<Txn.Write> writes) throws DatastoreException {
      boolean written = leases.write(lease, writes);
      answer.arrives();
      return written;
    }

    @Override
    public void revoke(long lease) throws DatastoreException {
      leases.revoke(lease);
    }
  }

  @Test
  void stopping_while_the_store_hangs_takes_no_longer_than_its_limit() throws Exception {
    StatusKeys status = new StatusKeys(reporter, Duration.ofSeconds(30));
    status.put("/status/a", "up");
    RecordingSync seen = new RecordingSync();
    try (Syncer syncer =
        new Syncer(store, List.of("/status/"), seen, InstantSource.system(), new Random(1))) {
      syncer.start();
      seen.await("a", now -> now.content().size() == 1);
    }
    proxy.freeze();
    long began = System.nanoTime();
    status.close();
    assertThat(Duration.ofNanos(System.nanoTime() - began))
        .isLessThan(StatusKeys.CLOSE_LIMIT.plusSeconds(5));
  }
}
