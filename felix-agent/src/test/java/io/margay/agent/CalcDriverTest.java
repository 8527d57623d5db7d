package io.margay.agent;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.margay.agent.loop.TestLoop;
import io.margay.datastore.Change;
import io.margay.datastore.KeyValue;
import io.margay.datastore.SyncStatus;
import io.margay.datastore.Txn;
import io.margay.datastore.json.ResourceKeys;
import io.margay.datastore.json.WholeDocuments;
import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/// Policy of the store, and what of it and of settings is not followed.
final class CalcDriverTest extends CalcDriverFixture {

  @Test
  void policy_of_the_store_reaches_the_kernel_and_leaves_it_again() throws Exception {
    String policy =
        document(
            "GlobalNetworkPolicy",
            "web-from-office",
            "{selector: \"app == 'web'\", types: [Ingress], ingress: [{action: Allow, source:"
                + " {nets: [192.0.2.0/24]}}]}");
    put(OPEN_PROFILE + policy);
    put(endpoint("n1", "c1"));
    syncer.start();
    dataplaneLoop.await(kernel::all, found -> found.contains(POD));
    dataplaneLoop.await(this::text, text -> text.contains("web-from-office|ingress"));
    assertThat(dataplaneLoop.see(nft::commits)).isPositive();
    store.commit(
        Txn.builder()
            .delete(
                ResourceKeys.key(
                    new ResourceRef(Kind.GLOBAL_NETWORK_POLICY, "", "web-from-office")))
            .build());
    dataplaneLoop.await(this::text, text -> !text.contains("web-from-office"));
    assertThat(calc.snapshot().endpoints()).hasSize(1);
    assertThat(calc.snapshot().problems()).isEmpty();
  }

  @Test
  void a_host_endpoint_of_the_store_is_policed_with_failsafes_and_the_datastore_open()
      throws Exception {
    put(document("HostEndpoint", "n1-eth0", "{node: n1, interfaceName: eth0}"));
    put(document("HostEndpoint", "n2-eth1", "{node: n2, interfaceName: eth1}"));
    syncer.start();
    String closed = dataplaneLoop.await(this::text, text -> text.contains("chain hi-eth0"));
    assertThat(closed)
        .contains("0x00000001 . tcp . 22 . 0.0.0.0/0", "0x00000002 . tcp . 1 . 127.0.0.1")
        .doesNotContain("eth1", "workload|cali");
    put(
        document(
            "FelixConfiguration",
            "default",
            "{defaultEndpointToHostAction: Drop, failsafeInboundHostPorts: []}"));
    put(
        document(
            "FelixConfiguration",
            "node.n1",
            "{failsafeOutboundHostPorts: [{protocol: TCP, port: 4001, net: 192.0.2.0/24}]}"));
    String configured =
        dataplaneLoop.await(this::text, text -> text.contains(". 4001 . 192.0.2.0/24"));
    assertThat(configured)
        .contains("counter drop comment \"host|ingress|workload|cali\"")
        .contains("0x00000002 . tcp . 1 . 127.0.0.1")
        .doesNotContain(". tcp . 22 .", ". udp . 53 .");
    for (String name : List.of("default", "node.n1")) {
      store.commit(
          Txn.builder()
              .delete(ResourceKeys.key(new ResourceRef(Kind.FELIX_CONFIGURATION, "", name)))
              .build());
    }
    assertThat(
            dataplaneLoop.await(
                this::text, text -> text.contains(". tcp . 22 .") && text.contains(". udp . 53 .")))
        .doesNotContain(". 4001 .");
  }

  @Test
  void a_kubernetes_policy_on_trial_is_counted() throws Exception {
    put(OPEN_PROFILE);
    put(endpoint("n1", "c1"));
    put(
        """
        apiVersion: projectcalico.org/v3
        kind: StagedKubernetesNetworkPolicy
        metadata: {name: trial, namespace: ns}
        spec: {podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80}]}]}
        """);
    syncer.start();
    assertThat(
            dataplaneLoop.await(
                this::text, text -> text.contains("staged|ns/trial|ingress|0|allow")))
        .doesNotContain("tier|default|ingress|end");
    assertThat(calc.snapshot().problems()).isEmpty();
  }

  @Test
  void an_unreadable_policy_denies_what_it_selects() throws Exception {
    put(OPEN_PROFILE);
    put(endpoint("n1", "c1"));
    syncer.start();
    dataplaneLoop.await(this::text, text -> text.contains("profile|open|ingress"));
    String key = ResourceKeys.key(new ResourceRef(Kind.GLOBAL_NETWORK_POLICY, "", "broken"));
    putRaw(
        key,
        """
        {"apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkPolicy",
         "metadata": {"name": "broken"},
         "spec": {"selector": "app == 'web'", "ingress": [{"action": "Perhaps"}]}}
        """);
    String denied = dataplaneLoop.await(this::text, text -> text.contains("policy|broken|"));
    assertThat(denied)
        .contains("counter drop comment \"policy|broken|ingress|0\"")
        .contains("counter drop comment \"policy|broken|egress|0\"")
        .containsSubsequence("chain e-cali1", "tier|default|egress", "profile|open|egress")
        .containsSubsequence("chain i-cali1", "tier|default|ingress", "profile|open|ingress");
    assertThat(calcLoop.await(() -> calc.snapshot().problems(), told -> !told.isEmpty()))
        .singleElement()
        .asString()
        .startsWith("GlobalNetworkPolicy(broken): spec.ingress[0].action");
    store.commit(Txn.builder().delete(key).build());
    dataplaneLoop.await(this::text, text -> !text.contains("policy|broken|"));
    assertThat(calcLoop.await(() -> calc.snapshot().problems(), List::isEmpty)).isEmpty();
  }

  @Test
  void what_is_asked_for_and_not_done_is_shown_and_logged_once_for_as_long_as_it_is()
      throws Exception {
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    Logger logger = (Logger) LoggerFactory.getLogger(CalcProblems.class);
    logger.addAppender(log);
    try {
      put(
          document("FelixConfiguration", "default", "{wireguardEnabled: true}")
              + document(
                  "KubeControllersConfiguration",
                  "default",
                  "{controllers: {node: {hostEndpoint: {autoCreate: Enabled}}}}"));
      syncer.start();
      List<String> shown =
          calcLoop.await(() -> calc.snapshot().problems(), told -> told.size() == 2);
      assertThat(shown.getFirst())
          .isEqualTo(
              "FelixConfiguration: wireguardEnabled: true has no effect here; IPv4 packets between"
                  + " nodes are not encrypted");
      assertThat(shown.getLast()).contains("hostEndpoint.autoCreate has no effect here");

      put(document("FelixConfiguration", "node.n1", "{wireguardEnabledV6: true}"));
      assertThat(calcLoop.await(() -> calc.snapshot().problems(), told -> told.size() == 3))
          .containsAll(shown);
      assertThat(log.list)
          .filteredOn(line -> line.getMessage().equals("a setting is not followed as written"))
          .hasSize(3);

      store.commit(
          Txn.builder()
              .delete(ResourceKeys.key(ResourceRef.global(Kind.FELIX_CONFIGURATION, "default")))
              .build());
      calcLoop.await(() -> calc.snapshot().problems(), told -> told.size() == 2);
    } finally {
      logger.detachAppender(log);
    }
  }

  @Test
  void at_most_a_hundred_problems_are_shown_and_the_rest_is_counted() throws Exception {
    for (int i = 0; i < 102; i++) {
      put(document("GlobalNetworkPolicy", "p" + i, "{tier: none, selector: all()}"));
    }
    syncer.start();
    assertThat(calcLoop.await(() -> calc.snapshot().problems(), told -> !told.isEmpty()))
        .hasSize(101)
        .last()
        .isEqualTo("and 2 more; the agent's log names each");
  }

  @Test
  void nothing_is_concluded_before_the_store_has_told_all() {
    tell(endpoint("n1", "c1"), 5);
    CompletableFuture<Void> waiting = calc.handIn(endpoint("n1", "c1"), 5);
    assertThat(kernelRoutes()).isEmpty();
    assertThat(waiting).isNotDone();
    assertThat(dataplaneLoop.see(nft::commits)).isZero();
    calc.onStatus(new SyncStatus.InSync(6));
    TestLoop.get(waiting);
    assertThat(kernelRoutes()).containsExactly(POD);
  }

  @Test
  void a_syncer_that_still_speaks_when_the_calculation_has_ended_is_not_heard() {
    calcLoop.close();
    KeyValue item = new KeyValue("/calico/resources/v3/projectcalico.org/nodes/n1", "{}", 1);
    // More than may wait: it must not wait for room either.
    for (int i = 0; i < 20; i++) {
      calc.onChanges(List.of(new Change.Put(item)));
    }
    calc.onReplaced();
    calc.onStatus(new SyncStatus.InSync(1));
  }

  @Test
  void a_services_endpoints_are_followed() throws Exception {
    put(OPEN_PROFILE);
    put(
        document(
            "GlobalNetworkPolicy",
            "to-db",
            "{types: [Egress], egress: [{action: Allow,"
                + " destination: {services: {name: db, namespace: ns}}}]}"));
    put(endpoint("n1", "c1"));
    syncer.start();
    dataplaneLoop.await(this::text, text -> text.contains("to-db|egress"));
    assertThat(text()).doesNotContain("192.0.2.77");
    WholeDocuments users = new WholeDocuments(store);
    String key = "/margay/v1/endpointslices/ns/db-x1";

    users.apply(
        key,
        """
        {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"db-x1",
         "namespace":"ns","labels":{"kubernetes.io/service-name":"db"}},"addressType":"IPv4",
         "endpoints":[{"addresses":["192.0.2.77"]}],"ports":[{"port":5432}]}
        """);
    dataplaneLoop.await(this::text, text -> text.contains("192.0.2.77"));

    users.delete(key);
    dataplaneLoop.await(this::text, text -> !text.contains("192.0.2.77"));
  }
}
