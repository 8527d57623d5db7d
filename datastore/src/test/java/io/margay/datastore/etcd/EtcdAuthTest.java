package io.margay.datastore.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Users, passwords and roles of a real etcd.
@Tag("etcd")
class EtcdAuthTest {

  @TempDir private Path directory;

  private EtcdProcess etcd;

  @BeforeEach
  void start() throws Exception {
    etcd = new EtcdProcess(directory, "--bcrypt-cost=4");
    etcdctl("user", "add", "root:rootpw");
    etcdctl("user", "grant-role", "root", "root");
    etcdctl("user", "add", "node:nodepw");
    etcdctl("role", "add", "node");
    etcdctl("role", "grant-permission", "--prefix=true", "node", "readwrite", "/mine/");
    etcdctl("user", "grant-role", "node", "node");
    etcdctl("auth", "enable");
  }

  @AfterEach
  void stop() {
    etcd.close();
  }

  private void etcdctl(String... words) throws Exception {
    List<String> command =
        new ArrayList<>(List.of("/usr/bin/etcdctl", "--endpoints=" + etcd.endpoint()));
    command.addAll(List.of(words));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(
                ProcessBuilder.Redirect.appendTo(directory.resolve("etcdctl.log").toFile()))
            .start();
    assertThat(process.waitFor()).as(String.join(" ", words)).isZero();
  }

  private Datastore open(String password) throws DatastoreException {
    return EtcdDatastore.open(
        new DatastoreSettings(
            List.of(etcd.endpoint()),
            Optional.of(new DatastoreSettings.User("node", password)),
            Optional.empty()));
  }

  private static void assertUnauthorised(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            DatastoreException.class,
            failure -> {
              assertThat(failure.kind()).isEqualTo(Kind.UNAUTHORISED);
              assertThat(failure).hasMessageContaining("datastore.user");
            });
  }

  @Test
  void the_right_password_opens_the_users_own_keys_and_no_others() throws DatastoreException {
    try (Datastore store = open("nodepw")) {
      assertThat(store.commit(Txn.create("/mine/a", "1")))
          .isInstanceOf(CommitResult.Committed.class);
      assertUnauthorised(() -> store.commit(Txn.create("/other/a", "1")));
    }
  }

  @Test
  void a_wrong_password_or_none_is_unauthorised() throws DatastoreException {
    try (Datastore wrong = open("guess");
        Datastore nobody = EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint()))) {
      assertUnauthorised(() -> wrong.get("/mine/a"));
      assertUnauthorised(() -> nobody.get("/mine/a"));
    }
  }

  @Test
  void an_expired_token_is_renewed_without_the_caller_noticing() throws Exception {
    try (Datastore store = open("nodepw")) {
      store.commit(Txn.create("/mine/a", "1"));
      // Tokens live in the server's memory: a new process knows none of them.
      etcd.kill();
      etcd.start();
      assertThat(getEventually(store)).isPresent();
      store.commit(Txn.create("/mine/b", "1"));
    }
  }

  /// Reconnecting takes a moment; a refusal is no part of it.
  private static Optional<KeyValue> getEventually(Datastore store) throws Exception {
    DatastoreException last = null;
    for (int attempt = 0; attempt < 100; attempt++) {
      try {
        return store.get("/mine/a");
      } catch (DatastoreException notYet) {
        assertThat(notYet.isOutcomeUnknown()).as(notYet.getMessage()).isTrue();
        last = notYet;
        Thread.sleep(100);
      }
    }
    throw new AssertionError("never came back", last);
  }
}
