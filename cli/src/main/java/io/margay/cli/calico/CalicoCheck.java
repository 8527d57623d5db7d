package io.margay.cli.calico;

import io.margay.agent.bgp.BgpIntent;
import io.margay.agent.bgp.InertBgpSettings;
import io.margay.agent.bgp.Passwords;
import io.margay.agent.calc.ClusterView;
import io.margay.cli.resource.ForeseenPeering;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.StagedKubernetesPolicies;
import io.margay.datastore.json.UnknownFields;
import io.margay.model.resource.BGPConfiguration;
import io.margay.model.resource.BGPConfigurationSpec;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.HostEndpoint;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeBgp;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.SecretKeyRef;
import io.margay.model.resource.StagedKubernetesNetworkPolicy;
import io.margay.policy.CalcGraph;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// What would differ if a Margay node joined a cluster. A pure function of what the cluster holds:
/// it asks the parts of Margay that would serve each thing, and the table [Support] for the rest.
final class CalicoCheck {

  /// Policy and peers are looked at as a node sees them that is to come.
  private static final String NEWCOMER = ForeseenPeering.NEWCOMER;

  /// Kinds that are kept and that no part of Margay acts on.
  private static final List<Kind> INERT =
      List.of(Kind.KUBE_CONTROLLERS_CONFIGURATION, Kind.LIVE_MIGRATION);

  private final CalicoCluster cluster;
  private final List<String> joining;
  private final ClusterView view = new ClusterView();
  private final List<Finding> findings = new ArrayList<>();

  private CalicoCheck(CalicoCluster cluster, List<String> joining) {
    this.cluster = cluster;
    this.joining = joining;
    cluster.resources().forEach(view::onUpdate);
  }

  /// @param joining names of the nodes that are to run Margay; empty = some node to come
  /// @return worst first, then in the table's order
  static List<Finding> run(CalicoCluster cluster, List<String> joining) {
    CalicoCheck check = new CalicoCheck(cluster, joining);
    if (cluster.foreign() != CalicoCluster.Foreign.NO) {
      check.find(
          Support.OTHER_DATASTORE,
          "datastore",
          cluster.foreign() == CalicoCluster.Foreign.KUBERNETES
              ? "it is a Kubernetes API server's (/registry/), without Calico's keys"
              : "it is empty of Calico's keys");
      return check.findings;
    }
    check.clusterInformation();
    check.documents();
    check.pools();
    check.felix();
    check.bgp();
    check.policies();
    new IpamFindings(cluster).collect(check.findings);
    check.nodes();
    check.findings.sort(
        Comparator.<Finding, Severity>comparing(finding -> finding.row().severity())
            .thenComparing(Finding::row));
    return check.findings;
  }

  private void find(Support row, Object object, String detail) {
    findings.add(new Finding(row, object.toString(), detail));
  }

  private void clusterInformation() {
    for (ClusterInformation information : cluster.all(ClusterInformation.class)) {
      if (!information.spec().isDatastoreReady()) {
        find(Support.LOCKED, information.ref(), "datastoreReady: false");
      }
      String variant = information.spec().variant();
      if (variant != null && !variant.isEmpty() && !variant.equals("Calico")) {
        find(Support.ENTERPRISE, information.ref(), "variant: " + variant);
      }
      find(
          Support.VERSION,
          information.ref(),
          Optional.ofNullable(information.spec().calicoVersion()).orElse("not recorded"));
    }
  }

  private void documents() {
    cluster
        .unknownKinds()
        .forEach((plural, count) -> find(Support.UNKNOWN_KIND, plural, count + " of them"));
    for (Kind kind : INERT) {
      long count = cluster.count(kind);
      if (count > 0) {
        find(Support.INERT_KIND, kind, count + " of them");
      }
    }
    for (Decoded.Invalid invalid : cluster.unreadable()) {
      find(
          Support.UNREADABLE,
          invalid.ref(),
          invalid.errors().stream().map(FieldError::toString).collect(Collectors.joining("; ")));
    }
    cluster
        .resources()
        .forEach(
            (ref, resource) -> {
              List<String> unknown = UnknownFields.of(resource);
              if (!unknown.isEmpty()) {
                find(Support.UNKNOWN_FIELD, ref, String.join(", ", unknown));
              }
            });
  }

  private void pools() {
    for (IPPool pool : cluster.all(IPPool.class)) {
      if (pool.spec().isWrappedInIp()) {
        find(
            Support.ENCAPSULATED_POOL,
            pool.ref(),
            pool.spec().cidr() + ", ipipMode " + word(pool.spec().effectiveIpipMode()));
      }
      if (pool.spec().isWrappedInVxlan()) {
        find(
            Support.VXLAN_POOL,
            pool.ref(),
            pool.spec().cidr() + ", vxlanMode " + word(pool.spec().effectiveVxlanMode()));
      }
    }
    for (String node : joining.isEmpty() ? List.of(NEWCOMER) : joining) {
      boolean isServed =
          view.ipamPools().pools().stream()
              .anyMatch(
                  pool ->
                      !pool.disabled()
                          && pool.automatic()
                          && pool.forWorkloads()
                          && pool.notServed().isEmpty()
                          && (node.equals(NEWCOMER)
                              || view.ipamPools().selects().test(pool, node)));
      if (!isServed) {
        find(Support.NO_USABLE_POOL, node, cluster.count(Kind.IP_POOL) + " pools looked at");
      }
    }
  }

  private static String word(Enum<?> mode) {
    String name = mode.name();
    return name.equals("CROSS_SUBNET")
        ? "CrossSubnet"
        : name.charAt(0) + name.substring(1).toLowerCase(Locale.ROOT);
  }

  private void felix() {
    FelixKnobs.collect(cluster, findings);
  }

  private void bgp() {
    Set<String> problems = new HashSet<>();
    boolean isServed = false;
    List<String> nodes = new ArrayList<>(joining);
    if (nodes.isEmpty()) {
      cluster.all(Node.class).forEach(node -> nodes.add(node.metadata().name()));
      nodes.add(NEWCOMER);
    }
    for (String node : nodes) {
      Optional<BgpIntent> intent = ForeseenPeering.of(node, view, CalicoCheck::password);
      intent.ifPresent(speaking -> problems.addAll(speaking.problems()));
      // They are findings of their own.
      problems.removeAll(InertBgpSettings.problems(node, view));
      boolean hasPeers = intent.filter(speaking -> !speaking.peers().isEmpty()).isPresent();
      isServed |= hasPeers;
      if (!joining.isEmpty() && !hasPeers && needsFabric()) {
        find(
            Support.NO_SESSION,
            node,
            "no BGPPeer that can be served selects it, and it is not in a mesh");
      }
    }
    if (joining.isEmpty() && !isServed && needsFabric()) {
      find(Support.NO_SESSION, "any node", "no BGPPeer that can be served, and no mesh");
    }
    problems.stream()
        .sorted()
        .forEach(
            problem -> {
              String[] parts = problem.split(": ", 2);
              find(Support.PEER_NOT_SERVED, parts[0], parts.length > 1 ? parts[1] : "");
            });
    bgpConfigurations();
  }

  /// Whether pods can be reached only if somebody announces them.
  private boolean needsFabric() {
    return cluster.all(IPPool.class).stream().anyMatch(pool -> !pool.spec().isWrappedInVxlan());
  }

  /// Calico's are Secrets of Kubernetes, which this does not see.
  private static Passwords.Answer password(SecretKeyRef ref) {
    return new Passwords.Answer.Missing(
        "give it to Margay's nodes below bgp.passwordDir/" + ref.name() + ", or in etcd");
  }

  private void bgpConfigurations() {
    BGPConfigurationSpec global =
        view.bgpConfiguration().map(BGPConfiguration::spec).orElse(BGPConfigurationSpec.EMPTY);
    if (global.isNodeToNodeMeshEnabled() && cluster.count(Kind.NODE) > 0) {
      find(
          Support.MESH,
          "BGPConfiguration(default)",
          "AS "
              + global.effectiveAsNumber()
              + ", "
              + cluster.count(Kind.NODE)
              + " nodes"
              + (global.nodeMeshPassword() == null ? "" : ", with a password"));
    }
    for (BGPConfiguration configuration : cluster.all(BGPConfiguration.class)) {
      BGPConfigurationSpec spec = configuration.spec();
      List<String> services = new ArrayList<>();
      spec.serviceClusterIPs().forEach(entry -> services.add(String.valueOf(entry.cidr())));
      spec.serviceExternalIPs().forEach(entry -> services.add(String.valueOf(entry.cidr())));
      spec.serviceLoadBalancerIPs().forEach(entry -> services.add(String.valueOf(entry.cidr())));
      if (!services.isEmpty()) {
        find(Support.SERVICE_ADVERTISEMENT, configuration.ref(), String.join(", ", services));
      }
      List<String> others = InertBgpSettings.others(spec);
      if (!others.isEmpty()) {
        find(Support.BGP_SETTING, configuration.ref(), String.join(", ", others));
      }
    }
  }

  private void policies() {
    for (HostEndpoint endpoint : cluster.all(HostEndpoint.class)) {
      String name = endpoint.spec().interfaceName();
      boolean isAutomatic =
          endpoint.metadata().labels().containsKey("projectcalico.org/created-by");
      find(
          Support.HOST_ENDPOINT,
          endpoint.ref(),
          "node "
              + endpoint.spec().node()
              + ", interface "
              + (name == null ? "by address" : name)
              + (isAutomatic ? ", made automatically" : ""));
    }
    for (GlobalNetworkPolicy policy : cluster.all(GlobalNetworkPolicy.class)) {
      String host = hostPart(policy.spec());
      if (!host.isEmpty()) {
        find(Support.HOST_POLICY, policy.ref(), host);
      }
    }
    CalcGraph graph = new CalcGraph(NEWCOMER);
    cluster
        .resources()
        .forEach(
            (ref, resource) ->
                graph.onUpdate(
                    ref,
                    resource instanceof StagedKubernetesNetworkPolicy staged
                        ? StagedKubernetesPolicies.translated(staged)
                            .map(Resource.class::cast)
                            .orElse(staged)
                        : resource));
    graph.problems().forEach((ref, problem) -> find(Support.POLICY_NOT_AS_WRITTEN, ref, problem));
  }

  private static String hostPart(PolicySpec spec) {
    List<String> flags = new ArrayList<>();
    if (spec.isDoNotTrack()) {
      flags.add("doNotTrack");
    }
    if (spec.isPreDnat()) {
      flags.add("preDNAT");
    }
    if (spec.isApplyOnForward()) {
      flags.add("applyOnForward");
    }
    return String.join(", ", flags);
  }

  private void nodes() {
    find(
        Support.CLUSTER_SIZE,
        "cluster",
        cluster.count(Kind.NODE)
            + " nodes, "
            + cluster.count(Kind.WORKLOAD_ENDPOINT)
            + " pods, "
            + cluster.report().usage().size()
            + " blocks");
    find(Support.EXPORT_RULE, "cluster", "");
    for (Node node : cluster.all(Node.class)) {
      NodeBgp bgp = Optional.ofNullable(node.spec().bgp()).orElse(NodeBgp.EMPTY);
      if (bgp.routeReflectorClusterID() != null && !bgp.routeReflectorClusterID().isEmpty()) {
        find(
            Support.REFLECTOR,
            node.ref(),
            "routeReflectorClusterID: " + bgp.routeReflectorClusterID());
      }
      if (bgp.ipv6Address() != null) {
        find(Support.IPV6_NODE, node.ref(), String.valueOf(bgp.ipv6Address()));
      }
    }
    for (String name : joining) {
      Resource node = cluster.resources().get(ResourceRef.global(Kind.NODE, name));
      long blocks =
          cluster.report().usage().stream()
              .filter(block -> block.affinity().filter(("host:" + name)::equals).isPresent())
              .count();
      if (node != null || blocks > 0) {
        find(Support.TAKEN_OVER_NODE, "Node(" + name + ")", blocks + " blocks");
      }
    }
  }
}
