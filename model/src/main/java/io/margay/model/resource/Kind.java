package io.margay.model.resource;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The kinds of resource this system keeps, with the names they go by.
public enum Kind {
  BGP_CONFIGURATION("BGPConfiguration", "bgpconfigurations", false),
  BGP_FILTER("BGPFilter", "bgpfilters", false),
  BGP_PEER("BGPPeer", "bgppeers", false),
  BLOCK_AFFINITY("BlockAffinity", "blockaffinities", false),
  CALICO_NODE_STATUS("CalicoNodeStatus", "caliconodestatuses", false),
  CLUSTER_INFORMATION("ClusterInformation", "clusterinformations", false),
  ENDPOINT_SLICE("EndpointSlice", "endpointslices", true),
  FELIX_CONFIGURATION("FelixConfiguration", "felixconfigurations", false),
  GLOBAL_NETWORK_POLICY("GlobalNetworkPolicy", "globalnetworkpolicies", false),
  GLOBAL_NETWORK_SET("GlobalNetworkSet", "globalnetworksets", false),
  HOST_ENDPOINT("HostEndpoint", "hostendpoints", false),
  IPAM_CONFIGURATION("IPAMConfiguration", "ipamconfigurations", false),
  IP_POOL("IPPool", "ippools", false),
  IP_RESERVATION("IPReservation", "ipreservations", false),
  KUBE_CONTROLLERS_CONFIGURATION(
      "KubeControllersConfiguration", "kubecontrollersconfigurations", false),
  LIVE_MIGRATION("LiveMigration", "livemigrations", true),
  NETWORK_POLICY("NetworkPolicy", "networkpolicies", true),
  NETWORK_SET("NetworkSet", "networksets", true),
  NODE("Node", "nodes", false),
  PROFILE("Profile", "profiles", false),
  STAGED_GLOBAL_NETWORK_POLICY("StagedGlobalNetworkPolicy", "stagedglobalnetworkpolicies", false),
  STAGED_KUBERNETES_NETWORK_POLICY(
      "StagedKubernetesNetworkPolicy", "stagedkubernetesnetworkpolicies", true),
  STAGED_NETWORK_POLICY("StagedNetworkPolicy", "stagednetworkpolicies", true),
  TIER("Tier", "tiers", false),
  WORKLOAD_ENDPOINT("WorkloadEndpoint", "workloadendpoints", true);

  /// The `apiVersion` of every kind here that is Calico's.
  public static final String API_VERSION = "projectcalico.org/v3";

  private static final Map<String, Kind> BY_NAME =
      Arrays.stream(values())
          .filter(kind -> !kind.isKubernetes())
          .collect(Collectors.toMap(Kind::kindName, Function.identity()));
  private static final Map<String, Kind> BY_PLURAL =
      Arrays.stream(values())
          .filter(kind -> !kind.isKubernetes())
          .collect(Collectors.toMap(Kind::plural, Function.identity()));

  private final String kindName;
  private final String plural;
  private final boolean namespaced;

  Kind(String kindName, String plural, boolean namespaced) {
    this.kindName = kindName;
    this.plural = plural;
    this.namespaced = namespaced;
  }

  /// As the `kind` field has it: `GlobalNetworkPolicy`.
  public String kindName() {
    return kindName;
  }

  /// As keys and commands have it: `globalnetworkpolicies`.
  public String plural() {
    return plural;
  }

  public boolean isNamespaced() {
    return namespaced;
  }

  /// Whether objects of this kind are documents of their own under their plural's key. The others
  /// are the allocator's: it keeps them under keys and in a form of its own, and as resources they
  /// can be looked at, not written.
  public boolean isStoredAsResource() {
    return this != BLOCK_AFFINITY && !isKubernetes();
  }

  /// Whether objects of this kind are made of Kubernetes' documents, which are stored as they are
  /// written: no word, no name in a document and no plural in a key means this kind.
  public boolean isKubernetes() {
    return this == ENDPOINT_SLICE;
  }

  /// The kind of a document's `kind` field, which is case-sensitive.
  public static Optional<Kind> ofName(String kindName) {
    return Optional.ofNullable(BY_NAME.get(kindName));
  }

  public static Optional<Kind> ofPlural(String plural) {
    return Optional.ofNullable(BY_PLURAL.get(plural));
  }

  /// The kind a person means: singular or plural, in any case, or a short name such as `gnp`.
  public static Optional<Kind> ofWord(String word) {
    String lower = word.toLowerCase(Locale.ROOT);
    return Arrays.stream(values())
        .filter(kind -> !kind.isKubernetes() && kind.answersTo(lower))
        .findFirst();
  }

  private boolean answersTo(String lower) {
    return lower.equals(plural)
        || lower.equals(kindName.toLowerCase(Locale.ROOT))
        || shortNames().contains(lower);
  }

  /// What calicoctl users type for short.
  public List<String> shortNames() {
    return switch (this) {
      case BGP_CONFIGURATION -> List.of("bgpconfig", "bgpconfigs");
      case BGP_FILTER -> List.of("bgpf", "bgpfs", "bf", "bfs");
      case BGP_PEER -> List.of("bgpp", "bgpps", "bp", "bps");
      case BLOCK_AFFINITY -> List.of();
      case CALICO_NODE_STATUS -> List.of("nodestatus", "nodestatuses");
      case CLUSTER_INFORMATION -> List.of("clusterinfo", "clusterinfos");
      case ENDPOINT_SLICE -> List.of();
      case FELIX_CONFIGURATION -> List.of("felixconfig", "felixconfigs", "fc", "fcs");
      case GLOBAL_NETWORK_POLICY -> List.of("gnp", "gnps");
      case GLOBAL_NETWORK_SET -> List.of();
      case HOST_ENDPOINT -> List.of("hep", "heps");
      case IPAM_CONFIGURATION -> List.of("ipamconfig", "ipamconfigs");
      case IP_POOL -> List.of("ipp", "ipps", "pool", "pools");
      case IP_RESERVATION -> List.of();
      case KUBE_CONTROLLERS_CONFIGURATION ->
          List.of("kubecontrollersconfig", "kubecontrollersconfigs", "kcc", "kccs");
      case LIVE_MIGRATION -> List.of();
      case NETWORK_POLICY -> List.of("np", "nps", "policy", "policies", "pol", "pols");
      case NETWORK_SET -> List.of("netset", "netsets");
      case NODE -> List.of("no", "nos");
      case PROFILE -> List.of("pro", "pros");
      case STAGED_GLOBAL_NETWORK_POLICY -> List.of("sgnp", "sgnps");
      case STAGED_KUBERNETES_NETWORK_POLICY ->
          List.of(
              "stagedkubernetespolicy",
              "sknp",
              "sknps",
              "stagedkubernetespolicies",
              "skpol",
              "skpols");
      case STAGED_NETWORK_POLICY ->
          List.of("stagedpolicy", "snp", "snps", "stagedpolicies", "spol", "spols");
      case TIER -> List.of();
      case WORKLOAD_ENDPOINT -> List.of("wep", "weps");
    };
  }

  @Override
  public String toString() {
    return kindName;
  }
}
