package io.margay.datastore.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.KeyValue;
import io.margay.datastore.RecordingSync;
import io.margay.datastore.Syncer;
import io.margay.datastore.Txn;
import io.margay.datastore.testing.EtcdProcess;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;

/// Plays one scene in the network namespace it is started in: etcd, a client at another loopback
/// address whose packets nftables drops, and a writer whose packets it leaves alone.
final class PartitionProbe {

  private static final String FAR = "127.0.0.2";

  /// What to do.
  enum Scene {
    /// Both directions are lost while a watch runs.
    WATCH,
    /// The answer to a commit is lost.
    ANSWER_OF_COMMIT,
    /// A commit never arrives.
    COMMIT
  }

  private final EtcdDatastore near;
  private final EtcdDatastore far;

  private PartitionProbe(EtcdDatastore near, EtcdDatastore far) {
    this.near = near;
    this.far = far;
  }

  /// @param args the scene, and a directory for the server's data
  public static void main(String[] args) throws Exception {
    try (EtcdProcess etcd = new EtcdProcess(Path.of(args[1]))) {
      nft(
          """
          table ip part {
            chain nat {
              type nat hook output priority -100;
              ip daddr %s dnat to 127.0.0.1
            }
            chain out {
              type filter hook output priority 0;
            }
          }
          """
              .formatted(FAR));
      try (EtcdDatastore near = EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint()));
          EtcdDatastore far =
              EtcdDatastore.open(DatastoreSettings.of("http://" + FAR + ":" + etcd.clientPort()))) {
        new PartitionProbe(near, far).play(Scene.valueOf(args[0]));
      }
    }
    System.exit(0);
  }

  private void play(Scene scene) throws Exception {
    switch (scene) {
      case WATCH -> watch();
      case ANSWER_OF_COMMIT -> commit("ct direction reply", true);
      case COMMIT -> commit("", false);
    }
  }

  /// Loses the far client's packets in silence.
  ///
  /// @param which of them; empty = all
  private static void lose(String which) throws Exception {
    nft("add rule ip part out ct original ip daddr " + FAR + " " + which + " drop");
  }

  private static void heal() throws Exception {
    nft("flush chain ip part out");
  }

  private static void nft(String commands) throws Exception {
    Process nft = new ProcessBuilder("nft", "-f", "-").redirectErrorStream(true).start();
    try (OutputStream to = nft.getOutputStream()) {
      to.write(commands.getBytes(StandardCharsets.UTF_8));
    }
    String said = new String(nft.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(nft.waitFor()).as(said).isZero();
  }

  private void put(String key, String value) throws DatastoreException {
    near.commit(Txn.builder().put(key, value).build());
  }

  private void watch() throws Exception {
    RecordingSync seen = new RecordingSync();
    try (Syncer syncer =
        new Syncer(far, List.of("/s/"), seen, InstantSource.system(), new Random(1))) {
      syncer.start();
      seen.await("in sync", RecordingSync::isInSync);
      put("/s/before", "1");
      put("/s/gone", "1");
      seen.await("both", now -> now.content().size() == 2);

      lose("");
      for (int i = 0; i < 50; i++) {
        put("/s/during" + i, "1");
      }
      near.commit(Txn.builder().delete("/s/gone").build());
      seen.await("stale", RecordingSync::isStale);
      assertThat(seen.content()).containsOnlyKeys("/s/before", "/s/gone");

      heal();
      seen.await("caught up", now -> now.isInSync() && now.content().size() == 51);
      put("/s/after", "1");
      seen.await("news", now -> now.content().containsKey("/s/after"));
    }
    Map<String, String> stored =
        near.list("/s/").items().stream().collect(Collectors.toMap(KeyValue::key, KeyValue::value));
    assertThat(seen.content()).isEqualTo(stored);
    assertThat(seen.changes()).doesNotHaveDuplicates().hasSize(54);
  }

  private void commit(String lost, boolean arrives) throws Exception {
    awaitFar();
    lose(lost);

    DatastoreException failure =
        catchThrowableOfType(
            DatastoreException.class, () -> far.commit(Txn.builder().put("/s/x", "mine").build()));

    assertThat(failure).isNotNull();
    assertThat(failure.isOutcomeUnknown()).as(failure.getMessage()).isTrue();
    assertThat(near.get("/s/x").isPresent()).isEqualTo(arrives);
    heal();
    // The same client finds its way again, and can see for itself.
    awaitFar();
    assertThat(far.get("/s/x").isPresent()).isEqualTo(near.get("/s/x").isPresent());
  }

  /// Until the far client gets through, however long a cold JVM takes.
  private void awaitFar() throws Exception {
    RecordingSync seen = new RecordingSync();
    try (Syncer syncer =
        new Syncer(far, List.of("/s/"), seen, InstantSource.system(), new Random(1))) {
      syncer.start();
      seen.await("in sync", RecordingSync::isInSync);
    }
  }
}
