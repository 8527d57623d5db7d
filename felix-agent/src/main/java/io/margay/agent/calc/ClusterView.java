package io.margay.agent.calc;

import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.model.k8s.KubernetesConversion;
import io.margay.model.net.Prefix;
import io.margay.model.resource.AssignmentMode;
import io.margay.model.resource.BGPConfiguration;
import io.margay.model.resource.BGPPeer;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.EncapsulationMode;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPPoolSpec;
import io.margay.model.resource.IPReservation;
import io.margay.model.resource.Node;
import io.margay.model.resource.Profile;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.selector.LabelLookup;
import io.margay.model.selector.Selector;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/// The resources that say how the cluster is laid out (not its policies, which the policy module
/// keeps), and what follows from them for one node. Depends on the current resources only.
public final class ClusterView {

  private static final String DEFAULT_NAME = "default";

  private final TreeMap<String, IPPool> pools = new TreeMap<>();
  private final TreeMap<String, IPReservation> reservations = new TreeMap<>();
  private final TreeMap<String, Node> nodes = new TreeMap<>();
  private final TreeMap<String, BGPPeer> peers = new TreeMap<>();
  private final Map<String, BGPConfiguration> bgpConfigurations = new HashMap<>();
  private final Map<String, ClusterInformation> information = new HashMap<>();
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
      case BGP_CONFIGURATION -> put(bgpConfigurations, ref, (BGPConfiguration) value);
      case CLUSTER_INFORMATION -> put(information, ref, (ClusterInformation) value);
      case PROFILE -> putNamespace(ref.name(), (Profile) value);
      case BGP_FILTER,
          BLOCK_AFFINITY,
          CALICO_NODE_STATUS,
          FELIX_CONFIGURATION,
          GLOBAL_NETWORK_POLICY,
          GLOBAL_NETWORK_SET,
          HOST_ENDPOINT,
          IPAM_CONFIGURATION,
          KUBE_CONTROLLERS_CONFIGURATION,
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

  /// What IPAM may assign from, and which pools it may not because their packets would need
  /// wrapping: their pods could not be reached.
  public Pools ipamPools() {
    List<Pool> known = new ArrayList<>();
    Map<Prefix, Selector> nodeSelectors = new HashMap<>();
    Map<Prefix, Selector> namespaceSelectors = new HashMap<>();
    for (IPPool pool : pools.values()) {
      IPPoolSpec spec = pool.spec();
      known.add(
          new Pool(
              pool.metadata().name(),
              spec.cidr(),
              spec.effectiveBlockSize(),
              spec.isDisabled(),
              spec.effectiveAssignmentMode() == AssignmentMode.AUTOMATIC,
              Set.copyOf(spec.effectiveAllowedUses()),
              spec.effectiveNodeSelector().text(),
              spec.effectiveNamespaceSelector().text(),
              whyNotServed(spec)));
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

  private static Optional<String> whyNotServed(IPPoolSpec spec) {
    if (!spec.isEncapsulated()) {
      return Optional.empty();
    }
    String mode =
        spec.effectiveIpipMode() == EncapsulationMode.NEVER
            ? "vxlanMode " + text(spec.effectiveVxlanMode())
            : "ipipMode " + text(spec.effectiveIpipMode());
    return Optional.of(mode + " would have packets wrapped, which is not done here");
  }

  private static String text(EncapsulationMode mode) {
    return switch (mode) {
      case NEVER -> "Never";
      case ALWAYS -> "Always";
      case CROSS_SUBNET -> "CrossSubnet";
    };
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

  /// Pools whose blocks must not be announced.
  public List<Prefix> unannouncedPools() {
    return pools.values().stream()
        .filter(pool -> pool.spec().isBgpExportDisabled())
        .map(pool -> pool.spec().cidr())
        .sorted()
        .toList();
  }

  public Optional<Node> node(String name) {
    return Optional.ofNullable(nodes.get(name));
  }

  /// The cluster's BGP settings.
  public Optional<BGPConfiguration> bgpConfiguration() {
    return Optional.ofNullable(bgpConfigurations.get(DEFAULT_NAME));
  }

  /// False while a migration holds every address as it is.
  public boolean isDatastoreReady() {
    ClusterInformation known = information.get(DEFAULT_NAME);
    return known == null || known.spec().isDatastoreReady();
  }

  /// The peers a node has by name, by its labels, or because they are everybody's.
  public List<BGPPeer> peersOf(String nodeName) {
    LabelLookup labels =
        LabelLookup.of(node(nodeName).map(node -> node.metadata().labels()).orElse(Map.of()));
    return peers.values().stream()
        .filter(
            peer -> {
              if (peer.spec().node() != null) {
                return peer.spec().node().equals(nodeName);
              }
              Selector selector = peer.spec().nodeSelector();
              return selector == null || selector.matches(labels);
            })
        .toList();
  }
}
