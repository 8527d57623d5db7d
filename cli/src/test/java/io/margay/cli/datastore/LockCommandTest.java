package io.margay.cli.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.Txn;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LockCommandTest {

  private static final String CALICOS =
      "{\"kind\":\"ClusterInformation\",\"apiVersion\":\"projectcalico.org/v3\","
          + "\"metadata\":{\"name\":\"default\",\"uid\":\"u-1\","
          + "\"creationTimestamp\":\"2025-06-01T08:00:00Z\"},"
          + "\"spec\":{\"clusterGUID\":\"5f2b8a0c9e7d4c1b8a6f3e2d1c0b9a88\","
          + "\"clusterType\":\"k8s,bgp\",\"calicoVersion\":\"v3.31.2\",\"datastoreReady\":true,"
          + "\"future\":{\"a\":1}}}";

  private final InMemoryDatastore store = new InMemoryDatastore();
  private final DatastoreCommandsFixture margay =
      new DatastoreCommandsFixture(_ -> new KeptOpen(store));

  private String stored() throws Exception {
    return store.get(DatastoreLock.KEY).orElseThrow().value();
  }

  @Test
  void lock_and_unlock_change_the_flag_alone() throws Exception {
    store.commit(Txn.create(DatastoreLock.KEY, CALICOS));

    DatastoreCommandsFixture.Result locked = margay.run("datastore", "lock");
    assertThat(locked.code()).isZero();
    assertThat(locked.out())
        .startsWith("Datastore locked.\n")
        .contains("policy, routes and BGP go on", "margay datastore unlock");
    assertThat(stored()).isEqualTo(CALICOS.replace("Ready\":true", "Ready\":false"));

    DatastoreCommandsFixture.Result unlocked = margay.run("datastore", "unlock");
    assertThat(unlocked.code()).isZero();
    assertThat(unlocked.out()).startsWith("Datastore unlocked.\n");
    assertThat(stored()).isEqualTo(CALICOS);
  }

  @ParameterizedTest
  @ValueSource(strings = {"lock", "unlock"})
  void a_second_time_writes_nothing(String verb) throws Exception {
    margay.run("datastore", verb);
    long revision = store.revision();

    DatastoreCommandsFixture.Result again = margay.run("datastore", verb);
    assertThat(again.code()).isZero();
    assertThat(again.out()).startsWith("Datastore already " + verb + "ed.\n");
    assertThat(store.revision()).isEqualTo(revision);
  }

  @Test
  void a_cluster_without_information_gets_some_as_from_calicos_first_node() throws Exception {
    DatastoreCommandsFixture.Result locked = margay.run("datastore", "lock");
    assertThat(locked.out()).contains("It had no ClusterInformation; one was created.");
    assertThat(stored())
        .matches(
            ".*\"creationTimestamp\":\"2026-01-31T12:00:00Z\".*"
                + "\"spec\":\\{\"clusterGUID\":\"[0-9a-f]{32}\",\"datastoreReady\":false}}");
  }

  @Test
  void calicoctls_longer_name_of_the_commands_is_understood() throws Exception {
    assertThat(margay.run("datastore", "migrate", "lock").code()).isZero();
    assertThat(stored()).contains("\"datastoreReady\":false");
  }

  @Test
  void a_document_that_cannot_be_read_is_not_written_over() throws Exception {
    store.commit(Txn.create(DatastoreLock.KEY, "{\"spec\":"));
    DatastoreCommandsFixture.Result refused = margay.run("datastore", "lock");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err()).contains("ClusterInformation(default)", "nothing was changed");
    assertThat(stored()).isEqualTo("{\"spec\":");
  }

  @Test
  void a_lost_race_is_run_again_on_what_the_winner_wrote() throws Exception {
    store.commit(Txn.create(DatastoreLock.KEY, CALICOS));
    Datastore racing =
        new KeptOpen(store) {
          private boolean lost;

          @Override
          public CommitResult commit(Txn txn) throws DatastoreException {
            if (!lost) {
              lost = true;
              super.commit(
                  Txn.builder()
                      .put(DatastoreLock.KEY, CALICOS.replace("v3.31.2", "v3.31.3"))
                      .build());
            }
            return super.commit(txn);
          }
        };
    assertThat(new DatastoreCommandsFixture(_ -> racing).run("datastore", "lock").code()).isZero();
    assertThat(stored())
        .isEqualTo(CALICOS.replace("v3.31.2", "v3.31.3").replace("Ready\":true", "Ready\":false"));
  }
}
