package io.margay.datastore.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.CommitResult;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.RecordingSync;
import io.margay.datastore.Syncer;
import io.margay.datastore.Txn;
import io.margay.datastore.testing.EtcdProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Three servers, of which some die.
@Tag("etcd")
class EtcdClusterTest {

  private static final int ATTEMPTS = 200;

  @TempDir private Path directory;

  private final RecordingSync seen = new RecordingSync();
  private final List<EtcdProcess> members = new ArrayList<>();
  private EtcdDatastore store;
  private Syncer syncer;

  @BeforeEach
  void start() throws Exception {
    members.addAll(EtcdProcess.cluster(directory, 3));
    store = EtcdDatastore.open(settings());
    syncer = new Syncer(store, List.of("/s/"), seen, InstantSource.system(), new Random(1));
    syncer.start();
    seen.await("in sync", RecordingSync::isInSync);
  }

  @AfterEach
  void stop() {
    syncer.close();
    store.close();
    members.forEach(EtcdProcess::close);
  }

  private DatastoreSettings settings() {
    return DatastoreSettings.of(members.stream().map(EtcdProcess::endpoint).toArray(String[]::new));
  }

  private EtcdProcess leader() throws Exception {
    for (EtcdProcess member : members) {
      String[] status = member.etcdctl("endpoint", "status", "--write-out=simple").split(", ", -1);
      if (status[4].equals("true")) {
        return member;
      }
    }
    throw new AssertionError("nobody leads");
  }

  /// Creates a key, once, whatever happens to the answer.
  private void create(String key) throws Exception {
    DatastoreException last = null;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        // A conflict is our own earlier attempt, whose answer was lost.
        assertThat(store.commit(Txn.create(key, "1"))).isInstanceOf(CommitResult.class);
        return;
      } catch (DatastoreException retry) {
        last = retry;
        Thread.sleep(50);
      }
    }
    throw new AssertionError("never written", last);
  }

  @Test
  void the_death_of_the_leader_loses_and_repeats_no_event() throws Exception {
    int events = 300;
    for (int i = 0; i < events; i++) {
      if (i == 100) {
        leader().kill();
      }
      create("/s/" + i);
    }
    seen.await("all", now -> now.content().size() == events && now.isInSync());
    assertThat(seen.changes()).hasSize(events).doesNotHaveDuplicates();
  }

  @Test
  void a_member_without_a_leader_makes_it_stale_within_the_bound() throws Exception {
    create("/s/a");
    seen.await("a", now -> now.content().size() == 1);
    EtcdProcess first = members.get(0);
    EtcdProcess second = members.get(1);
    first.kill();
    second.kill();
    long lost = System.nanoTime();
    seen.await("stale", RecordingSync::isStale);
    assertThat(Duration.ofNanos(System.nanoTime() - lost)).isLessThan(Syncer.STALE_BOUND);
    first.start();
    create("/s/b");
    seen.await("b", now -> now.isInSync() && now.content().size() == 2);
    assertThat(seen.changes()).hasSize(2);
  }

  @Test
  void reads_go_on_when_one_endpoint_is_dead_from_the_start_and_another_hangs() throws Exception {
    create("/s/a");
    members.get(0).kill();
    try (TcpProxy hanging = new TcpProxy(members.get(1).clientPort());
        EtcdDatastore three =
            EtcdDatastore.open(
                DatastoreSettings.of(
                    members.get(0).endpoint(), hanging.endpoint(), members.get(2).endpoint()))) {
      readEventually(three);
      hanging.freeze();
      for (int i = 0; i < 6; i++) {
        assertThat(three.get("/s/a")).isPresent();
      }
    }
  }

  private static void readEventually(EtcdDatastore store) throws Exception {
    DatastoreException last = null;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        store.list("/s/");
        return;
      } catch (DatastoreException electing) {
        last = electing;
      }
    }
    throw new AssertionError("never read", last);
  }
}
