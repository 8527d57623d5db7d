package io.margay.agent.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EndpointWriterTest {

  private static final String CLUSTER =
      "/calico/resources/v3/projectcalico.org/clusterinformations/default";

  private final InMemoryDatastore memory = new InMemoryDatastore();
  private final LossyDatastore store = new LossyDatastore(memory);
  private final BlockingQueue<String> asked = new LinkedBlockingQueue<>();
  private final EndpointWriter writer =
      new EndpointWriter("n1", store, this::wanted, Duration.ofMillis(10));

  @AfterEach
  void stop() {
    writer.close();
    memory.close();
  }

  /// Every endpoint shall be an `app: db`.
  private WorkloadEndpoint wanted(WorkloadEndpoint endpoint) {
    asked.add(String.valueOf(endpoint.metadata().labels()));
    Map<String, String> labels = new TreeMap<>(endpoint.metadata().labels());
    labels.put("app", "db");
    return endpoint.withMetadata(endpoint.metadata().withLabels(labels));
  }

  private static WorkloadEndpoint endpoint(String node, String... label) {
    return new WorkloadEndpoint(
        Metadata.named("shop", node + "-k8s-web-eth0")
            .withLabels(label.length == 0 ? Map.of() : Map.of(label[0], label[1])),
        WorkloadEndpointSpec.EMPTY.attachedTo("k8s", node, "web", "eth0"));
  }

  private void put(WorkloadEndpoint endpoint) throws Exception {
    memory.commit(
        Txn.builder().put(ResourceKeys.key(endpoint), ResourceJson.encode(endpoint)).build());
  }

  private void lock(boolean ready) throws Exception {
    memory.commit(
        Txn.builder()
            .put(
                CLUSTER,
                "{\"kind\":\"ClusterInformation\",\"apiVersion\":\"projectcalico.org/v3\","
                    + "\"metadata\":{\"name\":\"default\"},\"spec\":{\"datastoreReady\":"
                    + ready
                    + "}}")
            .build());
  }

  private Map<String, String> labels(WorkloadEndpoint endpoint) throws Exception {
    KeyValue stored = memory.get(ResourceKeys.key(endpoint)).orElseThrow();
    return ((Decoded.Valid)
            ResourceJson.decode(stored.key(), stored.value(), stored.modRevision()).orElseThrow())
        .resource()
        .metadata()
        .labels();
  }

  private String asked() throws InterruptedException {
    String labels = asked.poll(20, TimeUnit.SECONDS);
    assertThat(labels).as("within 20 s").isNotNull();
    return String.valueOf(labels);
  }

  /// Waits until the writer has done all that was asked before.
  private void settle() throws Exception {
    WorkloadEndpoint last = endpoint("n1", "last", "one");
    WorkloadEndpoint other =
        last.withMetadata(
            Metadata.named("zzz", last.metadata().name()).withLabels(Map.of("z", "z")));
    put(other);
    writer.request(other.ref());
    while (!asked().equals("{z=z}")) {
      // The answers of those before.
    }
  }

  @Test
  void an_endpoint_is_written_once_and_only_if_it_differs() throws Exception {
    put(endpoint("n1"));
    writer.request(endpoint("n1").ref());
    settle();
    assertThat(labels(endpoint("n1"))).containsEntry("app", "db");
    int commits = store.committed().size();
    writer.request(endpoint("n1").ref());
    settle();
    assertThat(store.committed().size() - commits).as("that of settling").isLessThanOrEqualTo(1);
  }

  @Test
  void what_another_writer_did_meanwhile_is_kept() throws Exception {
    put(endpoint("n1"));
    store.beforeNextCommit(() -> putQuietly(endpoint("n1", "mine", "too")));

    writer.request(endpoint("n1").ref());

    assertThat(asked()).isEqualTo("{}");
    assertThat(asked()).isEqualTo("{mine=too}");
    settle();
    assertThat(labels(endpoint("n1"))).containsEntry("app", "db").containsEntry("mine", "too");
  }

  private void putQuietly(WorkloadEndpoint endpoint) {
    try {
      put(endpoint);
    } catch (Exception failed) {
      throw new AssertionError(failed);
    }
  }

  @Test
  void one_that_is_gone_or_anothers_is_left_alone() throws Exception {
    put(endpoint("n2"));
    writer.request(endpoint("n1").ref());
    writer.request(endpoint("n2").ref());
    settle();
    assertThat(labels(endpoint("n2"))).isEmpty();
    assertThat(memory.get(ResourceKeys.key(endpoint("n1")))).isEmpty();
  }

  @Test
  void a_migration_is_waited_for() throws Exception {
    lock(false);
    put(endpoint("n1"));
    writer.request(endpoint("n1").ref());
    assertThat(asked()).isEqualTo("{}");
    assertThat(asked()).as("asked again by itself").isEqualTo("{}");
    assertThat(labels(endpoint("n1"))).isEmpty();
    lock(true);
    while (!asked().equals("{app=db}")) {
      writer.request(endpoint("n1").ref());
    }
    assertThat(labels(endpoint("n1"))).containsEntry("app", "db");
  }

  @Test
  void a_lost_answer_is_no_lost_write() throws Exception {
    put(endpoint("n1"));
    store.loseAnswers(1);
    writer.request(endpoint("n1").ref());
    asked();
    assertThat(asked()).as("tried again, and found written").isEqualTo("{app=db}");
    assertThat(labels(endpoint("n1"))).containsEntry("app", "db");
  }
}
