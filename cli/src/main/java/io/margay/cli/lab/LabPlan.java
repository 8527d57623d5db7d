package io.margay.cli.lab;

import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Pod;
import io.margay.cli.lab.Topology.Tor;
import io.margay.model.net.IpAddress;
import io.margay.model.net.RouterId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A raised rack on paper: every namespace, link, address, file and URL of lab `name`, as a
/// function of the topology alone. Whatever is created is named here first.
public final class LabPlan {

  static final String PREFIX = "mgy-";
  static final String MANAGEMENT_INTERFACE = "mgmt0";
  static final int ETCD_CLIENT_PORT = 2379;
  static final int ETCD_PEER_PORT = 2380;

  /// The first node's last octet on the management network; etcd members take 1 to 3.
  private static final int FIRST_NODE_ON_MANAGEMENT = 11;

  private final String name;
  private final Topology topology;
  private final Path home;
  private final List<Link> links;

  /// A cable between a router and a node: interfaces carry the other end's name.
  ///
  /// @param tor4 the router's end of the /31, even
  /// @param tor6 the router's end of the /126
  record Link(
      Tor tor, Node node, IpAddress tor4, IpAddress node4, IpAddress tor6, IpAddress node6) {}

  /// @param home the lab's directory
  LabPlan(String name, Topology topology, Path home) {
    this.name = name;
    this.topology = topology;
    this.home = home;
    this.links = links(topology);
  }

  private static List<Link> links(Topology topology) {
    List<Link> links = new ArrayList<>();
    IpAddress base4 = topology.addresses().links4().address();
    IpAddress base6 = topology.addresses().links6().address();
    for (Node node : topology.nodes()) {
      for (String peer : node.tors()) {
        Tor tor = topology.tor(peer).orElseThrow();
        int k = links.size();
        links.add(
            new Link(
                tor,
                node,
                base4.plus(2L * k),
                base4.plus(2L * k + 1),
                base6.plus(4L * k + 1),
                base6.plus(4L * k + 2)));
      }
    }
    return List.copyOf(links);
  }

  public String name() {
    return name;
  }

  public Topology topology() {
    return topology;
  }

  Path home() {
    return home;
  }

  /// Where all files of the lab are.
  public Path directory() {
    return home;
  }

  List<Link> links() {
    return links;
  }

  List<Link> linksOf(Node node) {
    return links.stream().filter(link -> link.node().equals(node)).toList();
  }

  List<Link> linksOf(Tor tor) {
    return links.stream().filter(link -> link.tor().equals(tor)).toList();
  }

  /// The namespace of a router or node.
  public String machineNamespace(String machine) {
    return PREFIX + name + "-" + machine;
  }

  public String podNamespace(Pod pod) {
    return PREFIX + name + "-p-" + pod.name();
  }

  public String managementNamespace() {
    return PREFIX + name + "-mgmt";
  }

  /// Every namespace of the lab.
  List<String> namespaces() {
    List<String> all = new ArrayList<>();
    all.add(managementNamespace());
    topology.tors().forEach(tor -> all.add(machineNamespace(tor.name())));
    topology.nodes().forEach(node -> all.add(machineNamespace(node.name())));
    topology.pods().forEach(pod -> all.add(podNamespace(pod)));
    return all;
  }

  boolean isMultihomed(Node node) {
    return node.tors().size() > 1;
  }

  /// What the node is known by: its only link's address, or one of its own on `lo`.
  public IpAddress nodeAddress4(Node node) {
    return isMultihomed(node)
        ? topology.addresses().nodes4().address().plus(1L + topology.nodes().indexOf(node))
        : linksOf(node).getFirst().node4();
  }

  public IpAddress nodeAddress6(Node node) {
    return isMultihomed(node)
        ? topology.addresses().nodes6().address().plus(1L + topology.nodes().indexOf(node))
        : linksOf(node).getFirst().node6();
  }

  RouterId routerId(Tor tor) {
    int index = topology.tors().indexOf(tor);
    return RouterId.parse("192.0.2." + (index + 1));
  }

  IpAddress etcdAddress(int member) {
    return topology.addresses().management().address().plus(1L + member);
  }

  IpAddress managementAddress(Node node) {
    return topology
        .addresses()
        .management()
        .address()
        .plus(FIRST_NODE_ON_MANAGEMENT + topology.nodes().indexOf(node));
  }

  /// URLs that hold inside the nodes' namespaces and the management namespace.
  public List<String> etcdUrls() {
    List<String> urls = new ArrayList<>();
    for (int member = 0; member < topology.etcdMembers(); member++) {
      urls.add("http://" + etcdAddress(member) + ":" + ETCD_CLIENT_PORT);
    }
    return urls;
  }

  Path etcdDirectory(int member) {
    return home.resolve("etcd").resolve("m" + member);
  }

  /// Where the router's configuration, control socket and log are.
  public Path torDirectory(Tor tor) {
    return home.resolve("tors").resolve(tor.name());
  }

  public Path nodeDirectory(Node node) {
    return home.resolve("nodes").resolve(node.name());
  }

  public Path stateDirectory(Node node) {
    return nodeDirectory(node).resolve("state");
  }

  Path runDirectory(Node node) {
    return nodeDirectory(node).resolve("run");
  }

  Path conflist(Node node) {
    return nodeDirectory(node).resolve("cni").resolve("05-margay.conflist");
  }

  Path request(Node node) {
    return nodeDirectory(node).resolve("cni").resolve("request.json");
  }

  /// A protocol name BIRD takes: letters, digits, underscores.
  public static String birdName(String machine) {
    return machine.replace('-', '_').toLowerCase(Locale.ROOT);
  }

  /// Network interfaces, addresses and routes as `ip -n NAMESPACE -batch -` reads them. Links are
  /// created by the router's and the node's own lists; the order of namespaces is that of
  /// [#namespaces()].
  String managementBatch() {
    int length = topology.addresses().management().length();
    StringBuilder batch = new StringBuilder("link set dev lo up\nlink add name br0 type bridge\n");
    for (int member = 0; member < topology.etcdMembers(); member++) {
      batch.append("addr add %s/%d dev br0\n".formatted(etcdAddress(member), length));
    }
    batch.append("link set dev br0 up\n");
    for (Node node : topology.nodes()) {
      batch.append(
          "link add name %s master br0 up type veth peer name %s netns %s\n"
              .formatted(node.name(), MANAGEMENT_INTERFACE, machineNamespace(node.name())));
    }
    return batch.toString();
  }

  String torBatch(Tor tor) {
    StringBuilder batch = new StringBuilder("link set dev lo up\n");
    for (Link link : linksOf(tor)) {
      String node = link.node().name();
      batch.append(
          "link add name %s type veth peer name %s netns %s\n"
              .formatted(node, tor.name(), machineNamespace(node)));
      batch.append("addr add %s/31 dev %s\n".formatted(link.tor4(), node));
      batch.append("addr add %s/126 dev %s nodad\n".formatted(link.tor6(), node));
      batch.append("link set dev %s up\n".formatted(node));
    }
    return batch.toString();
  }

  String nodeBatch(Node node) {
    int length = topology.addresses().management().length();
    StringBuilder batch = new StringBuilder("link set dev lo up\n");
    batch.append(
        "addr add %s/%d dev %s\nlink set dev %s up\n"
            .formatted(
                managementAddress(node), length, MANAGEMENT_INTERFACE, MANAGEMENT_INTERFACE));
    for (Link link : linksOf(node)) {
      String tor = link.tor().name();
      batch.append("addr add %s/31 dev %s\n".formatted(link.node4(), tor));
      batch.append("addr add %s/126 dev %s nodad\n".formatted(link.node6(), tor));
      batch.append("link set dev %s up\n".formatted(tor));
    }
    if (isMultihomed(node)) {
      batch.append("addr add %s/32 dev lo\n".formatted(nodeAddress4(node)));
      batch.append("addr add %s/128 dev lo\n".formatted(nodeAddress6(node)));
    }
    return batch.toString();
  }
}
