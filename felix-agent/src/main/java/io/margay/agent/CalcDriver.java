package io.margay.agent;

import io.margay.agent.bgp.BgpGlue;
import io.margay.agent.bgp.BgpIntent;
import io.margay.agent.bgp.LinkAddress;
import io.margay.agent.calc.ClusterView;
import io.margay.agent.calc.EndpointOverlay;
import io.margay.agent.cni.KernelEndpointPolicy;
import io.margay.agent.cni.KnownPods;
import io.margay.agent.dataplane.Dataplane;
import io.margay.agent.loop.Loop;
import io.margay.agent.settings.AgentSettings;
import io.margay.cni.spec.AttachmentId;
import io.margay.datastore.Change;
import io.margay.datastore.KeyValue;
import io.margay.datastore.SyncListener;
import io.margay.datastore.SyncStatus;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.PodDocuments;
import io.margay.datastore.json.PodDocuments.PodName;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.Ipam;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.OwnBlocks;
import io.margay.ipam.OwnBlocksTracker;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.policy.CalcGraph;
import io.margay.policy.EndpointKey;
import io.margay.policy.PolicyUpdate;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
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

  private static final Duration SPEAKER_RETRY = Duration.ofSeconds(5);

  private final AgentSettings settings;
  private final Loop loop;
  private final Dataplane dataplane;
  private final Ipam ipam;
  private final BgpGlue bgp;
  private final Supplier<List<LinkAddress>> links;
  private final KnownPods pods;
  private final Consumer<ResourceRef> rewrite;
  private final Runnable onFirstSync;

  private final CalcGraph graph;
  private final ClusterView cluster = new ClusterView();
  private final EndpointOverlay overlay = new EndpointOverlay();
  private final OwnBlocksTracker ownBlocks;
  private boolean inSync;
  private boolean clusterChanged;
  private boolean blocksChanged;
  private boolean speakerDue;
  private final List<Dataplane.HandIn> waiting = new ArrayList<>();
  private Map<ResourceRef, String> problems = Map.of();
  private volatile SyncStatus syncStatus = new SyncStatus.Waiting("not started");
  private final Map<ResourceRef, WorkloadEndpoint> endpointsNow = new ConcurrentHashMap<>();
  private volatile Map<String, Prefix> poolsNow = Map.of();
  private volatile boolean datastoreReady = true;
  private volatile Snapshot snapshot = new Snapshot(List.of(), OwnBlocksView.NONE, 0);

  /// What views show of the calculation.
  record Snapshot(List<WorkloadEndpoint> endpoints, OwnBlocksView blocks, int problems) {}

  /// The node's announced prefixes.
  record OwnBlocksView(Set<Prefix> confirmed, Set<IpAddress> borrowed) {
    static final OwnBlocksView NONE = new OwnBlocksView(Set.of(), Set.of());
  }

  /// @param links reads the node's addresses; may ask the kernel
  /// @param pods what users say of pods
  /// @param rewrite told of each endpoint here that is not stored as its pod's document has it
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
      Runnable onFirstSync) {
    this.settings = settings;
    this.loop = loop;
    this.dataplane = dataplane;
    this.ipam = ipam;
    this.bgp = bgp;
    this.links = links;
    this.pods = pods;
    this.rewrite = rewrite;
    this.onFirstSync = onFirstSync;
    this.graph = new CalcGraph(settings.nodeName());
    this.ownBlocks = new OwnBlocksTracker(settings.nodeName());
  }

  /// The prefixes of the store an agent follows.
  static List<String> prefixes(String nodeName) {
    return List.of(
        ResourceKeys.ROOT, IpamKeys.affinities(nodeName), IpamKeys.BLOCKS, PodDocuments.PREFIX);
  }

  /// Called on the syncer's thread.
  @Override
  public void onChanges(List<Change> changes) {
    loop.post(() -> changes.forEach(this::take));
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
      loop.post(this::onComplete);
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
      loop.post(onFirstSync);
    }
  }

  private void take(Change change) {
    Optional<PodName> pod = pods.onChange(change);
    if (pod.isPresent()) {
      said(pod.get());
      return;
    }
    Optional<ResourceRef> ref = ResourceKeys.parseKey(change.key());
    if (ref.isEmpty()) {
      blocksChanged |= ownBlocks.onChange(change);
      return;
    }
    switch (change) {
      case Change.Put(KeyValue item) ->
          ResourceJson.decode(item.key(), item.value(), item.modRevision())
              .ifPresent(decoded -> decoded(decoded, item.modRevision()));
      case Change.Delete(String _, long revision) -> resource(ref.get(), null, revision);
    }
  }

  private void decoded(Decoded decoded, long revision) {
    switch (decoded) {
      case Decoded.Valid valid -> resource(valid.ref(), valid.resource(), revision);
      case Decoded.Invalid(ResourceRef ref, List<FieldError> errors, Optional<Resource> readable) ->
          graph.onUnreadable(
              ref,
              readable.orElse(null),
              errors.stream().map(FieldError::toString).collect(Collectors.joining("; ")));
    }
  }

  private void resource(ResourceRef ref, @Nullable Resource value, long revision) {
    if (ref.kind() == Kind.WORKLOAD_ENDPOINT) {
      WorkloadEndpoint endpoint = (WorkloadEndpoint) value;
      if (overlay.isNews(ref, revision, endpoint == null ? null : containerOf(endpoint))) {
        endpoint(ref, endpoint);
      }
      return;
    }
    clusterChanged |= cluster.onUpdate(ref, value);
    graph.onUpdate(ref, value);
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
  public CompletableFuture<Void> takeAway(ResourceRef endpoint) {
    return onCalc(
        endpoint,
        () -> {
          overlay.onOwnRemoval(endpoint);
          endpoint(endpoint, null);
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
    if (clusterChanged) {
      clusterChanged = false;
      ipam.setPools(cluster.ipamPools());
      poolsNow = cluster.poolCidrs();
      datastoreReady = cluster.isDatastoreReady();
      dataplane.setNat(cluster.natOutgoingPools(), cluster.allPools());
      blocksChanged = true;
      speakerDue = true;
    }
    List<PolicyUpdate> updates = new ArrayList<>();
    graph.flush(updates::add);
    if (!updates.isEmpty() || !waiting.isEmpty()) {
      dataplane.onPolicy(updates, List.copyOf(waiting));
      waiting.clear();
    }
    if (blocksChanged) {
      blocksChanged = false;
      handOnBlocks();
    }
    tellProblems();
    snapshot =
        new Snapshot(
            List.copyOf(endpointsNow.values()),
            new OwnBlocksView(ownBlocks.current().confirmed(), ownBlocks.current().borrowed()),
            problems.size());
  }

  /// Blackholes first, announcements when they are in the kernel: nobody is told of a prefix whose
  /// unused addresses would loop. Peers come last: a session that came up before the speaker knew
  /// its prefixes would hear End-of-RIB without them, and a peer that kept them through our restart
  /// would drop them (RFC 4724 §4.2).
  private void handOnBlocks() {
    OwnBlocks own = ownBlocks.current();
    Set<Prefix> announced = new TreeSet<>();
    List<Prefix> silent = cluster.unannouncedPools();
    own.confirmed().stream()
        .filter(block -> silent.stream().noneMatch(pool -> pool.contains(block)))
        .forEach(announced::add);
    own.borrowed().stream()
        .map(IpAddress::toHostPrefix)
        .filter(address -> silent.stream().noneMatch(pool -> pool.contains(address)))
        .forEach(announced::add);
    dataplane.setBlocks(
        own.confirmed(),
        // The dataplane ends after us: who stops announces nothing new.
        () ->
            loop.postUnlessEnded(
                () -> {
                  bgp.announce(announced, own.confirmed());
                  if (speakerDue) {
                    speakerDue = false;
                    configureSpeaker();
                  }
                }));
  }

  private void configureSpeaker() {
    Optional<BgpIntent> intent =
        BgpIntent.of(settings.nodeName(), settings.bgp(), cluster, links.get());
    if (intent.isEmpty()) {
      LOG.atWarn()
          .addKeyValue("node", settings.nodeName())
          .log(
              "no BGP: the node has neither an IPv4 address nor a router id, or its AS is 0; set"
                  + " bgp.ipv4, bgp.routerId or bgp.asNumber, or the Node's spec.bgp");
      return;
    }
    try {
      bgp.configure(intent.get());
    } catch (IOException refused) {
      LOG.atError()
          .addKeyValue("reason", refused.getMessage())
          .log("BGP can't listen; trying again");
      loop.schedule(SPEAKER_RETRY, () -> clusterChanged = true);
    }
  }

  private void tellProblems() {
    Map<ResourceRef, String> now = graph.problems();
    now.forEach(
        (ref, problem) -> {
          if (!problem.equals(problems.get(ref))) {
            LOG.atWarn()
                .addKeyValue("resource", ref)
                .addKeyValue("problem", problem)
                .log("a resource is not enforced as written");
          }
        });
    problems = Map.copyOf(now);
  }

  @Override
  public String containerOf(ResourceRef endpoint) {
    WorkloadEndpoint known = endpointsNow.get(endpoint);
    String container = known == null ? null : known.spec().containerID();
    return container == null ? "" : container;
  }

  @Override
  public List<String> problems(WorkloadEndpoint endpoint) {
    return endpointsNow.containsKey(endpoint.ref())
        ? dataplane.status().problem().map(List::of).orElse(List.of())
        : List.of("the node's policy does not know " + endpoint.ref());
  }

  /// The endpoint of an attachment, as the store told of it. From any thread.
  Optional<ResourceRef> endpointOf(AttachmentId id) {
    return endpointsNow.values().stream()
        .filter(endpoint -> id.containerId().equals(endpoint.spec().containerID()))
        .filter(endpoint -> id.ifName().value().equals(endpoint.spec().endpoint()))
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
