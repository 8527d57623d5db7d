package io.margay.cli.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.lab.LabPlan.Link;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Pod;
import io.margay.cli.lab.Topology.Pool;
import io.margay.cni.spec.NetConf;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.Map;

/// The documents a lab feeds to the public commands: Calico v3 resources for `margay apply`, agent
/// settings, CNI configuration.
final class LabDocuments {

  static final ObjectMapper JSON = new ObjectMapper();
  static final String CNI_VERSION = "1.0.0";
  static final String NETWORK = "k8s-pod-network";

  private static final String BFD_ANNOTATION = "margay.io/bfd";

  /// The label of nodes that reflect routes.
  private static final String REFLECTOR = "route-reflector";

  private static final String CLUSTER_ID = "244.0.0.1";

  private LabDocuments() {}

  /// Pools, nodes, peerings and namespaces. JSON documents are YAML documents too.
  static String resources(LabPlan plan) {
    StringBuilder all = new StringBuilder();
    Topology topology = plan.topology();
    for (Pool pool : topology.pools()) {
      ObjectNode spec = JSON.createObjectNode();
      spec.put("cidr", pool.cidr().toString());
      spec.put("blockSize", pool.blockSize());
      spec.put("ipipMode", "Never").put("vxlanMode", pool.vxlanMode()).put("natOutgoing", false);
      if (pool.isWrapped()) {
        spec.put("disableBGPExport", true);
      }
      spec.put("nodeSelector", "all()");
      append(all, document("IPPool", "pool-" + topology.pools().indexOf(pool), spec));
    }
    ObjectNode bgp = JSON.createObjectNode();
    bgp.put("nodeToNodeMeshEnabled", false).put("logSeverityScreen", "Info");
    topology.nodes().stream()
        .findFirst()
        .ifPresent(node -> bgp.put("asNumber", node.asn().toLong()));
    append(all, document("BGPConfiguration", "default", bgp));
    topology.nodes().forEach(node -> append(all, node(plan, node)));
    if (topology.isSegment()) {
      ObjectNode spec = JSON.createObjectNode();
      spec.put("nodeSelector", "all()").put("peerSelector", REFLECTOR + " == 'true'");
      append(all, document("BGPPeer", "reflectors", spec));
    } else {
      plan.links().forEach(link -> append(all, peer(plan, link)));
    }
    topology.namespaces().forEach((name, labels) -> append(all, namespace(name, labels)));
    return all.toString();
  }

  private static ObjectNode node(LabPlan plan, Node node) {
    ObjectNode spec = JSON.createObjectNode();
    ObjectNode bgp = spec.putObject("bgp").put("asNumber", node.asn().toLong());
    for (IpFamily family : plan.topology().addresses().families()) {
      bgp.put(
          "ipv" + family.version() + "Address",
          withLength(plan.nodeAddress(node, family), plan.nodeAddressLength(node, family)));
    }
    ObjectNode document = document("Node", node.name(), spec);
    if (plan.topology().reflectors().contains(node.name())) {
      bgp.put("routeReflectorClusterID", CLUSTER_ID);
      ((ObjectNode) document.get("metadata")).putObject("labels").put(REFLECTOR, "true");
    }
    return document;
  }

  private static ObjectNode peer(LabPlan plan, Link link) {
    Topology.Bgp bgp = plan.topology().bgp();
    ObjectNode spec = JSON.createObjectNode();
    spec.put("node", link.node().name());
    String zone = plan.isUnnumbered() ? "%" + link.tor().name() : "";
    spec.put("peerIP", plan.torEnd(link) + zone);
    spec.put("asNumber", link.tor().asn().toLong());
    // The session runs between the ends of the link, whatever address the node is known by.
    spec.put("sourceAddress", "None");
    if (bgp.allowOwnAs() > 0) {
      spec.put("numAllowedLocalASNumbers", bgp.allowOwnAs());
    }
    ObjectNode document = document("BGPPeer", link.node().name() + "." + link.tor().name(), spec);
    bgp.bfd()
        .ifPresent(
            bfd ->
                ((ObjectNode) document.get("metadata"))
                    .putObject("annotations")
                    .put(BFD_ANNOTATION, bfd.toString()));
    return document;
  }

  private static ObjectNode document(String kind, String name, ObjectNode spec) {
    ObjectNode document = JSON.createObjectNode();
    document.put("apiVersion", "projectcalico.org/v3").put("kind", kind);
    document.putObject("metadata").put("name", name);
    document.set("spec", spec);
    return document;
  }

  private static ObjectNode namespace(String name, Map<String, String> labels) {
    ObjectNode document = JSON.createObjectNode();
    document.put("apiVersion", "v1").put("kind", "Namespace");
    ObjectNode metadata = document.putObject("metadata").put("name", name);
    ObjectNode all = metadata.putObject("labels").put("kubernetes.io/metadata.name", name);
    labels.forEach(all::put);
    return document;
  }

  private static void append(StringBuilder all, ObjectNode document) {
    all.append("---\n").append(text(document)).append('\n');
  }

  private static String withLength(IpAddress address, int length) {
    return address + "/" + length;
  }

  /// The settings file of a node's agent.
  static String agent(LabPlan plan, Node node) {
    return """
    nodeName: %s
    datastore:
      endpoints: ["%s"]
    runDir: %s
    stateDir: %s
    http: 127.0.0.1:%d
    bgp:
    %s  asNumber: %s
      routerId: %s
      gracefulRestart: %s
    log: %s
    reclaimAfterSeconds: %d
    %s\
    """
        .formatted(
            node.name(),
            String.join("\", \"", plan.etcdUrls()),
            plan.runDirectory(node),
            plan.stateDirectory(node),
            LabState.AGENT_PORT,
            addresses(plan, node),
            node.asn(),
            plan.topology().addresses().has(IpFamily.IPV4) ? plan.nodeAddress4(node) : "hash",
            plan.topology().bgp().gracefulRestart(),
            plan.topology().agent().log(),
            plan.topology().agent().reclaimAfterSeconds(),
            plan.topology().agent().docker()
                ? "docker:\n  socket: " + plan.dockerSocket(node) + "\n"
                : "");
  }

  private static String addresses(LabPlan plan, Node node) {
    StringBuilder lines = new StringBuilder();
    for (IpFamily family : plan.topology().addresses().families()) {
      lines.append("  ipv%d: \"%s\"\n".formatted(family.version(), plan.nodeAddress(node, family)));
    }
    return lines.toString();
  }

  /// The network configuration list a runtime would find in its configuration directory.
  static ObjectNode conflist(LabPlan plan, Node node) {
    ObjectNode list = JSON.createObjectNode();
    list.put("cniVersion", CNI_VERSION);
    ArrayNode versions = list.putArray("cniVersions");
    versions.add("0.3.1").add("0.4.0").add("1.0.0").add("1.1.0");
    list.put("name", NETWORK);
    ObjectNode plugin = list.putArray("plugins").addObject();
    plugin.put("type", "margay-cni");
    ObjectNode capabilities = plugin.putObject("capabilities");
    NetConf.CAPABILITIES.forEach(capability -> capabilities.put(capability, true));
    plugin.put("margayRunDir", plan.runDirectory(node).toString());
    // Calico's plugin assigns IPv4 alone unless it is told otherwise; the values are texts there.
    plugin
        .putObject("ipam")
        .put("type", "margay-ipam")
        .put("assign_ipv4", Boolean.toString(plan.topology().serves(IpFamily.IPV4)))
        .put("assign_ipv6", Boolean.toString(plan.topology().serves(IpFamily.IPV6)));
    plugin.putObject("policy").put("type", "k8s");
    return list;
  }

  /// What a runtime makes of the list for its only plugin: CNI spec section 3, "deriving execution
  /// configuration".
  static ObjectNode request(ObjectNode conflist) {
    ObjectNode request = JSON.createObjectNode();
    request.set("cniVersion", conflist.get("cniVersion"));
    request.set("name", conflist.get("name"));
    request.setAll((ObjectNode) conflist.get("plugins").get(0));
    return request;
  }

  /// The request for one pod: its labels ride in `args`.
  static ObjectNode request(ObjectNode request, Pod pod) {
    ObjectNode own = request.deepCopy();
    ArrayNode labels = own.putObject("args").putObject("cni").putArray("labels");
    pod.labels().forEach((key, value) -> labels.addObject().put("key", key).put("value", value));
    return own;
  }

  static String text(ObjectNode json) {
    try {
      return JSON.writeValueAsString(json);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("a tree of texts and numbers can't be written", impossible);
    }
  }

  static String pretty(ObjectNode json) {
    return json.toPrettyString() + "\n";
  }
}
