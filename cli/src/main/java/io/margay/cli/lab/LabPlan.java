package io.margay.cli.lab;

import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Pod;
import io.margay.cli.lab.Topology.Tor;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
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

  /// Ends of unnumbered links have hardware addresses of ours, 02:00:00:00 and a number, of which
  /// the kernel makes link-local ones (RFC 4291 appendix A).
  private static final IpAddress LINK_LOCAL = IpAddress.parse("fe80::ff:fe00:0");

  private static final long FIRST_LINK_LOCAL_NODE = 0x101;

  private final String name;
  private final Topology topology;
  private final Path home;
  private final List<Link> links;
  private final List<Trunk> trunks;

  /// The subnet of a segment that all nodes share.
  private static final int SEGMENT4 = 24;

  private static final int SEGMENT6 = 112;

  /// The first node's last octet on a shared segment, as on the management network.
  private static final int FIRST_NODE_ON_SEGMENT = 11;

  /// The bridge of a router whose nodes share one segment.
  static final String SEGMENT = "br0";

  /// A cable between a router and a node: interfaces carry the other end's name.
  ///
  /// @param tor4 the router's end of the /31, even
  /// @param tor6 the router's end of the /126
  record Link(
      Tor tor, Node node, IpAddress tor4, IpAddress node4, IpAddress tor6, IpAddress node6) {}

  /// A cable between two routers.
  record Trunk(
      Tor upper,
      Tor lower,
      IpAddress upper4,
      IpAddress lower4,
      IpAddress upper6,
      IpAddress lower6) {}

  /// A BGP session of a router.
  ///
  /// @param peer the other end, and the interface that leads there
  /// @param local6 our IPv6 address on that link
  record Session(String peer, Asn peerAsn, IpAddress local, IpAddress remote, IpAddress local6) {

    boolean isIpv4() {
      return remote.family() == IpFamily.IPV4;
    }
  }

  /// @param home the lab's directory
  LabPlan(String name, Topology topology, Path home) {
    this.name = name;
    this.topology = topology;
    this.home = home;
    this.links = topology.isSegment() ? segment(topology) : links(topology);
    this.trunks = trunks(topology, links.size());
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

  private static List<Link> segment(Topology topology) {
    Tor tor = topology.tors().getFirst();
    IpAddress base4 = topology.addresses().links4().address();
    IpAddress base6 = topology.addresses().links6().address();
    List<Link> links = new ArrayList<>();
    for (Node node : topology.nodes()) {
      long own = (long) FIRST_NODE_ON_SEGMENT + links.size();
      links.add(
          new Link(tor, node, base4.plus(1), base4.plus(own), base6.plus(1), base6.plus(own)));
    }
    return List.copyOf(links);
  }

  private static List<Trunk> trunks(Topology topology, int before) {
    IpAddress base4 = topology.addresses().links4().address();
    IpAddress base6 = topology.addresses().links6().address();
    List<Trunk> trunks = new ArrayList<>();
    for (Tor lower : topology.tors()) {
      for (String upper : lower.tors()) {
        int k = before + trunks.size();
        trunks.add(
            new Trunk(
                topology.tor(upper).orElseThrow(),
                lower,
                base4.plus(2L * k),
                base4.plus(2L * k + 1),
                base6.plus(4L * k + 1),
                base6.plus(4L * k + 2)));
      }
    }
    return List.copyOf(trunks);
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

  /// The router's interfaces, each named after its other end.
  List<String> ports(Tor tor) {
    List<String> ports = new ArrayList<>();
    linksOf(tor).forEach(link -> ports.add(link.node().name()));
    for (Trunk trunk : trunks) {
      if (trunk.upper().equals(tor)) {
        ports.add(trunk.lower().name());
      } else if (trunk.lower().equals(tor)) {
        ports.add(trunk.upper().name());
      }
    }
    return ports;
  }

  /// The sessions the router has, those with nodes first.
  List<Session> sessions(Tor tor) {
    List<Session> sessions = new ArrayList<>();
    if (topology.isSegment()) {
      return sessions;
    }
    for (Link link : linksOf(tor)) {
      sessions.add(
          new Session(
              link.node().name(), link.node().asn(), torEnd(link), nodeEnd(link), link.tor6()));
    }
    boolean four = topology.addresses().has(IpFamily.IPV4);
    for (Trunk trunk : trunks) {
      IpAddress upper = four ? trunk.upper4() : trunk.upper6();
      IpAddress lower = four ? trunk.lower4() : trunk.lower6();
      if (trunk.upper().equals(tor)) {
        sessions.add(
            new Session(trunk.lower().name(), trunk.lower().asn(), upper, lower, trunk.upper6()));
      } else if (trunk.lower().equals(tor)) {
        sessions.add(
            new Session(trunk.upper().name(), trunk.upper().asn(), lower, upper, trunk.lower6()));
      }
    }
    return sessions;
  }

  List<Trunk> trunks() {
    return trunks;
  }

  boolean isUnnumbered() {
    return topology.links() == Topology.Links.UNNUMBERED;
  }

  private long number(Tor tor) {
    return 1L + topology.tors().indexOf(tor);
  }

  private long number(Node node) {
    return FIRST_LINK_LOCAL_NODE + topology.nodes().indexOf(node);
  }

  /// The hardware address of the router's unnumbered links.
  String hardwareAddress(Tor tor) {
    return hardwareAddress(number(tor));
  }

  String hardwareAddress(Node node) {
    return hardwareAddress(number(node));
  }

  private static String hardwareAddress(long number) {
    return "02:00:00:00:%02x:%02x".formatted(number >> 8, number & 0xff);
  }

  /// Where the router's session with the node ends.
  IpAddress torEnd(Link link) {
    if (isUnnumbered()) {
      return LINK_LOCAL.plus(number(link.tor()));
    }
    return topology.addresses().has(IpFamily.IPV4) ? link.tor4() : link.tor6();
  }

  /// Where the node's session with the router ends. Link-local ones differ from node to node: FRR
  /// knows neighbours by their addresses alone.
  IpAddress nodeEnd(Link link) {
    if (isUnnumbered()) {
      return LINK_LOCAL.plus(number(link.node()));
    }
    return topology.addresses().has(IpFamily.IPV4) ? link.node4() : link.node6();
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

  /// Whether the node is known by an address on `lo`, since it has several links, or none with an
  /// address.
  boolean hasOwnAddress(Node node) {
    return node.tors().size() > 1 || isUnnumbered();
  }

  /// What the node is known by: its only link's address, or one of its own on `lo`.
  IpAddress nodeAddress(Node node, IpFamily family) {
    return family == IpFamily.IPV4 ? nodeAddress4(node) : nodeAddress6(node);
  }

  /// The length of the subnet that address is in.
  int nodeAddressLength(Node node, IpFamily family) {
    return hasOwnAddress(node) ? family.bits() : linkLength(family);
  }

  int linkLength(IpFamily family) {
    boolean four = family == IpFamily.IPV4;
    return topology.isSegment() ? (four ? SEGMENT4 : SEGMENT6) : (four ? 31 : 126);
  }

  /// The same of IPv4.
  public IpAddress nodeAddress4(Node node) {
    return hasOwnAddress(node)
        ? topology.addresses().nodes4().address().plus(1L + topology.nodes().indexOf(node))
        : linksOf(node).getFirst().node4();
  }

  /// The same of IPv6.
  public IpAddress nodeAddress6(Node node) {
    return hasOwnAddress(node)
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
      urls.add(etcdUrl(member, ETCD_CLIENT_PORT));
    }
    return urls;
  }

  String etcdUrl(int member, int port) {
    IpAddress address = etcdAddress(member);
    boolean four = address.family() == IpFamily.IPV4;
    return "http://" + (four ? address : "[" + address + "]") + ":" + port;
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

  public Path runDirectory(Node node) {
    return nodeDirectory(node).resolve("run");
  }

  /// Alone in its directory, which can stand for Docker's own in a mount namespace.
  Path dockerSocket(Node node) {
    return nodeDirectory(node).resolve("docker").resolve("margay.sock");
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
}
