package io.margay.cli.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TopologyReaderTest {

  private static final Path SHIPPED =
      Path.of(
              System.getProperty(
                  "margay.root", Path.of("..").toAbsolutePath().normalize().toString()))
          .resolve("deploy/lab");

  private static final String TORS = "tors: [{name: t1, asn: 64601}]";
  private static final String NODES = "nodes: [{name: n1, asn: 65001, tors: [t1]}]";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "single-node.yaml",
        "rack.yaml",
        "dual-tor.yaml",
        "dual-tor-bfd.yaml",
        "as-per-rack.yaml",
        "reflectors.yaml",
        "unnumbered.yaml",
        "ipv6-only.yaml",
        "overlay.yaml",
        "train.yaml"
      })
  void shipped_topologies_are_valid(String file) throws TopologyException {
    assertThat(Topology.read(SHIPPED.resolve(file)).nodes()).isNotEmpty();
  }

  @Test
  void the_demo_racks_hold_twelve_pods_in_three_namespaces_on_three_nodes()
      throws TopologyException {
    Topology rack = Topology.read(SHIPPED.resolve("rack.yaml"));
    Topology pair = Topology.read(SHIPPED.resolve("dual-tor.yaml"));
    assertThat(rack.pods()).hasSize(12).isEqualTo(pair.pods());
    assertThat(rack.namespaces().keySet()).containsExactly("web", "api", "db");
    assertThat(rack.pods().stream().map(Topology.Pod::node).distinct()).hasSize(3);
    assertThat(pair.nodes())
        .allSatisfy(node -> assertThat(node.tors()).containsExactly("tor1", "tor2"));
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "name: r; TORS; colour: red | colour: expected one of addresses, agent, bgp, etcd, links,"
            + " name, namespaces, nodes, pods, pools, ports, reflectors, tors, got the unknown key"
            + " \"colour\"",
        "TORS | name: expected a name of at most 13 lower-case letters, digits and dashes, other"
            + " than mgmt, mgmt0, br0, lo, eth0 and p-…, got nothing",
        "name: r | tors: expected a list of at least 1 of routers, got nothing",
        "name: r; tors: [] | tors: expected a list of at least 1 of routers, got []",
        "name: r; tors: [{name: t1, asn: 0}] | tors[0].asn: expected an AS number, 1 to 4294967294,"
            + " got 0",
        "name: r; tors: [{name: t1, asn: many}] | tors[0].asn: expected an AS number, 1 to"
            + " 4294967294, got \"many\"",
        "name: r; tors: [{name: t1, daemon: quagga, asn: 1}] | tors[0].daemon: expected bird, frr"
            + " or gobgp, got \"quagga\"",
        "name: r; tors: [{name: mgmt, asn: 1}] | tors[0].name: expected a name of at most 13"
            + " lower-case letters, digits and dashes, other than mgmt, mgmt0, br0, lo, eth0 and"
            + " p-…, got \"mgmt\"",
        "name: r; tors: [{name: t1, asn: 1, x: 2}] | tors[0].x: expected one of asn, daemon, name,"
            + " tors, got the unknown key \"x\"",
        "name: r; TORS; etcd: {members: 2} | etcd.members: expected 1 or 3, got 2",
        "name: r; TORS; bgp: {holdSeconds: 1} | bgp.holdSeconds: expected a whole number, 3 to"
            + " 65535, got 1",
        "name: r; TORS; bgp: {gracefulRestart: maybe} | bgp.gracefulRestart: expected true or"
            + " false, got \"maybe\"",
        "name: r; TORS; nodes: [{name: n1, asn: 64601, tors: [t1]}] | nodes[0].asn: expected an AS"
            + " number no other router or node has, got 64601",
        "name: r; TORS; nodes: [{name: n1, asn: 2, tors: [t9]}] | nodes[0].tors[0]: expected one of"
            + " t1, got \"t9\"",
        "name: r; TORS; nodes: [{name: n1, asn: 2, tors: [t1, t1]}] | nodes[0].tors[1]: expected"
            + " each router once, got \"t1\"",
        "name: r; TORS; nodes: [{name: t1, asn: 2, tors: [t1]}] | nodes[0].name: expected a name no"
            + " other router, node or pod has, got \"t1\"",
        "name: r; TORS; pools: [{cidr: 10.65.0.1/16}] | pools[0].cidr: expected a prefix without"
            + " host bits, got \"10.65.0.1/16\"",
        "name: r; TORS; pools: [{cidr: 10.65.0.0/16, blockSize: 15}] | pools[0].blockSize: expected"
            + " a whole number, 20 to 32, got 15",
        "name: r; TORS; pools: [{cidr: 10.65.0.0/16, vxlanMode: Perhaps}] | pools[0].vxlanMode:"
            + " expected one of Never, Always, CrossSubnet, got \"Perhaps\"",
        "name: r; TORS; pools: [{cidr: 10.0.0.0/8}, {cidr: 10.1.0.0/16}] | pools[1].cidr: expected"
            + " a prefix that does not overlap 10.0.0.0/8, got \"10.1.0.0/16\"",
        "name: r; TORS; addresses: {links4: 'fd00::/48'} | addresses.links4: expected an IPv4"
            + " prefix of length 20 or shorter, got \"fd00::/48\"",
        "name: r; TORS; addresses: {management: 10.0.0.0/30} | addresses.management: expected an"
            + " IPv4 prefix of length 24 or shorter, got \"10.0.0.0/30\"",
        "name: r; TORS; NODES; pods: [{name: p, namespace: web, node: n2}] | pods[0].node: expected"
            + " one of n1, got \"n2\"",
        "name: r; TORS; NODES; pods: [{name: p, namespace: web, node: n1, ports: [80]}] |"
            + " pods[0].ports[0]: expected a port like 80/tcp or 53/udp, got 80",
        "name: r; TORS; NODES; pods: [{name: p, namespace: web, node: n1, labels: [a]}] |"
            + " pods[0].labels: expected a mapping of texts, got [\"a\"]",
        "name: r; TORS; NODES; pods: [{name: n1, namespace: web, node: n1}] | pods[0].name:"
            + " expected a name no other router, node or pod has, got \"n1\"",
        "name: r; TORS; bgp: {bfd: often} | bgp.bfd: expected interval and multiplier like \"300ms"
            + " x 3\", 50ms to 60000ms and 2 to 255, got \"often\"",
        "name: r; TORS; bgp: {bfd: 10ms x 3} | bgp.bfd: expected interval and multiplier like"
            + " \"300ms x 3\", 50ms to 60000ms and 2 to 255, got \"10ms x 3\"",
        "name: r; tors: [{name: t1, daemon: gobgp, asn: 1}]; bgp: {bfd: 300ms x 3} |"
            + " tors[0].daemon: expected bird or frr, which have BFD, got \"gobgp\"",
        "name: r; TORS; bgp: {allowOwnAs: 11} | bgp.allowOwnAs: expected a whole number, 0 to 10,"
            + " got 11",
        "name: r; TORS; bgp: {allowOwnAs: 1}; nodes: [{name: n1, asn: 64601, tors: [t1]}] |"
            + " nodes[0].asn: expected an AS number no other router or node has, got 64601",
        "name: r; TORS; nodes: [{name: n1, asn: 2, tors: [t1]}, {name: n2, asn: 2, tors: [t1]}] |"
            + " nodes[1].asn: expected an AS number no other router or node has, got 2",
        "name: r; TORS; links: none | links: expected numbered or unnumbered, got \"none\"",
        "name: r; TORS; links: unnumbered | tors[0].daemon: expected frr, since links are"
            + " unnumbered, got nothing",
        "name: r; tors: [{name: s, daemon: frr, asn: 1}, {name: t, daemon: frr, asn: 2, tors: [s]}]"
            + "; links: unnumbered | tors[1].tors: expected no routers: unnumbered links lead to"
            + " nodes only, got [\"s\"]",
        "name: r; tors: [{name: t, asn: 2, tors: [s]}, {name: s, asn: 1}] | tors[0].tors[0]:"
            + " expected nothing, since there is no router before it, got \"s\"",
        "name: r; tors: [{name: t1, daemon: frr, asn: 1}]; links: unnumbered; pools: [{cidr:"
            + " 10.65.0.0/16, vxlanMode: Always}] | pools[0].vxlanMode: expected Never, since"
            + " unnumbered links route to no node, got \"Always\"",
        "name: r; TORS; addresses: {families: []} | addresses.families: expected a list of at least"
            + " 1 of IPv4 and IPv6, got []",
        "name: r; TORS; addresses: {families: [IPv5]} | addresses.families[0]: expected IPv4 or"
            + " IPv6, got \"IPv5\"",
        "name: r; TORS; addresses: {families: [IPv6, IPv6]} | addresses.families[1]: expected each"
            + " family once, got \"IPv6\"",
        "name: r; TORS; addresses: {families: [IPv6], management: 10.0.0.0/24} |"
            + " addresses.management: expected an IPv6 prefix of length 112 or shorter, got"
            + " \"10.0.0.0/24\"",
        "name: r; TORS; addresses: {families: [IPv6]}; pools: [{cidr: 10.65.0.0/16}] |"
            + " pools[0].cidr: expected a prefix of a family in addresses.families, got"
            + " \"10.65.0.0/16\"",
        "name: r; TORS; NODES; reflectors: [n2] | reflectors[0]: expected one of n1, got \"n2\"",
        "name: r; TORS; NODES; reflectors: [] | reflectors: expected a list of at least 1 of nodes'"
            + " names, got []",
        "name: r; tors: [{name: t1, asn: 1}, {name: t2, asn: 2}]; nodes: [{name: n1, asn: 3, tors:"
            + " [t1]}]; reflectors: [n1] | reflectors: expected one router and numbered links"
            + " beside it, got [\"n1\"]",
        "name: r; TORS; nodes: [{name: n1, asn: 2, tors: [t1]}, {name: n2, asn: 3, tors: [t1]}];"
            + " reflectors: [n1] | reflectors: expected nodes of one AS beside it, got [\"n1\"]",
        "name: r; TORS; NODES; bgp: {bfd: 300ms x 3}; reflectors: [n1] | reflectors: expected no"
            + " bgp.bfd beside it: nodes that share a segment have no link to watch, got [\"n1\"]",
        "name: r; TORS; agent: {log: loud} | agent.log: expected one of error, warn, info, debug,"
            + " trace, got \"loud\"",
        "name: r; TORS; nodes: 7 | nodes: expected a list of nodes, got 7",
        "just a text | expected a mapping, got \"just a text\"",
      })
  void what_is_wrong_is_said_in_one_line_with_its_place(String lines, String message) {
    String text = lines.replace("TORS", TORS).replace("NODES", NODES).replace("; ", "\n");
    assertThatThrownBy(() -> TopologyReader.parse("rack.yaml", text))
        .isInstanceOf(TopologyException.class)
        .hasMessage("rack.yaml: " + message);
  }

  @Test
  void what_is_not_yaml_is_named_by_its_line() {
    assertThatThrownBy(() -> TopologyReader.parse("r.yaml", "name: r\ntors: [\n"))
        .isInstanceOf(TopologyException.class)
        .hasMessageStartingWith("r.yaml: line ")
        .hasMessageContaining("expected YAML, got ")
        .hasMessageNotContaining("\n");
  }

  @Test
  void a_key_given_twice_is_refused() {
    assertThatThrownBy(() -> TopologyReader.parse("r.yaml", "name: r\nname: s\n"))
        .isInstanceOf(TopologyException.class)
        .hasMessageNotContaining("\n");
  }

  @Test
  void an_unreadable_file_is_named() {
    assertThatThrownBy(() -> Topology.read(Path.of("/no/such/rack.yaml")))
        .isInstanceOf(TopologyException.class)
        .hasMessage(
            "/no/such/rack.yaml: expected a readable topology file, got NoSuchFileException");
  }

  @Test
  void what_is_left_out_has_a_default() throws TopologyException {
    Topology topology = TopologyReader.parse("r.yaml", "name: r\n" + TORS + "\n" + NODES);
    assertThat(topology.etcdMembers()).isEqualTo(1);
    assertThat(topology.bgp()).isEqualTo(new Topology.Bgp(9, true));
    assertThat(topology.tors().getFirst().daemon()).isEqualTo(Topology.RouterDaemon.BIRD);
    assertThat(topology.pools()).hasSize(2);
    assertThat(topology.agent()).isEqualTo(new Topology.Agent("info", 30, false));
  }
}
