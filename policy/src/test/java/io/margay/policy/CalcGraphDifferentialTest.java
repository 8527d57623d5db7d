package io.margay.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.IpAddress;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Resource;
import io.margay.policy.oracle.Decision;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.HostDecision;
import io.margay.policy.oracle.PolicyOracle;
import io.margay.policy.oracle.PolicyState;
import io.margay.policy.oracle.RuleInterpreter;
import io.margay.policy.testing.Gen;
import io.margay.policy.testing.RandomWorld;
import io.margay.policy.testing.StrictState;
import io.margay.policy.testing.Things;
import io.margay.policy.testing.World;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/// The graph's output, interpreted, against the oracle; and against itself by other roads.
class CalcGraphDifferentialTest {

  private static final int SEEDS = 80;
  private static final int STATES = 6;
  private static final int FLOWS_PER_ENDPOINT_AND_DIRECTION = 12;

  /// A graph, the dataplane behind it, and the world it was last told of.
  private static final class Node {
    private final CalcGraph graph = new CalcGraph(Things.NODE);
    private final StrictState dataplane = new StrictState();
    private World known = World.EMPTY;

    private void flush() {
      dataplane.beginFlush();
      graph.flush(dataplane);
    }

    private void tell(World next) {
      tell(next, (node, change) -> change.tell(node.graph::onUpdate));
    }

    private void tell(World next, BiConsumer<Node, World.ChangeTo> how) {
      tell(new ArrayList<>(known.changesTo(next).values()), next, how);
    }

    private void tell(
        List<World.ChangeTo> changes, World next, BiConsumer<Node, World.ChangeTo> how) {
      changes.forEach(change -> how.accept(this, change));
      known = next;
    }
  }

  private static PolicyState fromScratch(World world) {
    Node node = new Node();
    node.tell(world);
    node.graph.onInSync();
    node.flush();
    return node.dataplane.state();
  }

  private static List<World> states(Gen gen) {
    RandomWorld random = new RandomWorld(gen);
    List<World> states = new ArrayList<>(List.of(random.world()));
    while (states.size() < STATES) {
      states.add(random.mutated(states.getLast()));
    }
    return states;
  }

  @Test
  void interpreted_output_gives_the_oracles_decisions() {
    int[] decisions = new int[2];
    Gen.forSeeds(
        SEEDS,
        gen -> {
          Node node = new Node();
          node.graph.onInSync();
          for (World world : states(gen)) {
            node.tell(world);
            node.flush();
            compare(gen, world, node.dataplane.state(), decisions);
          }
        });
    assertThat(decisions[0]).as("denied").isPositive();
    assertThat(decisions[1]).as("allowed").isPositive();
    System.out.println("decisions: " + decisions[1] + " allow, " + decisions[0] + " deny");
  }

  private static void compare(Gen gen, World world, PolicyState state, int[] decisions) {
    PolicyOracle oracle = new PolicyOracle(world.all());
    RuleInterpreter interpreter = new RuleInterpreter(state);
    RandomWorld random = new RandomWorld(gen);
    state
        .endpoints()
        .forEach(
            (key, endpoint) -> {
              for (PolicyType direction : PolicyType.values()) {
                for (int i = 0; i < FLOWS_PER_ENDPOINT_AND_DIRECTION; i++) {
                  IpAddress own = gen.oneOf(endpoint.addresses());
                  Flow flow = random.flow(own, direction == PolicyType.EGRESS);
                  Decision expected = oracle.decide(key, direction, flow);
                  if (!interpreter.decide(key, direction, flow).equals(expected)) {
                    assertThat(interpreter.decide(key, direction, flow))
                        .as("%s %s %s in %s%nwith %s", key, direction, flow, world, state)
                        .isEqualTo(expected);
                  }
                  decisions[expected.allowed() ? 1 : 0]++;
                }
              }
            });
  }

  @Test
  void interpreted_output_gives_the_oracles_decisions_about_hosts() {
    Map<HostDecision.Outcome, Integer> decisions = new EnumMap<>(HostDecision.Outcome.class);
    Gen.forSeeds(
        SEEDS,
        gen -> {
          Node node = new Node();
          node.graph.onInSync();
          for (World world : states(gen)) {
            node.tell(world);
            node.flush();
            compareHosts(gen, world, node.dataplane.state(), decisions);
          }
        });
    assertThat(decisions).containsOnlyKeys(HostDecision.Outcome.values());
    System.out.println("decisions about hosts: " + decisions);
  }

  private static void compareHosts(
      Gen gen, World world, PolicyState state, Map<HostDecision.Outcome, Integer> decisions) {
    PolicyOracle oracle = new PolicyOracle(world.all());
    RuleInterpreter interpreter = new RuleInterpreter(state);
    RandomWorld random = new RandomWorld(gen);
    state
        .hosts()
        .forEach(
            (key, host) -> {
              for (HostStage stage : HostStage.values()) {
                for (PolicyType direction : PolicyType.values()) {
                  for (int i = 0; i < FLOWS_PER_ENDPOINT_AND_DIRECTION; i++) {
                    IpAddress own = IpAddress.parse(gen.oneOf("10.0.0.1", "fd00::1"));
                    Flow flow = random.flow(own, direction == PolicyType.EGRESS);
                    HostDecision expected = oracle.decide(key, stage, direction, flow);
                    HostDecision actual = interpreter.decide(key, stage, direction, flow);
                    if (!actual.equals(expected)) {
                      assertThat(actual)
                          .as("%s %s %s %s in %s", key, stage, direction, flow, world)
                          .isEqualTo(expected);
                    }
                    decisions.merge(expected.outcome(), 1, Integer::sum);
                  }
                }
              }
            });
  }

  @Test
  void staged_policies_change_no_decision() {
    int[] staged = new int[1];
    Gen.forSeeds(
        SEEDS,
        gen -> {
          World world = new RandomWorld(gen).world();
          World without = world;
          for (Resource resource : world.all()) {
            if (resource.kind().kindName().startsWith("Staged")) {
              without = without.without(resource.ref());
              staged[0]++;
            }
          }
          PolicyState state = fromScratch(world);
          compare(gen, without, state, new int[2]);
          compareHosts(gen, without, state, new EnumMap<>(HostDecision.Outcome.class));
        });
    assertThat(staged[0]).as("staged policies").isGreaterThan(SEEDS / 2);
  }

  @Test
  void every_road_to_a_state_gives_the_output_of_a_fresh_start() {
    Gen.forSeeds(
        SEEDS,
        gen -> {
          List<World> states = states(gen);
          forward(states);
          forward(states.reversed());
          shuffledKeys(gen, states);
          repeatedUpdates(states);
          flushAfterEveryUpdate(gen, states);
          squashed(states);
          forward(withEmptiesBetween(states));
          inSyncLast(states);
          restarted(gen, states);
        });
  }

  private static void forward(List<World> states) {
    Node node = new Node();
    node.graph.onInSync();
    for (World world : states) {
      node.tell(world);
      node.flush();
      assertThat(node.dataplane.state()).isEqualTo(fromScratch(world));
      node.flush();
      assertThat(node.dataplane.updates()).as("updates of a flush without news").isZero();
    }
  }

  private static void shuffledKeys(Gen gen, List<World> states) {
    Node node = new Node();
    node.graph.onInSync();
    for (World world : states) {
      node.tell(
          gen.shuffled(node.known.changesTo(world).values()),
          world,
          (n, change) -> change.tell(n.graph::onUpdate));
      node.flush();
      assertThat(node.dataplane.state()).isEqualTo(fromScratch(world));
    }
  }

  private static void repeatedUpdates(List<World> states) {
    Node node = new Node();
    node.graph.onInSync();
    for (World world : states) {
      node.tell(
          world,
          (n, change) -> {
            change.tell(n.graph::onUpdate);
            change.tell(n.graph::onUpdate);
          });
      node.flush();
      assertThat(node.dataplane.state()).isEqualTo(fromScratch(world));
      world.byRef().forEach(node.graph::onUpdate);
      node.flush();
      assertThat(node.dataplane.updates()).as("updates of a repeated world").isZero();
    }
  }

  private static void flushAfterEveryUpdate(Gen gen, List<World> states) {
    Node node = new Node();
    node.graph.onInSync();
    for (World world : states) {
      node.tell(
          gen.shuffled(node.known.changesTo(world).values()),
          world,
          (n, change) -> {
            change.tell(n.graph::onUpdate);
            n.flush();
          });
      assertThat(node.dataplane.state()).isEqualTo(fromScratch(world));
    }
  }

  private static void squashed(List<World> states) {
    Node node = new Node();
    node.graph.onInSync();
    states.forEach(node::tell);
    node.flush();
    assertThat(node.dataplane.state()).isEqualTo(fromScratch(states.getLast()));
  }

  private static List<World> withEmptiesBetween(List<World> states) {
    List<World> expanded = new ArrayList<>();
    for (World world : states) {
      Collections.addAll(expanded, world, World.EMPTY);
    }
    return expanded;
  }

  private static void inSyncLast(List<World> states) {
    Node node = new Node();
    for (World world : states) {
      node.tell(world);
      node.flush();
      assertThat(node.dataplane.updates()).as("updates before in-sync").isZero();
    }
    node.graph.onInSync();
    node.flush();
    assertThat(node.dataplane.state()).isEqualTo(fromScratch(states.getLast()));
  }

  /// The process ends with a part of the news heard. The next one lists what was there at some
  /// moment, hears the rest from there on, some of it twice, and is in sync somewhere in between.
  private static void restarted(Gen gen, List<World> states) {
    Node node = new Node();
    node.graph.onInSync();
    for (World world : states) {
      List<World.ChangeTo> news = gen.shuffled(node.known.changesTo(world).values());
      World listed = node.known;
      for (World.ChangeTo change : news.subList(0, gen.between(0, news.size()))) {
        change.tell(node.graph::onUpdate);
        listed =
            change.value() == null ? listed.without(change.ref()) : listed.with(change.value());
      }
      node.flush();
      node = new Node();
      for (World.ChangeTo change : gen.shuffled(World.EMPTY.changesTo(listed).values())) {
        change.tell(node.graph::onUpdate);
      }
      int inSync = gen.between(0, news.size());
      for (int i = 0; i <= news.size(); i++) {
        if (i == inSync) {
          node.graph.onInSync();
        }
        if (i < news.size()) {
          news.get(i).tell(node.graph::onUpdate);
        }
        node.flush();
      }
      node.known = world;
      assertThat(node.dataplane.state()).isEqualTo(fromScratch(world));
    }
  }
}
