package io.margay.agent.firewall;

import static io.margay.agent.firewall.HostFixtures.host;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftExpr.CtState;
import io.margay.linux.nft.NftHook;
import io.margay.linux.nft.NftPacket;
import io.margay.linux.nft.NftPacket.Ends;
import io.margay.linux.nft.NftPassage;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.nft.NftText;
import io.margay.linux.nft.NftWalk;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.policy.RuleAction;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// From 198.51.100.7:4000 to a service's address, led to 10.65.0.1:8080 and answered as if by
/// 192.0.2.1:5000.
final class CutGuardTest {

  private static final int ACK = 0x10;
  private static final int RST = 0x04;
  private static final Ends SENT = ends("198.51.100.7", 4000, "10.96.0.1", 80);
  private static final Ends ANSWERED = ends("10.65.0.1", 8080, "192.0.2.1", 5000);
  private static final CutFlow FLOW = new CutFlow(SENT, ANSWERED, false);
  private static final CutFlow OF_IPV6 =
      new CutFlow(
          ends("2001:db8::7", 4000, "2001:db8::1", 80),
          ends("2001:db8::1", 80, "2001:db8::7", 4000),
          true);

  private final FakeNftables fake = new FakeNftables(false);
  private final NftTable table = new NftTable(fake.open(), "margay", Ownership.WHERE_PERSISTENT);
  private final FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);

  private static Ends ends(String source, int sourcePort, String destination, int port) {
    return new Ends(IpAddress.parse(source), sourcePort, IpAddress.parse(destination), port);
  }

  @BeforeEach
  void open() throws Exception {
    firewall.onUpdate(profile("open", RuleAction.ALLOW));
    firewall.onUpdate(host("eth0").withProfiles("open").update());
    firewall.apply();
  }

  private String text(IpFamily family) {
    return NftText.print(firewall.desired(family));
  }

  private static NftPacket packet(Ends ends, int flags) {
    return NftPacket.of(
        ends.source(),
        ends.destination(),
        NftPacket.TCP,
        new NftPacket.Tcp(ends.sourcePort(), ends.destinationPort(), flags));
  }

  private boolean passes(NftHook.Point hook, NftPacket packet) {
    return new NftWalk(table.view(packet.family()))
        .hook(hook, packet).stream().allMatch(NftPassage::isAccepted);
  }

  @Test
  void there_is_nothing_of_it_but_empty_sets_while_nothing_is_kept_out() throws Exception {
    String without = text(IpFamily.IPV4);
    String withoutOfIpv6 = text(IpFamily.IPV6);
    firewall.keepOut(FLOW);
    firewall.apply();
    assertThat(text(IpFamily.IPV4)).contains("chain cut_in {", "chain cut_out {");
    assertThat(text(IpFamily.IPV6)).isEqualTo(withoutOfIpv6);
    assertThat(firewall.findKeptOut()).containsExactly(FLOW);
    firewall.letIn(FLOW);
    firewall.apply();
    assertThat(text(IpFamily.IPV4)).isEqualTo(without);
    assertThat(firewall.findKeptOut()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      value = NftHook.Point.class,
      names = {"PREROUTING", "OUTPUT"})
  void what_either_side_sends_in_its_middle_is_dropped_and_all_else_passes(NftHook.Point hook)
      throws Exception {
    for (Ends ends : List.of(SENT, ANSWERED)) {
      assertThat(passes(hook, packet(ends, ACK))).as("while it is not kept out").isTrue();
    }
    firewall.keepOut(FLOW);
    firewall.apply();
    for (Ends ends : List.of(SENT, ANSWERED)) {
      NftPacket middle = packet(ends, ACK);
      assertThat(passes(hook, middle)).isFalse();
      assertThat(passes(hook, packet(ends, RST))).isFalse();
      assertThat(passes(hook, packet(ends, NftPacket.SYN | ACK))).isFalse();
      assertThat(passes(hook, packet(ends, NftPacket.SYN))).as("a new one").isTrue();
      for (int state : new int[] {CtState.ESTABLISHED, CtState.RELATED, CtState.UNTRACKED}) {
        assertThat(passes(hook, middle.withCtState(state))).isTrue();
      }
      NftPacket udp =
          NftPacket.opening(
              NftPacket.UDP,
              ends.source(),
              ends.sourcePort(),
              ends.destination(),
              ends.destinationPort());
      assertThat(passes(hook, udp)).isTrue();
    }
    assertThat(passes(hook, packet(ends("198.51.100.7", 4001, "10.96.0.1", 80), ACK))).isTrue();
    assertThat(passes(hook, packet(ends("198.51.100.7", 4000, "10.96.0.1", 81), ACK))).isTrue();
    assertThat(passes(hook, packet(ends("10.96.0.1", 80, "198.51.100.7", 4000), ACK)))
        .as("nobody sends so before it is translated")
        .isTrue();
  }

  @Test
  void the_kernel_tells_the_next_process_what_is_kept_out() throws Exception {
    firewall.keepOut(FLOW);
    firewall.keepOut(OF_IPV6);
    firewall.apply();
    table.close();
    try (NftTable next = new NftTable(fake.open(), "margay", Ownership.WHERE_PERSISTENT)) {
      FirewallManager after = new FirewallManager(next, FirewallSettings.DEFAULT);
      assertThat(after.findKeptOut()).containsExactlyInAnyOrder(FLOW, OF_IPV6);
    }
  }
}
