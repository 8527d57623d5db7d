package io.margay.agent;

import static io.margay.agent.calc.Documents.document;
import static io.margay.agent.cni.KernelEndpointPolicy.Calculation.UNSTORED;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.loop.TestLoop;
import io.margay.cni.PodOverlay;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.datastore.Change;
import io.margay.datastore.KeyValue;
import io.margay.datastore.SyncStatus;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.PodDocuments;
import io.margay.datastore.json.PodDocuments.PodName;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.linux.route.Route;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.net.InterfaceName;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// Endpoints that CNI hands in, and what the store and documents say of them.
final class CalcDriverEndpointsTest extends CalcDriverFixture {

  private static final PodName WEB = new PodName("ns", "web");
  private static final String FOR_DATABASES =
      document(
          "GlobalNetworkPolicy",
          "for-databases",
          "{selector: \"app == 'db'\", types: [Ingress], ingress: [{action: Deny}]}");

  private static KubernetesPod saying(String app) {
    return new KubernetesPod(
        Metadata.named(WEB.namespace(), WEB.name()).withLabels(Map.of("app", app)),
        KubernetesPod.Spec.EMPTY);
  }

  private String storedApp() throws Exception {
    String key = ResourceKeys.key(endpoint("n1", "c1"));
    KeyValue stored = store.get(key).orElseThrow();
    Decoded.Valid valid =
        (Decoded.Valid)
            ResourceJson.decode(key, stored.value(), stored.modRevision()).orElseThrow();
    return String.valueOf(valid.resource().metadata().labels().get("app"));
  }

  @Test
  void a_pod_that_lives_outlives_the_loss_of_its_endpoint() throws Exception {
    BlockingQueue<WorkloadEndpoint> lost = new LinkedBlockingQueue<>();
    Set<String> wired = ConcurrentHashMap.newKeySet();
    calcLoop.run(
        () ->
            calc.guard(
                endpoint -> wired.contains(endpoint.spec().containerID()),
                lost::add,
                () -> {},
                () -> {}));
    put(OPEN_PROFILE);
    put(endpoint("n1", "c2"));
    syncer.start();
    dataplaneLoop.await(this::text, text -> text.contains("chain e-cali1"));
    wired.add("c2");

    ResourceRef pod = endpoint("n1", "c2").ref();
    tellGone(pod, 90);
    assertThat(rules()).contains("chain e-cali1");
    assertThat(lost.poll(10, TimeUnit.SECONDS)).isNotNull();
    tell(endpoint("n1", "c1"), 91);
    assertThat(calc.containerOf(pod)).as("that of a container before it").isEqualTo("c2");
    tell(endpoint("n1", "c2"), 92);
    assertThat(calc.containerOf(pod)).isEqualTo("c2");

    wired.clear();
    tellGone(pod, 93);
    assertThat(rules()).as("of one that was unwired").doesNotContain("chain e-cali1");
  }

  /// An earlier process has left its route; the store has lost its endpoint meanwhile.
  @Test
  void what_the_first_state_lacks_is_handed_in_before_anything_is_taken_away() throws Exception {
    calcLoop.run(
        () ->
            calc.guard(
                _ -> true, _ -> {}, () -> {}, () -> calc.handIn(endpoint("n1", "c1"), UNSTORED)));
    dataplaneLoop.see(
        () -> {
          kernel.plant(POD);
          routes.adopt();
          return true;
        });
    int writes = kernel.writes();
    put(OPEN_PROFILE);
    syncer.start();
    dataplaneLoop.await(this::text, text -> text.contains("chain e-cali1"));
    assertThat(kernelRoutes()).contains(POD);
    assertThat(dataplaneLoop.see(kernel::writes)).isEqualTo(writes);
    // One transaction: there was no moment with a closed interface.
    assertThat(dataplaneLoop.see(nft::commits)).isEqualTo(1);
  }

  @Test
  void a_commit_that_the_replaced_store_had_confirmed_is_asked_for_again() throws Exception {
    BlockingQueue<WorkloadEndpoint> lost = new LinkedBlockingQueue<>();
    calcLoop.run(() -> calc.guard(_ -> true, lost::add, () -> {}, () -> {}));
    put(OPEN_PROFILE);
    syncer.start();
    dataplaneLoop.await(this::text, text -> text.contains("chain egress"));
    calc.handIn(endpoint("n1", "c1"), 1_000_000);
    calc.onReplaced();
    WorkloadEndpoint told = lost.poll(10, TimeUnit.SECONDS);
    assertThat(told).isNotNull();
    assertThat(told.spec().containerID()).isEqualTo("c1");
  }

  @Test
  void an_endpoint_handed_in_is_in_the_kernel_before_the_caller_goes_on() {
    calc.onStatus(new SyncStatus.InSync(1));
    CompletableFuture<List<Route>> then =
        calc.handIn(endpoint("n1", "c1"), 9).thenApply(_ -> kernel.all());
    assertThat(TestLoop.get(then)).containsExactly(POD);
    assertThat(rules()).contains("cali1");
    assertThat(calc.containerOf(endpoint("n1", "c1").ref())).isEqualTo("c1");
    assertThat(calc.endpointOf(new AttachmentId("c1", new InterfaceName("eth0"))))
        .contains(endpoint("n1", "c1").ref());
    assertThat(TestLoop.get(calc.problems(endpoint("n1", "c1").ref()))).isEmpty();
  }

  @Test
  void older_news_of_the_store_does_not_undo_what_was_handed_in() {
    calc.onStatus(new SyncStatus.InSync(1));
    WorkloadEndpoint mine = endpoint("n1", "new");
    TestLoop.get(calc.handIn(mine, 9));
    tellGone(mine.ref(), 8);
    tell(endpoint("n1", "old"), 7);
    assertThat(kernelRoutes()).containsExactly(POD);
    assertThat(calc.containerOf(mine.ref())).isEqualTo("new");
    tell(mine, 9);
    tellGone(mine.ref(), 10);
    assertThat(kernelRoutes()).isEmpty();
    assertThat(calc.containerOf(mine.ref())).isEmpty();
  }

  @Test
  void what_was_taken_away_stays_away_until_the_store_agrees() {
    calc.onStatus(new SyncStatus.InSync(1));
    WorkloadEndpoint mine = endpoint("n1", "c1");
    TestLoop.get(calc.handIn(mine, 9));
    TestLoop.get(calc.takeAway(mine.ref(), "c1"));
    assertThat(kernelRoutes()).isEmpty();
    tell(mine, 9);
    assertThat(kernelRoutes()).isEmpty();
    tellGone(mine.ref(), 12);
    tell(endpoint("n1", "next"), 13);
    assertThat(kernelRoutes()).containsExactly(POD);
  }

  @Test
  void what_is_another_containers_by_the_time_it_is_looked_at_stays() {
    calc.onStatus(new SyncStatus.InSync(1));
    TestLoop.get(calc.handIn(endpoint("n1", "old"), 9));
    WorkloadEndpoint next = endpoint("n1", "new");
    // Both are on their way to the loop at once.
    CompletableFuture<Void> handed = calc.handIn(next, 10);
    CompletableFuture<Void> taken = calc.takeAway(next.ref(), "old");
    TestLoop.get(handed);
    TestLoop.get(taken);
    assertThat(kernelRoutes()).containsExactly(POD);
    assertThat(calc.containerOf(next.ref())).isEqualTo("new");
    TestLoop.get(calc.takeAway(next.ref(), "new"));
    assertThat(kernelRoutes()).isEmpty();
  }

  @Test
  void what_is_said_of_a_running_pod_is_enforced_and_stored_and_taken_back() throws Exception {
    put(OPEN_PROFILE + FOR_DATABASES);
    put(endpoint("n1", "c1"));
    syncer.start();
    dataplaneLoop.await(kernel::all, found -> found.contains(POD));
    assertThat(rules()).doesNotContain("for-databases");
    PodDocuments users = new PodDocuments(store);

    users.apply(saying("db"));
    dataplaneLoop.await(this::text, text -> text.contains("for-databases|ingress"));
    calcLoop.await(this::storedApp, "db"::equals);
    users.apply(saying("cache"));
    dataplaneLoop.await(this::text, text -> !text.contains("for-databases"));
    calcLoop.await(this::storedApp, "cache"::equals);
    users.delete(WEB);

    calcLoop.await(this::storedApp, "web"::equals);
    calcLoop.await(
        () -> calc.snapshot().endpoints(),
        found -> found.size() == 1 && found.getFirst().metadata().annotations().isEmpty());
    assertThat(kernelRoutes()).contains(POD);
  }

  @Test
  void a_document_that_went_while_the_agent_was_down_is_taken_back_when_it_comes()
      throws Exception {
    put(OPEN_PROFILE);
    put(PodOverlay.fit(endpoint("n1", "c1"), Optional.of(saying("db"))));
    syncer.start();
    calcLoop.await(this::storedApp, "web"::equals);
    dataplaneLoop.await(kernel::all, found -> found.contains(POD));
    assertThat(kernelRoutes()).contains(POD);
  }

  @Test
  void a_document_that_came_while_the_agent_was_down_is_applied_when_it_comes() throws Exception {
    put(OPEN_PROFILE);
    put(endpoint("n1", "c1"));
    new PodDocuments(store).apply(saying("db"));
    syncer.start();
    calcLoop.await(this::storedApp, "db"::equals);
    dataplaneLoop.await(kernel::all, found -> found.contains(POD));
    assertThat(kernelRoutes()).contains(POD);
  }

  @Test
  void a_document_not_listed_yet_is_not_one_that_is_gone() throws Exception {
    WorkloadEndpoint covered = PodOverlay.fit(endpoint("n1", "c1"), Optional.of(saying("db")));
    put(covered);
    tell(covered, 5);
    assertThat(calcLoop.see(() -> true)).isTrue();
    calc.onChanges(
        List.of(
            new Change.Put(
                new KeyValue(PodDocuments.key(WEB), PodDocuments.encode(saying("db")), 6))));
    calc.onStatus(new SyncStatus.InSync(7));
    assertThat(calcLoop.see(() -> calc.snapshot().endpoints()))
        .singleElement()
        .satisfies(found -> assertThat(found.metadata().labels()).containsEntry("app", "db"));
    assertThat(storedApp()).isEqualTo("db");
    assertThat(kernelRoutes()).contains(POD);
  }

  @Test
  void an_endpoint_handed_in_without_its_document_gets_it_in_the_same_batch() throws Exception {
    put(OPEN_PROFILE + FOR_DATABASES);
    syncer.start();
    calcLoop.await(calc::syncStatus, SyncStatus.InSync.class::isInstance);
    new PodDocuments(store).apply(saying("db"));
    calcLoop.await(() -> pods.find(new Workload.Pod("ns", "web")), Optional::isPresent);
    put(endpoint("n1", "c1"));

    TestLoop.get(calc.handIn(endpoint("n1", "c1"), 1));

    assertThat(rules()).contains("for-databases|ingress");
    calcLoop.await(this::storedApp, "db"::equals);
    assertThat(kernelRoutes()).contains(POD);
  }

  @Test
  void an_endpoint_of_another_node_has_no_wire_here() {
    calc.onStatus(new SyncStatus.InSync(1));
    tell(endpoint("n2", "c1"), 5);
    assertThat(kernelRoutes()).isEmpty();
    assertThat(calcLoop.see(calc::snapshot).endpoints()).isEmpty();
  }
}
