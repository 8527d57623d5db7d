package io.margay.cli.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.lab.LabPlan.Link;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Pod;
import io.margay.cli.lab.Topology.Pool;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.Map;

/// The documents a lab feeds to the public commands: Calico v3 resources for `margay apply`, agent
/// settings, CNI configuration.
final class LabDocuments {

  static final ObjectMapper JSON = new ObjectMapper();
  static final String CNI_VERSION = "1.0.0";
  static final String NETWORK = "k8s-pod-network";

  private LabDocuments() {}

  /// Pools, nodes, peerings and namespaces. JSON documents are YAML documents too.
  static String resources(LabPlan plan) {
    StringBuilder all = new StringBuilder();
    Topology topology = plan.topology();
    for (Pool pool : topology.pools()) {
      ObjectNode spec = JSON.createObjectNode();
      spec.put("cidr", pool.cidr().toString());
      spec.put("blockSize", pool.blockSize());
      spec.put("ipipMode", "Never").put("vxlanMode", "Never").put("natOutgoing", false);
      spec.put("nodeSelector", "all()");
      append(all, document("IPPool", "pool-" + topology.pools().indexOf(pool), spec));
    }
    ObjectNode bgp = JSON.createObjectNode();
    bgp.put("nodeToNodeMeshEnabled", false).put("logSeverityScreen", "Info");
    topology.nodes().stream()
        .findFirst()
        .ifPresent(node -> bgp.put("asNumber", node.asn().toLong()));
    append(all, document("BGPConfiguration", "default", bgp));
    for (Node node : topology.nodes()) {
      ObjectNode spec = JSON.createObjectNode();
      boolean own = plan.isMultihomed(node);
      spec.putObject("bgp")
          .put("asNumber", node.asn().toLong())
          .put("ipv4Address", withLength(plan.nodeAddress4(node), own ? 32 : 31))
          .put("ipv6Address", withLength(plan.nodeAddress6(node), own ? 128 : 126));
      append(all, document("Node", node.name(), spec));
    }
    for (Link link : plan.links()) {
      ObjectNode spec = JSON.createObjectNode();
      spec.put("node", link.node().name());
      spec.put("peerIP", link.tor4().toString());
      spec.put("asNumber", link.tor().asn().toLong());
      // The session runs between the ends of the link, whatever address the node is known by.
      spec.put("sourceAddress", "None");
      append(all, document("BGPPeer", link.node().name() + "." + link.tor().name(), spec));
    }
    topology.namespaces().forEach((name, labels) -> append(all, namespace(name, labels)));
    return all.toString();
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
      endpoints: [%s]
    runDir: %s
    stateDir: %s
    http: 127.0.0.1:%d
    bgp:
      ipv4: %s
      ipv6: "%s"
      asNumber: %s
      routerId: %s
      gracefulRestart: %s
    log: %s
    reclaimAfterSeconds: %d
    """
        .formatted(
            node.name(),
            String.join(", ", plan.etcdUrls()),
            plan.runDirectory(node),
            plan.stateDirectory(node),
            LabState.AGENT_PORT,
            plan.nodeAddress4(node),
            plan.nodeAddress6(node),
            node.asn(),
            plan.nodeAddress4(node),
            plan.topology().bgp().gracefulRestart(),
            plan.topology().agent().log(),
            plan.topology().agent().reclaimAfterSeconds());
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
    plugin.putObject("capabilities").put("portMappings", true).put("bandwidth", true);
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
