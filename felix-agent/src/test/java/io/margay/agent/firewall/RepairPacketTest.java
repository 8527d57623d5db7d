package io.margay.agent.firewall;

import static io.margay.agent.firewall.FirewallNamespaces.answers;
import static io.margay.agent.firewall.FirewallNamespaces.echoes;
import static io.margay.agent.firewall.FirewallNamespaces.v4;
import static io.margay.agent.firewall.FirewallNamespaces.v6;
import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static io.margay.agent.firewall.Silence.isSilent;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.settings.PolicyChangeMode;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.policy.RuleAction;
import java.net.InetSocketAddress;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What gets through while another process has our tables out of the kernel does not last: after
/// the repair its connections are cut, and those that policy allows live on. On a kernel without
/// persistent owners, by real sockets.
@Tag("netns")
final class RepairPacketTest {

  /// What does not come has been dropped; it would be there at once.
  private static final int WEB = 80;

  private static final int DENIED = 443;

  private FirewallNamespaces lab;
  private FlowAgent agent;

  @BeforeEach
  void raise() throws Exception {
    lab = new FirewallNamespaces(3);
    lab.listen(1, WEB);
    lab.listen(1, DENIED);
    agent = new FlowAgent(lab, PolicyChangeMode.REEVALUATE, Ownership.NEVER);
    agent.begin(
        profile("open", RuleAction.ALLOW),
        ingress("p", tcp(0, RuleAction.ALLOW, ANY, ports(WEB))),
        endpoint(1, List.of(tier("p")), List.of(), "open"),
        endpoint(2, List.of(), List.of(), "open"),
        endpoint(3, List.of(), List.of(), "open"));
    assertThat(lab.dropped(2, v4(1), DENIED)).isTrue();
  }

  @AfterEach
  void clean() throws Exception {
    agent.close();
    lab.close();
  }

  /// Keeps the agent from repairing until it is closed.
  private final class Window implements AutoCloseable {
    private final CountDownLatch over = new CountDownLatch(1);

    Window() throws Exception {
      CountDownLatch held = new CountDownLatch(1);
      agent
          .loop
          .loop()
          .post(
              () -> {
                held.countDown();
                try {
                  over.await();
                } catch (InterruptedException stopped) {
                  Thread.currentThread().interrupt();
                }
              });
      held.await();
    }

    @Override
    public void close() {
      over.countDown();
    }
  }

  @Test
  void what_began_while_our_tables_were_deleted_is_cut_after_the_repair() throws Exception {
    // Another tool goes on tracking connections, as kube-proxy and container engines do.
    lab.in("r", "nft add table inet office");
    lab.in("r", "nft add chain inet office in { type filter hook forward priority 50; }");
    lab.in("r", "nft add rule inet office in ct state established counter");
    SocketChannel before = lab.open(2, v4(1), WEB);
    SocketChannel atBefore = lab.accept(0);
    InetSocketAddress to = new InetSocketAddress(v4(1), 5353);
    DatagramChannel asks = lab.udp(2, new InetSocketAddress(v4(2), 4000));
    DatagramChannel answerer = lab.udp(1, to);
    assertThat(isSilent(asks, to, answerer)).isTrue();

    SocketChannel denied;
    SocketChannel atDenied;
    SocketChannel denied6;
    SocketChannel atDenied6;
    SocketChannel allowed;
    SocketChannel atAllowed;
    try (Window _ = new Window()) {
      lab.in("r", "nft delete table ip margay");
      lab.in("r", "nft delete table ip6 margay");
      denied = lab.open(2, v4(1), DENIED);
      atDenied = lab.accept(2);
      denied6 = lab.open(3, v6(1), DENIED);
      atDenied6 = lab.accept(3);
      allowed = lab.open(3, v4(1), WEB);
      atAllowed = lab.accept(0);
      assertThat(echoes(denied, atDenied)).isTrue();
      assertThat(echoes(atDenied6, denied6)).isTrue();
      assertThat(answers(asks, to, answerer)).as("UDP").isTrue();
    }
    agent.awaitCut(3);

    assertThat(isSilent(denied, atDenied)).isTrue();
    assertThat(isSilent(atDenied, denied)).isTrue();
    assertThat(isSilent(atDenied6, denied6)).isTrue();
    assertThat(isSilent(asks, to, answerer)).isTrue();
    assertThat(echoes(atAllowed, allowed)).isTrue();
    assertThat(echoes(allowed, atAllowed)).isTrue();
    assertThat(echoes(atBefore, before)).isTrue();
    assertThat(agent.flows.cut()).isEqualTo(3);
    assertThat(agent.loop.see(agent.firewall::tampering).gaps()).isPositive();
  }

  @Test
  void after_a_flush_of_everything_what_began_is_not_picked_up_again() throws Exception {
    SocketChannel before = lab.open(2, v4(1), WEB);
    SocketChannel atBefore = lab.accept(0);
    int repairs = agent.loop.see(agent.firewall::tampering).repairs();
    SocketChannel denied;
    SocketChannel atDenied;
    try (Window _ = new Window()) {
      lab.in("r", "nft flush ruleset");
      denied = lab.open(2, v4(1), DENIED);
      atDenied = lab.accept(2);
      assertThat(echoes(denied, atDenied)).isTrue();
    }
    agent.loop.await(() -> agent.firewall.tampering().repairs(), count -> count > repairs);

    assertThat(isSilent(denied, atDenied)).isTrue();
    assertThat(isSilent(atDenied, denied)).isTrue();
    assertThat(echoes(before, atBefore)).isTrue();
    assertThat(echoes(atBefore, before)).isTrue();
  }

  @Test
  void what_an_accepting_rule_of_theirs_let_in_is_cut_too() throws Exception {
    SocketChannel denied;
    SocketChannel atDenied;
    try (Window _ = new Window()) {
      lab.in("r", "nft insert rule ip margay ingress accept");
      denied = lab.open(2, v4(1), DENIED);
      atDenied = lab.accept(2);
      assertThat(echoes(denied, atDenied)).isTrue();
    }
    agent.awaitCut(1);
    assertThat(isSilent(atDenied, denied)).isTrue();
  }

  @Test
  void a_change_of_policy_that_meets_the_empty_kernel_first_repairs_and_cuts_as_well()
      throws Exception {
    lab.in("r", "nft add table inet office");
    lab.in("r", "nft add chain inet office in { type filter hook forward priority 50; }");
    lab.in("r", "nft add rule inet office in ct state established counter");
    SocketChannel denied;
    SocketChannel atDenied;
    try (Window _ = new Window()) {
      agent.post(ingress("p", tcp(0, RuleAction.ALLOW, ANY, ports(WEB, 8080))));
      lab.in("r", "nft delete table ip margay");
      denied = lab.open(2, v4(1), DENIED);
      atDenied = lab.accept(2);
      assertThat(echoes(denied, atDenied)).isTrue();
    }
    agent.awaitCut(1);
    assertThat(isSilent(denied, atDenied)).isTrue();
  }
}
