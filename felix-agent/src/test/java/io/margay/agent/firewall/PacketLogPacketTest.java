package io.margay.agent.firewall;

import static io.margay.agent.firewall.FirewallNamespaces.v4;
import static io.margay.agent.firewall.FirewallNamespaces.v6;
import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.egress;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.policy;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.rule;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.NftExpr;
import io.margay.linux.nft.NftLogEntry;
import io.margay.linux.nft.NftLogListener;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What the kernel hands to the listener of an NFLOG group, by real packets.
@Tag("netns")
class PacketLogPacketTest {

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static final PacketLog.Verdicts NO_VERDICTS = PacketLog.Verdicts.NONE;

  private FirewallNamespaces lab;
  private NftTable table;
  private FirewallManager firewall;

  @BeforeEach
  void raise() throws Exception {
    lab = new FirewallNamespaces(2);
    lab.listen(1, 80);
    lab.listen(1, 443);
    table = new NftTable(lab.nftables(), "margay", Ownership.WHERE_PERSISTENT);
    firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
  }

  @AfterEach
  void clean() throws Exception {
    table.close();
    lab.close();
  }

  private void log(PacketLog.Verdicts verdicts, NftExpr.Limit limit) {
    firewall.setPacketLog(new PacketLog(PacketLog.Target.NFLOG, verdicts, null, limit));
  }

  private void apply(PolicyUpdate... updates) throws Exception {
    for (PolicyUpdate update : updates) {
      firewall.onUpdate(update);
    }
    assertThat(firewall.apply()).isNotInstanceOf(NftOutcome.Rebuilt.class);
  }

  /// Pod 1's ingress: everything is logged, port 80 allowed. Pod 2's egress: logged and allowed.
  private void applyPolicies() throws Exception {
    apply(
        profile("open", RuleAction.ALLOW),
        ingress("in", rule(0, RuleAction.LOG, ANY, ANY), tcp(1, RuleAction.ALLOW, ANY, ports(80))),
        egress("out", rule(0, RuleAction.LOG, ANY, ANY), rule(1, RuleAction.ALLOW, ANY, ANY)),
        endpoint(1, List.of(tier("in")), List.of(), "open"),
        endpoint(2, List.of(), List.of(tier("security", RuleAction.PASS, "out")), "open"));
  }

  /// The first `count` entries.
  private static List<NftLogEntry> take(NftLogListener listener, int count) throws Exception {
    List<NftLogEntry> entries = new ArrayList<>();
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (entries.size() < count && System.nanoTime() < end) {
      entries.addAll(listener.take(Duration.ofMillis(100)));
    }
    return entries;
  }

  private List<RuleOrigin> origins(List<NftLogEntry> entries) {
    RuleOrigins origins = firewall.origins();
    List<RuleOrigin> found = new ArrayList<>();
    for (NftLogEntry entry : entries) {
      RuleOrigin origin = origins.ofLogPrefix(entry.prefix());
      assertThat(origin).as(entry.prefix()).isNotNull();
      if (origin != null) {
        found.add(origin);
      }
    }
    return found;
  }

  @Test
  void a_rule_with_action_log_names_itself_to_its_group_and_decides_nothing() throws Exception {
    log(NO_VERDICTS, PacketLog.DEFAULT.limit());
    applyPolicies();
    RuleOrigin in = new RuleOrigin.PolicyRule(policy("in"), Direction.INGRESS, 0);
    RuleOrigin out = new RuleOrigin.PolicyRule(policy("out"), Direction.EGRESS, 0);
    try (NftLogListener ingress = lab.logListener(PacketLog.INGRESS_GROUP);
        NftLogListener egress = lab.logListener(PacketLog.EGRESS_GROUP)) {
      for (InetAddress pod : List.of(v4(1), v6(1))) {
        assertThat(lab.allowed(2, pod, 80)).isTrue();
        List<NftLogEntry> entries = take(ingress, 1);
        assertThat(origins(entries)).containsExactly(in);
        assertThat(entries.getFirst().prefix()).isEqualTo("LPI0|default|np/ns/in");
        assertThat(entries.getFirst().packet().toBytes()[0] >>> 4 & 0xf)
            .isEqualTo(pod.getAddress().length == 4 ? 4 : 6);
        assertThat(origins(take(egress, 1))).containsExactly(out);
        assertThat(firewall.origins().tierOf(policy("out"))).isEqualTo("security");

        assertThat(lab.dropped(2, pod, 443)).isTrue();
        assertThat(origins(take(ingress, 1))).contains(in);
        assertThat(origins(take(egress, 1))).contains(out);
      }
    }
  }

  @Test
  void denials_are_told_by_what_denied_and_nothing_else_is() throws Exception {
    log(PacketLog.Verdicts.DENIED, PacketLog.DEFAULT.limit());
    apply(
        profile("open", RuleAction.ALLOW),
        ingress(
            "in",
            tcp(0, RuleAction.DENY, ANY, ports(443)),
            tcp(1, RuleAction.ALLOW, ANY, ports(80))),
        endpoint(1, List.of(tier("in")), List.of(), "open"),
        endpoint(2, List.of(), List.of(), "open"));
    try (NftLogListener ingress = lab.logListener(PacketLog.INGRESS_GROUP)) {
      for (InetAddress pod : List.of(v4(1), v6(1))) {
        assertThat(lab.allowed(2, pod, 80)).isTrue();
        assertThat(lab.dropped(2, pod, 443)).isTrue();
        assertThat(lab.dropped(2, pod, 22)).isTrue();
        assertThat(origins(take(ingress, 2)))
            .startsWith(new RuleOrigin.PolicyRule(policy("in"), Direction.INGRESS, 0))
            .contains(new RuleOrigin.EndOfTier("default", Direction.INGRESS))
            .doesNotContain(new RuleOrigin.PolicyRule(policy("in"), Direction.INGRESS, 1));
      }
    }
  }

  @Test
  void allowances_are_told_too_where_all_verdicts_are() throws Exception {
    log(PacketLog.Verdicts.ALL, PacketLog.DEFAULT.limit());
    applyPolicies();
    try (NftLogListener ingress = lab.logListener(PacketLog.INGRESS_GROUP)) {
      for (InetAddress pod : List.of(v4(1), v6(1))) {
        assertThat(lab.allowed(2, pod, 80)).isTrue();
        assertThat(take(ingress, 2).stream().map(NftLogEntry::prefix))
            .containsExactly("LPI0|default|np/ns/in", "API1|default|np/ns/in");
      }
    }
  }

  @Test
  void what_is_beyond_the_limit_is_not_logged_and_decided_all_the_same() throws Exception {
    log(PacketLog.Verdicts.ALL, new NftExpr.Limit(1, 86_400, 1));
    applyPolicies();
    try (NftLogListener ingress = lab.logListener(PacketLog.INGRESS_GROUP)) {
      for (int i = 0; i < 3; i++) {
        assertThat(lab.allowed(2, v4(1), 80)).isTrue();
        assertThat(lab.dropped(2, v4(1), 443)).isTrue();
      }
      assertThat(take(ingress, 3).stream().map(NftLogEntry::prefix))
          .containsExactlyInAnyOrder(
              "LPI0|default|np/ns/in", "API1|default|np/ns/in", "DPI|default");
      assertThat(ingress.take(Duration.ZERO)).isEmpty();
    }
    assertThat(lab.in("r", "nft list table ip margay"))
        .containsPattern("counter packets [6-9][0-9]* .*limit rate 1/day burst 1 packets log");
  }

  @Test
  void the_log_goes_where_it_is_said_without_a_new_policy() throws Exception {
    applyPolicies();
    assertThat(lab.in("r", "nft list table ip margay"))
        .contains("log prefix \"calico-packet policy|ns/in|ingress|0: \"")
        .doesNotContain("log prefix \"LPI0");
    log(NO_VERDICTS, PacketLog.DEFAULT.limit());
    apply();
    assertThat(lab.in("r", "nft list table ip margay"))
        .contains("log prefix \"LPI0|default|np/ns/in\" group 1 snaplen 128")
        .doesNotContain("calico-packet");
  }
}
