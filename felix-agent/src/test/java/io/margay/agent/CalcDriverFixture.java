package io.margay.agent;

import static io.margay.agent.calc.Documents.document;

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
import io.margay.datastore.Change;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Syncer;
import io.margay.datastore.Txn;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.Ipam;
import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftText;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteTable;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// A driver between a store in memory and fakes of the kernel, with its loops running.
class CalcDriverFixture {

  static final Prefix POOL = Prefix.parse("10.65.0.0/16");
  static final Prefix POOL6 = Prefix.parse("fd00:65::/112");

  /// A link with a neighbour, and an address on it that others may send to.
  static final List<LinkAddress> LINKS = List.of(link("127.0.0.1", 8), link("2001:db8::1", 64));

  static final Route POD = RouteSpec.toDevice(11).toRoute(Prefix.parse("10.65.0.1/32"));
  static final String OPEN_PROFILE =
      document("Profile", "open", "{ingress: [{action: Allow}], egress: [{action: Allow}]}");

  @TempDir Path directory;

  final InMemoryDatastore store = new InMemoryDatastore();
  final TestLoop calcLoop = new TestLoop("calc");
  final TestLoop dataplaneLoop = new TestLoop("dataplane");
  final FakeRoutes kernel = new FakeRoutes();
  final FakeNftables nft = new FakeNftables(false);
  final FirewallManager firewall =
      new FirewallManager(
          new NftTable(nft.open(), "margay", NftTable.Ownership.WHERE_PERSISTENT),
          FirewallSettings.DEFAULT);
  final RouteTable routes = new RouteTable(kernel, index -> index == 11);
  final Dataplane dataplane =
      new Dataplane(
          dataplaneLoop.loop(),
          firewall,
          routes,
          name -> name.value().equals("cali1") ? OptionalInt.of(11) : OptionalInt.empty());
  final Ipam ipam = new Ipam(store, InstantSource.system(), Pools.of(Pool.of("p", POOL6, 122)));
  final PasswordWatch passwords = new PasswordWatch(Optional.empty(), store);
  final BgpGlue bgp =
      new BgpGlue(
          dataplane,
          true,
          false,
          Optional.of(passwords),
          InstantSource.system(),
          InstantSource.system(),
          new Random(1));
  final BlockingQueue<OverlayPlan> plans = new LinkedBlockingQueue<>();
  final BlockingQueue<Map<IpFamily, Wish>> wishes = new LinkedBlockingQueue<>();
  final KnownPods pods = new KnownPods();
  final EndpointWriter endpoints = new EndpointWriter("n1", store, pods::fit);
  CalcDriver calc;
  Syncer syncer;

  static LinkAddress link(String address, int length) {
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

  void put(String documents) throws Exception {
    for (Resource resource : Documents.read(documents)) {
      putRaw(ResourceKeys.key(resource), ResourceJson.encode(resource));
    }
  }

  void putRaw(String key, String value) throws Exception {
    store.commit(Txn.builder().put(key, value).build());
  }

  static WorkloadEndpoint endpoint(String node, String container) {
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

  void put(WorkloadEndpoint endpoint) throws Exception {
    putRaw(ResourceKeys.key(endpoint), ResourceJson.encode(endpoint));
  }

  /// Drives the listener by hand where the order of news is what is tested.
  void tell(WorkloadEndpoint endpoint, long revision) {
    calc.onChanges(
        List.of(
            new Change.Put(
                new KeyValue(
                    ResourceKeys.key(endpoint), ResourceJson.encode(endpoint), revision))));
  }

  void tellGone(ResourceRef endpoint, long revision) {
    calc.onChanges(List.of(new Change.Delete(ResourceKeys.key(endpoint), revision)));
  }

  /// The kernel's IPv4 rules as text, once both loops have settled what was posted before.
  String rules() {
    calcLoop.see(() -> true);
    return dataplaneLoop.see(this::text);
  }

  String text() {
    return NftText.print(firewall.desired(IpFamily.IPV4));
  }

  List<Route> kernelRoutes() {
    calcLoop.see(() -> true);
    return dataplaneLoop.see(kernel::all);
  }
}
