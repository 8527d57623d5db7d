package io.margay.agent.firewall.rack;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.firewall.rack.Cell.Expected;
import io.margay.agent.firewall.rack.Cell.Probe;
import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftDump;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTableName;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.PolicyOracle;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Connectivity matrices by real packets: every end to every other, TCP, UDP, SCTP and ICMP, both
/// families, on one node and across two, for each semantic rule. Each cell is compared with the
/// oracle, and some with what the row's author wrote; answers to what passed must come back.
///
/// All rows go through one pair of nodes, so each also shows that what was before leaves no trace.
/// One of the two uses all that its kernel has, the other none of what is probed
/// ([PacketRack#BARE]).
@Tag("netns")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class PolicyMatrixTest {

  private static final List<Probe> PROBES =
      Stream.of("tcp/80", "tcp/443", "tcp/8080", "udp/53", "udp/80", "sctp/80", "icmp")
          .map(Probe::parse)
          .toList();

  private static final int VXLAN_PORT = 4789;

  private final World base;
  private World world = World.EMPTY;
  private final PacketRack rack;
  private final Map<String, NodePolicy> nodes = new LinkedHashMap<>();
  private final MatrixRun run;
  private final Map<String, String> nodeOf = new LinkedHashMap<>();

  PolicyMatrixTest() throws Exception {
    base = World.EMPTY.with(MatrixRow.text("world.yaml"));
    base.endpoints()
        .forEach(
            endpoint ->
                nodeOf.put(
                    endpoint.metadata().namespace() + "/" + endpoint.spec().pod(),
                    String.valueOf(endpoint.spec().node())));
    rack = new PacketRack(base.endpoints());
    run = new MatrixRun(rack);
  }

  @BeforeAll
  void open_pods_reach_each_other() throws Exception {
    for (String node : PacketRack.NODES) {
      nodes.put(node, new NodePolicy(node, rack.nftables(node)));
    }
    move(base);
    check(cells(PROBES), List.of());
  }

  @AfterAll
  void clean() throws Exception {
    for (NodePolicy node : nodes.values()) {
      node.close();
    }
    rack.close();
  }

  @Test
  void one_node_uses_nothing_of_its_kernel_that_is_probed() throws Exception {
    for (String node : PacketRack.NODES) {
      try (KernelNftables reader = rack.nftables(node)) {
        for (IpFamily family : IpFamily.values()) {
          NftDump table = reader.dump(new NftTableName(family, "margay")).orElseThrow();
          assertThat(table.owned()).as(node).isEqualTo(!node.equals(PacketRack.BARE));
        }
      }
    }
  }

  static Stream<MatrixRow> rows() throws IOException {
    List<MatrixRow> rows = new ArrayList<>();
    for (String file :
        List.of("kubernetes.yaml", "cluster.yaml", "calico.yaml", "conflicts.yaml")) {
      rows.addAll(MatrixRow.read(file));
    }
    return rows.stream();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void a_rule_holds_for_every_packet(MatrixRow row) throws Exception {
    World now = base;
    for (MatrixRow.Step step : row.steps()) {
      for (ResourceRef removed : step.removed()) {
        assertThat(now.resources()).containsKey(removed);
        now = now.without(removed);
      }
      now = now.with(step.documents());
      move(now);
      assertThat(step.expected()).as("expectations of a step").isNotEmpty();
      Set<Probe> probes = new LinkedHashSet<>(PROBES);
      step.expected().forEach(e -> probes.add(new Probe(e.cell().transport(), e.cell().port())));
      check(cells(probes), step.expected());
    }
    for (NodePolicy node : nodes.values()) {
      node.assertInStep();
    }
  }

  /// Each node takes the whole difference in one transaction, as its agent does.
  private void move(World next) throws Exception {
    Map<ResourceRef, @Nullable Resource> changes = world.changesTo(next);
    for (Map.Entry<String, NodePolicy> node : nodes.entrySet()) {
      node.getValue().learn(changes);
      assertThat(node.getValue().write()).isNotInstanceOf(NftOutcome.Rebuilt.class);
      try (Conntrack conntrack = rack.conntrack(node.getKey())) {
        conntrack.deleteFlows(run.addresses());
      }
    }
    world = next;
  }

  /// Packets from a pod to itself don't leave it. What a node says to the world, or to a wire that
  /// is nobody's, is not policed.
  private List<Cell> cells(Iterable<Probe> probes) {
    List<Cell> cells = new ArrayList<>();
    for (String from : rack.ports().keySet()) {
      for (String to : rack.ports().keySet()) {
        boolean isPoliced =
            nodeOf.containsKey(from)
                || nodeOf.containsKey(to) && (isOpenWire(to) || !from.equals(nodeOf.get(to)));
        if (from.equals(to) || !isPoliced || to.equals("n2")) {
          continue;
        }
        for (Probe probe : probes) {
          for (IpFamily family : IpFamily.values()) {
            cells.add(new Cell(from, to, probe.transport(), probe.port(), family));
          }
        }
      }
    }
    return cells;
  }

  private boolean isOpenWire(String end) {
    return !nodeOf.containsKey(end)
        || world.endpoints().stream()
            .anyMatch(
                endpoint ->
                    end.equals(endpoint.metadata().namespace() + "/" + endpoint.spec().pod()));
  }

  private void check(List<Cell> cells, List<Expected> written) throws Exception {
    PolicyOracle oracle = new PolicyOracle(world.all());
    Set<Cell> allowed = new HashSet<>();
    for (Cell cell : cells) {
      if (isAllowed(oracle, cell)) {
        allowed.add(cell);
      }
    }
    for (Expected expected : written) {
      assertThat(cells).contains(expected.cell());
      assertThat(allowed.contains(expected.cell()))
          .as("what is expected of %s", expected.cell())
          .isEqualTo(expected.allowed());
    }
    run.check(cells, allowed);
  }

  /// A node reaches its own pods whatever policies say, as its probes of them need. A pod's wire
  /// without an endpoint is closed, and tunnels out of a pod are.
  private boolean isAllowed(PolicyOracle oracle, Cell cell) {
    if (cell.from().equals(nodeOf.get(cell.to()))) {
      return true;
    }
    boolean isTunnel =
        nodeOf.containsKey(cell.from())
            && cell.transport() == Transport.UDP
            && cell.port() == VXLAN_PORT;
    return isOpenWire(cell.from())
        && isOpenWire(cell.to())
        && !isTunnel
        && oracle
            .decide(
                new Flow(
                    rack.port(cell.from()).address(cell.family()),
                    rack.port(cell.to()).address(cell.family()),
                    cell.transport().number(cell.family()),
                    cell.transport().hasPorts() ? Flow.EPHEMERAL_PORT : 0,
                    cell.port(),
                    cell.transport().hasPorts()
                        ? null
                        : new Flow.Icmp(cell.family() == IpFamily.IPV4 ? 8 : 128, 0)))
            .allowed();
  }
}
