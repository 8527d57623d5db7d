package io.margay.cli.resource;

import io.margay.cli.TextTable;
import io.margay.model.resource.BGPConfiguration;
import io.margay.model.resource.BGPConfigurationSpec;
import io.margay.model.resource.BGPFilter;
import io.margay.model.resource.BGPFilterSpec;
import io.margay.model.resource.BGPPeer;
import io.margay.model.resource.BGPPeerSpec;
import io.margay.model.resource.BlockAffinity;
import io.margay.model.resource.CalicoNodeStatus;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.FelixConfiguration;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.GlobalNetworkSet;
import io.margay.model.resource.HostEndpoint;
import io.margay.model.resource.IPAMConfiguration;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPPoolSpec;
import io.margay.model.resource.IPReservation;
import io.margay.model.resource.Kind;
import io.margay.model.resource.KubeControllersConfiguration;
import io.margay.model.resource.LiveMigration;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.NetworkSet;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeBgp;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.Profile;
import io.margay.model.resource.Resource;
import io.margay.model.resource.StagedGlobalNetworkPolicy;
import io.margay.model.resource.StagedKubernetesNetworkPolicy;
import io.margay.model.resource.StagedNetworkPolicy;
import io.margay.model.resource.StagedPolicySpec;
import io.margay.model.resource.Tier;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Resources as a table, with the columns calicoctl shows.
final class ResourceTable {

  private ResourceTable() {}

  static String of(Kind kind, List<Resource> resources, boolean wide, boolean withNamespace) {
    boolean namespaces = withNamespace && kind.isNamespaced();
    List<String> header = new ArrayList<>(header(kind, wide));
    if (namespaces) {
      header.addFirst("NAMESPACE");
    }
    TextTable table = new TextTable(header.toArray(String[]::new));
    for (Resource resource : resources) {
      List<String> row = new ArrayList<>(row(resource, wide));
      row.addFirst(resource.metadata().name());
      if (namespaces) {
        row.addFirst(resource.metadata().namespaceOrEmpty());
      }
      table.row(row.toArray(String[]::new));
    }
    return table.toString();
  }

  private static List<String> header(Kind kind, boolean wide) {
    String columns =
        switch (kind) {
          case IP_POOL ->
              wide
                  ? "NAME CIDR NAT IPIPMODE VXLANMODE DISABLED DISABLEBGPEXPORT SELECTOR"
                  : "NAME CIDR SELECTOR";
          case BGP_PEER -> "NAME PEERIP NODE ASN";
          case BGP_FILTER -> "NAME EXPORTV4 IMPORTV4 EXPORTV6 IMPORTV6";
          case BLOCK_AFFINITY -> "NAME STATE NODE CIDR";
          case CALICO_NODE_STATUS -> wide ? "NAME NODE CLASSES" : "NAME NODE";
          case KUBE_CONTROLLERS_CONFIGURATION, LIVE_MIGRATION -> "NAME";
          case STAGED_KUBERNETES_NETWORK_POLICY -> wide ? "NAME PODSELECTOR" : "NAME";
          case STAGED_NETWORK_POLICY, STAGED_GLOBAL_NETWORK_POLICY ->
              wide ? "NAME TIER ORDER SELECTOR" : "NAME TIER";
          case BGP_CONFIGURATION -> "NAME LOGSEVERITY MESHENABLED ASNUMBER";
          case NODE -> wide ? "NAME ASN IPV4 IPV6" : "NAME";
          case TIER -> wide ? "NAME ORDER DEFAULTACTION" : "NAME ORDER";
          case NETWORK_POLICY, GLOBAL_NETWORK_POLICY ->
              wide ? "NAME TIER ORDER SELECTOR" : "NAME TIER ORDER";
          case PROFILE -> wide ? "NAME LABELS" : "NAME";
          case NETWORK_SET, GLOBAL_NETWORK_SET -> wide ? "NAME NETS" : "NAME";
          case HOST_ENDPOINT -> wide ? "NAME NODE INTERFACE IPS PROFILES" : "NAME NODE";
          case WORKLOAD_ENDPOINT ->
              wide
                  ? "NAME WORKLOAD NODE NETWORKS INTERFACE PROFILES"
                  : "NAME WORKLOAD NODE NETWORKS INTERFACE";
          case IP_RESERVATION -> "NAME CIDRS";
          case IPAM_CONFIGURATION -> "NAME STRICTAFFINITY";
          case CLUSTER_INFORMATION -> "NAME READY TYPE";
          case FELIX_CONFIGURATION -> "NAME";
        };
    return List.of(columns.split(" "));
  }

  /// The cells after the name.
  private static List<String> row(Resource resource, boolean wide) {
    return switch (resource) {
      case IPPool pool -> pool(pool.spec(), wide);
      case BGPPeer peer -> peer(peer.spec());
      case BGPConfiguration configuration -> bgp(configuration.spec());
      case Node node -> wide ? node(node.spec().bgp()) : List.of();
      case Tier tier ->
          wide
              ? List.of(order(tier.spec().order()), word(tier.spec().effectiveDefaultAction()))
              : List.of(order(tier.spec().order()));
      case NetworkPolicy policy -> policy(policy.spec(), wide);
      case GlobalNetworkPolicy policy -> policy(policy.spec(), wide);
      case Profile profile ->
          wide
              ? List.of(
                  profile.spec().labelsToApply().entrySet().stream()
                      .map(label -> label.getKey() + "=" + label.getValue())
                      .collect(Collectors.joining(",")))
              : List.of();
      case NetworkSet set -> wide ? List.of(join(set.spec().nets())) : List.of();
      case GlobalNetworkSet set -> wide ? List.of(join(set.spec().nets())) : List.of();
      case HostEndpoint endpoint ->
          wide
              ? List.of(
                  text(endpoint.spec().node()),
                  text(endpoint.spec().interfaceName()),
                  join(endpoint.spec().expectedIPs()),
                  join(endpoint.spec().profiles()))
              : List.of(text(endpoint.spec().node()));
      case WorkloadEndpoint endpoint -> workload(endpoint.spec(), wide);
      case IPReservation reservation -> List.of(join(reservation.spec().reservedCIDRs()));
      case IPAMConfiguration configuration ->
          List.of(Boolean.toString(configuration.spec().isStrictAffinity()));
      case ClusterInformation information ->
          List.of(
              Boolean.toString(information.spec().isDatastoreReady()),
              text(information.spec().clusterType()));
      case BGPFilter filter -> filter(filter.spec());
      case BlockAffinity affinity ->
          List.of(
              affinity.spec().state(), affinity.spec().node(), affinity.spec().cidr().toString());
      case CalicoNodeStatus status ->
          wide
              ? List.of(
                  text(status.spec().node()),
                  status.spec().classes().stream()
                      .map(ResourceTable::word)
                      .collect(Collectors.joining(",")))
              : List.of(text(status.spec().node()));
      case StagedNetworkPolicy policy -> staged(policy.spec(), wide);
      case StagedGlobalNetworkPolicy policy -> staged(policy.spec(), wide);
      case StagedKubernetesNetworkPolicy policy ->
          wide ? List.of(policy.spec().podSelector().toString()) : List.of();
      case FelixConfiguration _, KubeControllersConfiguration _, LiveMigration _ -> List.of();
    };
  }

  private static List<String> pool(IPPoolSpec spec, boolean wide) {
    return wide
        ? List.of(
            spec.cidr().toString(),
            Boolean.toString(spec.isNatOutgoing()),
            word(spec.effectiveIpipMode()),
            word(spec.effectiveVxlanMode()),
            Boolean.toString(spec.isDisabled()),
            Boolean.toString(spec.isBgpExportDisabled()),
            spec.effectiveNodeSelector().toString())
        : List.of(spec.cidr().toString(), spec.effectiveNodeSelector().toString());
  }

  /// `CROSS_SUBNET` as documents have it: `CrossSubnet`.
  private static String word(Enum<?> constant) {
    StringBuilder word = new StringBuilder();
    for (String part : constant.name().split("_")) {
      word.append(part.charAt(0)).append(part.substring(1).toLowerCase(Locale.ROOT));
    }
    return word.toString();
  }

  private static List<String> peer(BGPPeerSpec spec) {
    String where =
        spec.node() != null
            ? spec.node()
            : spec.nodeSelector() != null ? spec.nodeSelector().toString() : "(global)";
    return List.of(text(spec.peerIP()), where, text(spec.asNumber()));
  }

  private static List<String> bgp(BGPConfigurationSpec spec) {
    return List.of(
        text(spec.logSeverityScreen()), text(spec.nodeToNodeMeshEnabled()), text(spec.asNumber()));
  }

  private static List<String> node(@Nullable NodeBgp bgp) {
    return bgp == null
        ? List.of("", "", "")
        : List.of(
            bgp.asNumber() == null ? "(default)" : bgp.asNumber().toString(),
            text(bgp.ipv4Address()),
            text(bgp.ipv6Address()));
  }

  private static List<String> policy(PolicySpec spec, boolean wide) {
    return wide
        ? List.of(spec.effectiveTier(), order(spec.order()), spec.effectiveSelector().toString())
        : List.of(spec.effectiveTier(), order(spec.order()));
  }

  private static List<String> staged(StagedPolicySpec spec, boolean wide) {
    return wide ? policy(spec.policy(), true) : List.of(spec.policy().effectiveTier());
  }

  private static List<String> filter(BGPFilterSpec spec) {
    return List.of(
        Integer.toString(spec.exportV4().size()),
        Integer.toString(spec.importV4().size()),
        Integer.toString(spec.exportV6().size()),
        Integer.toString(spec.importV6().size()));
  }

  private static List<String> workload(WorkloadEndpointSpec spec, boolean wide) {
    List<String> cells =
        new ArrayList<>(
            List.of(
                spec.pod() == null ? text(spec.workload()) : spec.pod(),
                text(spec.node()),
                join(spec.ipNetworks()),
                text(spec.interfaceName())));
    if (wide) {
      cells.add(join(spec.profiles()));
    }
    return cells;
  }

  private static String order(@Nullable Double order) {
    if (order == null) {
      return "";
    }
    return order % 1 == 0 ? Long.toString(order.longValue()) : order.toString();
  }

  private static String join(List<?> values) {
    return values.stream().map(Object::toString).collect(Collectors.joining(","));
  }

  private static String text(@Nullable Object value) {
    return value == null ? "" : value.toString();
  }
}
