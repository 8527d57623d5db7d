package io.margay.agent;

import io.margay.agent.bgp.BgpGlue;
import io.margay.agent.bgp.LinkAddress;
import io.margay.agent.calc.ClusterView;
import io.margay.agent.calc.EndpointOverlay;
import io.margay.agent.calc.HostKnobs;
import io.margay.agent.calc.NatKnobs;
import io.margay.agent.calc.TunnelKnobs;
import io.margay.agent.cni.KernelEndpointPolicy;
import io.margay.agent.cni.KnownPods;
import io.margay.agent.dataplane.Dataplane;
import io.margay.agent.firewall.PacketLog;
import io.margay.agent.loop.Loop;
import io.margay.agent.loop.Turnstile;
import io.margay.agent.overlay.OverlayFeed;
import io.margay.agent.settings.AgentSettings;
import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.datastore.Change;
import io.margay.datastore.KeyValue;
import io.margay.datastore.SyncListener;
import io.margay.datastore.SyncStatus;
import io.margay.datastore.Syncer;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.EndpointSliceDocuments;
import io.margay.datastore.json.PodDocuments;
import io.margay.datastore.json.PodDocuments.PodName;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.datastore.json.StagedKubernetesPolicies;
import io.margay.ipam.Ipam;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.OwnBlocksTracker;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.CalicoNodeStatus;
import io.margay.model.resource.FelixConfiguration;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.StagedKubernetesNetworkPolicy;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.policy.CalcGraph;
import io.margay.policy.EndpointKey;
import io.margay.policy.PolicyUpdate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Drives the calculation: what the store says and what CNI calls did goes in; policy, blocks and
/// BGP intent come out to the dataplane, IPAM and the speaker. Owned by the calc loop; the methods
/// that other threads may call say so.
final class CalcDriver implements SyncListener, KernelEndpointPolicy.Calculation {

  private static final Logger LOG = LoggerFactory.getLogger(CalcDriver.class);

  /// Batches of changes on their way here; with more the syncer waits.
  private static final int MAX_WAITING_BATCHES = 4;

  private final AgentSettings settings;
  private final Loop loop;
  private final Turnstile news;
  private final Dataplane dataplane;
  private final Ipam ipam;
  private final BgpFeed bgp;
  private final KnownPods pods;
  private final Consumer<ResourceRef> rewrite;
  private final OverlayFeed wrapping;
  private final Runnable onFirstSync;

  private final CalcGraph graph;
  private final ClusterView cluster = new ClusterView();
  private final HostKnobs hostKnobs;
  private final EndpointOverlay overlay = new EndpointOverlay();
  private final OwnBlocksTracker ownBlocks;
  private volatile BiConsumer<String, @Nullable CalicoNodeStatus> nodeStatuses = (_, _) -> {};
  private Consumer<Set<IpAddress>> addresses = _ -> {};
  private Predicate<WorkloadEndpoint> isWired = _ -> false;
  private Consumer<WorkloadEndpoint> lost = _ -> {};
  private Runnable replaced = () -> {};
  private Runnable lacking = () -> {};
  private boolean inSync;
  private boolean clusterChanged;
  private boolean hostKnobsChanged = true;
  private TunnelKnobs tunnelKnobs = TunnelKnobs.DEFAULT;
  private NatKnobs natKnobs = NatKnobs.DEFAULT;
  private List<String> knobProblems = List.of();
  private boolean blocksChanged;
  private final List<Dataplane.HandIn> waiting = new ArrayList<>();
  private final CalcProblems problems = new CalcProblems();
  private volatile SyncStatus syncStatus = new SyncStatus.Waiting("not started");
  private final Map<ResourceRef, WorkloadEndpoint> endpointsNow = new ConcurrentHashMap<>();
  private volatile Map<String, Prefix> poolsNow = Map.of();
  private volatile boolean datastoreReady = true;
  private volatile Snapshot snapshot = new Snapshot(List.of(), OwnBlocksView.NONE, List.of(), 0);

  /// What views show of the calculation.
  ///
  /// @param problems a line for each resource that is not followed or enforced as written; beyond a
  ///   limit, how many more there are
  /// @param problemCount how many there are
  record Snapshot(
      List<WorkloadEndpoint> endpoints,
      OwnBlocksView blocks,
      List<String> problems,
      int problemCount) {}

  /// The node's announced prefixes.
  record OwnBlocksView(Set<Prefix> confirmed, Set<IpAddress> borrowed) {
    static final OwnBlocksView NONE = new OwnBlocksView(Set.of(), Set.of());
  }

  /// @param links reads the node's addresses; may ask the kernel
  /// @param pods what users say of pods
  /// @param rewrite told of each endpoint here that is not stored as its pod's document has it
  /// @param wrapping what packets between nodes are wrapped by
  /// @param onFirstSync runs once, on the loop, when the first complete state has been handed on
  CalcDriver(
      AgentSettings settings,
      Loop loop,
      Dataplane dataplane,
      Ipam ipam,
      BgpGlue bgp,
      Supplier<List<LinkAddress>> links,
      KnownPods pods,
      Consumer<ResourceRef> rewrite,
      OverlayFeed wrapping,
      Runnable onFirstSync) {
    this.settings = settings;
    this.loop = loop;
    this.news = new Turnstile(loop, MAX_WAITING_BATCHES);
    this.dataplane = dataplane;
    this.ipam = ipam;
    this.pods = pods;
    this.rewrite = rewrite;
    this.wrapping = wrapping;
    this.onFirstSync = onFirstSync;
    this.graph = new CalcGraph(settings.nodeName());
    this.ownBlocks = new OwnBlocksTracker(settings.nodeName());
    this.bgp = new BgpFeed(settings, loop, dataplane, bgp, links, this::onClusterMoved);
    this.hostKnobs =
        new HostKnobs(
            settings.nodeName(),
            DatastorePorts.of(settings.datastore().endpoints()),
            settings.packetLog());
  }

  /// @param listener told of each CalicoNodeStatus, whichever node it is for; null: it is gone
  void tellNodeStatuses(BiConsumer<String, @Nullable CalicoNodeStatus> listener) {
    nodeStatuses = listener;
  }

  /// To be called before the loop starts.
  ///
  /// @param listener told, on the loop, which addresses the node has by its resource, if any
  void tellAddresses(Consumer<Set<IpAddress>> listener) {
    addresses = listener;
  }

  /// To be called before the loop starts.
  ///
  /// @param isWired whether an endpoint is that of a pod that lives here
  /// @param lost told of each of them that the datastore has lost
  /// @param replaced told, before that, that the store is another
  /// @param lacking told on the loop that the first complete state is there, to hand in the
  ///   endpoints of living pods that it lacks: before anything of an earlier process is removed
  void guard(
      Predicate<WorkloadEndpoint> isWired,
      Consumer<WorkloadEndpoint> lost,
      Runnable replaced,
      Runnable lacking) {
    this.isWired = isWired;
    this.lost = lost;
    this.replaced = replaced;
    this.lacking = lacking;
  }

  /// The prefixes of the store an agent follows.
  static List<String> prefixes(String nodeName) {
    return List.of(
        ResourceKeys.ROOT,
        IpamKeys.affinities(nodeName),
        IpamKeys.BLOCKS,
        PodDocuments.PREFIX,
        EndpointSliceDocuments.PREFIX);
  }

  /// Called on the syncer's thread, which reads what it hands over while the calculation is busy
  /// with what came before. The syncer may still speak when the calculation has ended.
  @Override
  public void onChanges(List<Change> changes) {
    if (changes.size() > Syncer.BATCH) {
      // May be a whole cluster, which as resources would not fit into the memory.
      news.post(() -> changes.forEach(change -> read(change).run()));
      return;
    }
    List<Runnable> read = changes.stream().map(this::read).toList();
    news.post(() -> read.forEach(Runnable::run));
  }

  /// Reads a change.
  ///
  /// @return takes what came of it; holds a resource or its document, not both
  private Runnable read(Change change) {
    if (change instanceof Change.Put(KeyValue item)) {
      Optional<Decoded> resource =
          ResourceJson.decode(item.key(), item.value(), item.modRevision());
      if (resource.isPresent()) {
        Decoded decoded = resource.get();
        long revision = item.modRevision();
        return () -> decoded(decoded, revision);
      }
    }
    return () -> take(change);
  }

  /// Called on the syncer's thread.
  @Override
  public void onReplaced() {
    news.post(
        () -> {
          replaced.run();
          for (ResourceRef endpoint : overlay.onReplaced()) {
            WorkloadEndpoint known = endpointsNow.get(endpoint);
            if (known != null && isWired.test(known)) {
              tellLost(known);
            }
          }
        });
  }

  private void tellLost(WorkloadEndpoint endpoint) {
    overlay.onUnstoredPut(endpoint.ref(), containerOf(endpoint));
    lost.accept(endpoint);
  }

  /// Called on the syncer's thread.
  @Override
  public void onStatus(SyncStatus status) {
    syncStatus = status;
    switch (status) {
      case SyncStatus.Waiting(String reason) ->
          LOG.atInfo().addKeyValue("reason", reason).log("waiting for the datastore");
      case SyncStatus.Stale(var since, String reason) ->
          LOG.atWarn()
              .addKeyValue("since", since)
              .addKeyValue("reason", reason)
              .log("the datastore is away; what is known stays in force");
      case SyncStatus.InSync(long revision) ->
          LOG.atInfo().addKeyValue("revision", revision).log("in sync with the datastore");
    }
    if (!(status instanceof SyncStatus.Waiting)) {
      loop.postUnlessEnded(this::onComplete);
    }
  }

  private void onComplete() {
    if (!inSync) {
      inSync = true;
      clusterChanged = true;
      blocksChanged = true;
      // Only now is what is not known of a pod not said.
      endpointsNow.forEach(this::endpoint);
      graph.onInSync();
      loop.postUnlessEnded(
          () -> {
            lacking.run();
            // Behind what it has handed in, and behind its being handed on, which ends a batch.
            loop.postUnlessEnded(() -> loop.postUnlessEnded(onFirstSync));
          });
    }
  }

  /// What is no resource, or is one that is gone.
  private void take(Change change) {
    Optional<PodName> pod = pods.onChange(change);
    if (pod.isPresent()) {
      said(pod.get());
      return;
    }
    Optional<ResourceRef> slice = EndpointSliceDocuments.parseKey(change.key());
    if (slice.isPresent()) {
      slice(slice.get(), change);
      return;
    }
    Optional<ResourceRef> ref = ResourceKeys.parseKey(change.key());
    if (ref.isPresent()) {
      resource(ref.get(), null, change.modRevision());
    } else {
      blocksChanged |= ownBlocks.onChange(change);
      wrapping.onChange(change);
    }
  }

  private void slice(ResourceRef ref, Change change) {
    switch (change) {
      case Change.Put(KeyValue item) ->
          decoded(EndpointSliceDocuments.decode(ref, item.value()), item.modRevision());
      case Change.Delete(String _, long revision) -> resource(ref, null, revision);
    }
  }

  private void decoded(Decoded decoded, long revision) {
    switch (decoded) {
      case Decoded.Valid valid -> resource(valid.ref(), valid.resource(), revision);
      case Decoded.Invalid(
              ResourceRef ref,
              List<FieldError> errors,
              Optional<Resource> readable) -> {
        String problem =
            errors.stream().map(FieldError::toString).collect(Collectors.joining("; "));
        if (ref.kind() == Kind.FELIX_CONFIGURATION) {
          LOG.atWarn()
              .addKeyValue("resource", ref)
              .addKeyValue("problem", problem)
              .log("a configuration can't be read; its last valid version stays in force");
        }
        clusterChanged |= cluster.onUnreadable(ref, problem);
        graph.onUnreadable(ref, readable.orElse(null), problem);
      }
    }
  }

  private void resource(ResourceRef ref, @Nullable Resource value, long revision) {
    if (ref.kind() == Kind.WORKLOAD_ENDPOINT) {
      WorkloadEndpoint endpoint = (WorkloadEndpoint) value;
      if (overlay.isNews(ref, revision, endpoint == null ? null : containerOf(endpoint))
          && !isLoss(ref, endpoint)) {
        endpoint(ref, endpoint);
      }
      return;
    }
    if (ref.kind() == Kind.FELIX_CONFIGURATION) {
      hostKnobs.onUpdate(ref.name(), (FelixConfiguration) value);
      hostKnobsChanged = true;
      return;
    }
    if (ref.kind() == Kind.CALICO_NODE_STATUS) {
      nodeStatuses.accept(ref.name(), (CalicoNodeStatus) value);
      return;
    }
    clusterChanged |= cluster.onUpdate(ref, value);
    graph.onUpdate(
        ref,
        value instanceof StagedKubernetesNetworkPolicy staged
            ? StagedKubernetesPolicies.translated(staged).map(Resource.class::cast).orElse(staged)
            : value);
  }

  /// Whether the datastore has lost the endpoint of a pod that lives, or holds one of before. What
  /// is known of the pod then stays in force, and is written again.
  private boolean isLoss(ResourceRef ref, @Nullable WorkloadEndpoint endpoint) {
    WorkloadEndpoint known = endpointsNow.get(ref);
    if (known == null || !isWired.test(known) || (endpoint != null && isWired.test(endpoint))) {
      return false;
    }
    tellLost(known);
    return true;
  }

  /// Something else is said of a pod.
  private void said(PodName pod) {
    endpointsNow.forEach(
        (ref, endpoint) -> {
          if (pod.namespace().equals(ref.namespace()) && pod.name().equals(endpoint.spec().pod())) {
            pods.problem(pod)
                .ifPresent(
                    problem ->
                        LOG.atWarn()
                            .addKeyValue("pod", pod)
                            .addKeyValue("problem", problem)
                            .log("a Pod document can't be read; its endpoint stays as it is"));
            endpoint(ref, endpoint);
          }
        });
  }

  private void endpoint(ResourceRef ref, @Nullable WorkloadEndpoint endpoint) {
    if (endpoint == null || !settings.nodeName().equals(endpoint.spec().node())) {
      blocksChanged |= endpointsNow.remove(ref) != null;
      graph.onUpdate(ref, endpoint);
      return;
    }
    WorkloadEndpoint fitted = inSync ? pods.fit(endpoint) : endpoint;
    if (!fitted.equals(endpoint)) {
      rewrite.accept(ref);
    }
    blocksChanged |= !fitted.equals(endpointsNow.put(ref, fitted));
    graph.onUpdate(ref, fitted);
  }

  @Override
  public CompletableFuture<Void> handIn(WorkloadEndpoint endpoint, long revision) {
    return onCalc(
        endpoint.ref(),
        () -> {
          boolean unheard = !endpoint.equals(endpointsNow.get(endpoint.ref()));
          if (revision == UNSTORED && unheard) {
            overlay.onUnstoredPut(endpoint.ref(), containerOf(endpoint));
          } else if (revision != UNSTORED) {
            overlay.onOwnPut(endpoint.ref(), revision);
          }
          endpoint(endpoint.ref(), endpoint);
        });
  }

  private static String containerOf(WorkloadEndpoint endpoint) {
    return Objects.requireNonNullElse(endpoint.spec().containerID(), "");
  }

  @Override
  public CompletableFuture<Void> takeAway(ResourceRef endpoint, String container) {
    return onCalc(
        endpoint,
        () -> {
          // Only here it is sure whose it is: another container's may have been handed in since.
          String now = containerOf(endpoint);
          if (now.isEmpty() || now.equals(container)) {
            overlay.onOwnRemoval(endpoint);
            endpoint(endpoint, null);
          }
        });
  }

  private CompletableFuture<Void> onCalc(ResourceRef endpoint, Runnable change) {
    CompletableFuture<Void> applied = new CompletableFuture<>();
    loop.post(
        () -> {
          change.run();
          waiting.add(
              new Dataplane.HandIn(
                  new EndpointKey(endpoint.namespace(), endpoint.name()), applied));
        });
    return applied;
  }

  /// Hands on what has changed since the last batch.
  void settle() {
    if (!inSync) {
      return;
    }
    boolean isDifferent = clusterChanged || hostKnobsChanged;
    if (clusterChanged) {
      clusterChanged = false;
      ipam.setPools(cluster.ipamPools());
      poolsNow = cluster.poolCidrs();
      datastoreReady = cluster.isDatastoreReady();
      hostKnobsChanged |=
          hostKnobs.setNodeLabels(
              cluster.node(settings.nodeName()).map(node -> node.metadata().labels()).orElse(null));
      Set<IpAddress> own = cluster.addressesOf(settings.nodeName());
      if (!own.isEmpty()) {
        addresses.accept(own);
      }
      blocksChanged = true;
      bgp.speakerIsDue();
    }
    if (hostKnobsChanged) {
      hostKnobsChanged = false;
      protectHost();
    }
    if (isDifferent) {
      dataplane.setNat(natKnobs.of(cluster));
    }
    wrapping.settle(isDifferent, cluster, tunnelKnobs);
    List<PolicyUpdate> updates = new ArrayList<>();
    graph.flush(updates::add);
    if (!updates.isEmpty() || !waiting.isEmpty()) {
      dataplane.onPolicy(updates, List.copyOf(waiting));
      waiting.clear();
    }
    if (blocksChanged) {
      blocksChanged = false;
      bgp.handOn(ownBlocks.current(), cluster);
    }
    tellProblems();
    snapshot =
        new Snapshot(
            List.copyOf(endpointsNow.values()),
            new OwnBlocksView(ownBlocks.current().confirmed(), ownBlocks.current().borrowed()),
            problems.shown(),
            problems.count());
  }

  private void protectHost() {
    HostKnobs.Reading reading = hostKnobs.read();
    dataplane.setHostProtection(reading.protection());
    dataplane.setPacketLog(reading.packetLog());
    dataplane.setMaySpoof(reading.maySpoof());
    tunnelKnobs = reading.tunnel();
    natKnobs = reading.nat();
    knobProblems =
        reading.problems().stream().map(problem -> "FelixConfiguration: " + problem).toList();
  }

  /// Other passwords are known for BGP sessions. From any thread.
  void onPasswords() {
    loop.postUnlessEnded(this::onClusterMoved);
  }

  /// What follows from the cluster is to be worked out anew.
  private void onClusterMoved() {
    clusterChanged = true;
  }

  /// The settings say otherwise how packets are logged. From any thread.
  void onPacketLog(PacketLog packetLog) {
    loop.postUnlessEnded(
        () -> {
          hostKnobs.setPacketLog(packetLog);
          hostKnobsChanged = true;
        });
  }

  private void tellProblems() {
    List<String> settingProblems = new ArrayList<>(knobProblems);
    settingProblems.addAll(cluster.settingProblems());
    problems.tell(settingProblems, graph.problems());
  }

  /// The container that the endpoint belongs to, as far as is known here; empty when unknown. From
  /// any thread.
  String containerOf(ResourceRef endpoint) {
    WorkloadEndpoint known = endpointsNow.get(endpoint);
    return known == null ? "" : containerOf(known);
  }

  @Override
  public CompletableFuture<List<String>> problems(ResourceRef endpoint) {
    return endpointsNow.containsKey(endpoint)
        ? dataplane.inspect(new EndpointKey(endpoint.namespace(), endpoint.name()))
        : CompletableFuture.completedFuture(List.of("the node's policy does not know " + endpoint));
  }

  /// The endpoint of an attachment, as the store told of it. From any thread.
  Optional<ResourceRef> endpointOf(AttachmentId id) {
    return endpointsNow.values().stream()
        .filter(endpoint -> Attachment.of(endpoint).equals(Optional.of(id)))
        .map(WorkloadEndpoint::ref)
        .findFirst();
  }

  /// A pod of this node. From any thread.
  Optional<WorkloadEndpoint> endpointByKey(EndpointKey key) {
    return Optional.ofNullable(
        endpointsNow.get(new ResourceRef(Kind.WORKLOAD_ENDPOINT, key.namespace(), key.name())));
  }

  /// The CIDR of a pool by its name. From any thread.
  Optional<Prefix> poolByName(String name) {
    return Optional.ofNullable(poolsNow.get(name));
  }

  /// False while a migration holds every address as it is. From any thread.
  boolean isDatastoreReady() {
    return datastoreReady;
  }

  SyncStatus syncStatus() {
    return syncStatus;
  }

  Snapshot snapshot() {
    return snapshot;
  }
}
