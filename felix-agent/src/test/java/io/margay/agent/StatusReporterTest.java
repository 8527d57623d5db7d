package io.margay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.dataplane.EndpointStatusListener.Status;
import io.margay.datastore.Change;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.SyncListener;
import io.margay.datastore.SyncStatus;
import io.margay.datastore.Syncer;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.policy.EndpointKey;
import io.margay.policy.HostEndpointKey;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StatusReporterTest {

  private static final String FOLDER = "/calico/felix/v2/no-region/host/n1/";
  private static final String HOST_FOLDER = "/calico/felix/v1/host/n1/";
  private static final EndpointKey POD = new EndpointKey("default", "n1-k8s-web-eth0");
  private static final EndpointKey BOX = new EndpointKey("default", "n1-cni-c2-eth0");

  private final InMemoryDatastore store = new InMemoryDatastore();
  private final Map<EndpointKey, WorkloadEndpoint> endpoints =
      Map.of(
          POD,
          endpoint(
              POD.name(),
              "\"orchestrator\":\"k8s\",\"node\":\"n1\",\"containerID\":\"c1\",\"pod\":\"web\",\"endpoint\":\"eth0\""),
          BOX,
          endpoint(
              BOX.name(),
              "\"orchestrator\":\"cni\",\"node\":\"n1\",\"containerID\":\"c2\",\"endpoint\":\"eth0\""));
  private Instant passed = Instant.parse("1970-01-01T00:00:00Z");
  private final StatusReporter reporter =
      new StatusReporter(
          "n1",
          store,
          store,
          key -> Optional.ofNullable(endpoints.get(key)),
          InstantSource.fixed(Instant.parse("2026-11-28T12:00:00.5Z")),
          () -> passed);

  private final LinkedBlockingQueue<Change> seen = new LinkedBlockingQueue<>();
  private final Syncer syncer =
      new Syncer(
          store,
          List.of(FOLDER, HOST_FOLDER),
          new SyncListener() {
            @Override
            public void onChanges(List<Change> changes) {
              seen.addAll(changes);
            }

            @Override
            public void onStatus(SyncStatus status) {}
          },
          InstantSource.system(),
          new Random(1));

  @AfterEach
  void close() {
    reporter.close();
    syncer.close();
    store.close();
  }

  private static WorkloadEndpoint endpoint(String name, String spec) {
    String json =
        "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"WorkloadEndpoint\",\"metadata\":{\"name\":\""
            + name
            + "\",\"namespace\":\"default\"},\"spec\":{"
            + spec
            + ",\"interfaceName\":\"cali1\",\"ipNetworks\":[\"10.0.0.1/32\"]}}";
    Decoded decoded =
        ResourceJson.decode(
                "/calico/resources/v3/projectcalico.org/workloadendpoints/default/" + name, json, 1)
            .orElseThrow();
    return (WorkloadEndpoint) ((Decoded.Valid) decoded).resource();
  }

  private Change next() throws InterruptedException {
    Change change = seen.poll(20, TimeUnit.SECONDS);
    assertThat(change).as("a change within 20 s").isNotNull();
    return change;
  }

  private static Map.Entry<String, String> put(Change change) {
    KeyValue item = ((Change.Put) change).item();
    return Map.entry(item.key(), item.value());
  }

  @Test
  void pods_are_reported_under_calicos_names_and_taken_away_when_gone() throws Exception {
    syncer.start();
    reporter.onStatus(POD, Status.UP);
    assertThat(put(next()))
        .isEqualTo(
            Map.entry(FOLDER + "workload/k8s/default%2fweb/endpoint/eth0", "{\"status\":\"up\"}"));
    reporter.onStatus(BOX, Status.ERROR);
    assertThat(put(next()))
        .isEqualTo(Map.entry(FOLDER + "workload/cni/c2/endpoint/eth0", "{\"status\":\"error\"}"));
    reporter.onStatus(new EndpointKey("default", "unknown"), Status.UP);
    reporter.onGone(POD);
    assertThat(next()).isInstanceOf(Change.Delete.class);
    assertThat(store.list(FOLDER).items()).hasSize(1);
  }

  @Test
  void host_endpoints_are_reported_where_calico_has_them() throws Exception {
    syncer.start();
    reporter.onHostStatus(new HostEndpointKey("n1-eth0"), Status.UP);
    assertThat(put(next()))
        .isEqualTo(Map.entry(HOST_FOLDER + "endpoint/n1-eth0", "{\"status\":\"up\"}"));
    reporter.onHostStatus(new HostEndpointKey("n1-eth0"), Status.ERROR);
    assertThat(put(next()).getValue()).isEqualTo("{\"status\":\"error\"}");
    reporter.onHostGone(new HostEndpointKey("n1-eth0"));
    assertThat(next()).isInstanceOf(Change.Delete.class);
    reporter.onHostStatus(new HostEndpointKey("n1-eth1"), Status.UP);
    assertThat(put(next()).getKey()).isEqualTo(HOST_FOLDER + "endpoint/n1-eth1");
    reporter.close();
    assertThat(store.list(HOST_FOLDER).items()).as("with the lease").isEmpty();
  }

  @Test
  void the_host_is_reported_with_and_without_a_lease_and_only_the_last_report_stays()
      throws Exception {
    syncer.start();
    passed = passed.plusSeconds(7);
    reporter.start();
    List<String> keys = List.of(next().key(), next().key());
    assertThat(keys).containsExactlyInAnyOrder(FOLDER + "status", FOLDER + "last_reported_status");
    assertThat(store.get(FOLDER + "status"))
        .map(KeyValue::value)
        .contains("{\"time\":\"2026-11-28T12:00:00Z\",\"uptime\":7.0,\"first_update\":true}");
    reporter.close();
    assertThat(store.list(FOLDER).items())
        .extracting(KeyValue::key)
        .containsExactly(FOLDER + "last_reported_status");
  }
}
