package io.margay.agent.firewall;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.NftExpr.CtState;
import io.margay.linux.nft.NftHook;
import io.margay.linux.nft.NftPacket;
import io.margay.linux.nft.NftPassage;
import io.margay.linux.nft.NftWalk;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.HostPath;
import io.margay.policy.testing.Gen;
import io.margay.policy.testing.RandomWorld;
import io.margay.policy.testing.World;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Rules rendered for random worlds, walked by packets to, from and through the node, against what
/// the oracle says of the host endpoint they meet.
final class HostWalkTest {

  private static final int SEEDS = 400;
  private static final int FLOWS = 25;
  private static final InterfaceName ETH0 = new InterfaceName("eth0");

  /// Never a host endpoint's.
  private static final InterfaceName ELSEWHERE = new InterfaceName("lo");

  private int allowed;
  private int denied;

  @Test
  void walked_rules_give_the_oracles_decisions() {
    Gen.forSeeds(SEEDS, this::compare);
    assertThat(allowed).isPositive();
    assertThat(denied).isPositive();
    System.out.println("walks: " + allowed + " pass, " + denied + " are dropped");
  }

  private void compare(Gen gen) {
    RandomWorld random = new RandomWorld(gen);
    HostWorld drawn = HostWorld.draw(random);
    World world = drawn.world();
    Optional<HostPath.Stages> endpoint = drawn.stagesOf("eth0");
    HostPath.Stages stages =
        endpoint.orElse(
            (_, _, _) -> {
              throw new IllegalStateException("no endpoint, no stages");
            });
    boolean none = endpoint.isEmpty();
    for (int i = 0; i < FLOWS; i++) {
      IpAddress own = IpAddress.parse(gen.oneOf("10.0.0.1", "fd00::1"));
      Flow came = random.flow(own, false);
      Flow led = led(came, random.flow(own, true));
      Flow out = random.flow(own, true);
      NftWalk walk = new NftWalk(drawn.table().view(own.family()));
      check(world, came, none || HostPath.reachesHost(stages, came, led), arrives(walk, came, led));
      check(world, came, none || HostPath.letsIn(stages, came, led), comesIn(walk, came, led));
      check(world, out, none || HostPath.leavesHost(stages, out), leaves(walk, out));
      check(world, out, none || HostPath.letsOut(stages, out), goesOut(walk, out));
    }
  }

  /// Translation changes where a packet goes, and nothing else. Untracked packets are not
  /// translated; the oracle's later stages do not matter to them.
  private static Flow led(Flow came, Flow other) {
    return new Flow(
        came.source(),
        other.destination(),
        came.protocol(),
        came.sourcePort(),
        came.destinationPort() == 0 ? 0 : 443,
        came.icmp());
  }

  private void check(World world, Flow flow, boolean expected, boolean actual) {
    if (expected != actual) {
      assertThat(actual).as("%s in %s", flow, world).isEqualTo(expected);
    }
    if (expected) {
      allowed++;
    } else {
      denied++;
    }
  }

  private static boolean arrives(NftWalk walk, Flow came, Flow led) {
    NftPacket routed = beforeRouting(walk, came, led);
    return routed != null && passes(walk, NftHook.Point.INPUT, routed.withForNode(true)) != null;
  }

  private static boolean comesIn(NftWalk walk, Flow came, Flow led) {
    NftPacket routed = beforeRouting(walk, came, led);
    return routed != null
        && passes(walk, NftHook.Point.FORWARD, routed.withOutgoing(ELSEWHERE)) != null;
  }

  private static boolean leaves(NftWalk walk, Flow flow) {
    return passes(walk, NftHook.Point.OUTPUT, packet(flow).withOutgoing(ETH0)) != null;
  }

  private static boolean goesOut(NftWalk walk, Flow flow) {
    return passes(
            walk, NftHook.Point.FORWARD, packet(flow).withIncoming(ELSEWHERE).withOutgoing(ETH0))
        != null;
  }

  /// Through prerouting and, if it is tracked, somebody's destination NAT.
  private static @Nullable NftPacket beforeRouting(NftWalk walk, Flow came, Flow led) {
    NftPacket seen = passes(walk, NftHook.Point.PREROUTING, packet(came).withIncoming(ETH0));
    if (seen == null || (seen.ctState() & CtState.UNTRACKED) != 0) {
      return seen;
    }
    NftPacket translated = packet(led);
    return new NftPacket(
        translated.source(),
        translated.destination(),
        translated.protocol(),
        translated.transport(),
        seen.ctState(),
        ETH0,
        null,
        false,
        new NftPacket.Ends(
            came.source(), came.sourcePort(), came.destination(), came.destinationPort()));
  }

  private static NftPacket packet(Flow flow) {
    Flow.Icmp icmp = flow.icmp();
    return icmp != null
        ? NftPacket.icmp(flow.source(), flow.destination(), icmp.type(), icmp.code())
        : NftPacket.opening(
            flow.protocol(),
            flow.source(),
            flow.sourcePort(),
            flow.destination(),
            flow.destinationPort());
  }

  /// The packet as it leaves the hook; null = dropped.
  private static @Nullable NftPacket passes(NftWalk walk, NftHook.Point hook, NftPacket packet) {
    List<NftPassage> passages = walk.hook(hook, packet);
    if (passages.isEmpty()) {
      return packet;
    }
    NftPassage last = passages.getLast();
    return last.isAccepted() ? last.packet() : null;
  }
}
