package io.margay.agent.birth;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.settings.AgentSettings;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.Watch;
import io.margay.datastore.WatchListener;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BirthKeeperTest {

  @TempDir private Path directory;

  /// A store whose first answer fails, after something else has happened.
  private static final class LateDatastore implements Datastore {
    private final InMemoryDatastore real = new InMemoryDatastore();
    private final CompletableFuture<Runnable> meanwhile = new CompletableFuture<>();
    private final CountDownLatch written = new CountDownLatch(1);
    private boolean hasFailed;

    @Override
    public Listing getAll(List<String> keys) throws DatastoreException {
      if (!hasFailed) {
        hasFailed = true;
        meanwhile.join().run();
        throw new DatastoreException(DatastoreException.Kind.UNREACHABLE, "late", "no answer");
      }
      return real.getAll(keys);
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      CommitResult result = real.commit(txn);
      written.countDown();
      return result;
    }

    @Override
    public Optional<KeyValue> get(String key) throws DatastoreException {
      return real.get(key);
    }

    @Override
    public Listing list(String prefix) throws DatastoreException {
      return real.list(prefix);
    }

    @Override
    public Watch watch(String prefix, long fromRevision, WatchListener listener) {
      return real.watch(prefix, fromRevision, listener);
    }

    @Override
    public void close() {
      real.close();
    }
  }

  @Test
  void a_look_that_fails_is_repeated_though_a_notice_came_meanwhile_and_nothing_differs()
      throws Exception {
    Path file = directory.resolve("agent.yaml");
    Files.writeString(
        file,
        """
        nodeName: n1
        datastore: {endpoints: ['http://127.0.0.1:1']}
        bgp: {ipv4: 192.0.2.7}
        """);
    LateDatastore datastore = new LateDatastore();
    try (BirthKeeper keeper =
        BirthKeeper.start(AgentSettings.read(file, Map.of()), datastore, InstantSource.system())) {
      datastore.meanwhile.complete(keeper::noticed);
      assertThat(datastore.written.await(BirthKeeper.INTERVAL.toSeconds() / 2, TimeUnit.SECONDS))
          .isTrue();
    } finally {
      datastore.close();
    }
  }
}
