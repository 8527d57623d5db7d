package io.margay.datastore.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.Txn;
import io.margay.datastore.testing.EtcdProcess;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReconnectionTest {

  private final AtomicInteger exchanges = new AtomicInteger();

  private Reconnection reconnection(int port, Duration patience) {
    return new Reconnection(
        List.of("http://127.0.0.1:1", "http://127.0.0.1:" + port),
        patience,
        Runnable::run,
        exchanges::incrementAndGet);
  }

  @Test
  void a_server_that_takes_connections_again_is_given_another_channel() throws Exception {
    int port;
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = server.getLocalPort();
      Reconnection reconnection = reconnection(port, Duration.ZERO);
      reconnection.unreachable();
      assertThat(exchanges).as("the first failure may be any").hasValue(0);
      reconnection.unreachable();
      assertThat(exchanges).hasValue(1);
      reconnection.answered();
      reconnection.unreachable();
      assertThat(exchanges).as("counted anew").hasValue(1);
    }
    Reconnection gone = reconnection(port, Duration.ZERO);
    gone.unreachable();
    gone.unreachable();
    assertThat(exchanges).as("nobody is there").hasValue(1);
  }

  @Test
  void the_channel_is_left_time_to_find_the_server_itself() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Reconnection reconnection = reconnection(server.getLocalPort(), Duration.ofHours(1));
      for (int i = 0; i < 3; i++) {
        reconnection.unreachable();
      }
      assertThat(exchanges).hasValue(0);
    }
  }

  @Test
  @Tag("etcd")
  void a_store_goes_on_over_a_new_channel(@TempDir Path directory) throws Exception {
    try (EtcdProcess etcd = new EtcdProcess(directory);
        EtcdDatastore store =
            EtcdDatastore.open(
                DatastoreSettings.of(etcd.endpoint()), Duration.ofHours(1), Duration.ZERO)) {
      store.commit(Txn.builder().put("/k", "v").build());
      etcd.kill();
      for (int i = 0; i < 3; i++) {
        assertThat(isAnswered(store)).isFalse();
      }
      etcd.start();
      // Each call that fails still looks; with no patience the first of them brings the new one.
      boolean answered = false;
      for (int i = 0; i < 300 && !answered; i++) {
        answered = isAnswered(store);
        Thread.sleep(100);
      }
      assertThat(answered).isTrue();
      assertThat(store.get("/k")).isPresent();
    }
  }

  private static boolean isAnswered(EtcdDatastore store) {
    try {
      return store.get("/k").isPresent();
    } catch (DatastoreException away) {
      return false;
    }
  }
}
