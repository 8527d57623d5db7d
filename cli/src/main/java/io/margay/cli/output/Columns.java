package io.margay.cli.output;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.model.resource.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The columns of a kind's table: names and order are calicoctl's.
///
/// @param narrow headings of `-o ps`
/// @param wide headings of `-o wide`
/// @param cells every column there is, by heading
public record Columns(
    List<String> narrow, List<String> wide, Map<String, Function<JsonNode, String>> cells) {

  private static final int LIST_WIDTH = 80;
  private static final String NAMESPACE = "NAMESPACE";
  private static final String SERVICE_LABEL = "kubernetes.io/service-name";

  /// Stands in a row for the AS number of the cluster, which a node without one of its own has.
  public static final String CLUSTER_ASN = "(default)";

  private static final Columns NAME_ONLY = table("NAME", "NAME").done();
  private static final Map<String, Columns> BY_PLURAL = byPlural();

  /// The columns of a kind.
  public static Columns of(Kind kind) {
    return of(kind.plural());
  }

  /// The columns of a kind or view by its plural; a kind without columns of its own has its name.
  public static Columns of(String plural) {
    return BY_PLURAL.getOrDefault(plural, NAME_ONLY);
  }

  static boolean has(String plural) {
    return BY_PLURAL.containsKey(plural);
  }

  /// Every heading there is, sorted.
  public String headings() {
    return cells.keySet().stream().sorted().collect(Collectors.joining(", "));
  }

  /// The cells of one document under `headings`.
  public List<String> row(List<String> headings, JsonNode document) {
    List<String> row = new ArrayList<>(headings.size());
    for (String heading : headings) {
      Function<JsonNode, String> cell = cells.get(heading);
      if (cell == null) {
        throw new IllegalArgumentException(heading);
      }
      row.add(cell.apply(document));
    }
    return row;
  }

  private static Map<String, Columns> byPlural() {
    Map<String, Columns> all = new TreeMap<>();
    all.put(
        "ippools",
        table(
                "NAME CIDR SELECTOR",
                "NAME CIDR NAT IPIPMODE VXLANMODE DISABLED DISABLEBGPEXPORT SELECTOR")
            .with("CIDR", "spec.cidr")
            .with("NAT", pool -> flag(pool, "spec.natOutgoing"))
            .with("IPIPMODE", pool -> or(pool, "spec.ipipMode", "Never"))
            .with("VXLANMODE", pool -> or(pool, "spec.vxlanMode", "Never"))
            .with("DISABLED", pool -> flag(pool, "spec.disabled"))
            .with("DISABLEBGPEXPORT", pool -> flag(pool, "spec.disableBGPExport"))
            .with("SELECTOR", "spec.nodeSelector")
            .done());
    all.put(
        "bgppeers",
        table("NAME PEERIP NODE ASN", "NAME PEERIP NODE ASN")
            .with("PEERIP", "spec.peerIP")
            .with("NODE", Columns::peerNode)
            .with("ASN", peer -> or(peer, "spec.asNumber", "0"))
            .done());
    all.put(
        "bgpconfigurations",
        table("NAME LOGSEVERITY MESHENABLED ASNUMBER", "NAME LOGSEVERITY MESHENABLED ASNUMBER")
            .with("LOGSEVERITY", "spec.logSeverityScreen")
            .with("MESHENABLED", bgp -> or(bgp, "spec.nodeToNodeMeshEnabled", "-"))
            .with("ASNUMBER", bgp -> or(bgp, "spec.asNumber", "-"))
            .done());
    all.put(
        "bgpfilters",
        table("NAME NUMEXPORT NUMIMPORT", "NAME NUMEXPORT NUMIMPORT")
            .with("NUMEXPORT", filter -> rules(filter, "exportV4", "exportV6"))
            .with("NUMIMPORT", filter -> rules(filter, "importV4", "importV6"))
            .done());
    all.put(
        "nodes",
        table("NAME", "NAME ASN IPV4 IPV6")
            .with("ASN", Columns::nodeAsn)
            .with("IPV4", "spec.bgp.ipv4Address")
            .with("IPV6", "spec.bgp.ipv6Address")
            .done());
    all.put("tiers", table("NAME ORDER", "NAME ORDER").with("ORDER", Columns::order).done());
    all.put("networkpolicies", policy());
    all.put("globalnetworkpolicies", policy());
    all.put("stagednetworkpolicies", policy());
    all.put("stagedglobalnetworkpolicies", policy());
    all.put(
        "stagedkubernetesnetworkpolicies",
        table("NAME", "NAME PODSELECTOR").with("PODSELECTOR", "spec.podSelector").done());
    all.put(
        "profiles",
        table("NAME", "NAME LABELS")
            .with("LABELS", profile -> pairs(at(profile, "spec.labelsToApply")))
            .done());
    all.put("networksets", set());
    all.put("globalnetworksets", set());
    all.put(
        "hostendpoints",
        table("NAME NODE", "NAME NODE INTERFACE IPS PROFILES")
            .with("NODE", "spec.node")
            .with("INTERFACE", "spec.interfaceName")
            .with("IPS", "spec.expectedIPs")
            .with("PROFILES", "spec.profiles")
            .done());
    all.put(
        "workloadendpoints",
        table(
                "WORKLOAD NODE NETWORKS INTERFACE",
                "NAME WORKLOAD NODE NETWORKS INTERFACE PROFILES NATS")
            .with(
                "WORKLOAD",
                endpoint -> or(endpoint, "spec.workload", at(endpoint, "spec.pod").asText()))
            .with("ORCHESTRATOR", "spec.orchestrator")
            .with("NODE", "spec.node")
            .with("NETWORKS", "spec.ipNetworks")
            .with("INTERFACE", "spec.interfaceName")
            .with("PROFILES", "spec.profiles")
            .with("NATS", "spec.ipNATs")
            .done());
    all.put(
        "ipreservations",
        table("NAME", "NAME CIDRS")
            .with("CIDRS", reservation -> shortened(reservation, "spec.reservedCIDRs"))
            .done());
    all.put(
        "ipamconfigurations",
        table(
                "NAME STRICTAFFINITY AUTOALLOCATEBLOCKS",
                "NAME STRICTAFFINITY AUTOALLOCATEBLOCKS MAXBLOCKSPERHOST")
            .with("STRICTAFFINITY", ipam -> flag(ipam, "spec.strictAffinity"))
            .with("AUTOALLOCATEBLOCKS", ipam -> flag(ipam, "spec.autoAllocateBlocks"))
            .with("MAXBLOCKSPERHOST", ipam -> or(ipam, "spec.maxBlocksPerHost", "0"))
            .done());
    all.put(
        "clusterinformations",
        table(
                "NAME CLUSTERGUID CLUSTERTYPE CALICOVERSION DATASTOREREADY",
                "NAME CLUSTERGUID CLUSTERTYPE CALICOVERSION DATASTOREREADY")
            .with("CLUSTERGUID", "spec.clusterGUID")
            .with("CLUSTERTYPE", "spec.clusterType")
            .with("CALICOVERSION", "spec.calicoVersion")
            .with("DATASTOREREADY", "spec.datastoreReady")
            .done());
    all.put(
        "caliconodestatuses",
        table("NAME NODE", "NAME NODE CLASSES")
            .with("NODE", "spec.node")
            .with("CLASSES", "spec.classes")
            .done());
    all.put("felixconfigurations", NAME_ONLY);
    all.put("kubecontrollersconfigurations", NAME_ONLY);
    all.put("livemigrations", NAME_ONLY);
    all.put(
        "blockaffinities",
        table("NAME CIDR NODE STATE", "NAME CIDR NODE STATE TYPE DELETED")
            .with("CIDR", "spec.cidr")
            .with("NODE", "spec.node")
            .with("STATE", "spec.state")
            .with("TYPE", "spec.type")
            .with("DELETED", affinity -> flag(affinity, "spec.deleted"))
            .done());
    all.put(
        "ipamblocks",
        table("NAME CIDR AFFINITY", "NAME CIDR AFFINITY ALLOCATED FREE")
            .with("CIDR", "spec.cidr")
            .with("AFFINITY", "spec.affinity")
            .with("ALLOCATED", block -> String.valueOf(assigned(block)))
            .with("FREE", block -> String.valueOf(at(block, "spec.unallocated").size()))
            .done());
    all.put(
        "pods",
        table("NAME STATE NODE IPS", "NAME STATE NODE IPS ENDPOINT LABELS")
            .with("STATE", "status.state")
            .with("NODE", "status.node")
            .with("IPS", "status.podIPs")
            .with("ENDPOINT", "status.endpoint")
            .with("LABELS", pod -> pairs(at(pod, "metadata.labels")))
            .done());
    all.put(
        "endpointslices",
        table("NAME SERVICE ENDPOINTS", "NAME SERVICE ADDRESSTYPE ENDPOINTS PORTS")
            .with("SERVICE", slice -> at(slice, "metadata.labels").path(SERVICE_LABEL).asText())
            .with("ADDRESSTYPE", "addressType")
            .with("ENDPOINTS", slice -> values(slice, "endpoints", "addresses"))
            .with("PORTS", slice -> values(slice, "ports", "port"))
            .done());
    all.put(
        "ipamhandles",
        table("NAME HANDLEID", "NAME HANDLEID BLOCKS")
            .with("HANDLEID", "spec.handleID")
            .with("BLOCKS", handle -> pairs(at(handle, "spec.block")))
            .done());
    return all;
  }

  private static Columns policy() {
    return table("NAME TIER", "NAME TIER ORDER SELECTOR")
        .with("TIER", "spec.tier")
        .with("ORDER", Columns::order)
        .with("SELECTOR", "spec.selector")
        .done();
  }

  private static Columns set() {
    return table("NAME", "NAME NETS").with("NETS", set -> shortened(set, "spec.nets")).done();
  }

  /// One field of each object in a list, lists in it flattened.
  private static String values(JsonNode document, String list, String field) {
    List<String> values = new ArrayList<>();
    for (JsonNode object : document.path(list)) {
      JsonNode value = object.path(field);
      if (value.isArray()) {
        value.forEach(one -> values.add(one.asText()));
      } else if (value.isValueNode()) {
        values.add(value.asText());
      }
    }
    String all = String.join(",", values);
    return all.length() <= LIST_WIDTH ? all : all.substring(0, LIST_WIDTH) + "…";
  }

  private static String peerNode(JsonNode peer) {
    return or(peer, "spec.node", or(peer, "spec.nodeSelector", "(global)"));
  }

  private static String nodeAsn(JsonNode node) {
    JsonNode bgp = at(node, "spec.bgp");
    return bgp.isMissingNode() ? "" : or(node, "spec.bgp.asNumber", CLUSTER_ASN);
  }

  private static String order(JsonNode document) {
    JsonNode order = at(document, "spec.order");
    if (order.isMissingNode()) {
      return "<nil>";
    }
    double value = order.asDouble();
    return value % 1 == 0 ? String.valueOf((long) value) : String.valueOf(value);
  }

  private static String rules(JsonNode filter, String v4, String v6) {
    return String.valueOf(at(filter, "spec." + v4).size() + at(filter, "spec." + v6).size());
  }

  private static int assigned(JsonNode block) {
    int assigned = 0;
    for (JsonNode allocation : at(block, "spec.allocations")) {
      assigned += allocation.isNull() ? 0 : 1;
    }
    return assigned;
  }

  private static String flag(JsonNode document, String path) {
    return or(document, path, "false");
  }

  private static String or(JsonNode document, String path, String otherwise) {
    String text = text(at(document, path));
    return text.isEmpty() ? otherwise : text;
  }

  private static String shortened(JsonNode document, String path) {
    String text = text(at(document, path));
    return text.length() > LIST_WIDTH ? text.substring(0, LIST_WIDTH - 3) + "..." : text;
  }

  private static String pairs(JsonNode map) {
    return map.properties().stream()
        .map(pair -> pair.getKey() + "=" + pair.getValue().asText())
        .sorted()
        .collect(Collectors.joining(","));
  }

  private static JsonNode at(JsonNode document, String path) {
    JsonNode node = document;
    for (String field : path.split("\\.")) {
      node = node.path(field);
    }
    return node;
  }

  /// A list as its items with commas, an object as compact JSON.
  private static String text(JsonNode value) {
    if (value.isArray()) {
      List<String> items = new ArrayList<>();
      value.forEach(item -> items.add(text(item)));
      return String.join(",", items);
    }
    return value.isObject() ? value.toString() : value.asText();
  }

  private static Builder table(String narrow, String wide) {
    return new Builder(List.of(narrow.split(" ")), List.of(wide.split(" ")))
        .with("NAME", "metadata.name")
        .with(NAMESPACE, "metadata.namespace");
  }

  private record Builder(
      List<String> narrow, List<String> wide, Map<String, Function<JsonNode, String>> cells) {

    Builder(List<String> narrow, List<String> wide) {
      this(narrow, wide, new LinkedHashMap<>());
    }

    Builder with(String heading, String path) {
      return with(heading, document -> text(at(document, path)));
    }

    Builder with(String heading, Function<JsonNode, String> cell) {
      cells.put(heading, cell);
      return this;
    }

    Columns done() {
      return new Columns(narrow, wide, Map.copyOf(cells));
    }
  }
}
