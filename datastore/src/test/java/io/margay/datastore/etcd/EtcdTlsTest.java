package io.margay.datastore.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreException.Kind;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.RecordingSync;
import io.margay.datastore.SyncStatus;
import io.margay.datastore.Syncer;
import io.margay.datastore.Txn;
import io.margay.datastore.testing.EtcdProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every way a TLS connection can be right or wrong, against a real etcd: each wrong one is a
/// refusal that says what to do, and none a hang.
@Tag("etcd")
class EtcdTlsTest {

  private static final Duration OFTEN = Duration.ofMillis(50);

  @TempDir private Path directory;

  private Certificates ours;
  private final List<EtcdProcess> servers = new ArrayList<>();

  @BeforeEach
  void authority() throws Exception {
    ours = new Certificates(directory.resolve("ours"), "ours").sign("server").sign("client");
  }

  @AfterEach
  void stop() {
    servers.forEach(EtcdProcess::close);
  }

  private EtcdProcess etcd() {
    return servers.getFirst();
  }

  private void plainServer() throws IOException {
    servers.add(new EtcdProcess(Files.createDirectories(directory.resolve("etcd"))));
  }

  private void server(String who, String... more) throws IOException {
    List<String> options =
        new ArrayList<>(
            List.of("--cert-file=" + ours.certificate(who), "--key-file=" + ours.key(who)));
    options.addAll(List.of(more));
    servers.add(
        EtcdProcess.withTls(
            Files.createDirectories(directory.resolve("etcd")), options.toArray(String[]::new)));
  }

  private void mutualServer(String... more) throws IOException {
    List<String> options =
        new ArrayList<>(List.of("--client-cert-auth=true", "--trusted-ca-file=" + ours.ca()));
    options.addAll(List.of(more));
    server("server", options.toArray(String[]::new));
  }

  private DatastoreSettings settings(DatastoreSettings.Tls tls) {
    return new DatastoreSettings(List.of(etcd().endpoint()), Optional.empty(), Optional.of(tls));
  }

  private static DatastoreSettings.Tls trusting(Path ca) {
    return new DatastoreSettings.Tls(ca, Optional.empty(), Optional.empty());
  }

  private static DatastoreSettings.Tls as(Path ca, Path certificate, Path key) {
    return new DatastoreSettings.Tls(ca, Optional.of(certificate), Optional.of(key));
  }

  private DatastoreSettings.Tls asClient() {
    return as(ours.ca(), ours.certificate("client"), ours.key("client"));
  }

  private static void assertWorks(DatastoreSettings settings) throws DatastoreException {
    try (EtcdDatastore store = EtcdDatastore.open(settings)) {
      awaitLeader(store);
      store.commit(Txn.builder().put("/tls", "1").build());
      assertThat(store.get("/tls")).isPresent();
    }
  }

  /// A server listens before it has been elected, and elects itself slowly on a busy machine.
  private static void awaitLeader(EtcdDatastore store) throws DatastoreException {
    for (int attempt = 1; ; attempt++) {
      try {
        store.get("/tls");
        return;
      } catch (DatastoreException failed) {
        if (failed.kind() != Kind.DEADLINE || attempt == 10) {
          throw failed;
        }
      }
    }
  }

  private static void assertRefused(DatastoreSettings settings, String words)
      throws DatastoreException {
    try (EtcdDatastore store = EtcdDatastore.open(settings)) {
      long began = System.nanoTime();
      assertThatThrownBy(() -> store.get("/tls"))
          .isInstanceOfSatisfying(
              DatastoreException.class,
              failure -> {
                assertThat(failure).hasMessageContaining(words);
                assertThat(failure.kind()).isEqualTo(Kind.UNAUTHORISED);
                assertThat(failure.isOutcomeUnknown()).isFalse();
              });
      assertThat(Duration.ofNanos(System.nanoTime() - began))
          .isLessThan(EtcdDatastore.CALL_DEADLINE.multipliedBy(3));
    }
  }

  /// With TLS 1.3 the server's refusal may be overtaken by the end of the connection: then it is
  /// one of the possible causes that the message names.
  private static void assertClientRefused(DatastoreSettings settings) throws DatastoreException {
    try (EtcdDatastore store = EtcdDatastore.open(settings)) {
      long began = System.nanoTime();
      assertThatThrownBy(() -> store.get("/tls"))
          .isInstanceOfSatisfying(
              DatastoreException.class,
              failure -> {
                assertThat(failure).hasMessageContaining("our certificate (datastore.tls.cert");
                assertThat(failure.kind()).isIn(Kind.UNAUTHORISED, Kind.UNREACHABLE);
              });
      assertThat(Duration.ofNanos(System.nanoTime() - began))
          .isLessThan(EtcdDatastore.CALL_DEADLINE.multipliedBy(3));
    }
  }

  @Test
  void a_server_signed_by_our_authority_is_trusted() throws Exception {
    server("server");
    assertWorks(settings(trusting(ours.ca())));
  }

  @Test
  void a_client_certificate_opens_a_server_that_wants_one() throws Exception {
    mutualServer();
    assertWorks(settings(asClient()));
  }

  @Test
  void a_server_of_another_authority_is_refused() throws Exception {
    server("server");
    Certificates others = new Certificates(directory.resolve("others"), "others");
    assertRefused(
        settings(trusting(others.ca())), "not signed by an authority in datastore.tls.ca");
  }

  @Test
  void an_expired_server_is_refused() throws Exception {
    ours.signExpired("old");
    server("old");
    assertRefused(settings(trusting(ours.ca())), "has expired; renew it at the server");
  }

  @Test
  void a_server_of_another_name_is_refused() throws Exception {
    ours.signKey("server", "127.0.0.9");
    server("server");
    assertRefused(settings(trusting(ours.ca())), "for another name than the endpoint's");
  }

  @Test
  void a_missing_client_certificate_is_asked_for() throws Exception {
    mutualServer();
    assertClientRefused(settings(trusting(ours.ca())));
  }

  @Test
  void a_client_of_another_authority_is_told_so() throws Exception {
    mutualServer();
    Certificates others = new Certificates(directory.resolve("others"), "others").sign("stranger");
    assertClientRefused(
        settings(as(ours.ca(), others.certificate("stranger"), others.key("stranger"))));
  }

  @Test
  void an_expired_client_is_told_so() throws Exception {
    mutualServer();
    ours.signExpired("late");
    assertRefused(
        settings(as(ours.ca(), ours.certificate("late"), ours.key("late"))),
        "(datastore.tls.cert) has expired on 2020-02-01");
  }

  @Test
  void tls_to_a_server_without_it_is_told_so() throws Exception {
    plainServer();
    DatastoreSettings wrong =
        new DatastoreSettings(
            List.of("https://127.0.0.1:" + etcd().clientPort()),
            Optional.empty(),
            Optional.of(trusting(ours.ca())));
    // Its refusal in plain text may be overtaken by the end of the connection: then it is one of
    // the possible causes that the message names.
    try (EtcdDatastore store = EtcdDatastore.open(wrong)) {
      assertThatThrownBy(() -> store.get("/tls"))
          .isInstanceOfSatisfying(
              DatastoreException.class,
              failure -> {
                String said = String.valueOf(failure.getMessage());
                assertThat(said).contains("speak TLS").hasLineCount(1);
                assertThat(failure.kind())
                    .isEqualTo(
                        said.contains("does not speak TLS") ? Kind.UNAUTHORISED : Kind.UNREACHABLE);
              });
    }
  }

  @Test
  void no_tls_to_a_server_with_it_fails_in_time_and_names_the_cause() throws Exception {
    server("server");
    try (EtcdDatastore store =
        EtcdDatastore.open(DatastoreSettings.of("http://127.0.0.1:" + etcd().clientPort()))) {
      assertThatThrownBy(() -> store.get("/tls"))
          .isInstanceOf(DatastoreException.class)
          .hasMessageContaining("without TLS?");
    }
  }

  @Test
  void keys_in_every_usual_format_work() throws Exception {
    mutualServer();
    Path ec = directory.resolve("sec1.key");
    Certificates.openssl("ec", "-in", ours.key("client").toString(), "-out", ec.toString());
    assertThat(Files.readString(ec)).contains("BEGIN EC PRIVATE KEY");
    assertWorks(settings(as(ours.ca(), ours.certificate("client"), ec)));
    Certificates.openssl("genrsa", "-traditional", "-out", ours.key("rsa").toString(), "2048");
    assertThat(Files.readString(ours.key("rsa"))).contains("BEGIN RSA PRIVATE KEY");
    ours.signKey("rsa", "127.0.0.1");
    assertWorks(settings(as(ours.ca(), ours.certificate("rsa"), ours.key("rsa"))));
  }

  @Test
  void files_that_cannot_be_used_are_named_when_the_store_is_opened() throws Exception {
    plainServer();
    Path encrypted = directory.resolve("encrypted.key");
    Certificates.openssl(
        "pkcs8",
        "-topk8",
        "-in",
        ours.key("client").toString(),
        "-passout",
        "pass:x",
        "-out",
        encrypted.toString());
    Path noise = Files.writeString(directory.resolve("noise"), "no pem");
    assertUnusable(as(ours.ca(), ours.certificate("client"), encrypted), "is encrypted");
    assertUnusable(as(ours.ca(), ours.certificate("client"), noise), "no PEM private key");
    assertUnusable(as(ours.ca(), ours.certificate("client"), ours.key("server")), "is not that of");
    assertUnusable(trusting(noise), "no PEM certificate");
    assertUnusable(trusting(directory.resolve("absent")), "is not there");
  }

  private static void assertUnusable(DatastoreSettings.Tls tls, String words) {
    assertThatThrownBy(
            () ->
                EtcdDatastore.open(
                    new DatastoreSettings(
                        List.of("https://127.0.0.1:1"), Optional.empty(), Optional.of(tls))))
        .isInstanceOfSatisfying(
            DatastoreException.class,
            failure -> {
              assertThat(failure.kind()).isEqualTo(Kind.INVALID);
              assertThat(failure).hasMessageContaining(words);
            });
  }

  @Test
  void renewed_files_are_used_without_a_gap_in_what_is_watched() throws Exception {
    mutualServer();
    Path certificate = directory.resolve("mine.crt");
    Path key = directory.resolve("mine.key");
    Files.copy(ours.certificate("client"), certificate);
    Files.copy(ours.key("client"), key);
    RecordingSync seen = new RecordingSync();
    try (EtcdDatastore writer = EtcdDatastore.open(settings(asClient()));
        EtcdDatastore store =
            EtcdDatastore.open(
                settings(as(ours.ca(), certificate, key)), OFTEN, Reconnection.PATIENCE);
        Syncer syncer =
            new Syncer(store, List.of("/s/"), seen, InstantSource.system(), new Random(1))) {
      syncer.start();
      seen.await("in sync", RecordingSync::isInSync);
      int events = 400;
      for (int i = 0; i < events; i++) {
        if (i == 100) {
          // First one file, then, later, the other: between them the pair does not match.
          ours.sign("renewed");
          Files.copy(ours.key("renewed"), key, StandardCopyOption.REPLACE_EXISTING);
        }
        if (i == 200) {
          Files.copy(ours.certificate("renewed"), certificate, StandardCopyOption.REPLACE_EXISTING);
        }
        writer.commit(Txn.builder().put("/s/" + i, "1").build());
      }
      seen.await("all", now -> now.content().size() == events);
      int more = 0;
      while (store.renewals() == 0) {
        writer.commit(Txn.builder().put("/s/more" + more++, "1").build());
      }
      writer.commit(Txn.builder().put("/s/after", "1").build());
      seen.await("after", now -> now.content().containsKey("/s/after"));
      assertThat(seen.changes()).hasSize(events + more + 1).doesNotHaveDuplicates();
      assertThat(seen.statuses()).noneMatch(SyncStatus.Stale.class::isInstance);
    }
  }

  @Test
  void the_common_name_is_the_etcd_user() throws Exception {
    mutualServer();
    ours.sign("root");
    DatastoreSettings.Tls root = as(ours.ca(), ours.certificate("root"), ours.key("root"));
    etcdctlAs("root", "user", "add", "root", "--no-password");
    etcdctlAs("root", "user", "grant-role", "root", "root");
    etcdctlAs("root", "user", "add", "client", "--no-password");
    etcdctlAs("root", "role", "add", "r");
    etcdctlAs("root", "role", "grant-permission", "--prefix=true", "r", "readwrite", "/mine/");
    etcdctlAs("root", "user", "grant-role", "client", "r");
    etcdctlAs("root", "auth", "enable");
    try (EtcdDatastore client = EtcdDatastore.open(settings(asClient()));
        EtcdDatastore admin = EtcdDatastore.open(settings(root))) {
      client.commit(Txn.create("/mine/a", "1"));
      admin.commit(Txn.create("/other/a", "1"));
      assertThatThrownBy(() -> client.get("/other/a"))
          .isInstanceOfSatisfying(
              DatastoreException.class,
              failure -> assertThat(failure.kind()).isEqualTo(Kind.UNAUTHORISED));
    }
  }

  private void etcdctlAs(String who, String... words) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--cacert=" + ours.ca(),
                "--cert=" + ours.certificate(who),
                "--key=" + ours.key(who)));
    all.addAll(List.of(words));
    etcd().etcdctl(all.toArray(String[]::new));
  }
}
