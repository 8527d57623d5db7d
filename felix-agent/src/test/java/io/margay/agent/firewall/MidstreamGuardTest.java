package io.margay.agent.firewall;

import static io.margay.agent.firewall.HostFixtures.all;
import static io.margay.agent.firewall.HostFixtures.early;
import static io.margay.agent.firewall.HostFixtures.host;
import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.rule;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftExpr.CtState;
import io.margay.linux.nft.NftHook;
import io.margay.linux.nft.NftPacket;
import io.margay.linux.nft.NftPassage;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.nft.NftText;
import io.margay.linux.nft.NftWalk;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class MidstreamGuardTest {

  private static final int ACK = 0x10;

  private final FakeNftables fake = new FakeNftables(false);
  private final NftTable table = new NftTable(fake.open(), "margay", Ownership.WHERE_PERSISTENT);
  private final FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);

  @BeforeEach
  void open() throws Exception {
    apply(profile("open", RuleAction.ALLOW), ingress("any", rule(0, RuleAction.ALLOW, ANY, ANY)));
  }

  private void apply(PolicyUpdate... updates) throws Exception {
    for (PolicyUpdate update : updates) {
      firewall.onUpdate(update);
    }
    firewall.apply();
  }

  private static HostFixtures open(HostFixtures endpoint) {
    return endpoint.withProfiles("open");
  }

  private String text() {
    return NftText.print(firewall.desired(IpFamily.IPV4));
  }

  private static NftPacket tcp(int from, int to, int flags) {
    return NftPacket.of(
        IpAddress.parse("198.51.100.7"),
        IpAddress.parse("192.0.2.1"),
        NftPacket.TCP,
        new NftPacket.Tcp(from, to, flags));
  }

  /// Whether a packet gets through a hook.
  private boolean passes(
      NftHook.Point hook, NftPacket packet, @Nullable String from, @Nullable String to) {
    NftPacket met =
        packet
            .withIncoming(from == null ? null : new InterfaceName(from))
            .withOutgoing(to == null ? null : new InterfaceName(to));
    return new NftWalk(table.view(IpFamily.IPV4))
        .hook(hook, met).stream().allMatch(NftPassage::isAccepted);
  }

  private boolean entersInItsMiddle(String by) {
    return passes(NftHook.Point.INPUT, tcp(4000, 8080, ACK), by, null);
  }

  private boolean leavesInItsMiddle(String by) {
    return passes(NftHook.Point.OUTPUT, tcp(8080, 4000, ACK), null, by);
  }

  private boolean isForwardedInItsMiddle(String from, String to) {
    return passes(NftHook.Point.FORWARD, tcp(4000, 8080, ACK), from, to);
  }

  @Test
  void there_is_nothing_of_it_unless_asked_for_and_something_to_guard() throws Exception {
    String without = text();
    firewall.setMidstreamGuard(true);
    apply();
    assertThat(text()).isEqualTo(without);
    apply(open(host("eth0")).update());
    assertThat(text()).contains("chain host_midstream {");
    assertThat(firewall.findsMidstreamGuard()).isTrue();
    firewall.setMidstreamGuard(false);
    apply();
    assertThat(text()).doesNotContain("midstream");
    assertThat(firewall.findsMidstreamGuard()).isFalse();
    apply(open(host("eth0")).removal());
    assertThat(text()).isEqualTo(without);
  }

  @Test
  void what_begins_no_connection_and_is_of_none_is_dropped_in_both_directions() throws Exception {
    apply(open(host("eth0")).update());
    assertThat(entersInItsMiddle("eth0")).as("unguarded").isTrue();
    assertThat(leavesInItsMiddle("eth0")).as("unguarded").isTrue();
    firewall.setMidstreamGuard(true);
    apply();
    assertThat(entersInItsMiddle("eth0")).isFalse();
    assertThat(leavesInItsMiddle("eth0")).isFalse();
    assertThat(entersInItsMiddle("eth1")).as("nobody's").isTrue();
    assertThat(leavesInItsMiddle("eth1")).as("nobody's").isTrue();
    assertThat(isForwardedInItsMiddle("eth0", "eth1")).as("no such policy").isTrue();
  }

  @ParameterizedTest
  @EnumSource(
      value = NftHook.Point.class,
      names = {"INPUT", "OUTPUT"})
  void all_other_packets_pass(NftHook.Point hook) throws Exception {
    firewall.setMidstreamGuard(true);
    apply(open(host("eth0")).update());
    String from = hook == NftHook.Point.INPUT ? "eth0" : null;
    String to = hook == NftHook.Point.OUTPUT ? "eth0" : null;
    NftPacket middle = tcp(4000, 8080, ACK);
    assertThat(passes(hook, middle, from, to)).isFalse();
    assertThat(passes(hook, tcp(4000, 8080, NftPacket.SYN), from, to)).isTrue();
    assertThat(passes(hook, middle.withCtState(CtState.ESTABLISHED), from, to)).isTrue();
    assertThat(passes(hook, middle.withCtState(CtState.RELATED), from, to)).isTrue();
    assertThat(passes(hook, middle.withCtState(CtState.UNTRACKED), from, to)).isTrue();
    NftPacket udp =
        NftPacket.opening(NftPacket.UDP, middle.source(), 4000, middle.destination(), 8080);
    assertThat(passes(hook, udp, from, to)).isTrue();
  }

  @Test
  void failsafes_and_their_answers_pass() throws Exception {
    firewall.setMidstreamGuard(true);
    apply(open(host("eth0")).update());
    assertThat(passes(NftHook.Point.INPUT, tcp(4000, 22, ACK), "eth0", null)).isTrue();
    assertThat(passes(NftHook.Point.OUTPUT, tcp(22, 4000, ACK), null, "eth0")).isTrue();
    assertThat(passes(NftHook.Point.OUTPUT, tcp(4000, 2379, ACK), null, "eth0")).isTrue();
    assertThat(passes(NftHook.Point.INPUT, tcp(2379, 4000, ACK), "eth0", null)).isTrue();
    assertThat(passes(NftHook.Point.INPUT, tcp(22, 4000, ACK), "eth0", null)).isFalse();
    assertThat(passes(NftHook.Point.OUTPUT, tcp(4000, 22, ACK), null, "eth0")).isFalse();
  }

  @Test
  void the_endpoint_of_all_interfaces_has_those_that_are_nobodys() throws Exception {
    firewall.setMidstreamGuard(true);
    apply(
        open(all()).withForwarded(List.of(tier("any")), List.of()).update(),
        open(host("eth1")).update());
    for (String by : List.of("eth0", "eth1")) {
      assertThat(entersInItsMiddle(by)).as(by).isFalse();
      assertThat(leavesInItsMiddle(by)).as(by).isFalse();
    }
    for (String by : List.of("lo", "cali7")) {
      assertThat(entersInItsMiddle(by)).as(by).isTrue();
      assertThat(leavesInItsMiddle(by)).as(by).isTrue();
    }
    assertThat(isForwardedInItsMiddle("eth0", "eth2")).isFalse();
    assertThat(isForwardedInItsMiddle("eth1", "lo")).as("eth1 has no such policy").isTrue();
  }

  /// Forward policy of one direction cuts what may come back in the other.
  @Test
  void what_is_forwarded_is_guarded_both_ways_if_policy_of_either_can_cut_it() throws Exception {
    firewall.setMidstreamGuard(true);
    List<HostFixtures> kinds =
        List.of(
            open(host("eth0")).withForwarded(List.of(tier("any")), List.of()),
            open(host("eth0")).withForwarded(List.of(), List.of(tier("any"))),
            open(host("eth0")).withPreDnat(early("any")));
    for (HostFixtures kind : kinds) {
      apply(kind.update());
      assertThat(isForwardedInItsMiddle("eth0", "eth1")).isFalse();
      assertThat(isForwardedInItsMiddle("eth1", "eth0")).isFalse();
      assertThat(isForwardedInItsMiddle("eth1", "eth2")).isTrue();
    }
  }

  @Test
  void it_comes_and_goes_without_another_chain_being_written() throws Exception {
    apply(open(all()).withForwarded(List.of(tier("any")), List.of()).update());
    String without = withoutGuard(text());
    firewall.setMidstreamGuard(true);
    apply();
    assertThat(withoutGuard(text())).isEqualTo(without);
    assertThat(Objects.requireNonNull(table.view(IpFamily.IPV6).chain("host_midstream")).rules())
        .hasSize(1);
  }

  private static String withoutGuard(String text) {
    StringBuilder kept = new StringBuilder();
    boolean isGuard = false;
    for (String line : text.split("\n")) {
      isGuard |= line.contains("chain host_midstream");
      if (!isGuard && !line.isBlank()) {
        kept.append(line).append('\n');
      }
      isGuard &= !line.strip().equals("}");
    }
    return kept.toString();
  }
}
