package io.margay.datastore.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreContract;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreException.Kind;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.testing.EtcdProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The port's contract on a real etcd, and what only a real one can do wrong.
@Tag("etcd")
class EtcdDatastoreTest extends DatastoreContract {

  @TempDir private static Path directory;

  private static EtcdProcess etcd;
  private static EtcdDatastore store;

  @BeforeAll
  static void start() throws Exception {
    etcd = new EtcdProcess(directory);
    store = EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint()));
  }

  @AfterAll
  static void stop() {
    store.close();
    etcd.close();
  }

  @Override
  protected Datastore store() {
    return store;
  }

  @Override
  protected void compact(long revision) throws Exception {
    int exit =
        new ProcessBuilder(
                "/usr/bin/etcdctl",
                "--endpoints=" + etcd.endpoint(),
                "compact",
                Long.toString(revision))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start()
            .waitFor();
    assertThat(exit).isZero();
  }

  @Test
  void nobody_listening_is_unreachable_at_once_and_named() throws Exception {
    try (TcpProxy proxy = new TcpProxy(etcd.clientPort());
        Datastore cut = EtcdDatastore.open(DatastoreSettings.of(proxy.endpoint()))) {
      proxy.partition();
      assertThatThrownBy(() -> cut.get("/a"))
          .isInstanceOfSatisfying(
              DatastoreException.class,
              failure -> {
                assertThat(failure.kind()).isEqualTo(Kind.UNREACHABLE);
                assertThat(failure)
                    .hasMessageContaining(proxy.endpoint())
                    .hasMessageContaining("/a");
              });
      proxy.heal();
      assertThat(getEventually(cut, "/a")).isEmpty();
    }
  }

  @Test
  void a_frozen_connection_ends_in_a_deadline_and_the_write_is_not_applied_later()
      throws Exception {
    try (TcpProxy proxy = new TcpProxy(etcd.clientPort());
        Datastore frozen = EtcdDatastore.open(DatastoreSettings.of(proxy.endpoint()))) {
      assertThat(frozen.get("/ghost")).isEmpty();
      proxy.freeze();
      assertThatThrownBy(() -> frozen.commit(Txn.create("/ghost", "boo")))
          .isInstanceOfSatisfying(
              DatastoreException.class, failure -> assertThat(failure.isOutcomeUnknown()).isTrue());
      proxy.heal();
      assertThat(getEventually(frozen, "/ghost")).isEmpty();
      assertThat(store.get("/ghost")).isEmpty();
    }
  }

  @Test
  void too_large_a_request_is_invalid_and_not_worth_retrying() {
    assertThatThrownBy(() -> store.commit(Txn.create("/large", "x".repeat(2 << 20))))
        .isInstanceOfSatisfying(
            DatastoreException.class,
            failure -> {
              assertThat(failure.kind()).isEqualTo(Kind.INVALID);
              assertThat(failure.isOutcomeUnknown()).isFalse();
            });
  }

  @Test
  void a_second_endpoint_serves_when_the_first_is_dead() throws Exception {
    try (Datastore two =
        EtcdDatastore.open(DatastoreSettings.of("http://127.0.0.1:1", etcd.endpoint()))) {
      assertThat(getEventually(two, "/none")).isEmpty();
    }
  }

  @Test
  void a_page_that_is_too_large_is_read_in_smaller_ones() throws Exception {
    int keys = EtcdDatastore.MAX_INBOUND_OCTETS / 1_400_000 + 3;
    String large = "x".repeat(1_400_000);
    for (int i = 0; i < keys; i++) {
      store.commit(Txn.builder().put("/huge/%03d".formatted(i), large).build());
    }
    assertThat(store.list("/huge/").items())
        .hasSize(keys)
        .allSatisfy(item -> assertThat(item.value()).hasSize(1_400_000));
  }

  @Test
  void callbacks_have_a_bounded_number_of_threads() throws Exception {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    try (EtcdDatastore own = EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint()));
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Optional<KeyValue>>> calls = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        calls.add(callers.submit(() -> own.get("/threads")));
      }
      for (Future<Optional<KeyValue>> call : calls) {
        call.get(20, TimeUnit.SECONDS);
      }
      Set<String> made =
          Thread.getAllStackTraces().keySet().stream()
              .filter(thread -> !before.contains(thread))
              .map(Thread::getName)
              .filter(name -> !name.startsWith("ForkJoinPool"))
              .collect(Collectors.toSet());
      assertThat(made)
          .filteredOn(name -> name.startsWith("etcd-client-"))
          .hasSizeBetween(1, EtcdDatastore.CLIENT_THREADS);
      assertThat(made)
          .noneMatch(name -> name.startsWith("jetcd-pool") || name.startsWith("grpc-default"));
    }
  }

  private static Optional<KeyValue> getEventually(Datastore store, String key) throws Exception {
    DatastoreException last = null;
    for (int attempt = 0; attempt < 100; attempt++) {
      try {
        return store.get(key);
      } catch (DatastoreException notYet) {
        last = notYet;
        Thread.sleep(100);
      }
    }
    throw new AssertionError("never came back", last);
  }

  @Test
  void pages_are_of_the_moment_of_the_first() throws Exception {
    pagesAreOfOneMoment();
  }

  @Test
  void a_server_is_reached_by_its_ipv6_address() throws Exception {
    try (TcpProxy relay = new TcpProxy(etcd.clientPort(), "[::1]");
        EtcdDatastore other = EtcdDatastore.open(DatastoreSettings.of(relay.endpoint()))) {
      assertThat(other.get("/test/nothing")).isEmpty();
    }
  }
}
