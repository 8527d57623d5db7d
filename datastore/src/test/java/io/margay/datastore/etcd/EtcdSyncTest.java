package io.margay.datastore.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.RecordingSync;
import io.margay.datastore.SyncStatus;
import io.margay.datastore.Syncer;
import io.margay.datastore.Txn;
import io.margay.datastore.testing.EtcdProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A syncer through everything that happens to a connection.
@Tag("etcd")
class EtcdSyncTest {

  @TempDir private Path directory;

  private final RecordingSync seen = new RecordingSync();
  private EtcdProcess etcd;
  private TcpProxy proxy;
  private EtcdDatastore writer;
  private EtcdDatastore reader;
  private Syncer syncer;

  @BeforeEach
  void start() throws Exception {
    etcd = new EtcdProcess(directory);
    proxy = new TcpProxy(etcd.clientPort());
    writer = EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint()));
    reader = EtcdDatastore.open(DatastoreSettings.of(proxy.endpoint()));
    syncer = new Syncer(reader, List.of("/s/"), seen, InstantSource.system(), new Random(1));
    syncer.start();
    seen.await("in sync", RecordingSync::isInSync);
  }

  @AfterEach
  void stop() throws Exception {
    syncer.close();
    reader.close();
    writer.close();
    proxy.close();
    etcd.close();
  }

  private void put(String key, String value) throws Exception {
    writer.commit(Txn.builder().put(key, value).build());
  }

  @Test
  void no_event_is_lost_or_repeated_through_random_cuts() throws Exception {
    Random random = new Random(7);
    int events = 400;
    for (int i = 0; i < events; i++) {
      put("/s/" + i, "1");
      if (random.nextInt(40) == 0) {
        proxy.cut();
      }
    }
    seen.await("all", now -> now.changes().size() >= events && now.isInSync());
    assertThat(seen.content()).hasSize(events);
    assertThat(seen.changes()).hasSize(events).doesNotHaveDuplicates();
  }

  @Test
  void a_partition_makes_it_stale_and_compaction_meanwhile_is_survived() throws Exception {
    put("/s/kept", "1");
    put("/s/gone", "1");
    seen.await("both", now -> now.content().size() == 2);
    proxy.partition();
    seen.await("stale", RecordingSync::isStale);
    assertThat(((SyncStatus.Stale) seen.statuses().getLast()).reason()).contains(proxy.endpoint());
    writer.commit(Txn.builder().delete("/s/gone").put("/s/new", "1").build());
    long now = writer.list("/s/").revision();
    put("/s/new", "2");
    new ProcessBuilder(
            "/usr/bin/etcdctl", "--endpoints=" + etcd.endpoint(), "compact", Long.toString(now + 1))
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
    proxy.heal();
    seen.await("caught up", RecordingSync::isInSync);
    seen.await("differences", sync -> "2".equals(sync.content().get("/s/new")));
    assertThat(seen.content()).containsOnlyKeys("/s/kept", "/s/new");
  }

  @Test
  void a_restart_of_the_server_is_survived() throws Exception {
    put("/s/before", "1");
    seen.await("before", now -> now.content().size() == 1);
    etcd.kill();
    seen.await("stale", RecordingSync::isStale);
    etcd.start();
    seen.await("in sync again", RecordingSync::isInSync);
    try (EtcdDatastore fresh = EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint()))) {
      fresh.commit(Txn.builder().put("/s/after", "1").build());
    }
    seen.await("news", now -> now.content().containsKey("/s/after"));
    assertThat(seen.content()).containsOnlyKeys("/s/before", "/s/after");
  }

  @Test
  void a_half_open_connection_is_noticed() throws Exception {
    proxy.freeze();
    put("/s/meanwhile", "1");
    seen.await("stale", RecordingSync::isStale);
    proxy.heal();
    seen.await("caught up", now -> now.isInSync() && now.content().containsKey("/s/meanwhile"));
  }

  @Test
  void a_frozen_server_is_noticed_within_the_bound() throws Exception {
    put("/s/a", "1");
    seen.await("a", now -> now.content().size() == 1);
    etcd.freeze();
    long frozen = System.nanoTime();
    try {
      seen.await("stale", RecordingSync::isStale);
    } finally {
      etcd.thaw();
    }
    assertThat(Duration.ofNanos(System.nanoTime() - frozen)).isLessThan(Syncer.STALE_BOUND);
    seen.await("in sync again", RecordingSync::isInSync);
    put("/s/b", "1");
    seen.await("b", now -> now.content().size() == 2);
    assertThat(seen.changes()).hasSize(2);
  }

  @Test
  void a_store_restored_from_an_old_backup_is_listed_again() throws Exception {
    put("/s/kept", "1");
    Path backup = directory.resolve("backup");
    etcd.etcdctl("snapshot", "save", backup.toString());
    put("/s/kept", "2");
    put("/s/later", "1");
    seen.await("later", now -> now.content().size() == 2);
    proxy.partition();
    etcd.kill();
    etcd.restore(backup, directory.resolve("restored"));
    etcd.start();
    proxy.heal();
    seen.await("the backup's state", now -> now.isInSync() && now.content().size() == 1);
    assertThat(seen.content()).containsEntry("/s/kept", "1");
    writeAnew("/s/new");
    seen.await("news", now -> now.content().containsKey("/s/new"));
  }

  @Test
  void a_restored_store_whose_revision_has_caught_up_is_told_by_its_term() throws Exception {
    Path backup = directory.resolve("backup");
    etcd.etcdctl("snapshot", "save", backup.toString());
    // Every start is an election: what was seen is of a later term than a restored store's first.
    etcd.kill();
    etcd.start();
    seen.await("in sync", RecordingSync::isInSync);
    writeAnew("/s/lost");
    seen.await("lost", now -> now.content().containsKey("/s/lost"));
    proxy.partition();
    etcd.kill();
    etcd.restore(backup, directory.resolve("restored"));
    etcd.start();
    for (int i = 0; i < 5; i++) {
      writeAnew("/s/other");
    }
    proxy.heal();
    seen.await("the other history", now -> now.isInSync() && now.content().containsKey("/s/other"));
    assertThat(seen.content()).containsOnlyKeys("/s/other");
  }

  @Test
  void a_server_with_other_data_is_another_store() throws Exception {
    put("/s/here", "1");
    seen.await("here", now -> now.content().size() == 1);
    proxy.partition();
    etcd.kill();
    try (EtcdProcess other = new EtcdProcess(Files.createDirectories(directory.resolve("o")))) {
      try (EtcdDatastore there = EtcdDatastore.open(DatastoreSettings.of(other.endpoint()))) {
        there.commit(Txn.builder().put("/s/there", "1").build());
        for (int i = 0; i < 9; i++) {
          there.commit(Txn.builder().put("/s/last", Integer.toString(i)).build());
        }
      }
      proxy.redirect(other.clientPort());
      proxy.heal();
      seen.await("the other's", now -> now.isInSync() && now.content().containsKey("/s/there"));
      assertThat(seen.content()).containsOnlyKeys("/s/there", "/s/last");
    }
  }

  private void writeAnew(String key) throws Exception {
    try (EtcdDatastore fresh = EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint()))) {
      fresh.commit(Txn.builder().put(key, "1").build());
    }
  }
}
