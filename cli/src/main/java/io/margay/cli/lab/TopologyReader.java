package io.margay.cli.lab;

import io.margay.cli.lab.Topology.Addresses;
import io.margay.cli.lab.Topology.Bgp;
import io.margay.cli.lab.Topology.Links;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Pod;
import io.margay.cli.lab.Topology.Pool;
import io.margay.cli.lab.Topology.Port;
import io.margay.cli.lab.Topology.Tor;
import io.margay.cli.yaml.StrictYaml;
import io.margay.cli.yaml.YamlException;
import io.margay.cni.SelfReclaim;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
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

  /// As `numAllowedLocalASNumbers` of a BGPPeer.
  private static final int MAX_OWN_AS = 10;

  private static final Pattern POD_NAME = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
  private static final List<String> LEVELS = List.of("error", "warn", "info", "debug", "trace");
  private static final Addresses DEFAULT_ADDRESSES =
      new Addresses(
          EnumSet.allOf(IpFamily.class),
          Prefix.parse("10.0.0.0/16"),
          Prefix.parse("fd00:100::/48"),
          Prefix.parse("10.1.0.0/24"),
          Prefix.parse("fd00:101::/64"),
          Prefix.parse("172.31.0.0/24"));

  /// The management network of a rack without IPv4.
  private static final Prefix IPV6_MANAGEMENT = Prefix.parse("fd00:102::/64");

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
            "links",
            "tors",
            "nodes",
            "reflectors",
            "pools",
            "namespaces",
            "ports",
            "pods",
            "agent");
    String name = MachineReader.rackName(root.child("name"));
    Addresses addresses = addresses(root);
    Bgp bgp = bgp(root);
    Links links = links(root);
    MachineReader machines = new MachineReader(root, bgp, links);
    List<Tor> tors = machines.tors();
    List<Node> nodes = machines.nodes(tors);
    List<String> reflectors = machines.reflectors(tors, nodes);
    List<Pool> pools = pools(root, addresses, links);
    Map<String, Map<String, String>> namespaces = namespaces(root);
    List<Port> ports = root.has("ports") ? ports(root.child("ports")) : List.of();
    List<Pod> pods = pods(root, nodes, namespaces, ports);
    return new Topology(
        name,
        etcdMembers(root),
        addresses,
        bgp,
        links,
        tors,
        nodes,
        reflectors,
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
        root.child("addresses")
            .mappingOf("families", "links4", "links6", "nodes4", "nodes6", "management");
    Addresses fallback = DEFAULT_ADDRESSES;
    Set<IpFamily> families = families(given);
    boolean hasIpv4 = families.contains(IpFamily.IPV4);
    return new Addresses(
        families,
        range(given, "links4", IpFamily.IPV4, 20, fallback.links4()),
        range(given, "links6", IpFamily.IPV6, 112, fallback.links6()),
        range(given, "nodes4", IpFamily.IPV4, 24, fallback.nodes4()),
        range(given, "nodes6", IpFamily.IPV6, 112, fallback.nodes6()),
        hasIpv4
            ? range(given, "management", IpFamily.IPV4, 24, fallback.management())
            : range(given, "management", IpFamily.IPV6, 112, IPV6_MANAGEMENT));
  }

  private static Set<IpFamily> families(StrictYaml addresses) throws YamlException {
    if (!addresses.has("families")) {
      return EnumSet.allOf(IpFamily.class);
    }
    Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);
    for (StrictYaml item : addresses.child("families").items(1, "IPv4 and IPv6")) {
      IpFamily family =
          item.scalar(
              "IPv4 or IPv6",
              text -> oneOf(text, "IPv4", "IPv6").equals("IPv4") ? IpFamily.IPV4 : IpFamily.IPV6);
      if (!families.add(family)) {
        throw item.expected("each family once");
      }
    }
    return families;
  }

  private static Links links(StrictYaml root) throws YamlException {
    return root.optional(
            "links", "numbered or unnumbered", text -> oneOf(text, "numbered", "unnumbered"))
        .map(text -> text.equals("numbered") ? Links.NUMBERED : Links.UNNUMBERED)
        .orElse(Links.NUMBERED);
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
    StrictYaml given =
        root.child("bgp").mappingOf("holdSeconds", "gracefulRestart", "bfd", "allowOwnAs");
    return new Bgp(
        given.number("holdSeconds", 9, 3, 65535),
        given.truth("gracefulRestart", true),
        given.optional(
            "bfd",
            "interval and multiplier like \"300ms x 3\", 50ms to 60000ms and 2 to 255",
            Topology.Bfd::parse),
        given.number("allowOwnAs", 0, 0, MAX_OWN_AS));
  }

  private static Topology.Agent agent(StrictYaml root) throws YamlException {
    int reclaimAfterSeconds = (int) SelfReclaim.DEFAULT_GRACE.toSeconds();
    if (!root.has("agent")) {
      return new Topology.Agent("info", reclaimAfterSeconds, false);
    }
    StrictYaml given = root.child("agent").mappingOf("log", "reclaimAfterSeconds", "docker");
    return new Topology.Agent(
        given
            .optional(
                "log",
                "one of " + String.join(", ", LEVELS),
                text -> oneOf(text, LEVELS.toArray(String[]::new)))
            .orElse("info"),
        given.number("reclaimAfterSeconds", reclaimAfterSeconds, 1, 3600),
        given.truth("docker", false));
  }

  private static List<Pool> pools(StrictYaml root, Addresses addresses, Links links)
      throws YamlException {
    if (!root.has("pools")) {
      return DEFAULT_POOLS.stream().filter(pool -> addresses.has(pool.cidr().family())).toList();
    }
    List<Pool> pools = new ArrayList<>();
    for (StrictYaml item : root.child("pools").items(0, "pools")) {
      item.mappingOf("cidr", "blockSize", "vxlanMode");
      Prefix cidr = item.child("cidr").scalar("a prefix without host bits", Prefix::parse);
      if (!addresses.has(cidr.family())) {
        throw item.child("cidr").expected("a prefix of a family in addresses.families");
      }
      for (Pool earlier : pools) {
        if (earlier.cidr().overlaps(cidr)) {
          throw item.child("cidr").expected("a prefix that does not overlap " + earlier.cidr());
        }
      }
      boolean four = cidr.family() == IpFamily.IPV4;
      int least = Math.max(cidr.length(), four ? 20 : 116);
      int most = four ? 32 : 128;
      int fallback = Math.max(least, four ? 26 : 122);
      String[] modes = {Pool.NEVER, "Always", "CrossSubnet"};
      pools.add(
          new Pool(
              cidr,
              item.number("blockSize", fallback, least, most),
              item.optional(
                      "vxlanMode", "one of " + String.join(", ", modes), text -> oneOf(text, modes))
                  .orElse(Pool.NEVER)));
      if (pools.getLast().isWrapped() && links == Links.UNNUMBERED) {
        throw item.child("vxlanMode").expected("Never, since unnumbered links route to no node");
      }
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

  static String oneOf(String text, String... allowed) {
    if (!List.of(allowed).contains(text)) {
      throw new IllegalArgumentException(text);
    }
    return text;
  }

  static Function<String, String> matching(Pattern pattern) {
    return text -> {
      if (!pattern.matcher(text).matches()) {
        throw new IllegalArgumentException(text);
      }
      return text;
    };
  }
}
