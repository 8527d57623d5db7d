package io.margay.agent;

import static io.margay.agent.calc.Documents.document;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.bgp.BgpGlue;
import io.margay.agent.calc.Documents;
import io.margay.agent.cni.EndpointDirectory;
import io.margay.agent.cni.EtcdPodAddresses;
import io.margay.agent.cni.KernelEndpointPolicy;
import io.margay.agent.cni.KnownPods;
import io.margay.agent.cni.MigrationGate;
import io.margay.agent.dataplane.Dataplane;
import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FirewallSettings;
import io.margay.agent.loop.TestLoop;
import io.margay.agent.overlay.OverlayFeed;
import io.margay.agent.settings.AgentSettings;
import io.margay.cni.CniNode;
import io.margay.cni.CniVerbs;
import io.margay.cni.PodNetwork;
import io.margay.cni.ReleaseQueue;
import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.protocol.CniCall;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniRequest;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Syncer;
import io.margay.datastore.Txn;
import io.margay.datastore.etcd.EtcdDatastore;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.datastore.testing.EtcdProcess;
import io.margay.ipam.Ipam;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Pools;
import io.margay.ipam.care.IpamCheck;
import io.margay.linux.netns.Netns;
import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftText;
import io.margay.linux.route.RouteTable;
import io.margay.linux.route.RouteType;
import io.margay.linux.socket.OwnedFd;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Resource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What an agent does while a migration holds the datastore: the parts from the CNI verbs down to a
/// real etcd, with the kernel's ports faked.
@Tag("etcd")
final class LockedDatastoreTest {

  private static final Path OWN_NETNS = Path.of("/proc/self/ns/net");
  private static final int ANY_LINK = 11;

  @TempDir private Path directory;

  private final TestLoop calcLoop = new TestLoop("calc");
  private final TestLoop dataplaneLoop = new TestLoop("dataplane");
  private final FakeRoutes kernel = new FakeRoutes();
  private final FirewallManager firewall =
      new FirewallManager(
          new NftTable(
              new FakeNftables(false).open(), "margay", NftTable.Ownership.WHERE_PERSISTENT),
          FirewallSettings.DEFAULT);
  private final RouteTable routes = new RouteTable(kernel, index -> index == ANY_LINK);
  private final Dataplane dataplane =
      new Dataplane(dataplaneLoop.loop(), firewall, routes, _ -> OptionalInt.of(ANY_LINK));
  private final BgpGlue bgp =
      new BgpGlue(dataplane, true, false, InstantSource.system(), new Random(1));
  private EtcdProcess etcd;
  private Datastore store;
  private Ipam ipam;
  private CalcDriver calc;
  private Syncer syncer;
  private AttachmentJournal journal;
  private CniVerbs verbs;

  @BeforeEach
  void start() throws Exception {
    etcd = new EtcdProcess(Files.createDirectory(directory.resolve("etcd")));
    store = EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint()));
    ipam = new Ipam(store, InstantSource.system(), Pools.none());
    Path file = directory.resolve("agent.yaml");
    Files.writeString(file, "nodeName: n1\ndatastore: {endpoints: ['" + etcd.endpoint() + "']}\n");
    kernel.addDevice(ANY_LINK);
    routes.adopt();
    calc =
        new CalcDriver(
            AgentSettings.read(file, Map.of()),
            calcLoop.loop(),
            dataplane,
            ipam,
            bgp,
            List::of,
            new KnownPods(),
            _ -> {},
            new OverlayFeed("n1", _ -> {}, _ -> {}, _ -> {}),
            () -> dataplane.begin(() -> {}));
    syncer =
        new Syncer(store, CalcDriver.prefixes("n1"), calc, InstantSource.system(), new Random(1));
    calcLoop.loop().start(calc::settle);
    dataplaneLoop.loop().start(dataplane::settle);
    EndpointDirectory endpoints = new EndpointDirectory(calc::endpointOf);
    journal = AttachmentJournal.open(directory.resolve("journal"));
    verbs =
        new CniVerbs(
            new CniNode("n1", "cali", 1500, new Netns.NetnsId(1, 1)),
            journal,
            new MigrationGate(
                new EtcdPodAddresses(
                    "n1", store, ipam, endpoints, calc::poolByName, InstantSource.system()),
                calc::isDatastoreReady),
            new Wires(),
            new KernelEndpointPolicy(calc, endpoints),
            _ -> Optional.empty(),
            new ReleaseQueue(Runnable::run),
            new DeletionQueue(directory.resolve("delq")),
            (_, _) -> Optional.empty());
    put(
        document("IPPool", "p", "{cidr: 10.65.0.0/24, blockSize: 26}")
            + document("Profile", "kns.ns", "{ingress: [{action: Allow}]}"));
    syncer.start();
    calcLoop.await(() -> calc.poolByName("p"), Optional::isPresent);
  }

  @AfterEach
  void close() {
    syncer.close();
    calcLoop.close();
    dataplaneLoop.close();
    bgp.close();
    ipam.close();
    store.close();
    etcd.close();
  }

  private void put(String documents) throws Exception {
    for (Resource resource : Documents.read(documents)) {
      store.commit(
          Txn.builder().put(ResourceKeys.key(resource), ResourceJson.encode(resource)).build());
    }
  }

  private void setReady(boolean ready) throws Exception {
    put(document("ClusterInformation", "default", "{datastoreReady: " + ready + "}"));
    calcLoop.await(() -> calc.isDatastoreReady(), seen -> seen == ready);
  }

  private CniReply call(String command, String container, String extra) throws Exception {
    Map<CniVariable, String> env = new EnumMap<>(CniVariable.class);
    env.put(CniVariable.COMMAND, command);
    env.put(CniVariable.PATH, "/opt/cni/bin");
    if (!command.equals("GC")) {
      env.put(CniVariable.CONTAINERID, container);
      // Of a pod whose namespace is gone by the time GC looks.
      env.put(CniVariable.NETNS, directory.resolve("none").toString());
      env.put(CniVariable.IFNAME, "eth0");
      env.put(CniVariable.ARGS, "IgnoreUnknown=1;K8S_POD_NAMESPACE=ns;K8S_POD_NAME=" + container);
    }
    String conf =
        "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"ipam\":{\"type\":\"margay-ipam\"}"
            + extra
            + "}";
    CniRequest request = new CniRequest(env, "margay-cni", conf.getBytes(UTF_8));
    try (OwnedFd fd = OwnedFd.openForReading(OWN_NETNS)) {
      return verbs.handle(new CniCall(request, Optional.empty(), Optional.of(fd), () -> false));
    }
  }

  private void add(String container) throws Exception {
    CniReply reply = call("ADD", container, "");
    assertThat(reply.exitCode()).as(reply.stdout()).isZero();
  }

  /// Everything a copy of the addresses would hold.
  private List<KeyValue> addresses() throws Exception {
    List<KeyValue> all = new ArrayList<>(store.list(IpamKeys.ROOT).items());
    all.addAll(store.list(IpamCheck.ENDPOINTS).items());
    return all;
  }

  private String rules() {
    return NftText.print(firewall.desired(IpFamily.IPV4));
  }

  @Test
  void a_lock_holds_every_address_and_no_route() throws Exception {
    add("c1");
    add("c2");
    Prefix block = calcLoop.await(() -> ownBlock(), Optional::isPresent).orElseThrow();
    setReady(false);
    List<KeyValue> before = addresses();

    CniReply refused = call("ADD", "c3", "");
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.stdout())
        .contains("\"code\":" + CniError.TRY_LATER, "margay datastore unlock");
    assertThat(call("DEL", "c1", "")).isEqualTo(CniReply.success(""));
    assertThat(call("DEL", "never-was", "")).isEqualTo(CniReply.success(""));
    assertThat(call("GC", "", ",\"cni.dev/valid-attachments\":[]")).isEqualTo(CniReply.success(""));
    assertThat(verbs.repeatReleases()).isPositive();
    verbs.recover();
    assertThat(addresses()).isEqualTo(before);

    put(document("IPPool", "q", "{cidr: 10.66.0.0/24}"));
    calcLoop.await(() -> calc.poolByName("q"), Optional::isPresent);
    assertThat(dataplaneLoop.see(kernel::all))
        .anySatisfy(
            route -> {
              assertThat(route.prefix()).isEqualTo(block);
              assertThat(route.type()).isEqualTo(RouteType.BLACKHOLE);
            });

    setReady(true);
    assertThat(verbs.repeatReleases()).isZero();
    assertThat(journal.all()).noneMatch(JournalEntry.Releasing.class::isInstance);
    assertThat(store.list(IpamKeys.HANDLES).items()).isEmpty();
    assertThat(store.list(IpamCheck.ENDPOINTS).items()).isEmpty();
    add("c3");
  }

  @Test
  void policy_changes_reach_the_kernel_while_locked() throws Exception {
    add("c1");
    setReady(false);
    put(document("GlobalNetworkPolicy", "while-locked", "{ingress: [{action: Deny}]}"));
    assertThat(dataplaneLoop.await(this::rules, text -> text.contains("while-locked|ingress")))
        .contains("while-locked|ingress");
  }

  private Optional<Prefix> ownBlock() {
    return calc.snapshot().blocks().confirmed().stream().findFirst();
  }

  /// Wires that always come up; what they do to a kernel is tested elsewhere.
  private static final class Wires implements PodNetwork {
    @Override
    public Wire begin(Attachment attachment, OwnedFd podNetns) {
      return new Wire(1, 2);
    }

    @Override
    public void finish(
        Attachment attachment, Wire wire, List<IpAddress> addresses, OwnedFd podNetns) {}

    @Override
    public void wireHere(Attachment attachment, List<IpAddress> addresses, InterfaceName podEnd) {}

    @Override
    public void mend(Attachment attachment, List<IpAddress> addresses) {}

    @Override
    public void equip(Attachment attachment) {}

    @Override
    public void strip(Attachment attachment) {}

    @Override
    public List<String> equipmentProblems(Attachment attachment) {
      return List.of();
    }

    @Override
    public void unwire(AttachmentId id, Optional<InterfaceName> hostEnd) {}

    @Override
    public boolean isThere(Attachment attachment) {
      return true;
    }

    @Override
    public ForeignWire find(InterfaceName ifName, OwnedFd podNetns) throws CniException {
      throw new CniException(CniError.BAD_CONFIG, "no pod of this test is another plugin's");
    }

    @Override
    public List<String> problems(
        Attachment attachment, List<IpAddress> addresses, OwnedFd podNetns) {
      return List.of();
    }
  }
}
