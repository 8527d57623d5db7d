package io.margay.agent.firewall.rack;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.firewall.rack.MortalKernel.When;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftOutcome;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.PolicyOracle;
import io.margay.policy.oracle.Verdict;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// While policies, labels and endpoints change at random, packets are sent all the time: none may
/// pass that neither the state before a change nor the one after it allows.
@Tag("netns")
final class OpenWindowTest {

  private static final long SEED = Long.getLong("seed", 20_261_128L);
  private static final int CHANGES = 400;
  private static final int CHANGES_BETWEEN_KILLS = 7;

  /// A window that the writer leaves is hit after a few changes.
  private static final int MAX_CHANGES_TO_BE_CAUGHT = 1_500;

  private static final List<Cell.Probe> PROBES =
      List.of(Cell.Probe.parse("tcp/80"), Cell.Probe.parse("udp/53"));

  private final Random random = new Random(SEED);
  private final Churn churn = new Churn(random);
  private final List<Cell> cells = new ArrayList<>();
  private World world = churn.start();
  private PacketRack rack;
  private @Nullable NodePolicy started;
  private Permissions permissions;
  private Prober prober;

  @BeforeEach
  void raise() throws Exception {
    rack = new PacketRack(world.endpoints());
    for (int from = 1; from <= Churn.PODS; from++) {
      for (int to = 1; to <= Churn.PODS; to++) {
        for (Cell.Probe probe : PROBES) {
          for (IpFamily family : IpFamily.values()) {
            if (from != to) {
              cells.add(
                  new Cell(
                      Churn.podName(from),
                      Churn.podName(to),
                      probe.transport(),
                      probe.port(),
                      family));
            }
          }
        }
      }
    }
    permissions = new Permissions(state(world, "start"));
    prober = new Prober(rack, cells, permissions);
  }

  @AfterEach
  void clean() throws Exception {
    prober.stop();
    if (started != null) {
      started.close();
    }
    rack.close();
  }

  private NodePolicy start(NftKernel chosen) {
    NodePolicy node = new NodePolicy("n1", chosen);
    started = node;
    return node;
  }

  private NodePolicy node() {
    return Objects.requireNonNull(started);
  }

  private void begin(NftKernel chosen) throws Exception {
    NodePolicy node = start(chosen);
    node.learn(World.EMPTY.changesTo(world));
    node.write();
    prober.start();
    prober.awaitRound();
  }

  private Permissions.State state(World world, String description) {
    PolicyOracle oracle = new PolicyOracle(world.all());
    Map<String, WorkloadEndpoint> pods = new TreeMap<>();
    for (WorkloadEndpoint endpoint : world.endpoints()) {
      pods.put(endpoint.metadata().namespace() + "/" + endpoint.spec().pod(), endpoint);
    }
    BitSet egress = new BitSet();
    BitSet ingress = new BitSet();
    for (int i = 0; i < cells.size(); i++) {
      Cell cell = cells.get(i);
      Verdict verdict =
          oracle.decide(
              new Flow(
                  rack.port(cell.from()).address(cell.family()),
                  rack.port(cell.to()).address(cell.family()),
                  cell.transport().number(cell.family()),
                  Flow.EPHEMERAL_PORT,
                  cell.port(),
                  null));
      // A wire without an endpoint is closed.
      egress.set(i, verdict.egress() != null && verdict.egress().allowed());
      ingress.set(i, verdict.ingress() != null && verdict.ingress().allowed());
    }
    return new Permissions.State(egress, ingress, description + " " + pods.keySet());
  }

  /// One random change, as the dataplane writes it.
  private void change() throws Exception {
    change(churn.next(world));
  }

  private void change(World next) throws Exception {
    Map<ResourceRef, @Nullable Resource> changes = world.changesTo(next);
    permissions.begin(state(next, changes.toString()));
    node().learn(changes);
    node().write();
    permissions.settle();
    world = next;
  }

  /// The world changes while there is no agent.
  private void restart(World next) throws Exception {
    permissions.begin(state(next, world.changesTo(next).toString()));
    node().close();
    NodePolicy node = start(rack.nftables("n1"));
    node.learn(World.EMPTY.changesTo(next));
    node.write();
    permissions.settle();
    world = next;
  }

  @Test
  void nothing_passes_that_neither_the_state_before_nor_the_one_after_allows() throws Exception {
    begin(rack.nftables("n1"));
    for (int i = 0; i < CHANGES; i++) {
      change();
      prober.awaitRound();
    }
    node().assertInStep();
    prober.stop();
    System.out.println("seed " + SEED + ", " + CHANGES + " changes: " + prober.sight());
    assertThat(prober.violations()).isEmpty();
  }

  /// Single addresses and prefixes lie at different places in the kernel.
  @Test
  void one_that_is_denied_by_its_address_and_then_by_a_prefix_is_denied_in_between()
      throws Exception {
    world =
        world.with(
            """
            apiVersion: projectcalico.org/v3
            kind: GlobalNetworkPolicy
            metadata: {name: p}
            spec:
              selector: all()
              types: [Ingress, Egress]
              ingress: [{action: Deny, source: {selector: kind == 'set'}}, {action: Allow}]
              egress: [{action: Deny, destination: {selector: kind == 'set'}}, {action: Allow}]
            """);
    world = world.with(set("10.65.1.1/32, 10.65.1.2/32, 10.65.1.3/32, 10.65.1.4/32, 10.65.1.5/32"));
    permissions.begin(state(world, "policy"));
    begin(rack.nftables("n1"));
    permissions.settle();
    for (int i = 0; i < CHANGES; i++) {
      change(
          world.with(
              set(
                  i % 2 == 0
                      ? "10.65.1.0/29"
                      : "10.65.1.1/32, 10.65.1.2/32, 10.65.1.3/32, 10.65.1.4/32, 10.65.1.5/32")));
    }
    node().assertInStep();
    prober.stop();
    System.out.println(CHANGES + " changes of one set: " + prober.sight());
    assertThat(prober.violations()).isEmpty();
  }

  private static String set(String nets) {
    return """
    apiVersion: projectcalico.org/v3
    kind: GlobalNetworkSet
    metadata: {name: s, labels: {kind: set}}
    spec: {nets: [%s]}
    """
        .formatted(nets);
  }

  /// A list that is too long for a rule lies in a set; changed, it is another one there.
  @Test
  void what_a_long_list_denies_is_denied_while_the_list_grows_and_shrinks() throws Exception {
    world = world.with(denyingList(20));
    permissions.begin(state(world, "policy"));
    begin(rack.nftables("n1"));
    permissions.settle();
    for (int i = 0; i < CHANGES; i++) {
      World next = world.with(denyingList(i % 2 == 0 ? 21 : 20));
      if (i % CHANGES_BETWEEN_KILLS == 0) {
        restart(next);
      } else {
        change(next);
      }
    }
    node().assertInStep();
    prober.stop();
    System.out.println(CHANGES + " changes of one list: " + prober.sight());
    assertThat(prober.violations()).isEmpty();
  }

  private static String denyingList(int entries) {
    List<String> nets = new ArrayList<>(List.of("10.65.1.0/24"));
    List<String> ports = new ArrayList<>(List.of("80"));
    for (int i = 1; i < entries; i++) {
      nets.add("198.18." + i + ".0/24");
      ports.add(Integer.toString(1_000 + 2 * i));
    }
    return """
    apiVersion: projectcalico.org/v3
    kind: GlobalNetworkPolicy
    metadata: {name: p}
    spec:
      selector: all()
      ingress:
        - {action: Deny, ipVersion: 4, protocol: UDP, source: {nets: [%s]}}
        - {action: Deny, ipVersion: 6, protocol: TCP, destination: {ports: [%s]}}
        - {action: Allow}
    """
        .formatted(String.join(", ", nets), String.join(", ", ports));
  }

  @Test
  void nor_where_the_agent_is_killed_in_the_middle_and_another_starts_without_memory()
      throws Exception {
    MortalKernel kernel = new MortalKernel(rack.nftables("n1"));
    begin(kernel);
    int kills = 0;
    for (int i = 0; i < CHANGES; i++) {
      if (i % CHANGES_BETWEEN_KILLS == CHANGES_BETWEEN_KILLS - 1) {
        kernel = die(kernel, random.nextBoolean() ? When.BEFORE : When.AFTER);
        kills++;
      } else {
        change();
      }
      prober.awaitRound();
    }
    node().assertInStep();
    prober.stop();
    System.out.println(
        "seed " + SEED + ", " + CHANGES + " changes, " + kills + " kills: " + prober.sight());
    assertThat(prober.violations()).isEmpty();
  }

  /// The process ends within its transaction. Before the next one starts, the cluster has changed
  /// once more.
  ///
  /// @return the next one's kernel
  private MortalKernel die(MortalKernel kernel, When when) throws Exception {
    World interrupted = churn.next(world);
    permissions.begin(state(interrupted, world.changesTo(interrupted).toString()));
    kernel.kill(when);
    try {
      node().learn(world.changesTo(interrupted));
      node().write();
    } catch (MortalKernel.Killed dead) {
      prober.awaitRound();
    }
    node().close();
    World next = churn.next(interrupted);
    permissions.begin(state(next, interrupted.changesTo(next).toString()));
    MortalKernel after = new MortalKernel(rack.nftables("n1"));
    NodePolicy node = start(after);
    node.learn(World.EMPTY.changesTo(next));
    assertThat(node.write()).isNotInstanceOf(NftOutcome.Rebuilt.class);
    permissions.settle();
    world = next;
    return after;
  }

  /// Without this the others would prove nothing.
  @ParameterizedTest
  @EnumSource
  void a_writer_that_leaves_windows_is_caught(SplitKernel.How how) throws Exception {
    begin(new SplitKernel(rack.nftables("n1"), how));
    int changes = 0;
    while (prober.violations().isEmpty() && changes < MAX_CHANGES_TO_BE_CAUGHT) {
      change();
      prober.awaitRound();
      changes++;
    }
    prober.stop();
    System.out.println(how + " is caught after " + changes + " changes: " + prober.sight());
    assertThat(prober.violations()).isNotEmpty();
  }
}
