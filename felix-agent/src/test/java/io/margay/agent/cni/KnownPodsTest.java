package io.margay.agent.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.cni.journal.Workload;
import io.margay.cni.spec.CniException;
import io.margay.datastore.Change;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.PodDocuments;
import io.margay.datastore.json.PodDocuments.PodName;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KnownPodsTest {

  private static final PodName WEB = new PodName("shop", "web");
  private static final Workload.Pod POD = new Workload.Pod("shop", "web");
  private static final KubernetesPod SAYING_DB =
      new KubernetesPod(
          Metadata.named("shop", "web").withLabels(Map.of("app", "db")), KubernetesPod.Spec.EMPTY);

  private final KnownPods pods = new KnownPods();

  private void tell(String document) {
    assertThat(pods.onChange(new Change.Put(new KeyValue(PodDocuments.key(WEB), document, 1))))
        .contains(WEB);
  }

  private static WorkloadEndpoint endpoint() {
    return new WorkloadEndpoint(
        Metadata.named("shop", "n1-k8s-web-eth0").withLabels(Map.of("app", "web")),
        WorkloadEndpointSpec.EMPTY.attachedTo("k8s", "n1", "web", "eth0"));
  }

  @Test
  void a_document_is_known_from_its_put_to_its_deletion() throws Exception {
    assertThat(pods.find(POD)).isEmpty();
    tell(PodDocuments.encode(SAYING_DB));
    assertThat(pods.find(POD)).contains(SAYING_DB.reduced());
    assertThat(pods.find(new Workload.Pod("shop", "other"))).isEmpty();
    assertThat(pods.onChange(new Change.Delete(PodDocuments.key(WEB), 2))).contains(WEB);
    assertThat(pods.find(POD)).isEmpty();
  }

  @Test
  void other_keys_are_nobodys_document() {
    assertThat(pods.onChange(new Change.Delete("/calico/ipam/v2/config", 1))).isEmpty();
    assertThat(pods.onChange(new Change.Delete("/margay/v1/pods/x", 1))).isEmpty();
  }

  @Test
  void an_endpoint_is_as_its_pods_document_says() {
    tell(PodDocuments.encode(SAYING_DB));

    WorkloadEndpoint fitted = pods.fit(endpoint());

    assertThat(fitted.metadata().labels()).containsEntry("app", "db");
    pods.onChange(new Change.Delete(PodDocuments.key(WEB), 2));
    assertThat(pods.fit(fitted)).isEqualTo(endpoint());
  }

  @Test
  void a_document_that_cant_be_read_stops_an_add_and_changes_nothing_else() {
    tell(PodDocuments.encode(SAYING_DB));
    WorkloadEndpoint fitted = pods.fit(endpoint());
    tell("{\"metadata\": {}}");

    assertThat(pods.fit(fitted)).isSameAs(fitted);
    assertThat(pods.fit(endpoint())).isEqualTo(endpoint());
    assertThat(pods.problem(WEB)).hasValueSatisfying(why -> assertThat(why).contains("name"));
    assertThatThrownBy(() -> pods.find(POD))
        .isInstanceOf(CniException.class)
        .hasMessageContaining("/margay/v1/pods/shop/web is no Pod document: metadata: name");
  }
}
