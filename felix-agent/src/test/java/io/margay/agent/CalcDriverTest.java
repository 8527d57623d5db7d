package io.margay.agent;

import static io.margay.agent.calc.Documents.document;
import static io.margay.agent.cni.KernelEndpointPolicy.Calculation.UNSTORED;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.margay.agent.bgp.BgpGlue;
import io.margay.agent.bgp.LinkAddress;
import io.margay.agent.bgp.PasswordWatch;
import io.margay.agent.calc.Documents;
import io.margay.agent.cni.EndpointWriter;
import io.margay.agent.cni.KnownPods;
import io.margay.agent.dataplane.Dataplane;
import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FirewallSettings;
import io.margay.agent.loop.TestLoop;
import io.margay.agent.overlay.OverlayFeed;
import io.margay.agent.overlay.OverlayPlan;
import io.margay.agent.overlay.TunnelAddressKeeper.Wish;
import io.margay.agent.settings.AgentSettings;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.speaker.BgpSpeaker;
import io.margay.bgp.speaker.CloseMode;
import io.margay.bgp.speaker.FibChange;
import io.margay.bgp.speaker.FibDelta;
import io.margay.bgp.speaker.FibListener;
import io.margay.bgp.speaker.OriginatedRoute;
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
import io.margay.datastore.json.WholeDocuments;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.Ipam;
import io.margay.ipam.IpamKeys;
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
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

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
  private final PasswordWatch passwords = new PasswordWatch(Optional.empty(), store);
  private final BgpGlue bgp =
      new BgpGlue(
          dataplane,
          true,
          false,
          Optional.of(passwords),
          InstantSource.system(),
          InstantSource.system(),
          new Random(1));
  private final BlockingQueue<OverlayPlan> plans = new LinkedBlockingQueue<>();
  private final BlockingQueue<Map<IpFamily, Wish>> wishes = new LinkedBlockingQueue<>();
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
            new OverlayFeed("n1", dataplane::setTunnelGuard, plans::add, wishes::add),
            () -> dataplane.begin(() -> {}));
    passwords.start(calc::onPasswords);
    syncer =
        new Syncer(store, CalcDriver.prefixes("n1"), calc, InstantSource.system(), new Random(1));
    calcLoop.loop().start(calc::settle);
    dataplaneLoop.loop().start(dataplane::settle);
  }

  @AfterEach
  void close() {
    syncer.close();
    passwords.close();
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
    assertThat(calc.snapshot().problems()).isEmpty();
  }

  @Test
  void a_pool_whose_packets_are_wrapped_is_guarded_and_planned_for_and_leaves_nothing_behind()
      throws Exception {
    put(
        document("Node", "n1", "{bgp: {ipv4Address: 192.0.2.1/24}, ipv4VXLANTunnelAddr: 10.65.0.0}")
            + document(
                "Node",
                "n2",
                "{bgp: {ipv4Address: 198.51.100.2/24}, ipv4VXLANTunnelAddr: 10.65.9.0}")
            + document("FelixConfiguration", "default", "{vxlanPort: 8472}")
            + document("HostEndpoint", "n1-all", "{node: n1, interfaceName: '*'}")
            + OPEN_PROFILE
            + document("IPPool", "p", "{cidr: 10.65.0.0/16, vxlanMode: Always}"));
    put(endpoint("n1", "c1"));
    Prefix block = Prefix.parse("10.65.9.0/30");
    putRaw(
        IpamKeys.block(block),
        "{\"cidr\":\"10.65.9.0/30\",\"affinity\":\"host:n2\",\"allocations\":[null,null,null,null],"
            + "\"unallocated\":[0,1,2,3],\"attributes\":[],\"sequenceNumber\":1,"
            + "\"sequenceNumberForAllocation\":{},\"deleted\":false}");
    syncer.start();

    assertThat(
            dataplaneLoop.await(
                this::text,
                text -> text.contains("chain tunnel_in") && text.contains("egress|vxlan-port")))
        .contains(
            "udp th dport 8472",
            "comment \"tunnel|stranger\"",
            "notrack comment \"tunnel|untracked|in\"",
            "notrack comment \"tunnel|untracked|out\"",
            "0x00000001 . 198.51.100.2",
            "comment \"host|ingress|tunnel\"",
            "comment \"host|egress|tunnel\"");
    OverlayPlan plan = plans.poll(10, TimeUnit.SECONDS);
    assertThat(plan).isNotNull();
    assertThat(Objects.requireNonNull(plan.wrappings().get(IpFamily.IPV4)).routes())
        .isEqualTo(Map.of(block, new OverlayPlan.Way.Tunnelled(IpAddress.parse("10.65.9.0"))));
    assertThat(wishes.poll(10, TimeUnit.SECONDS).get(IpFamily.IPV4))
        .isEqualTo(
            new Wish(List.of(POOL), List.of(POOL), Optional.of(IpAddress.parse("10.65.0.0"))));

    put(document("IPPool", "p", "{cidr: 10.65.0.0/16}"));
    assertThat(dataplaneLoop.await(this::text, text -> !text.contains("chain tunnel_")))
        .doesNotContain("198.51.100.2", "|tunnel\"", "8472");
    assertThat(plans.poll(10, TimeUnit.SECONDS)).isEqualTo(OverlayPlan.NONE);
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
    Logger logger = (Logger) LoggerFactory.getLogger(CalcDriver.class);
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
    calcLoop.await(
        () -> calc.snapshot().endpoints(),
        found -> found.size() == 1 && found.getFirst().metadata().annotations().isEmpty());
    assertThat(kernelRoutes()).contains(POD);
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
    put(document("FelixConfiguration", "default", "{natPortRange: '32768:60999'}"));
    dataplaneLoop.await(this::text, text -> text.contains("masquerade to :32768-60999"));
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
                // A loopback address, which the session has, leads nobody back.
                .nextHops(Map.of(IpFamily.IPV4, IpAddress.parse("192.0.2.9")))
                .build()));
    return speaker;
  }

  @Test
  void a_peer_with_a_password_is_had_once_the_password_is_there_and_as_long_as_it_is()
      throws Exception {
    put(
        document("Node", "n1", "{bgp: {ipv4Address: 10.0.0.1/24}}")
            + document("BGPConfiguration", "default", "{listenPort: " + freePort() + "}")
            + document(
                "BGPPeer",
                "tor",
                "{peerIP: 127.0.0.2, asNumber: 65001, sourceAddress: None,"
                    + " password: {secretKeyRef: {name: s, key: k}}}"));
    syncer.start();
    calcLoop.await(bgp::problems, problems -> problems.toString().contains("secret s"));
    assertThat(bgp.peers()).isEmpty();
    putRaw("/margay/v1/secrets/s/k", "hunter2");
    calcLoop.await(bgp::peers, peers -> peers.size() == 1);
    assertThat(bgp.problems()).isEmpty();
    store.commit(Txn.builder().delete("/margay/v1/secrets/s/k").build());
    calcLoop.await(bgp::peers, List::isEmpty);
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
                "BGPPeer",
                "tor",
                "{peerIP: '127.0.0.2:" + peerPort + "', asNumber: 65001, sourceAddress: None}"));
    CountDownLatch held = new CountDownLatch(1);
    dataplaneLoop.loop().post(() -> await(held));
    syncer.start();
    calcLoop.await(() -> calc.snapshot().blocks().confirmed(), Set.of(block)::equals);
    assertThat(calcLoop.see(bgp::status)).as("no blackhole yet").isEmpty();

    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    BgpSpeaker neighbour = neighbour(peerPort, heard);
    try {
      held.countDown();
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

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException ended) {
      throw new IllegalStateException(ended);
    }
  }

  @Test
  void a_strangers_route_on_a_block_silences_that_block_alone_until_it_goes() throws Exception {
    Prefix free = Prefix.parse("10.65.1.0/26");
    Prefix taken = Prefix.parse("10.65.2.0/26");
    for (Prefix block : List.of(free, taken)) {
      putRaw(IpamKeys.affinity("n1", block), "{\"state\":\"confirmed\"}");
    }
    put(
        document("IPPool", "p", "{cidr: 10.65.0.0/16}")
            + document("Node", "n1", "{bgp: {ipv4Address: 10.0.0.1/24}}")
            + document("BGPConfiguration", "default", "{listenPort: " + freePort() + "}"));
    kernel.plant(
        new Route(
            taken,
            Route.MAIN_TABLE,
            4,
            RouteType.UNICAST,
            Scope.LINK,
            0,
            List.of(NextHop.onDevice(11)),
            Optional.empty()));
    syncer.start();
    calcLoop.await(() -> calc.snapshot().blocks().confirmed(), Set.of(free, taken)::equals);
    calcLoop.await(bgp::status, status -> status.filter(s -> s.originated() == 1).isPresent());
    assertThat(dataplaneLoop.see(kernel::all)).contains(RouteSpec.blackhole().toRoute(free));
    dataplaneLoop.run(() -> kernel.tamper(taken));
    calcLoop.await(bgp::status, status -> status.filter(s -> s.originated() == 2).isPresent());
    assertThat(dataplaneLoop.see(kernel::all)).contains(RouteSpec.blackhole().toRoute(taken));
  }

  @Test
  void what_peers_say_of_a_pool_whose_packets_are_wrapped_is_not_believed() throws Exception {
    int ownPort = freePort();
    int peerPort = freePort();
    kernel.addDevice(2, Prefix.parse("192.0.2.0/24"));
    put(
        document("IPPool", "p", "{cidr: 10.65.0.0/16, vxlanMode: CrossSubnet}")
            + document("Node", "n1", "{bgp: {ipv4Address: 10.0.0.1/24}}")
            + document("BGPConfiguration", "default", "{listenPort: " + ownPort + "}")
            + document(
                "BGPPeer",
                "tor",
                "{peerIP: '127.0.0.2:" + peerPort + "', asNumber: 65001, sourceAddress: None}"));
    BgpSpeaker neighbour = neighbour(peerPort, new LinkedBlockingQueue<>());
    try {
      neighbour.originate(
          Set.of(
              OriginatedRoute.of(Prefix.parse("10.65.7.0/26")),
              OriginatedRoute.of(Prefix.parse("10.64.0.0/15")),
              OriginatedRoute.of(Prefix.parse("203.0.113.0/24"))));
      syncer.start();
      Set<Prefix> learned =
          dataplaneLoop.await(
              () -> kernel.all().stream().map(Route::prefix).collect(Collectors.toSet()),
              prefixes -> prefixes.contains(Prefix.parse("203.0.113.0/24")));
      assertThat(learned).containsExactly(Prefix.parse("203.0.113.0/24"));

      put(document("IPPool", "p", "{cidr: 10.65.0.0/16}"));
      dataplaneLoop.await(
          () -> kernel.all().stream().map(Route::prefix).collect(Collectors.toSet()),
          prefixes -> prefixes.contains(Prefix.parse("10.65.7.0/26")));
    } finally {
      neighbour.close(CloseMode.SHUTDOWN);
    }
  }
}
