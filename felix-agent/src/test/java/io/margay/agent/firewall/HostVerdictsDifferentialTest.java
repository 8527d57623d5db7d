package io.margay.agent.firewall;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.LinuxException;
import io.margay.linux.nft.NftPacket;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.PolicyType;
import io.margay.policy.HostStage;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.HostDecision.Outcome;
import io.margay.policy.oracle.HostPath;
import io.margay.policy.testing.Gen;
import io.margay.policy.testing.RandomWorld;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/// What [HostVerdicts] says of open connections of random worlds, by the chains, against what the
/// oracle says of the endpoints they may meet. Where ways are in doubt, one that allows is enough.
final class HostVerdictsDifferentialTest {

  private static final int SEEDS = 300;
  private static final int CONNECTIONS = 30;
  private static final Set<IpAddress> OWN =
      Set.of(IpAddress.parse("10.0.0.1"), IpAddress.parse("fd00::1"));

  private int allowed;
  private int denied;

  @Test
  void the_verdicts_on_open_connections_are_the_oracles(TestReporter reporter) {
    Gen.forSeeds(SEEDS, this::compare);
    assertThat(allowed).isGreaterThan(SEEDS);
    assertThat(denied).isGreaterThan(SEEDS);
    reporter.publishEntry("open connections", allowed + " allowed, " + denied + " denied");
  }

  private void compare(Gen gen) {
    RandomWorld random = new RandomWorld(gen);
    HostWorld world = HostWorld.draw(random);
    for (int i = 0; i < CONNECTIONS; i++) {
      Connection connection = Connection.draw(gen, random);
      if (!connection.canBe(world)) {
        continue;
      }
      boolean expected = connection.isAllowed(world);
      boolean actual =
          connection.isAllowed(new HostVerdicts(world.table().view(connection.family())));
      if (expected != actual) {
        assertThat(actual).as("%s in %s", connection, world.world()).isEqualTo(expected);
      }
      if (expected) {
        allowed++;
      } else {
        denied++;
      }
    }
  }

  /// @param came its first packet as it came
  /// @param led the same after destination NAT
  /// @param sourceWays by which interfaces its source may be reached
  /// @param answererWays by which interfaces who answers may be reached
  /// @param held interfaces that have the node's address
  private record Connection(
      Flow came,
      Flow led,
      boolean isPickedUp,
      Set<String> sourceWays,
      Set<String> answererWays,
      Set<String> held) {

    /// To, from or through the node, now and then led elsewhere.
    static Connection draw(Gen gen, RandomWorld random) {
      IpAddress own = IpAddress.parse(gen.oneOf("10.0.0.1", "fd00::1"));
      Flow came = random.flow(own, gen.chance(40));
      Flow led = came;
      if (gen.chance(50)) {
        Flow other = random.flow(own, gen.chance(80));
        led = towards(came, other.destination(), came.destinationPort() == 0 ? 0 : 443);
      }
      if (gen.chance(30)) {
        came = led;
      }
      return new Connection(
          came,
          led,
          came.protocol() == NftPacket.TCP && gen.chance(20),
          ways(gen),
          OWN.contains(led.source()) ? ways(gen) : gen.chance(80) ? Set.of("eth1") : Set.of("eth0"),
          gen.chance(20) ? Set.of("eth1") : Set.of());
    }

    private static Set<String> ways(Gen gen) {
      return gen.chance(70)
          ? Set.of("eth0")
          : gen.oneOf(Set.of("eth1"), Set.of("eth0", "eth1"), Set.<String>of());
    }

    private static Flow towards(Flow flow, IpAddress destination, int port) {
      return new Flow(
          flow.source(), destination, flow.protocol(), flow.sourcePort(), port, flow.icmp());
    }

    IpFamily family() {
      return came.family();
    }

    private boolean isLed() {
      return !came.equals(led);
    }

    /// Nobody speaks to himself through the node, and what goes untracked is not translated.
    boolean canBe(HostWorld world) {
      if (led.source().equals(led.destination())) {
        return false;
      }
      return !isLed()
          || List.of("eth0", "eth1").stream()
              .flatMap(name -> world.stagesOf(name).stream())
              .map(stages -> stages.at(HostStage.UNTRACKED, PolicyType.INGRESS, came).outcome())
              .allMatch(outcome -> outcome != Outcome.ALLOW);
    }

    /// By the chains.
    boolean isAllowed(HostVerdicts verdicts) {
      FlowKind kind =
          new FlowKind(
              came.source(),
              came.sourcePort(),
              came.destination(),
              came.destinationPort(),
              led.destination(),
              led.destinationPort(),
              came.protocol(),
              came.icmp() == null ? 0 : came.icmp().type(),
              came.icmp() == null ? 0 : came.icmp().code(),
              isPickedUp);
      Map<IpAddress, Set<InterfaceName>> holders = Map.of(own(), names(held));
      Ways ways =
          address ->
              names(
                  address.equals(came.source())
                      ? sourceWays
                      : address.equals(led.destination()) ? answererWays : Set.of());
      try {
        return verdicts.allow(kind, new Surroundings(OWN, holders, Set.of(), _ -> Set.of(), ways));
      } catch (LinuxException nobodyAsksTheKernel) {
        throw new IllegalStateException(nobodyAsksTheKernel);
      }
    }

    private IpAddress own() {
      return OWN.stream().filter(one -> one.family() == family()).findFirst().orElseThrow();
    }

    private static Set<InterfaceName> names(Set<String> names) {
      Set<InterfaceName> all = new HashSet<>();
      names.forEach(name -> all.add(new InterfaceName(name)));
      return all;
    }

    /// By the oracle.
    boolean isAllowed(HostWorld world) {
      return isAllowedAsBegun(world)
          || isPickedUp && !isLed() && reversed().isAllowedAsBegun(world);
    }

    private Connection reversed() {
      Flow answer =
          new Flow(
              led.destination(),
              led.source(),
              led.protocol(),
              led.destinationPort(),
              led.sourcePort(),
              null);
      return new Connection(answer, answer, true, answererWays, sourceWays, held);
    }

    private boolean isAllowedAsBegun(HostWorld world) {
      boolean isFromNode = OWN.contains(came.source());
      boolean isToNode = OWN.contains(led.destination());
      if (isFromNode && isToNode) {
        return true;
      }
      boolean isMeantForNode = isToNode || OWN.contains(came.destination());
      for (Optional<String> from : isFromNode ? NONE : each(sourceWays, isMeantForNode)) {
        for (Optional<String> to : isToNode ? NONE : each(answererWays, isFromNode)) {
          boolean entersByAny =
              isFromNode
                  || from.flatMap(world::stagesOf).map(of -> enters(of, isToNode)).orElse(true);
          boolean leavesByAny =
              isToNode
                  || to.filter(_ -> isFromNode || from.isPresent())
                      .flatMap(world::stagesOf)
                      .map(of -> leaves(of, isFromNode))
                      .orElse(true);
          if (entersByAny && leavesByAny) {
            return true;
          }
        }
      }
      return false;
    }

    private static final List<Optional<String>> NONE = List.of(Optional.empty());

    /// @param isAtNode whether the other end is the node's
    private List<Optional<String>> each(Set<String> ways, boolean isAtNode) {
      Set<String> all = new HashSet<>(ways);
      if (isAtNode && !ways.isEmpty()) {
        all.addAll(held);
      }
      return all.isEmpty() ? NONE : all.stream().map(Optional::of).toList();
    }

    private boolean enters(HostPath.Stages stages, boolean isToNode) {
      return isToNode
          ? HostPath.reachesHost(stages, came, led)
          : HostPath.letsIn(stages, came, led);
    }

    private boolean leaves(HostPath.Stages stages, boolean isFromNode) {
      if (!isFromNode) {
        return HostPath.letsOut(stages, led);
      }
      return isLed()
          ? stages.at(HostStage.NORMAL, PolicyType.EGRESS, led).outcome() == Outcome.ALLOW
          : HostPath.leavesHost(stages, led);
    }
  }
}
