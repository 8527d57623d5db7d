package io.margay.cli.lab;

import io.margay.cli.lab.Topology.Bgp;
import io.margay.cli.lab.Topology.Links;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.RouterDaemon;
import io.margay.cli.lab.Topology.Tor;
import io.margay.cli.yaml.StrictYaml;
import io.margay.cli.yaml.YamlException;
import io.margay.model.net.Asn;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// The machines of a topology file: routers, nodes, and which nodes reflect.
final class MachineReader {

  static final int MAX_NODES = 64;
  static final int MAX_TORS = 8;

  /// Router and node names become interface names (15 bytes at most) and parts of namespace names.
  private static final Pattern NAME = Pattern.compile("[a-z]([a-z0-9-]{0,11}[a-z0-9])?");

  private static final String NAME_EXPECTATION =
      "a name of at most 13 lower-case letters, digits and dashes, other than mgmt, mgmt0, br0, lo,"
          + " eth0 and p-…";

  /// Interfaces and namespaces the lab makes itself.
  private static final Set<String> RESERVED = Set.of("mgmt", "mgmt0", "br0", "lo", "eth0");

  private final StrictYaml root;
  private final Bgp bgp;
  private final Links links;

  /// @param root the whole document
  MachineReader(StrictYaml root, Bgp bgp, Links links) {
    this.root = root;
    this.bgp = bgp;
    this.links = links;
  }

  static String rackName(StrictYaml name) throws YamlException {
    return name.scalar(NAME_EXPECTATION, TopologyReader.matching(NAME));
  }

  List<Tor> tors() throws YamlException {
    StrictYaml list = root.child("tors");
    List<Tor> tors = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (StrictYaml item : list.items(1, "routers")) {
      item.mappingOf("name", "daemon", "asn", "tors");
      List<String> above = tors.stream().map(Tor::name).toList();
      String name = machineName(item, names);
      List<String> linked =
          item.has("tors") ? namesOf(item.child("tors"), 0, "router", above) : List.of();
      if (links == Links.UNNUMBERED && !linked.isEmpty()) {
        throw item.child("tors").expected("no routers: unnumbered links lead to nodes only");
      }
      tors.add(new Tor(name, daemon(item), asn(item), linked));
    }
    if (tors.size() > MAX_TORS) {
      throw list.expected("at most " + MAX_TORS + " routers");
    }
    return tors;
  }

  private RouterDaemon daemon(StrictYaml item) throws YamlException {
    RouterDaemon daemon =
        item.optional(
                "daemon",
                "bird, frr or gobgp",
                text ->
                    RouterDaemon.valueOf(
                        TopologyReader.oneOf(text, "bird", "frr", "gobgp")
                            .toUpperCase(Locale.ROOT)))
            .orElse(RouterDaemon.BIRD);
    if (links == Links.UNNUMBERED && daemon != RouterDaemon.FRR) {
      throw item.child("daemon").expected("frr, since links are unnumbered");
    }
    if (bgp.bfd().isPresent() && daemon == RouterDaemon.GOBGP) {
      throw item.child("daemon").expected("bird or frr, which have BFD");
    }
    return daemon;
  }

  List<Node> nodes(List<Tor> tors) throws YamlException {
    if (!root.has("nodes")) {
      return List.of();
    }
    List<Node> nodes = new ArrayList<>();
    Set<String> names = new HashSet<>();
    Set<Asn> routers = new HashSet<>();
    Set<Asn> numbers = new HashSet<>();
    tors.forEach(tor -> names.add(tor.name()));
    tors.forEach(tor -> routers.add(tor.asn()));
    List<String> known = tors.stream().map(Tor::name).toList();
    boolean mayShare = bgp.allowOwnAs() > 0 || root.has("reflectors");
    for (StrictYaml item : root.child("nodes").items(0, "nodes")) {
      item.mappingOf("name", "asn", "tors");
      String name = machineName(item, names);
      Asn asn = asn(item);
      boolean isShared = !numbers.add(asn) && !mayShare;
      if (isShared || routers.contains(asn)) {
        // RFC 4271 §9.1.2: a node would drop what another of the same AS announces as a loop.
        throw item.child("asn").expected("an AS number no other router or node has");
      }
      nodes.add(new Node(name, asn, namesOf(item.child("tors"), 1, "router", known)));
    }
    if (nodes.size() > MAX_NODES) {
      throw root.child("nodes").expected("at most " + MAX_NODES + " nodes");
    }
    return nodes;
  }

  /// The names of the nodes that reflect; with some, the rack has to be one segment of one AS.
  List<String> reflectors(List<Tor> tors, List<Node> nodes) throws YamlException {
    if (!root.has("reflectors")) {
      return List.of();
    }
    StrictYaml list = root.child("reflectors");
    List<String> known = nodes.stream().map(Node::name).toList();
    List<String> reflectors = namesOf(list, 1, "node", known);
    if (tors.size() != 1 || links == Links.UNNUMBERED) {
      throw list.expected("one router and numbered links beside it");
    }
    if (nodes.stream().map(Node::asn).distinct().count() != 1) {
      throw list.expected("nodes of one AS beside it");
    }
    if (bgp.bfd().isPresent()) {
      throw list.expected("no bgp.bfd beside it: nodes that share a segment have no link to watch");
    }
    return reflectors;
  }

  private static List<String> namesOf(StrictYaml list, int least, String what, List<String> known)
      throws YamlException {
    List<String> named = new ArrayList<>();
    for (StrictYaml item : list.items(least, what + "s' names")) {
      String name =
          item.scalar(
              known.isEmpty()
                  ? "nothing, since there is no " + what + " before it"
                  : "one of " + String.join(", ", known),
              text -> TopologyReader.oneOf(text, known.toArray(String[]::new)));
      if (named.contains(name)) {
        throw item.expected("each " + what + " once");
      }
      named.add(name);
    }
    return named;
  }

  private static String machineName(StrictYaml item, Set<String> taken) throws YamlException {
    String name =
        item.child("name")
            .scalar(
                NAME_EXPECTATION,
                text -> {
                  if (RESERVED.contains(text) || text.startsWith("p-")) {
                    throw new IllegalArgumentException(text);
                  }
                  return TopologyReader.matching(NAME).apply(text);
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
}
