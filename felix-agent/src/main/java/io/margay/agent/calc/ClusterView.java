package io.margay.agent.calc;

import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.ipam.care.PoolConditions;
import io.margay.model.k8s.KubernetesConversion;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.AddressOnLink;
import io.margay.model.resource.AssignmentMode;
import io.margay.model.resource.BGPConfiguration;
import io.margay.model.resource.BGPFilter;
import io.margay.model.resource.BGPPeer;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.EncapsulationMode;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPPoolSpec;
import io.margay.model.resource.IPReservation;
import io.margay.model.resource.KubeControllersConfiguration;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeBgp;
import io.margay.model.resource.PoolUse;
import io.margay.model.resource.Profile;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.selector.LabelLookup;
import io.margay.model.selector.Selector;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The resources that say how the cluster is laid out (not its policies, which the policy module
/// keeps), and what follows from them for one node. Depends on the current resources only.
public final class ClusterView {

  private static final String DEFAULT_NAME = "default";
  private static final String NOT_SERVED =
      " would have packets wrapped in IP, which is not done here";

  /// Before a node's name, in the names of resources that are for it alone.
  private static final String NODE_PREFIX = "node.";

  private final TreeMap<String, IPPool> pools = new TreeMap<>();
  private final TreeMap<String, IPReservation> reservations = new TreeMap<>();
  private final TreeMap<String, Node> nodes = new TreeMap<>();
  private final TreeMap<String, BGPPeer> peers = new TreeMap<>();
  private final Map<String, BGPFilter> bgpFilters = new HashMap<>();
  private final Map<String, String> unreadableFilters = new HashMap<>();
  private final Map<String, BGPConfiguration> bgpConfigurations = new HashMap<>();
  private boolean bgpConfigurationUnreadable;
  private final Map<String, ClusterInformation> information = new HashMap<>();
  private final Map<String, KubeControllersConfiguration> controllers = new HashMap<>();
  private final Map<String, Map<String, String>> namespaceLabels = new HashMap<>();

  /// Takes the current state of one resource.
  ///
  /// @param value null when it does not exist
  /// @return whether the resource is one this view keeps
  public boolean onUpdate(ResourceRef ref, @Nullable Resource value) {
    return switch (ref.kind()) {
      case IP_POOL -> put(pools, ref, (IPPool) value);
      case IP_RESERVATION -> put(reservations, ref, (IPReservation) value);
      case NODE -> put(nodes, ref, (Node) value);
      case BGP_PEER -> put(peers, ref, (BGPPeer) value);
      case BGP_FILTER -> {
        unreadableFilters.remove(ref.name());
        yield put(bgpFilters, ref, (BGPFilter) value);
      }
      case BGP_CONFIGURATION -> {
        if (ref.name().equals(DEFAULT_NAME)) {
          bgpConfigurationUnreadable = false;
        }
        yield put(bgpConfigurations, ref, (BGPConfiguration) value);
      }
      case CLUSTER_INFORMATION -> put(information, ref, (ClusterInformation) value);
      case KUBE_CONTROLLERS_CONFIGURATION ->
          put(controllers, ref, (KubeControllersConfiguration) value);
      case PROFILE -> putNamespace(ref.name(), (Profile) value);
      case BLOCK_AFFINITY,
          CALICO_NODE_STATUS,
          ENDPOINT_SLICE,
          FELIX_CONFIGURATION,
          GLOBAL_NETWORK_POLICY,
          GLOBAL_NETWORK_SET,
          HOST_ENDPOINT,
          IPAM_CONFIGURATION,
          LIVE_MIGRATION,
          NETWORK_POLICY,
          NETWORK_SET,
          STAGED_GLOBAL_NETWORK_POLICY,
          STAGED_KUBERNETES_NETWORK_POLICY,
          STAGED_NETWORK_POLICY,
          TIER,
          WORKLOAD_ENDPOINT ->
          false;
    };
  }

  /// Takes that a resource is there but can't be read. A filter is then none: what was said before
  /// is no longer said. Of anything else the last readable version stays.
  ///
  /// @return whether that changes anything
  public boolean onUnreadable(ResourceRef ref, String problem) {
    return switch (ref.kind()) {
      case BGP_FILTER -> {
        boolean known = bgpFilters.remove(ref.name()) != null;
        yield !problem.equals(unreadableFilters.put(ref.name(), problem)) || known;
      }
      case BGP_CONFIGURATION -> {
        bgpConfigurationUnreadable |= ref.name().equals(DEFAULT_NAME);
        yield true;
      }
      default -> false;
    };
  }

  private static <R extends Resource> boolean put(
      Map<String, R> resources, ResourceRef ref, @Nullable R value) {
    if (value == null) {
      resources.remove(ref.name());
    } else {
      resources.put(ref.name(), value);
    }
    return true;
  }

  /// A namespace is known by its profile, whose labels its pods inherit under a prefix.
  private boolean putNamespace(String profile, @Nullable Profile value) {
    if (!profile.startsWith(KubernetesConversion.NAMESPACE_PROFILE_PREFIX)) {
      return false;
    }
    String namespace = profile.substring(KubernetesConversion.NAMESPACE_PROFILE_PREFIX.length());
    if (value == null) {
      return namespaceLabels.remove(namespace) != null;
    }
    Map<String, String> labels = new HashMap<>();
    value
        .spec()
        .labelsToApply()
        .forEach(
            (key, text) -> {
              if (key.startsWith(Selector.NAMESPACE_LABEL_PREFIX)) {
                labels.put(key.substring(Selector.NAMESPACE_LABEL_PREFIX.length()), text);
              }
            });
    return !labels.equals(namespaceLabels.put(namespace, labels));
  }

  /// What IPAM may assign from, and which pools it may not: those whose packets would have to be
  /// wrapped in a way that is not done here, for their pods could not be reached, and those that
  /// are not Allocatable.
  public Pools ipamPools() {
    List<Pool> known = new ArrayList<>();
    Map<Prefix, Selector> nodeSelectors = new HashMap<>();
    Map<Prefix, Selector> namespaceSelectors = new HashMap<>();
    Map<String, List<PoolConditions.Condition>> said =
        PoolConditions.of(List.copyOf(pools.values()));
    for (IPPool pool : pools.values()) {
      IPPoolSpec spec = pool.spec();
      known.add(
          new Pool(
              pool.metadata().name(),
              spec.cidr(),
              // A disabled pool may be smaller than a block: nobody claims one.
              Math.max(spec.effectiveBlockSize(), spec.cidr().length()),
              spec.isDisabled(),
              spec.effectiveAssignmentMode() == AssignmentMode.AUTOMATIC,
              Set.copyOf(spec.effectiveAllowedUses()),
              spec.effectiveNodeSelector().text(),
              spec.effectiveNamespaceSelector().text(),
              whyNotServed(spec)
                  .or(
                      () ->
                          whyNotAllocatable(
                              said.getOrDefault(pool.metadata().name(), List.of())))));
      nodeSelectors.put(spec.cidr(), spec.effectiveNodeSelector());
      namespaceSelectors.put(spec.cidr(), spec.effectiveNamespaceSelector());
    }
    List<Prefix> reserved =
        reservations.values().stream()
            .flatMap(reservation -> reservation.spec().reservedCIDRs().stream())
            .toList();
    Map<String, LabelLookup> labels = new HashMap<>();
    nodes.forEach((name, node) -> labels.put(name, LabelLookup.of(node.metadata().labels())));
    Map<String, LabelLookup> ofNamespaces = new HashMap<>();
    namespaceLabels.forEach((name, own) -> ofNamespaces.put(name, LabelLookup.of(own)));
    return new Pools(
        known, reserved, chooser(nodeSelectors, labels), chooser(namespaceSelectors, ofNamespaces));
  }

  private static BiPredicate<Pool, String> chooser(
      Map<Prefix, Selector> selectors, Map<String, LabelLookup> labels) {
    return (pool, name) ->
        selectors
            .getOrDefault(pool.cidr(), Selector.ALL)
            .matches(labels.getOrDefault(name, LabelLookup.of(Map.of())));
  }

  /// As Calico's allocators: a pool that overlaps an older one, or that is going, gives no address.
  private static Optional<String> whyNotAllocatable(List<PoolConditions.Condition> said) {
    return said.stream()
        .filter(condition -> condition.type().equals(PoolConditions.ALLOCATABLE))
        .filter(condition -> !condition.status())
        .filter(condition -> !condition.reason().equals(PoolConditions.DISABLED))
        .map(condition -> condition.reason() + ": " + condition.message())
        .findFirst();
  }

  private static Optional<String> whyNotServed(IPPoolSpec spec) {
    return switch (spec.effectiveIpipMode()) {
      case NEVER -> Optional.empty();
      case ALWAYS -> Optional.of("ipipMode Always" + NOT_SERVED);
      case CROSS_SUBNET -> Optional.of("ipipMode CrossSubnet" + NOT_SERVED);
    };
  }

  /// A pool whose packets between nodes are wrapped in VXLAN.
  ///
  /// @param isCrossSubnet whether nodes of one subnet send each other theirs plainly
  public record VxlanPool(Prefix cidr, boolean isCrossSubnet) {}

  /// Pools whose packets are wrapped, disabled ones included: their pods live on.
  public List<VxlanPool> vxlanPools() {
    return pools.values().stream()
        .map(IPPool::spec)
        .filter(IPPoolSpec::isWrappedInVxlan)
        .map(
            spec ->
                new VxlanPool(
                    spec.cidr(), spec.effectiveVxlanMode() == EncapsulationMode.CROSS_SUBNET))
        .sorted(Comparator.comparing(VxlanPool::cidr))
        .toList();
  }

  /// Pools of [#vxlanPools] that a node may take the address of its tunnel device from.
  public List<Prefix> tunnelAddressPools(String nodeName, IpFamily family) {
    LabelLookup labels =
        LabelLookup.of(node(nodeName).map(node -> node.metadata().labels()).orElse(Map.of()));
    return pools.values().stream()
        .map(IPPool::spec)
        .filter(spec -> spec.cidr().family() == family)
        .filter(IPPoolSpec::isWrappedInVxlan)
        .filter(spec -> !spec.isDisabled())
        .filter(spec -> spec.effectiveAllowedUses().contains(PoolUse.TUNNEL))
        .filter(spec -> spec.effectiveNodeSelector().matches(labels))
        .map(IPPoolSpec::cidr)
        .sorted()
        .toList();
  }

  /// The CIDR of each pool by its name.
  public Map<String, Prefix> poolCidrs() {
    Map<String, Prefix> cidrs = new HashMap<>();
    pools.forEach((name, pool) -> cidrs.put(name, pool.spec().cidr()));
    return Map.copyOf(cidrs);
  }

  /// Every pool's prefix: packets that stay between these are never translated.
  public List<Prefix> allPools() {
    return pools.values().stream().map(pool -> pool.spec().cidr()).sorted().toList();
  }

  /// Pools whose pods leave the cluster under the node's address.
  public List<Prefix> natOutgoingPools() {
    return pools.values().stream()
        .filter(pool -> pool.spec().isNatOutgoing())
        .map(pool -> pool.spec().cidr())
        .sorted()
        .toList();
  }

  /// The addresses by which nodes know each other, a prefix each.
  public List<Prefix> nodeAddresses() {
    return nodes.values().stream()
        .map(node -> node.spec().bgp())
        .filter(Objects::nonNull)
        .flatMap(bgp -> Stream.of(bgp.ipv4Address(), bgp.ipv6Address()))
        .filter(Objects::nonNull)
        .map(own -> own.address().toHostPrefix())
        .toList();
  }

  /// Pools whose blocks must not be announced.
  public List<Prefix> unannouncedPools() {
    return pools.values().stream()
        .filter(pool -> pool.spec().isBgpExportDisabled())
        .map(pool -> pool.spec().cidr())
        .sorted()
        .toList();
  }

  /// Every node, by name.
  public SortedMap<String, Node> nodes() {
    return Collections.unmodifiableSortedMap(nodes);
  }

  public Optional<Node> node(String name) {
    return Optional.ofNullable(nodes.get(name));
  }

  /// The addresses by which a node is known, of either family.
  public Set<IpAddress> addressesOf(String name) {
    Node node = nodes.get(name);
    NodeBgp bgp = node == null ? null : node.spec().bgp();
    if (bgp == null) {
      return Set.of();
    }
    Set<IpAddress> addresses = new HashSet<>();
    AddressOnLink ipv4 = bgp.ipv4Address();
    if (ipv4 != null) {
      addresses.add(ipv4.address());
    }
    AddressOnLink ipv6 = bgp.ipv6Address();
    if (ipv6 != null) {
      addresses.add(ipv6.address());
    }
    return addresses;
  }

  /// The cluster's BGP settings.
  public Optional<BGPConfiguration> bgpConfiguration() {
    return Optional.ofNullable(bgpConfigurations.get(DEFAULT_NAME));
  }

  /// One node's own BGP settings, which for what they give stand before the cluster's.
  public Optional<BGPConfiguration> bgpConfigurationOf(String nodeName) {
    return Optional.ofNullable(bgpConfigurations.get(NODE_PREFIX + nodeName));
  }

  /// Whether the cluster's BGP settings are there but have not been readable so far: then their
  /// defaults are not what was meant.
  public boolean isBgpConfigurationUnknown() {
    return bgpConfigurationUnreadable && !bgpConfigurations.containsKey(DEFAULT_NAME);
  }

  public Optional<BGPFilter> bgpFilter(String name) {
    return Optional.ofNullable(bgpFilters.get(name));
  }

  /// Why a filter that is there is not known; empty if it is not there.
  public Optional<String> bgpFilterProblem(String name) {
    return Optional.ofNullable(unreadableFilters.get(name));
  }

  /// All pools, by name.
  public SortedMap<String, IPPool> pools() {
    return Collections.unmodifiableSortedMap(pools);
  }

  /// All peers, by name; those of this node are {@link #peersOf}.
  public SortedMap<String, BGPPeer> peers() {
    return Collections.unmodifiableSortedMap(peers);
  }

  /// False while a migration holds every address as it is.
  public boolean isDatastoreReady() {
    ClusterInformation known = information.get(DEFAULT_NAME);
    return known == null || known.spec().isDatastoreReady();
  }

  /// A line for each setting for all nodes that no agent follows.
  public List<String> settingProblems() {
    KubeControllersConfiguration known = controllers.get(DEFAULT_NAME);
    return known == null ? List.of() : InertControllerSettings.problems(known);
  }

  /// The peers a node has by name, by its labels, or because they are everybody's.
  public List<BGPPeer> peersOf(String nodeName) {
    return peers.values().stream().filter(peer -> isHeldBy(peer, nodeName)).toList();
  }

  /// Whether a node holds the session a BGPPeer asks for: by name, by its labels, or because all
  /// do.
  public boolean isHeldBy(BGPPeer peer, String nodeName) {
    if (peer.spec().node() != null) {
      return peer.spec().node().equals(nodeName);
    }
    Selector selector = peer.spec().nodeSelector();
    return selector == null || isSelected(selector, nodeName);
  }

  /// Whether a selector is true of a node's labels; one that is not known has none.
  public boolean isSelected(Selector selector, String nodeName) {
    return selector.matches(
        LabelLookup.of(node(nodeName).map(node -> node.metadata().labels()).orElse(Map.of())));
  }
}
