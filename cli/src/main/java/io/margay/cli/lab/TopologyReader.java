package io.margay.cli.lab;

import io.margay.cli.lab.Topology.Addresses;
import io.margay.cli.lab.Topology.Bgp;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Pod;
import io.margay.cli.lab.Topology.Pool;
import io.margay.cli.lab.Topology.Port;
import io.margay.cli.lab.Topology.RouterDaemon;
import io.margay.cli.lab.Topology.Tor;
import io.margay.cli.yaml.StrictYaml;
import io.margay.cli.yaml.YamlException;
import io.margay.cni.SelfReclaim;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/// Topology file → [Topology]: all that can be wrong with one is found here, before anything is
/// created.
final class TopologyReader {

  /// Rows and columns of a matrix are named by one letter or digit each.
  static final int MAX_PODS = 62;

  static final int MAX_NODES = 64;
  static final int MAX_TORS = 8;

  /// Router and node names become interface names (15 bytes at most) and parts of namespace names.
  private static final Pattern MACHINE_NAME = Pattern.compile("[a-z]([a-z0-9-]{0,11}[a-z0-9])?");

  private static final Pattern POD_NAME = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
  private static final String MACHINE_EXPECTATION =
      "a name of at most 13 lower-case letters, digits and dashes, other than mgmt, mgmt0, br0, lo,"
          + " eth0 and p-…";

  /// Interfaces and namespaces the lab makes itself.
  private static final Set<String> RESERVED = Set.of("mgmt", "mgmt0", "br0", "lo", "eth0");

  private static final List<String> LEVELS = List.of("error", "warn", "info", "debug", "trace");
  private static final Addresses DEFAULT_ADDRESSES =
      new Addresses(
          Prefix.parse("10.0.0.0/16"),
          Prefix.parse("fd00:100::/48"),
          Prefix.parse("10.1.0.0/24"),
          Prefix.parse("fd00:101::/64"),
          Prefix.parse("172.31.0.0/24"));
  private static final List<Pool> DEFAULT_POOLS =
      List.of(
          new Pool(Prefix.parse("10.65.0.0/16"), 26), new Pool(Prefix.parse("fd00:65::/48"), 122));

  private TopologyReader() {}

  static Topology read(Path file) throws TopologyException {
    String text;
    try {
      text = Files.readString(file);
    } catch (IOException unreadable) {
      throw new TopologyException(
          file
              + ": expected a readable topology file, got "
              + unreadable.getClass().getSimpleName());
    }
    return parse(file.toString(), text);
  }

  static Topology parse(String source, String text) throws TopologyException {
    try {
      return topology(StrictYaml.parse(source, text));
    } catch (YamlException wrong) {
      throw new TopologyException(String.valueOf(wrong.getMessage()));
    }
  }

  private static Topology topology(StrictYaml document) throws YamlException {
    StrictYaml root =
        document.mappingOf(
            "name",
            "etcd",
            "addresses",
            "bgp",
            "tors",
            "nodes",
            "pools",
            "namespaces",
            "ports",
            "pods",
            "agent");
    String name = root.child("name").scalar(MACHINE_EXPECTATION, matching(MACHINE_NAME));
    List<Tor> tors = tors(root.child("tors"));
    List<Node> nodes = nodes(root, tors);
    List<Pool> pools = root.has("pools") ? pools(root.child("pools")) : DEFAULT_POOLS;
    Map<String, Map<String, String>> namespaces = namespaces(root);
    List<Port> ports = root.has("ports") ? ports(root.child("ports")) : List.of();
    List<Pod> pods = pods(root, nodes, namespaces, ports);
    return new Topology(
        name,
        etcdMembers(root),
        addresses(root),
        bgp(root),
        tors,
        nodes,
        pools,
        namespaces,
        pods,
        agent(root));
  }

  private static int etcdMembers(StrictYaml root) throws YamlException {
    if (!root.has("etcd")) {
      return 1;
    }
    return root.child("etcd")
        .mappingOf("members")
        .optional("members", "1 or 3", text -> Integer.parseInt(oneOf(text, "1", "3")))
        .orElse(1);
  }

  private static Addresses addresses(StrictYaml root) throws YamlException {
    if (!root.has("addresses")) {
      return DEFAULT_ADDRESSES;
    }
    StrictYaml given =
        root.child("addresses").mappingOf("links4", "links6", "nodes4", "nodes6", "management");
    Addresses fallback = DEFAULT_ADDRESSES;
    return new Addresses(
        range(given, "links4", IpFamily.IPV4, 20, fallback.links4()),
        range(given, "links6", IpFamily.IPV6, 112, fallback.links6()),
        range(given, "nodes4", IpFamily.IPV4, 24, fallback.nodes4()),
        range(given, "nodes6", IpFamily.IPV6, 112, fallback.nodes6()),
        range(given, "management", IpFamily.IPV4, 24, fallback.management()));
  }

  private static Prefix range(
      StrictYaml given, String key, IpFamily family, int longest, Prefix fallback)
      throws YamlException {
    String word = family == IpFamily.IPV4 ? "an IPv4" : "an IPv6";
    return given
        .optional(
            key,
            word + " prefix of length " + longest + " or shorter",
            text -> {
              Prefix prefix = Prefix.parse(text);
              if (prefix.family() != family || prefix.length() > longest) {
                throw new IllegalArgumentException(text);
              }
              return prefix;
            })
        .orElse(fallback);
  }

  private static Bgp bgp(StrictYaml root) throws YamlException {
    if (!root.has("bgp")) {
      return new Bgp(9, true);
    }
    StrictYaml given = root.child("bgp").mappingOf("holdSeconds", "gracefulRestart");
    return new Bgp(given.number("holdSeconds", 9, 3, 65535), given.truth("gracefulRestart", true));
  }

  private static Topology.Agent agent(StrictYaml root) throws YamlException {
    int reclaimAfterSeconds = (int) SelfReclaim.DEFAULT_GRACE.toSeconds();
    if (!root.has("agent")) {
      return new Topology.Agent("info", reclaimAfterSeconds);
    }
    StrictYaml given = root.child("agent").mappingOf("log", "reclaimAfterSeconds");
    return new Topology.Agent(
        given
            .optional(
                "log",
                "one of " + String.join(", ", LEVELS),
                text -> oneOf(text, LEVELS.toArray(String[]::new)))
            .orElse("info"),
        given.number("reclaimAfterSeconds", reclaimAfterSeconds, 1, 3600));
  }

  private static List<Tor> tors(StrictYaml list) throws YamlException {
    List<Tor> tors = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (StrictYaml item : list.items(1, "routers")) {
      item.mappingOf("name", "daemon", "asn");
      String name = machineName(item, names);
      RouterDaemon daemon =
          item.optional(
                  "daemon",
                  "bird, frr or gobgp",
                  text ->
                      switch (text) {
                        case "bird" -> RouterDaemon.BIRD;
                        case "frr" -> RouterDaemon.FRR;
                        case "gobgp" -> RouterDaemon.GOBGP;
                        default -> throw new IllegalArgumentException(text);
                      })
              .orElse(RouterDaemon.BIRD);
      tors.add(new Tor(name, daemon, asn(item)));
    }
    if (tors.size() > MAX_TORS) {
      throw list.expected("at most " + MAX_TORS + " routers");
    }
    return tors;
  }

  private static List<Node> nodes(StrictYaml root, List<Tor> tors) throws YamlException {
    if (!root.has("nodes")) {
      return List.of();
    }
    List<Node> nodes = new ArrayList<>();
    Set<String> names = new HashSet<>();
    Set<Asn> numbers = new HashSet<>();
    tors.forEach(tor -> names.add(tor.name()));
    tors.forEach(tor -> numbers.add(tor.asn()));
    List<String> known = tors.stream().map(Tor::name).toList();
    for (StrictYaml item : root.child("nodes").items(0, "nodes")) {
      item.mappingOf("name", "asn", "tors");
      String name = machineName(item, names);
      Asn asn = asn(item);
      if (!numbers.add(asn)) {
        // RFC 4271 §9.1.2: a node would drop what another of the same AS announces as a loop.
        throw item.child("asn").expected("an AS number no other router or node has");
      }
      List<String> linked = new ArrayList<>();
      for (StrictYaml tor : item.child("tors").items(1, "routers' names")) {
        String peer =
            tor.scalar(
                "one of " + String.join(", ", known),
                text -> oneOf(text, known.toArray(String[]::new)));
        if (linked.contains(peer)) {
          throw tor.expected("each router once");
        }
        linked.add(peer);
      }
      nodes.add(new Node(name, asn, linked));
    }
    if (nodes.size() > MAX_NODES) {
      throw root.child("nodes").expected("at most " + MAX_NODES + " nodes");
    }
    return nodes;
  }

  private static String machineName(StrictYaml item, Set<String> taken) throws YamlException {
    String name =
        item.child("name")
            .scalar(
                MACHINE_EXPECTATION,
                text -> {
                  if (RESERVED.contains(text) || text.startsWith("p-")) {
                    throw new IllegalArgumentException(text);
                  }
                  return matching(MACHINE_NAME).apply(text);
                });
    if (!taken.add(name)) {
      throw item.child("name").expected("a name no other router, node or pod has");
    }
    return name;
  }

  private static Asn asn(StrictYaml item) throws YamlException {
    return item.child("asn")
        .scalar(
            "an AS number, 1 to 4294967294",
            text -> {
              Asn asn = Asn.parse(text);
              // RFC 7607 and RFC 7300 reserve the ends.
              if (asn.toLong() == 0 || asn.toLong() == 0xffff_ffffL) {
                throw new IllegalArgumentException(text);
              }
              return asn;
            });
  }

  private static List<Pool> pools(StrictYaml list) throws YamlException {
    List<Pool> pools = new ArrayList<>();
    for (StrictYaml item : list.items(0, "pools")) {
      item.mappingOf("cidr", "blockSize");
      Prefix cidr = item.child("cidr").scalar("a prefix without host bits", Prefix::parse);
      for (Pool earlier : pools) {
        if (earlier.cidr().overlaps(cidr)) {
          throw item.child("cidr").expected("a prefix that does not overlap " + earlier.cidr());
        }
      }
      boolean four = cidr.family() == IpFamily.IPV4;
      int least = Math.max(cidr.length(), four ? 20 : 116);
      int most = four ? 32 : 128;
      int fallback = Math.max(least, four ? 26 : 122);
      pools.add(new Pool(cidr, item.number("blockSize", fallback, least, most)));
    }
    return pools;
  }

  private static Map<String, Map<String, String>> namespaces(StrictYaml root) throws YamlException {
    Map<String, Map<String, String>> namespaces = new LinkedHashMap<>();
    if (!root.has("namespaces")) {
      return namespaces;
    }
    for (StrictYaml item : root.child("namespaces").items(0, "namespaces")) {
      item.mappingOf("name", "labels");
      String name = item.child("name").scalar("a DNS label", matching(POD_NAME));
      if (namespaces.put(name, item.texts("labels")) != null) {
        throw item.child("name").expected("each namespace once");
      }
    }
    return namespaces;
  }

  private static List<Pod> pods(
      StrictYaml root,
      List<Node> nodes,
      Map<String, Map<String, String>> namespaces,
      List<Port> ports)
      throws YamlException {
    if (!root.has("pods")) {
      return List.of();
    }
    List<Pod> pods = new ArrayList<>();
    Set<String> names = new HashSet<>();
    nodes.forEach(node -> names.add(node.name()));
    List<String> known = nodes.stream().map(Node::name).toList();
    for (StrictYaml item : root.child("pods").items(0, "pods")) {
      item.mappingOf("name", "namespace", "node", "labels", "ports");
      String name = item.child("name").scalar("a DNS label", matching(POD_NAME));
      if (!names.add(name)) {
        throw item.child("name").expected("a name no other router, node or pod has");
      }
      String namespace = item.child("namespace").scalar("a DNS label", matching(POD_NAME));
      namespaces.putIfAbsent(namespace, Map.of());
      String node =
          item.child("node")
              .scalar(
                  "one of " + String.join(", ", known),
                  text -> oneOf(text, known.toArray(String[]::new)));
      List<Port> own = item.has("ports") ? ports(item.child("ports")) : ports;
      pods.add(new Pod(name, namespace, node, item.texts("labels"), own));
    }
    if (pods.size() > MAX_PODS) {
      throw root.child("pods").expected("at most " + MAX_PODS + " pods");
    }
    return pods;
  }

  private static List<Port> ports(StrictYaml list) throws YamlException {
    List<Port> ports = new ArrayList<>();
    for (StrictYaml item : list.items(0, "ports")) {
      ports.add(item.scalar("a port like 80/tcp or 53/udp", Port::parse));
    }
    return ports;
  }

  private static String oneOf(String text, String... allowed) {
    if (!List.of(allowed).contains(text)) {
      throw new IllegalArgumentException(text);
    }
    return text;
  }

  private static Function<String, String> matching(Pattern pattern) {
    return text -> {
      if (!pattern.matcher(text).matches()) {
        throw new IllegalArgumentException(text);
      }
      return text;
    };
  }
}
