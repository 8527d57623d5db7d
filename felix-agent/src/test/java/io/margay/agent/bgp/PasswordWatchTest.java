package io.margay.agent.bgp;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.bgp.Passwords.Answer;
import io.margay.bgp.transport.Password;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.Txn;
import io.margay.model.resource.SecretKeyRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PasswordWatchTest {

  private static final SecretKeyRef TOR = new SecretKeyRef("bgp", "tor", null, Map.of());

  @TempDir private Path directory;
  private final InMemoryDatastore store = new InMemoryDatastore();
  private PasswordWatch watch;
  private int news;

  @BeforeEach
  void watch() {
    watch = new PasswordWatch(Optional.of(directory), store);
  }

  @AfterEach
  void close() {
    watch.close();
    store.close();
  }

  private Answer ask(SecretKeyRef ref) {
    watch.begin().find(ref);
    watch.look();
    return watch.begin().find(ref);
  }

  private static Answer found(String text) {
    return new Answer.Found(new Password(text));
  }

  /// As the kubelet does: a new directory, and the link to it exchanged at once.
  private void mount(String version, String content) throws IOException {
    Path secret = Files.createDirectories(directory.resolve("bgp"));
    Path data = Files.createDirectories(secret.resolve(".." + version));
    Files.writeString(data.resolve("tor"), content);
    Path link = secret.resolve("..data_tmp");
    Files.createSymbolicLink(link, Path.of(".." + version));
    Files.move(link, secret.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
    if (!Files.isSymbolicLink(secret.resolve("tor"))) {
      Files.createSymbolicLink(secret.resolve("tor"), Path.of("..data/tor"));
    }
  }

  private void put(String value) throws Exception {
    store.commit(Txn.builder().put("/margay/v1/secrets/bgp/tor", value).build());
  }

  @Test
  void the_first_answer_is_that_it_is_looked_for() {
    assertThat(watch.begin().find(TOR)).isEqualTo(new Answer.Pending());
  }

  @Test
  void a_mounted_secret_is_followed_through_the_exchange_of_its_data() throws Exception {
    mount("v1", "hunter2");
    assertThat(ask(TOR)).isEqualTo(found("hunter2"));
    mount("v2", "hunter3\n");
    watch.start(() -> news++);
    assertThat(ask(TOR)).isEqualTo(found("hunter3"));
    assertThat(news).isPositive();
  }

  @Test
  void the_datastore_is_asked_for_what_is_not_mounted() throws Exception {
    put("from-etcd\r\n");
    assertThat(ask(TOR)).isEqualTo(found("from-etcd"));
    mount("v1", "mounted");
    assertThat(ask(TOR)).isEqualTo(found("mounted"));
  }

  @Test
  void what_is_nowhere_says_where_it_was_looked_for() {
    assertThat(ask(TOR)).asString().contains(directory + "/bgp/tor", "/margay/v1/secrets/bgp/tor");
    try (PasswordWatch without = new PasswordWatch(Optional.empty(), store)) {
      without.begin().find(TOR);
      without.look();
      assertThat(without.begin().find(TOR)).asString().contains("bgp.passwordDir is not set");
    }
  }

  @Test
  void a_password_stays_while_the_datastore_is_away_and_goes_when_it_is_deleted() throws Exception {
    put("hunter2");
    assertThat(ask(TOR)).isEqualTo(found("hunter2"));
    store.close();
    assertThat(ask(TOR)).isEqualTo(found("hunter2"));

    mount("v1", "mounted");
    assertThat(ask(TOR)).isEqualTo(found("mounted"));
    Files.delete(directory.resolve("bgp/..data"));
    assertThat(ask(TOR)).as("the datastore is still away").isEqualTo(found("mounted"));
  }

  @Test
  void a_deleted_password_is_none() throws Exception {
    put("hunter2");
    assertThat(ask(TOR)).isEqualTo(found("hunter2"));
    store.commit(Txn.builder().delete("/margay/v1/secrets/bgp/tor").build());
    assertThat(ask(TOR)).isInstanceOf(Answer.Missing.class);
  }

  @ParameterizedTest
  @CsvSource({".., passwd", "bgp, ../../etc/passwd", "bgp, ''", "'a/b', tor", "., tor"})
  void names_lead_nowhere_else(String name, String key) {
    assertThat(ask(new SecretKeyRef(name, key, null, Map.of())))
        .asString()
        .contains("letters, digits");
  }

  @Test
  void what_is_no_password_is_said_without_showing_it() throws Exception {
    mount("v1", "x".repeat(81));
    assertThat(ask(TOR)).asString().contains("bgp/tor", "80 octets").doesNotContain("xxx");
    mount("v2", "");
    assertThat(ask(TOR)).isInstanceOf(Answer.Missing.class);
    mount("v3", "hunter2");
    assertThat(ask(TOR)).asString().doesNotContain("hunter2");
  }

  @Test
  void what_nobody_asks_for_any_more_is_forgotten() throws Exception {
    put("hunter2");
    assertThat(ask(TOR)).isEqualTo(found("hunter2"));
    watch.begin();
    watch.begin();
    assertThat(watch.begin().find(TOR)).isEqualTo(new Answer.Pending());
  }
}
