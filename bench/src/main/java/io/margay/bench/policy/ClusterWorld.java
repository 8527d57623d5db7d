package io.margay.bench.policy;

import io.margay.bench.policy.PolicyWorld.Document;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.BlockAffinity;
import io.margay.ipam.Handle;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.care.AgentBeat;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Kind;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What the store of a large cluster holds beside a [PolicyWorld], as Calico writes it: racks of
/// forty nodes below two routers each, their nodes, blocks, claims and handles, and no node-to-node
/// mesh.
///
/// @param nodes in the whole cluster
/// @param isWrapped whether the pool's packets are wrapped in VXLAN
record ClusterWorld(PolicyWorld pods, int nodes, boolean isWrapped) {

  private static final int RACK = 40;

  /// What a node's or a block's document is changed to and fro by.
  enum Change {
    /// As first written.
    NONE,
    /// A label of a node, an address more of a block.
    SMALL,
    /// Another address of a node, another owner of a block.
    LARGE
  }

  static ClusterWorld of(int nodes, int endpoints, int policies, int local, boolean isWrapped) {
    int perNode = (endpoints + nodes - 2) / (nodes - 1);
    return new ClusterWorld(new PolicyWorld(endpoints, policies, local, perNode), nodes, isWrapped);
  }

  /// What there is one of.
  List<Document> settings() {
    List<Document> all = new ArrayList<>();
    all.add(
        resource(
            Kind.CLUSTER_INFORMATION,
            "default",
            """
            {"kind":"ClusterInformation","apiVersion":"projectcalico.org/v3","metadata":{"name":"default"},"spec":{"clusterGUID":"5d1c1a8e6f5b4d1e9b0c7c6f3e2a1b00","clusterType":"k8s,bgp","calicoVersion":"v3.31.0","datastoreReady":true}}\
            """));
    all.add(
        resource(
            Kind.IP_POOL,
            "pods",
            """
            {"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":{"name":"pods"},"spec":{"cidr":"10.64.0.0/10","vxlanMode":"%s","ipipMode":"Never","natOutgoing":true,"blockSize":26,"nodeSelector":"all()","allowedUses":["Workload","Tunnel"]}}\
            """
                .formatted(isWrapped ? "Always" : "Never")));
    all.add(
        resource(
            Kind.BGP_CONFIGURATION,
            "default",
            """
            {"kind":"BGPConfiguration","apiVersion":"projectcalico.org/v3","metadata":{"name":"default"},"spec":{"logSeverityScreen":"Info","nodeToNodeMeshEnabled":false,"asNumber":64512}}\
            """));
    for (int rack = 0; rack * RACK < nodes; rack++) {
      for (int router = 1; router <= 2; router++) {
        String name = "rack-%d-tor-%d".formatted(rack, router);
        all.add(
            resource(
                Kind.BGP_PEER,
                name,
                """
                {"kind":"BGPPeer","apiVersion":"projectcalico.org/v3","metadata":{"name":"%s"},"spec":{"nodeSelector":"rack == 'r%d'","peerIP":"%s","asNumber":%d}}\
                """
                    .formatted(name, rack, machine(rack, router), 65100 + rack)));
      }
    }
    return all;
  }

  private static Document resource(Kind kind, String name, String text) {
    return new Document(ResourceKeys.prefix(kind) + name, text);
  }

  private static String machine(int rack, int host) {
    return "172.%d.%d.%d".formatted(16 + (rack >> 8), rack & 255, host);
  }

  static String name(int node) {
    return "node-" + node;
  }

  Document node(int node, Change change, int generation) {
    int rack = node / RACK;
    int host = 10 + node % RACK + (change == Change.LARGE ? 100 : 0);
    String machine = machine(rack, host);
    String tunnel =
        isWrapped
            ? "\"ipv4VXLANTunnelAddr\":\"%s\",\"vxlanTunnelMACAddr\":\"66:00:00:%02x:%02x:%02x\","
                .formatted(tunnelAddress(node), node >> 16, node >> 8 & 255, node & 255)
            : "";
    return resource(
        Kind.NODE,
        name(node),
        """
        {"kind":"Node","apiVersion":"projectcalico.org/v3","metadata":{"name":"%s","uid":"1b4e28ba-2fa1-11d2-883f-%012d","creationTimestamp":"2026-11-28T12:00:00Z","labels":{"beta.kubernetes.io/arch":"amd64","beta.kubernetes.io/os":"linux","generation":"g%d","kubernetes.io/arch":"amd64","kubernetes.io/hostname":"%s","kubernetes.io/os":"linux","rack":"r%d","topology.kubernetes.io/zone":"zone-%d"},"annotations":{"projectcalico.org/kube-labels":"{\\"kubernetes.io/arch\\":\\"amd64\\",\\"kubernetes.io/hostname\\":\\"%s\\",\\"kubernetes.io/os\\":\\"linux\\"}"}},"spec":{"bgp":{"asNumber":%d,"ipv4Address":"%s/24"},%s"orchRefs":[{"nodeName":"%s","orchestrator":"k8s"}],"addresses":[{"address":"%s/24","type":"CalicoNodeIP"},{"address":"%s","type":"InternalIP"}]},"status":{}}\
        """
            .formatted(
                name(node),
                node,
                generation,
                name(node),
                rack,
                rack % 3,
                name(node),
                64600 + rack,
                machine,
                tunnel,
                name(node),
                machine,
                machine));
  }

  /// The last of a node's first block, which no pod has.
  private String tunnelAddress(int node) {
    return PolicyWorld.address(pods.firstBlockOf(node), PolicyWorld.BLOCK_SIZE - 1);
  }

  private int blocksOf(int node) {
    return node == 0 ? 1 + (pods.local() - 1) / PolicyWorld.BLOCK_SIZE : pods.blocksPerNode();
  }

  private static Prefix prefix(int block) {
    return Prefix.parse(PolicyWorld.address(block, 0) + "/26");
  }

  /// The first of a node's blocks.
  Prefix blockOf(int node) {
    return prefix(pods.firstBlockOf(node));
  }

  /// The endpoints of each node, by its number.
  List<List<Integer>> endpointsByNode() {
    List<List<Integer>> byNode = new ArrayList<>();
    for (int node = 0; node < nodes; node++) {
      byNode.add(new ArrayList<>());
    }
    for (int endpoint = 0; endpoint < pods.endpoints(); endpoint++) {
      byNode.get(pods.nodeOf(endpoint)).add(endpoint);
    }
    return byNode;
  }

  /// A node's blocks, its claims to them, its pods' handles, and its agent's sign of life.
  List<Document> addresses(int node, List<Integer> endpoints) {
    List<Document> all = new ArrayList<>();
    for (int number = 0; number < blocksOf(node); number++) {
      all.add(block(node, number, endpoints, Change.NONE, 0));
      all.add(
          new Document(
              IpamKeys.affinity(name(node), prefix(pods.firstBlockOf(node) + number)),
              BlockAffinity.CONFIRMED.toJson()));
    }
    for (int endpoint : endpoints) {
      Prefix block =
          prefix(pods.firstBlockOf(node) + pods.slotOf(endpoint) / PolicyWorld.BLOCK_SIZE);
      String id = handle(endpoint);
      all.add(
          new Document(
              IpamKeys.handle(id), new Handle(id, Map.of(block, 1), false, Map.of()).toJson()));
    }
    all.add(new Document(AgentBeat.key(name(node)), new AgentBeat(Instant.now()).toJson()));
    return all;
  }

  private static String handle(int endpoint) {
    return "k8s-pod-network." + PolicyWorld.containerOf(endpoint);
  }

  /// One of a node's blocks.
  ///
  /// @param endpoints those of the node
  /// @param generation the block's sequence number is that much higher
  Document block(int node, int number, List<Integer> endpoints, Change change, int generation) {
    Integer[] holders = new Integer[PolicyWorld.BLOCK_SIZE];
    List<String> attributes = new ArrayList<>();
    for (int endpoint : endpoints) {
      int slot = pods.slotOf(endpoint);
      if (slot / holders.length == number) {
        holders[slot % holders.length] = attributes.size();
        attributes.add(holder(handle(endpoint), node, endpoint));
      }
    }
    if (isWrapped && number == 0) {
      holders[holders.length - 1] = attributes.size();
      attributes.add(
          "{\"handle_id\":\"vxlan-tunnel-addr-%s\",\"secondary\":{\"node\":\"%s\",\"type\":\"vxlanTunnelAddress\"}}"
              .formatted(name(node), name(node)));
    }
    if (change == Change.SMALL) {
      holders[holders.length - 2] = attributes.size();
      attributes.add(holder("k8s-pod-network.late-" + node, node, node));
    }
    int owner = change == Change.LARGE ? 1 + node % (nodes - 1) : node;
    return block(
        prefix(pods.firstBlockOf(node) + number), owner, holders, attributes, 1000 + generation);
  }

  private static Document block(
      Prefix block, int owner, Integer[] holders, List<String> attributes, int sequenceNumber) {
    List<String> allocations = new ArrayList<>();
    List<String> free = new ArrayList<>();
    List<String> numbers = new ArrayList<>();
    for (int slot = 0; slot < holders.length; slot++) {
      allocations.add(String.valueOf(holders[slot]));
      if (holders[slot] == null) {
        free.add(String.valueOf(slot));
      } else {
        numbers.add("\"%d\":%d".formatted(slot, slot));
      }
    }
    return new Document(
        IpamKeys.block(block),
        "{\"cidr\":\"%s\",\"affinity\":\"host:%s\",\"allocations\":[%s],\"unallocated\":[%s],\"attributes\":[%s],\"sequenceNumber\":%d,\"sequenceNumberForAllocation\":{%s},\"deleted\":false}"
            .formatted(
                block,
                name(owner),
                String.join(",", allocations),
                String.join(",", free),
                String.join(",", attributes),
                sequenceNumber,
                String.join(",", numbers)));
  }

  private String holder(String handle, int node, int endpoint) {
    return "{\"handle_id\":\"%s\",\"secondary\":{\"namespace\":\"%s\",\"node\":\"%s\",\"pod\":\"%s\",\"timestamp\":\"2026-11-28 12:00:00 +0000 UTC\"}}"
        .formatted(handle, pods.namespaceNameOf(endpoint), name(node), PolicyWorld.podOf(endpoint));
  }
}
