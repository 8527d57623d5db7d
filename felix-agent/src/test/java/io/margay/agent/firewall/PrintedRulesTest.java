package io.margay.agent.firewall;

import static io.margay.agent.firewall.FirewallNamespaces.v4;
import static io.margay.agent.firewall.FirewallNamespaces.v6;
import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.nets;
import static io.margay.agent.firewall.PolicyFixtures.policy;
import static io.margay.agent.firewall.PolicyFixtures.portRange;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.rule;
import static io.margay.agent.firewall.PolicyFixtures.set;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static io.margay.agent.firewall.PolicyFixtures.withHostPorts;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftPrintedRule;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.nft.NftTableName;
import io.margay.linux.nft.NftText;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Port;
import io.margay.policy.HostPort;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The kernel's rules, read back as words and as counts.
@Tag("netns")
class PrintedRulesTest {

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

  private void apply(List<PolicyUpdate> updates) throws Exception {
    updates.forEach(firewall::onUpdate);
    firewall.apply();
  }

  @Test
  void what_the_kernel_shows_reads_as_what_was_desired() throws Exception {
    firewall.setPacketLog(
        new PacketLog(
            PacketLog.Target.NFLOG, PacketLog.Verdicts.DENIED, null, PacketLog.DEFAULT.limit()));
    firewall.setNatOutgoing(
        new NatOutgoing(
            Set.of(Prefix.parse("10.65.0.0/16"), Prefix.parse("fd00:65::/64")),
            Set.of(Prefix.parse("10.65.0.0/16"), Prefix.parse("fd00:65::/64")),
            Ipv4Address.parse("192.0.2.9"),
            new Port.Range(32768, 60999)));
    List<PolicyUpdate> updates = new ArrayList<>();
    updates.add(profile("open", RuleAction.ALLOW));
    updates.add(set("s:two", "10.65.0.2", "10.7.0.0/16", "fd00:65::2", "fd00:7::/48"));
    updates.add(
        ingress(
            "mixed",
            rule(0, RuleAction.LOG, ANY, ANY),
            tcp(1, RuleAction.ALLOW, inSet("s:two"), ports(80)),
            tcp(2, RuleAction.DENY, ANY, portRange(5000, 5010)),
            rule(
                3, RuleAction.ALLOW, nets(List.of("10.8.0.0/14", "fd00:8::/47"), List.of()), ANY)));
    String[] many = IntStream.range(0, 40).mapToObj(i -> "p" + i).toArray(String[]::new);
    for (int i = 0; i < many.length; i++) {
      updates.add(
          ingress(
              many[i],
              tcp(
                  0,
                  RuleAction.ALLOW,
                  nets(List.of("10.9." + i + ".0/24", "fd00:9:" + i + "::/64"), List.of()),
                  ports(1000 + i))));
    }
    updates.add(endpoint(1, List.of(tier("a", RuleAction.PASS, "mixed"), tier(many)), List.of()));
    updates.add(withHostPorts(2, new HostPort(6, null, 8080, 80)));
    apply(updates);
    try (KernelNftables reader = lab.nftables()) {
      for (IpFamily family : IpFamily.values()) {
        List<String> shown =
            reader.printedRules(new NftTableName(family, "margay")).stream()
                .map(rule -> rule.text() + " comment \"" + rule.info().id() + "\"")
                .toList();
        List<String> desired =
            NftText.print(firewall.desired(family))
                .lines()
                .map(String::strip)
                .filter(line -> line.contains(" comment \""))
                .toList();
        assertThat(shown).containsExactlyInAnyOrderElementsOf(desired);
        assertThat(shown).anyMatch(line -> line.contains("map @grants"));
      }
      assertThat(reader.printedRules(new NftTableName(IpFamily.IPV4, "margay")))
          .filteredOn(NftPrintedRule::isHardToPrint)
          .isNotEmpty();
    }
  }

  @Test
  void rules_that_allow_count_first_packets_and_go_on_when_their_chain_is_written_anew()
      throws Exception {
    RuleTally tally = new RuleTally();
    List<PolicyUpdate> updates = new ArrayList<>();
    updates.add(profile("open", RuleAction.ALLOW));
    updates.add(ingress("web", tcp(0, RuleAction.ALLOW, ANY, ports(80))));
    updates.add(endpoint(1, List.of(tier("web")), List.of(), "open"));
    updates.add(endpoint(2, List.of(), List.of(), "open"));
    apply(updates);
    assertThat(lab.allowed(2, v4(1), 80)).isTrue();
    assertThat(lab.allowed(2, v4(1), 80)).isTrue();
    assertThat(lab.allowed(2, v6(1), 80)).isTrue();
    assertThat(web(tally).ipv4().packets()).isEqualTo(2);
    assertThat(web(tally).ipv6().packets()).isEqualTo(1);

    apply(
        List.of(
            ingress(
                "web",
                tcp(0, RuleAction.ALLOW, ANY, ports(80)),
                tcp(1, RuleAction.ALLOW, ANY, ports(443)))));
    assertThat(lab.allowed(2, v4(1), 80)).isTrue();
    assertThat(web(tally).ipv4().packets()).isEqualTo(3);
    assertThat(web(tally).what().policy()).isEqualTo(policy("web").toString());
  }

  private PolicyCount web(RuleTally tally) throws Exception {
    try (KernelNftables reader = lab.nftables()) {
      for (IpFamily family : IpFamily.values()) {
        tally.take(family, reader.rules(new NftTableName(family, "margay")));
      }
    }
    return tally.counts(firewall.origins()).stream()
        .filter(count -> count.what().policy().equals("ns/web") && count.what().rule().equals("0"))
        .findFirst()
        .orElseThrow();
  }
}
