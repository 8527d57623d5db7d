package io.margay.datastore.etcd;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.datastore.CommitResult;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreException.Kind;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.RecordingWatch;
import io.margay.datastore.Txn;
import io.margay.datastore.Watch;
import io.margay.datastore.WatchListener.WatchEnd;
import io.margay.datastore.json.ResourceKeys;
import io.margay.datastore.testing.EtcdProcess;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `deploy/etcd/roles.sh` on a real etcd: each role may do its work, and nothing outside.
@Tag("etcd")
class EtcdRolesTest {

  private static final String R = ResourceKeys.ROOT;

  @TempDir private static Path directory;

  private static EtcdProcess etcd;

  @BeforeAll
  static void start() throws Exception {
    etcd = new EtcdProcess(directory, "--bcrypt-cost=4");
    // Twice: the second time everything is there already.
    roles("a", "b");
    roles("a");
    etcd.etcdctl("user", "add", "root:pw");
    etcd.etcdctl("user", "grant-role", "root", "root");
    for (String role :
        List.of(
            "margay-collector",
            "margay-bgp-secrets",
            "margay-admin",
            "margay-reader",
            "calico-node",
            "calico-controller")) {
      etcd.etcdctl("user", "add", role + ":pw");
      etcd.etcdctl("user", "grant-role", role, role);
    }
    for (String node : List.of("a", "b")) {
      // The script's users come by certificate; these by password, with the same roles.
      etcd.etcdctl("user", "add", "pw-" + node + ":pw");
      etcd.etcdctl("user", "grant-role", "pw-" + node, "margay-node-" + node);
    }
    etcd.etcdctl("auth", "enable");
  }

  @AfterAll
  static void stop() {
    etcd.close();
  }

  private static void roles(String... nodes) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                "/bin/sh",
                Path.of(System.getProperty("margay.root"), "deploy/etcd/roles.sh").toString()));
    command.addAll(List.of(nodes));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("ETCDCTL_ENDPOINTS", etcd.endpoint());
    Process script = builder.start();
    try (InputStream output = script.getInputStream()) {
      String said = new String(output.readAllBytes(), UTF_8);
      if (script.waitFor() != 0) {
        throw new IOException("roles.sh: " + said);
      }
    }
  }

  private static EtcdDatastore as(String user) throws DatastoreException {
    return EtcdDatastore.open(
        new DatastoreSettings(
            List.of(etcd.endpoint()),
            Optional.of(new DatastoreSettings.User(user, "pw")),
            Optional.empty()));
  }

  @ParameterizedTest(name = "{0} may write {1}")
  @CsvSource({
    "pw-a, /calico/resources/v3/projectcalico.org/workloadendpoints/ns/x",
    "pw-a, /calico/resources/v3/projectcalico.org/nodes/a",
    "pw-a, /calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26",
    "pw-a, /calico/ipam/v2/handle/k8s-pod-network.1",
    "pw-a, /calico/ipam/v2/host/a/ipv4/block/10.0.0.0-26",
    "pw-a, /calico/felix/v2/no-region/host/a/status",
    "pw-a, /margay/v1/agents/a",
    "pw-a, /calico/resources/v3/projectcalico.org/ippools/x",
    "margay-collector, /calico/ipam/v2/host/b/ipv4/block/10.0.0.64-26",
    "margay-admin, /calico/resources/v3/projectcalico.org/globalnetworkpolicies/x",
    "margay-admin, /calico/ipam/v2/config",
    "margay-admin, /margay/v1/secrets/x",
    "calico-node, /calico/felix/v2/no-region/host/b/status",
    "calico-node, /calico/ipam/v2/host/c",
    "calico-controller, /calico/resources/v3/projectcalico.org/profiles/kns.x",
  })
  void may_write(String user, String key) throws DatastoreException {
    try (EtcdDatastore store = as(user)) {
      store.commit(Txn.builder().put(key, "{}").build());
      assertThat(store.get(key)).isPresent();
    }
  }

  @ParameterizedTest(name = "{0} may not write {1}")
  @CsvSource({
    "pw-a, /calico/resources/v3/projectcalico.org/nodes/b",
    "pw-a, /calico/resources/v3/projectcalico.org/nodes/ab",
    "pw-a, /calico/resources/v3/projectcalico.org/globalnetworkpolicies/x",
    "pw-a, /calico/ipam/v2/host/b/ipv4/block/10.0.0.64-26",
    "pw-a, /calico/ipam/v2/config",
    "pw-a, /calico/felix/v2/no-region/host/b/status",
    "pw-a, /margay/v1/agents/b",
    "pw-a, /margay/v1/secrets/x",
    "pw-a, /elsewhere",
    "margay-collector, /calico/ipam/v2/config",
    "margay-admin, /elsewhere",
    "margay-admin, /registry/pods/x",
    "margay-reader, /calico/ipam/v2/config",
    "margay-reader, /margay/v1/agents/a",
    "calico-node, /calico/resources/v3/projectcalico.org/globalnetworkpolicies/x",
    "calico-node, /margay/v1/agents/a",
    "calico-controller, /calico/felix/v2/no-region/host/a/status",
  })
  void may_not_write(String user, String key) throws DatastoreException {
    try (EtcdDatastore store = as(user)) {
      assertRefused(() -> store.commit(Txn.builder().put(key, "{}").build()));
    }
  }

  @Test
  void whether_a_folder_is_unchanged_asks_who_may_read_it() throws DatastoreException {
    Txn policies = Txn.builder().ifUnchanged(R + "networkpolicies/", 0).build();
    for (String user : List.of("pw-a", "margay-admin")) {
      try (EtcdDatastore store = as(user)) {
        assertThat(store.commit(policies)).as(user).isInstanceOf(CommitResult.Committed.class);
        assertRefused(() -> store.commit(Txn.builder().ifUnchanged("/registry/", 0).build()));
      }
    }
  }

  @Test
  void a_transaction_with_one_forbidden_key_writes_none() throws DatastoreException {
    String mine = "/calico/ipam/v2/host/a/ipv4/block/10.9.0.0-26";
    try (EtcdDatastore store = as("pw-a")) {
      assertRefused(
          () -> store.commit(Txn.builder().put(mine, "{}").put(R + "nodes/b", "{}").build()));
      assertThat(store.get(mine)).isEmpty();
    }
  }

  @Test
  void everybody_reads_what_policy_needs_and_nobody_else_s() throws DatastoreException {
    for (String user : List.of("pw-a", "margay-reader", "calico-node", "margay-admin")) {
      try (EtcdDatastore store = as(user)) {
        assertThat(store.list(R).revision()).as(user).isPositive();
        assertThat(store.list("/calico/ipam/v2/assignment/").revision()).as(user).isPositive();
        assertRefused(() -> store.list("/registry/"));
        assertRefused(() -> store.list("/"));
      }
    }
  }

  @Test
  void a_node_reads_no_secrets() throws DatastoreException {
    try (EtcdDatastore store = as("pw-a")) {
      assertThat(store.list("/margay/v1/agents/").revision()).isPositive();
      assertRefused(() -> store.list("/margay/v1/secrets/"));
    }
  }

  @Test
  void who_only_looks_reads_no_secrets_and_who_needs_passwords_nothing_else()
      throws DatastoreException {
    try (EtcdDatastore store = as("margay-reader")) {
      assertThat(store.list("/margay/v1/pods/").revision()).isPositive();
      assertRefused(() -> store.get("/margay/v1/secrets/bgp/tor"));
    }
    try (EtcdDatastore store = as("margay-bgp-secrets")) {
      assertThat(store.get("/margay/v1/secrets/bgp/tor")).isEmpty();
      assertRefused(() -> store.get(R + "nodes/a"));
    }
  }

  @Test
  void a_watch_without_permission_ends_once_saying_so() throws Exception {
    RecordingWatch seen = new RecordingWatch();
    try (EtcdDatastore store = as("pw-a");
        Watch watch = store.watch("/registry/", 1, seen)) {
      assertThat(watch).isNotNull();
      seen.await(now -> !now.ends().isEmpty());
      assertThat(seen.ends()).hasSize(1);
      assertThat(((WatchEnd.Failed) seen.ends().getFirst()).cause().kind())
          .isEqualTo(Kind.UNAUTHORISED);
    }
  }

  @Test
  void a_node_reports_its_status_under_a_lease() throws DatastoreException {
    String own = "/calico/felix/v2/no-region/host/a/status";
    try (EtcdDatastore store = as("pw-a")) {
      long lease = store.grant(Duration.ofSeconds(30));
      assertThat(store.write(lease, List.of(new Txn.Write.Put(own, "{}")))).isTrue();
      assertThat(store.keepAlive(lease)).isTrue();
      assertRefused(
          () -> store.write(lease, List.of(new Txn.Write.Put(own.replace("/a/", "/b/"), "{}"))));
      store.revoke(lease);
      assertThat(store.get(own)).isEmpty();
    }
  }

  private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            DatastoreException.class,
            failure -> {
              assertThat(failure.kind()).isEqualTo(Kind.UNAUTHORISED);
              assertThat(failure).hasMessageContaining("ermission denied");
            });
  }
}
