package io.margay.agent;

import io.margay.agent.bgp.BgpGlue;
import io.margay.agent.bgp.LinkAddress;
import io.margay.agent.bgp.PasswordWatch;
import io.margay.agent.birth.BirthKeeper;
import io.margay.agent.birth.CalicoPods;
import io.margay.agent.birth.HostSysctls;
import io.margay.agent.birth.NodeIdentity;
import io.margay.agent.care.AddressCare;
import io.margay.agent.care.ReserveKeeper;
import io.margay.agent.cni.EndpointDirectory;
import io.margay.agent.cni.EndpointRestorer;
import io.margay.agent.cni.EndpointWriter;
import io.margay.agent.cni.EtcdPodAddresses;
import io.margay.agent.cni.KernelEndpointPolicy;
import io.margay.agent.cni.KnownPods;
import io.margay.agent.cni.MeasuredHandler;
import io.margay.agent.cni.MigrationGate;
import io.margay.agent.cni.NodeReadiness;
import io.margay.agent.dataplane.Dataplane;
import io.margay.agent.dataplane.FlowReevaluation;
import io.margay.agent.dataplane.HostPortFlows;
import io.margay.agent.dataplane.NodeNetwork;
import io.margay.agent.dataplane.PolicyCounters;
import io.margay.agent.docker.DockerPlugin;
import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FirewallSettings;
import io.margay.agent.http.AgentMetrics;
import io.margay.agent.http.BgpMetrics;
import io.margay.agent.http.HttpRim;
import io.margay.agent.http.PluginSocket;
import io.margay.agent.http.PolicyMetrics;
import io.margay.agent.loop.Loop;
import io.margay.agent.overlay.OverlayDriver;
import io.margay.agent.overlay.OverlayFeed;
import io.margay.agent.overlay.PodMtuKeeper;
import io.margay.agent.overlay.TunnelAddressKeeper;
import io.margay.agent.service.Capabilities;
import io.margay.agent.service.OtherAgents;
import io.margay.agent.service.ServiceManager;
import io.margay.agent.settings.AgentSettings;
import io.margay.agent.settings.AgentSettings.HttpAddress;
import io.margay.bgp.speaker.SpeakerStatus;
import io.margay.cni.CniNode;
import io.margay.cni.CniVerbs;
import io.margay.cni.ReleaseQueue;
import io.margay.cni.SelfReclaim;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.protocol.CniServer;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.cni.wiring.LinkWatch;
import io.margay.cni.wiring.VethPodNetwork;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.SnapshotWriter;
import io.margay.datastore.SyncStatus;
import io.margay.datastore.Syncer;
import io.margay.datastore.etcd.EtcdDatastore;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.ipam.AddressReserve;
import io.margay.ipam.Ipam;
import io.margay.ipam.Pools;
import io.margay.linux.LinuxException;
import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.netns.Netns;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftTable;
import io.margay.linux.route.GroupedRoutes;
import io.margay.linux.route.NextHopLayout;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteClass;
import io.margay.linux.route.RouteTable;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.WorkloadEndpoint;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One node's agent: the wiring of all rooms, and their order of coming and going.
///
/// Ready means: the store's state is in the kernel, the speaker runs, the CNI socket is open. HTTP
/// follows, unless all that takes longer than usual: then HTTP comes first and says what is waited
/// for.
public final class NodeAgent implements AutoCloseable {

  /// Name of both nft tables.
  public static final String TABLE = "margay";

  /// What the node's kernel calls the host end of a pod (FelixConfiguration `interfacePrefix`).
  static final String INTERFACE_PREFIX = "cali";

  private static final Logger LOG = LoggerFactory.getLogger(NodeAgent.class);

  private static final int EXIT_BUG = 70;

  /// Of a heap that holds more than a node's own affairs.
  private static final long LARGE_HEAP_OCTETS = 128L << 20;

  /// How long the datastore may take to answer before the last known good state is used.
  private static final Duration SNAPSHOT_PATIENCE = Duration.ofSeconds(5);

  /// How long the node may take to be ready before HTTP starts all the same, and costs it time.
  private static final Duration HTTP_PATIENCE = Duration.ofSeconds(6);

  private final CountDownLatch ended = new CountDownLatch(1);
  private final AtomicInteger exitCode = new AtomicInteger();
  private final Deque<AutoCloseable> running = new ArrayDeque<>();
  private final ServiceManager service;
  private volatile @Nullable LiveSettings live;

  private NodeAgent(ServiceManager service) {
    this.service = service;
  }

  /// The agent can't start. The message is one line: what, on which object, what to do.
  public static final class StartException extends Exception {
    private static final long serialVersionUID = 1L;

    StartException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /// Starts the agent and returns; it becomes ready by itself when the datastore has answered.
  ///
  /// @param announce told "ready", once
  /// @param service told all the way; the agent closes it
  public static NodeAgent start(
      AgentSettings settings, Consumer<String> announce, ServiceManager service)
      throws StartException {
    NodeAgent agent = new NodeAgent(service);
    Thread.setDefaultUncaughtExceptionHandler((_, bug) -> agent.onBug(bug));
    try {
      agent.wire(settings, announce);
      return agent;
    } catch (IOException | DatastoreException | NftException refused) {
      agent.close();
      throw new StartException(
          "margay agent of node "
              + settings.nodeName()
              + " can't start: "
              + refused.getMessage()
              + Capabilities.missing().map(lack -> "; " + lack).orElse(""),
          refused);
    }
  }

  private static GroupedRoutes kernelRoutes(Rtnetlink netlink, NextHopLayout wanted)
      throws LinuxException {
    GroupedRoutes routes = GroupedRoutes.of(netlink, Route.OUR_PROTOCOL, wanted);
    if (routes.layout() != wanted) {
      LOG.atWarn()
          .addKeyValue("wanted", wanted)
          .addKeyValue("used", routes.layout())
          .log("this kernel lacks such groups of next hops; routes are written without");
    }
    return routes;
  }

  private void wire(AgentSettings settings, Consumer<String> announce)
      throws IOException, DatastoreException, NftException {
    StartTimes times = new StartTimes();
    times.mark("wiring");
    InstantSource clock = InstantSource.system();
    SteadyClock steady = SteadyClock.of(clock);
    RandomGenerator random = RandomGenerator.getDefault();
    // Connecting takes longest and needs nothing of the rest.
    EtcdDatastore datastore = keep(EtcdDatastore.open(settings.datastore()));
    datastore.connectAhead();
    Files.createDirectories(settings.runDir());
    Files.createDirectories(settings.stateDir());
    keep(NodeLock.take(settings.runDir(), AgentPresence.NAME));
    Capabilities.missing().ifPresent(lack -> LOG.atError().log(lack));
    refuseBeside(OtherAgents.here());
    AttachmentJournal journal = AttachmentJournal.open(settings.stateDir().resolve("journal"));

    Loop calcLoop = new Loop("calc", this::onBug);
    Loop dataplaneLoop = new Loop(NodeHealth.DATAPLANE, this::onBug);
    Loop flowsLoop = new Loop("flows", this::onBug);

    Ipam ipam = keep(new Ipam(datastore, clock, Pools.none(), journal::isOfAnother));

    Rtnetlink dataplaneNetlink = keep(Rtnetlink.open());
    Rtnetlink calcNetlink = keep(Rtnetlink.open());
    Set<Integer> podLinks =
        HostSettings.linksWithPrefix(dataplaneNetlink.links(), INTERFACE_PREFIX);
    NodeIdentity.confirm(
        settings.stateDir(), settings.nodeName(), Math.max(journal.all().size(), podLinks.size()));
    HostSysctls.of(settings.stateDir()).apply();
    RouteTable routes =
        new RouteTable(
            kernelRoutes(dataplaneNetlink, settings.nextHopGroups()), podLinks::contains);
    routes.adopt();
    boolean restarting = routes.holds(RouteClass.BGP);
    NftTable nft =
        keep(new NftTable(KernelNftables.open(), TABLE, NftTable.Ownership.WHERE_PERSISTENT));
    FirewallManager firewall = new FirewallManager(nft, FirewallSettings.DEFAULT);
    Conntrack conntrack = keep(Conntrack.open());
    HostPortFlows.LocalAddresses addresses = () -> HostSettings.addresses(dataplaneNetlink);
    firewall.tellHostPortMoves(new HostPortFlows(conntrack, addresses));
    FlowReevaluation flows =
        new FlowReevaluation(
            dataplaneLoop,
            flowsLoop,
            nft,
            firewall,
            settings.policyChangeMode(),
            conntrack,
            keep(Conntrack.open()),
            new NodeNetwork(
                addresses,
                () -> HostSettings.addressesOfWaysIn(dataplaneNetlink),
                () -> HostSettings.addressesOfDummies(dataplaneNetlink),
                () -> HostSettings.interfacesTowards(dataplaneNetlink)));
    flows.adopt();
    Dataplane dataplane =
        new Dataplane(
            dataplaneLoop,
            firewall,
            routes,
            HostSettings.linkIndex(dataplaneNetlink.links()),
            () -> HostSettings.addressesByLink(dataplaneNetlink),
            events -> keep(dataplaneNetlink.watchRoutes(events)));
    dataplane.resolveGateways(gateway -> HostSettings.waysTo(dataplaneNetlink, gateway));
    // Until the datastore has said what addresses the node has.
    Set<IpAddress> guess = BirthKeeper.ipv4(settings).map(Set::of).orElse(Set.of());
    AtomicReference<Set<IpAddress>> known = new AtomicReference<>(guess);
    OverlayDriver overlay =
        new OverlayDriver(
            dataplaneLoop,
            dataplaneNetlink,
            machine ->
                HostSettings.linkMtu(dataplaneNetlink, machine.map(Set::of).orElseGet(known::get)),
            HostSettings.linkMtu(calcNetlink, guess).orElse(HostSettings.DEFAULT_MTU));
    dataplane.wrapWith(overlay);
    times.mark("kernel");

    PasswordWatch passwords = keep(new PasswordWatch(settings.bgp().passwordDir(), datastore));
    BgpGlue bgp =
        new BgpGlue(
            dataplane,
            settings.bgp().gracefulRestart(),
            restarting,
            Optional.of(passwords),
            clock,
            steady,
            random);
    dataplane.tellLinkDown(bgp::linkDown);
    bgp.tellFailures((_, bug) -> onBug(bug));
    CountDownLatch applied = new CountDownLatch(1);
    KnownPods pods = new KnownPods();
    EndpointWriter endpoints = keep(new EndpointWriter(settings.nodeName(), datastore, pods::fit));
    TunnelAddressKeeper tunnelAddresses =
        keep(new TunnelAddressKeeper(settings.nodeName(), datastore, ipam));
    CalcDriver calc =
        new CalcDriver(
            settings,
            calcLoop,
            dataplane,
            ipam,
            bgp,
            () -> linkAddresses(calcNetlink),
            pods,
            endpoints::request,
            new OverlayFeed(
                settings.nodeName(),
                dataplane::setTunnelGuard,
                overlay::setPlan,
                tunnelAddresses::want),
            () -> {
              times.mark("inSync");
              // Posted after the first announcement, so that the speaker runs by then.
              dataplane.begin(
                  () ->
                      calcLoop.post(
                          () -> {
                            giveBackGarbage();
                            applied.countDown();
                          }));
            });
    LiveSettings current =
        new LiveSettings(
            settings,
            changed -> {
              changed.log().apply();
              calc.onPacketLog(changed.packetLog());
            });
    live = current;
    StatusReporter status =
        keep(
            new StatusReporter(
                settings.nodeName(), datastore, datastore, calc::endpointByKey, clock, steady));
    NodeStatusWriter nodeStatuses =
        keep(
            new NodeStatusWriter(
                settings.nodeName(), datastore, NodeViews.statusReport(bgp, clock), steady));
    calc.tellNodeStatuses(nodeStatuses::onUpdate);
    calc.tellAddresses(known::set);
    tunnelAddresses.start(
        () -> calc.syncStatus() instanceof SyncStatus.InSync && calc.isDatastoreReady());
    dataplane.reportTo(status);
    dataplane.tellApplied(flows);
    flowsLoop.start(() -> {});
    EndpointDirectory directory = new EndpointDirectory(calc::endpointOf);
    EndpointRestorer restorer =
        keep(
            new EndpointRestorer(
                settings.nodeName(),
                datastore,
                ipam,
                journal,
                directory,
                () -> calc.syncStatus() instanceof SyncStatus.InSync && calc.isDatastoreReady(),
                clock));
    calc.guard(
        restorer::isWired,
        restorer::restore,
        restorer::onReplaced,
        () ->
            restorer.restoreLacking(
                calc::endpointOf,
                () -> Maintenance.lastKnown(settings),
                endpoint -> calc.handIn(endpoint, KernelEndpointPolicy.Calculation.UNSTORED)));
    calcLoop.start(calc::settle);
    dataplaneLoop.start(dataplane::settle);
    keep(flowsLoop);
    keep(dataplaneLoop);
    keep(calcLoop);
    keep(bgp::close);
    passwords.start(calc::onPasswords);
    Optional<AddressReserve> reserve = openReserve(settings, clock);
    reserve.ifPresent(kept -> handInUnstored(kept, calc));
    SnapshotWriter snapshot =
        keep(
            new SnapshotWriter(
                Maintenance.snapshotFile(settings), settings.datastore().endpoints(), clock));
    Syncer syncer =
        keep(
            new Syncer(
                datastore,
                CalcDriver.prefixes(settings.nodeName()),
                calc,
                snapshot,
                clock,
                random));
    AgentProgress progress = new AgentProgress(calc::syncStatus, calc::snapshot, bgp::peers);
    Loop countersLoop = new Loop("counters", this::onBug);
    PolicyCounters counters =
        new PolicyCounters(
            countersLoop, keep(KernelNftables.open()), TABLE, dataplane::tellOrigins, steady);
    countersLoop.start(() -> {});
    keep(countersLoop);
    service.watch(
        Map.of(
            "calc",
            calcLoop::postUnlessEnded,
            NodeHealth.DATAPLANE,
            dataplaneLoop::postUnlessEnded,
            "flows",
            flowsLoop::postUnlessEnded,
            "counters",
            countersLoop::postUnlessEnded,
            NodeHealth.BGP,
            answer -> {
              bgp.probe(answer);
              return true;
            }),
        steady,
        progress::line);
    syncer.start();
    keep(BirthKeeper.start(settings, datastore, clock));
    syncer.seedUnlessAnswered(SNAPSHOT_PATIENCE, () -> Maintenance.lastKnownGood(settings));

    VethPodNetwork podNetwork = keep(VethPodNetwork.open());
    PrometheusRegistry registry = new PrometheusRegistry();
    AgentMetrics metrics = new AgentMetrics(registry, () -> calc.snapshot().endpoints().size());
    metrics.watchProblems(() -> bgp.problems().size(), () -> calc.snapshot().problemCount());
    metrics.watchConnections(flows::cut, flows::letGo, flows::forgotten);
    BgpMetrics.register(registry, bgp::speaker);
    DeletionQueue deletions = new DeletionQueue(settings.runDir().resolve("delq"));
    CniVerbs verbs;
    try (Netns own = Netns.ofThread()) {
      verbs =
          new CniVerbs(
              new CniNode(settings.nodeName(), INTERFACE_PREFIX, overlay::podMtu, own.id()),
              journal,
              new MigrationGate(
                  new EtcdPodAddresses(
                      settings.nodeName(),
                      datastore,
                      ipam,
                      directory,
                      calc::poolByName,
                      clock,
                      steady,
                      reserve),
                  calc::isDatastoreReady),
              podNetwork,
              new KernelEndpointPolicy(calc, directory),
              pods,
              keep(ReleaseQueue.start()),
              deletions,
              new NodeReadiness(
                  settings.nodeName(),
                  calc::syncStatus,
                  calc::isDatastoreReady,
                  ipam,
                  reserve,
                  calc::poolByName,
                  bgp::isolatedSince,
                  steady));
    }
    overlay.tellPodMtu(keep(new PodMtuKeeper(journal, verbs::changeMtu, Rtnetlink.open())));
    SelfReclaim reclaim =
        keep(new SelfReclaim(verbs, () -> current.inForce().reclaimAfter(), steady));
    metrics.watchReclaimed(reclaim::reclaimed);
    keep(LinkWatch.start(reclaim::onVanished, reclaim::onReturned, reclaim::onUncertain));
    NodeHealth health =
        new NodeHealth(
            service::silences,
            times::isReady,
            calc::syncStatus,
            dataplane::status,
            () -> bgp.status().map(SpeakerStatus::peers));
    NodeViews views = new NodeViews(settings, calc, bgp, times, counters, health);
    PolicyMetrics.register(registry, views::countsIfAny);
    Thread.ofPlatform()
        .name("start")
        .start(
            () -> {
              try {
                // Whoever waits for the datastore may be asked what for.
                boolean isEarly = applied.await(HTTP_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
                if (!isEarly) {
                  startHttp(settings.http(), views, registry, times);
                }
                applied.await();
                try (Rtnetlink netlink = Rtnetlink.open()) {
                  CalicoPods.mark(
                      calc.snapshot().endpoints(),
                      id -> journal.find(id).isPresent(),
                      netlink.links());
                }
                verbs.recover();
                reclaim.start();
                // The first ADDs may need what these deletions free. Those that clients queue from
                // here on until somebody listens are the first work of maintenance.
                deletions.drain(verbs);
                keep(
                    CniServer.start(
                        settings.runDir().resolve("cni.sock"),
                        new MeasuredHandler(verbs, metrics)));
                keep(new Maintenance(settings, verbs, journal, deletions, syncer, snapshot));
                AddressCare care =
                    keep(
                        AddressCare.start(
                            settings.nodeName(),
                            () -> current.inForce().gc(),
                            datastore,
                            ipam::settleAffinities,
                            snapshot,
                            () -> calc.syncStatus() instanceof SyncStatus.InSync,
                            journal,
                            settings.stateDir().resolve("journal"),
                            clock,
                            steady));
                reserve.ifPresent(
                    kept ->
                        keep(
                            ReserveKeeper.start(
                                kept, ipam, () -> calc.syncStatus() instanceof SyncStatus.InSync)));
                metrics.watchGarbage(care::suspected, care::due, care::freed);
                settings
                    .dockerSocket()
                    .ifPresent(socket -> startDocker(socket, settings, verbs, ipam));
                status.start();
                nodeStatuses.start();
                times.mark("ready");
                progress.serve();
                service.ready();
                announce.accept("ready");
                LOG.atInfo()
                    .addKeyValue("node", settings.nodeName())
                    .addKeyValue("millis", times.asMap())
                    .log("ready");
                if (isEarly) {
                  startHttp(settings.http(), views, registry, times);
                }
              } catch (InterruptedException stopping) {
                Thread.currentThread().interrupt();
              } catch (IOException refused) {
                onBug(refused);
              }
            });
  }

  /// What the first listing of a large cluster left behind. The heap would rather grow than collect
  /// it, up to its limit, where everything stands still to do it. Now a pause costs least: sessions
  /// are only being opened, BFD watches none yet, and no pod is served before "ready" anyway.
  private static void giveBackGarbage() {
    Runtime jvm = Runtime.getRuntime();
    if (jvm.totalMemory() - jvm.freeMemory() > LARGE_HEAP_OCTETS) {
      System.gc();
    }
  }

  private static void refuseBeside(List<OtherAgents.Found> others) throws IOException {
    if (!others.isEmpty()) {
      throw new IOException(
          others.getFirst()
              + " runs in this network namespace, and two node agents take each other's routes and"
              + " policy away; stop calico-node on this node first (docs/migration.md)");
    }
  }

  private Optional<AddressReserve> openReserve(AgentSettings settings, InstantSource clock)
      throws IOException {
    return settings.reserve() == 0
        ? Optional.empty()
        : Optional.of(
            keep(
                AddressReserve.open(
                    settings.stateDir().resolve("reserve"),
                    settings.nodeName(),
                    settings.reserve(),
                    clock)));
  }

  /// Pods that started without the datastore, before this process: neither it nor its last known
  /// good state tells of them.
  private static void handInUnstored(AddressReserve reserve, CalcDriver calc) {
    for (AddressReserve.Taken taken : reserve.taken()) {
      Optional<Decoded> document = ResourceJson.decode(taken.key(), taken.document(), 0);
      if (document.orElse(null) instanceof Decoded.Valid(WorkloadEndpoint endpoint)) {
        calc.handIn(endpoint, KernelEndpointPolicy.Calculation.UNSTORED);
      } else {
        LOG.atError()
            .addKeyValue("handle", taken.handleId())
            .addKeyValue("key", taken.key())
            .log("an endpoint made without the datastore can't be read back; its pod stays closed");
      }
    }
  }

  /// Without it Docker waits; what CNI runtimes and Docker have started works on.
  private void startDocker(Path socket, AgentSettings settings, CniVerbs verbs, Ipam ipam) {
    try {
      keep(
          PluginSocket.start(
              socket, DockerPlugin.open(settings.stateDir(), verbs.steps(), ipam::poolAround)));
    } catch (IOException refused) {
      LOG.atError()
          .addKeyValue("socket", socket)
          .addKeyValue("reason", String.valueOf(refused.getMessage()))
          .log("no plugin for Docker, whose containers can't start; the node works without it");
    }
  }

  /// HTTP is a view: without it the node works on.
  private void startHttp(
      Optional<HttpAddress> address,
      NodeViews views,
      PrometheusRegistry registry,
      StartTimes times) {
    if (address.isEmpty()) {
      return;
    }
    HttpRim rim = new HttpRim(address.get(), views, registry);
    try {
      rim.start();
      keep(rim);
      times.mark("http");
    } catch (Exception refused) {
      LOG.atError()
          .addKeyValue("address", address.get())
          .addKeyValue("reason", String.valueOf(refused.getMessage()))
          .log("no HTTP; the node works without it");
    }
  }

  private static List<LinkAddress> linkAddresses(Rtnetlink netlink) {
    try {
      return HostSettings.linkAddresses(netlink);
    } catch (LinuxException refused) {
      LOG.atWarn()
          .addKeyValue("reason", refused.getMessage())
          .log("the node's addresses can't be read; BGP next hops are the node's own");
      return List.of();
    }
  }

  private synchronized <T extends AutoCloseable> T keep(T part) {
    running.push(part);
    return part;
  }

  /// What went wrong was not foreseen: the process ends, the kernel goes on as it is.
  private void onBug(Throwable bug) {
    LOG.atError().setCause(bug).log("the agent ends by a bug; what is in the kernel stays");
    exitCode.set(EXIT_BUG);
    ended.countDown();
  }

  /// Reads the settings again; what can change in a running agent does, and all that differs is
  /// told in the log. From any thread.
  public void reload(Path file, Map<String, String> environment) {
    LiveSettings current = live;
    if (current != null) {
      current.reload(file, environment);
    }
  }

  /// Waits until the agent has been closed or has failed.
  ///
  /// @return the process's exit code
  public int awaitEnd() throws InterruptedException {
    ended.await();
    return exitCode.get();
  }

  /// Stops for a restart: kernel state stays, peers keep our routes.
  @Override
  public synchronized void close() {
    service.stopping();
    while (!running.isEmpty()) {
      AutoCloseable part = running.pop();
      try {
        part.close();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      } catch (Exception unclean) {
        LOG.atWarn()
            .setCause(unclean)
            .addKeyValue("part", part.getClass().getSimpleName())
            .log("did not stop cleanly");
      }
    }
    service.close();
    ended.countDown();
  }
}
