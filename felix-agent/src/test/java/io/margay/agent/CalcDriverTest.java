package io.margay.agent;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.bgp.BgpGlue;
import io.margay.agent.bgp.LinkAddress;
import io.margay.agent.calc.Documents;
import io.margay.agent.cni.EndpointWriter;
import io.margay.agent.cni.KnownPods;
import io.margay.agent.dataplane.Dataplane;
import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FirewallSettings;
import io.margay.agent.loop.TestLoop;
import io.margay.agent.settings.AgentSettings;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.speaker.BgpSpeaker;
import io.margay.bgp.speaker.CloseMode;
import io.margay.bgp.speaker.FibChange;
import io.margay.bgp.speaker.FibDelta;
import io.margay.bgp.speaker.FibListener;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.speaker.SpeakerConfig;
import io.margay.bgp.transport.ListenAddress;
import io.margay.cni.PodOverlay;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.datastore.Change;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.SyncStatus;
import io.margay.datastore.Syncer;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.PodDocuments;
import io.margay.datastore.json.PodDocuments.PodName;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.Ipam;
import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.ipam.SameTxn;
import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftText;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteTable;
import io.margay.linux.route.RouteType;
import io.margay.linux.route.Scope;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.net.Asn;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CalcDriverTest {

  private static final Prefix POOL = Prefix.parse("10.65.0.0/16");
  private static final Prefix POOL6 = Prefix.parse("fd00:65::/112");

  /// A link with a neighbour, and an address on it that others may send to.
  private static final List<LinkAddress> LINKS =
      List.of(link("127.0.0.1", 8), link("2001:db8::1", 64));

  private static final Route POD = RouteSpec.toDevice(11).toRoute(Prefix.parse("10.65.0.1/32"));
  private static final String OPEN_PROFILE =
      document("Profile", "open", "{ingress: [{action: Allow}], egress: [{action: Allow}]}");

  @TempDir private Path directory;

  private final InMemoryDatastore store = new InMemoryDatastore();
  private final TestLoop calcLoop = new TestLoop("calc");
  private final TestLoop dataplaneLoop = new TestLoop("dataplane");
  private final FakeRoutes kernel = new FakeRoutes();
  private final FakeNftables nft = new FakeNftables(false);
  private final FirewallManager firewall =
      new FirewallManager(
          new NftTable(nft.open(), "margay", NftTable.Ownership.WHERE_PERSISTENT),
          FirewallSettings.DEFAULT);
  private final RouteTable routes = new RouteTable(kernel, index -> index == 11);
  private final Dataplane dataplane =
      new Dataplane(
          dataplaneLoop.loop(),
          firewall,
          routes,
          name -> name.value().equals("cali1") ? OptionalInt.of(11) : OptionalInt.empty());
  private final Ipam ipam =
      new Ipam(store, InstantSource.system(), Pools.of(Pool.of("p", POOL6, 122)));
  private final BgpGlue bgp =
      new BgpGlue(dataplane, true, false, InstantSource.system(), new Random(1));
  private final KnownPods pods = new KnownPods();
  private final EndpointWriter endpoints = new EndpointWriter("n1", store, pods::fit);
  private CalcDriver calc;
  private Syncer syncer;

  private static LinkAddress link(String address, int length) {
    IpAddress parsed = IpAddress.parse(address);
    return new LinkAddress(new InterfaceName("uplink"), parsed, Prefix.containing(parsed, length));
  }

  @BeforeEach
  void start() throws Exception {
    Path file = directory.resolve("agent.yaml");
    Files.writeString(file, "nodeName: n1\ndatastore: {endpoints: ['http://127.0.0.1:1']}\n");
    kernel.addDevice(11);
    routes.adopt();
    calc =
        new CalcDriver(
            AgentSettings.read(file, Map.of()),
            calcLoop.loop(),
            dataplane,
            ipam,
            bgp,
            () -> LINKS,
            pods,
            endpoints::request,
            () -> dataplane.begin(() -> {}));
    syncer =
        new Syncer(store, CalcDriver.prefixes("n1"), calc, InstantSource.system(), new Random(1));
    calcLoop.loop().start(calc::settle);
    dataplaneLoop.loop().start(dataplane::settle);
  }

  @AfterEach
  void close() {
    syncer.close();
    endpoints.close();
    calcLoop.close();
    dataplaneLoop.close();
    bgp.close();
    ipam.close();
    store.close();
  }

  private void put(String documents) throws Exception {
    for (Resource resource : Documents.read(documents)) {
      putRaw(ResourceKeys.key(resource), ResourceJson.encode(resource));
    }
  }

  private void putRaw(String key, String value) throws Exception {
    store.commit(Txn.builder().put(key, value).build());
  }

  private static WorkloadEndpoint endpoint(String node, String container) {
    return (WorkloadEndpoint)
        Documents.read(
                """
                apiVersion: projectcalico.org/v3
                kind: WorkloadEndpoint
                metadata: {name: %s-k8s-web-eth0, namespace: ns, labels: {app: web}}
                spec:
                  orchestrator: k8s
                  node: %s
                  pod: web
                  endpoint: eth0
                  containerID: %s
                  interfaceName: cali1
                  ipNetworks: [10.65.0.1/32]
                  profiles: [open]
                """
                    .formatted(node, node, container))
            .getFirst();
  }

  private void put(WorkloadEndpoint endpoint) throws Exception {
    putRaw(ResourceKeys.key(endpoint), ResourceJson.encode(endpoint));
  }

  /// Drives the listener by hand where the order of news is what is tested.
  private void tell(WorkloadEndpoint endpoint, long revision) {
    calc.onChanges(
        List.of(
            new Change.Put(
                new KeyValue(
                    ResourceKeys.key(endpoint), ResourceJson.encode(endpoint), revision))));
  }

  private void tellGone(ResourceRef endpoint, long revision) {
    calc.onChanges(List.of(new Change.Delete(ResourceKeys.key(endpoint), revision)));
  }

  /// The kernel's IPv4 rules as text, once both loops have settled what was posted before.
  private String rules() {
    calcLoop.see(() -> true);
    return dataplaneLoop.see(this::text);
  }

  private String text() {
    return NftText.print(firewall.desired(IpFamily.IPV4));
  }

  private List<Route> kernelRoutes() {
    calcLoop.see(() -> true);
    return dataplaneLoop.see(kernel::all);
  }

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
    assertThat(calc.snapshot().problems()).isZero();
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
    assertThat(calcLoop.await(() -> calc.snapshot().problems(), n -> n > 0)).isEqualTo(1);
    store.commit(Txn.builder().delete(key).build());
    dataplaneLoop.await(this::text, text -> !text.contains("policy|broken|"));
    assertThat(calcLoop.await(() -> calc.snapshot().problems(), n -> n == 0)).isZero();
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
  void an_endpoint_handed_in_is_in_the_kernel_before_the_caller_goes_on() {
    calc.onStatus(new SyncStatus.InSync(1));
    CompletableFuture<List<Route>> then =
        calc.handIn(endpoint("n1", "c1"), 9).thenApply(_ -> kernel.all());
    assertThat(TestLoop.get(then)).containsExactly(POD);
    assertThat(rules()).contains("cali1");
    assertThat(calc.containerOf(endpoint("n1", "c1").ref())).isEqualTo("c1");
    assertThat(calc.endpointOf(new AttachmentId("c1", new InterfaceName("eth0"))))
        .contains(endpoint("n1", "c1").ref());
    assertThat(calc.problems(endpoint("n1", "c1"))).isEmpty();
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
    TestLoop.get(calc.takeAway(mine.ref()));
    assertThat(kernelRoutes()).isEmpty();
    tell(mine, 9);
    assertThat(kernelRoutes()).isEmpty();
    tellGone(mine.ref(), 12);
    tell(endpoint("n1", "next"), 13);
    assertThat(kernelRoutes()).containsExactly(POD);
  }

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
    assertThat(calc.snapshot().endpoints())
        .singleElement()
        .satisfies(found -> assertThat(found.metadata().annotations()).isEmpty());
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

  @Test
  void pools_and_nat_follow_the_store() throws Exception {
    put(document("IPPool", "web", "{cidr: 10.65.0.0/16, natOutgoing: true}"));
    syncer.start();
    assertThat(calcLoop.await(() -> calc.poolByName("web"), Optional::isPresent)).contains(POOL);
    dataplaneLoop.await(this::text, text -> text.contains("masquerade"));
    assertThat(calc.syncStatus()).isInstanceOf(SyncStatus.InSync.class);
  }

  private static int freePort() throws Exception {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.2"))) {
      return free.getLocalPort();
    }
  }

  /// A neighbour that, as after a restart, tells what it learned before the first End-of-RIB.
  private static BgpSpeaker neighbour(int port, BlockingQueue<String> heard) throws Exception {
    SpeakerConfig config =
        SpeakerConfig.builder(Asn.of(65001), RouterId.parse("9.9.9.9"))
            .listen(Set.of(ListenAddress.of(ScopedAddress.parse("127.0.0.2"), port)))
            .nextHops(Map.of(IpFamily.IPV4, IpAddress.parse("192.0.2.9")))
            .restart(
                new SpeakerConfig.Restart(
                    true, SpeakerConfig.Restart.DEFAULT_TIME, Duration.ofMinutes(5), true, true))
            .build();
    FibListener ears =
        new FibListener() {
          @Override
          public void onRoutes(FibDelta delta) {
            delta.changes().stream()
                .map(FibChange::prefix)
                .map(Prefix::toString)
                .forEach(heard::add);
          }

          @Override
          public void onReadyToSweep(IpFamily family) {
            heard.add("End-of-RIB of " + family);
          }
        };
    BgpSpeaker speaker = BgpSpeaker.start(config, ears, InstantSource.system(), new Random(2));
    speaker.configure(
        List.of(
            PeerConfig.builder(
                    ScopedAddress.parse("127.0.0.1"),
                    Asn.of(64512),
                    PeerPolicy.builder()
                        .importMode(ImportMode.ACCEPT)
                        .exportMode(ExportMode.OWN)
                        .build())
                .families(Set.of(IpFamily.values()))
                .build()));
    return speaker;
  }

  @Test
  void blocks_are_announced_after_their_blackholes_and_before_any_peer_is_spoken_to()
      throws Exception {
    AssignResult assigned =
        ipam.assign(new AssignRequest("h", "n1", 0, 1, Map.of(), List.of(), SameTxn.nothing()));
    Prefix block =
        Prefix.containing(
            ((AssignResult.Assigned) assigned).assignments().getFirst().address(), 122);
    int ownPort = freePort();
    int peerPort = freePort();
    put(
        document("IPPool", "p", "{cidr: 'fd00:65::/112'}")
            + document("Node", "n1", "{bgp: {ipv4Address: 10.0.0.1/24}}")
            + document("BGPConfiguration", "default", "{listenPort: " + ownPort + "}")
            + document(
                "BGPPeer", "tor", "{peerIP: '127.0.0.2:" + peerPort + "', asNumber: 65001}"));
    kernel.plant(
        new Route(
            block,
            Route.MAIN_TABLE,
            4,
            RouteType.UNICAST,
            Scope.LINK,
            0,
            List.of(NextHop.onDevice(11)),
            Optional.empty()));
    syncer.start();
    calcLoop.await(() -> calc.snapshot().blocks().confirmed(), Set.of(block)::equals);
    dataplaneLoop.await(
        dataplane::status, s -> s.problem().filter(p -> p.contains(block.toString())).isPresent());
    assertThat(calcLoop.see(bgp::status)).isEmpty();

    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    BgpSpeaker neighbour = neighbour(peerPort, heard);
    try {
      dataplaneLoop.run(() -> kernel.tamper(block));
      assertThat(calcLoop.await(bgp::status, Optional::isPresent).orElseThrow().originated())
          .isEqualTo(1);
      List<String> until = new ArrayList<>();
      while (!until.contains("End-of-RIB of IPV6")) {
        until.add(Objects.requireNonNull(heard.poll(60, TimeUnit.SECONDS), until::toString));
      }
      assertThat(until).contains(block.toString());
    } finally {
      neighbour.close(CloseMode.SHUTDOWN);
    }
  }
}
