package io.margay.agent.firewall;

import static io.margay.agent.firewall.HostFixtures.all;
import static io.margay.agent.firewall.HostFixtures.early;
import static io.margay.agent.firewall.HostFixtures.host;
import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.TCP;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.nets;
import static io.margay.agent.firewall.PolicyFixtures.policy;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.rule;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.firewall.HostProtection.ToHostAction;
import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.nft.NftText;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.PolicyKey;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import io.margay.policy.RuleSet;
import io.margay.policy.TierPolicies;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What host endpoints and staged policies are as chains.
final class HostEndpointRenderingTest {

  private static final PolicyKey STAGED = new PolicyKey("StagedNetworkPolicy", "ns", "trial");

  private final FakeNftables fake = new FakeNftables(false);
  private final FirewallManager firewall = manager(fake);

  private static FirewallManager manager(FakeNftables fake) {
    return new FirewallManager(
        new NftTable(fake.open(), "margay", Ownership.WHERE_PERSISTENT), FirewallSettings.DEFAULT);
  }

  private NftOutcome apply(PolicyUpdate... updates) throws Exception {
    for (PolicyUpdate update : updates) {
      firewall.onUpdate(update);
    }
    return firewall.apply();
  }

  private List<String> text(IpFamily family) {
    return NftText.print(firewall.desired(family)).lines().map(String::strip).toList();
  }

  @Test
  void a_node_without_host_endpoints_has_neither_chains_nor_elements_for_them() throws Exception {
    apply(profile("open", RuleAction.ALLOW), endpoint(1, List.of(), List.of(), "open"));
    List<String> before = text(IpFamily.IPV4);
    assertThat(before).noneMatch(line -> line.startsWith("chain h"));
    assertThat(String.join("\n", before)).doesNotContain("0x00000001 . tcp");
    apply(host("eth0").update(), all().update());
    assertThat(text(IpFamily.IPV4)).contains("chain host_in {", "chain hi-eth0 {", "chain hi {");
    apply(host("eth0").removal(), all().removal());
    assertThat(text(IpFamily.IPV4)).isEqualTo(before);
  }

  @Test
  void an_endpoint_reads_as_its_stages() throws Exception {
    apply(
        profile("open", RuleAction.ALLOW),
        ingress("web", tcp(0, RuleAction.ALLOW, ANY, ports(80))),
        ingress("early", tcp(0, RuleAction.ALLOW, nets(List.of("192.0.2.0/24"), List.of()), ANY)),
        host("eth0")
            .withUntracked(List.of(early("early")), List.of())
            .withPreDnat(early("early"))
            .withNormal(List.of(tier("web")), List.of())
            .withProfiles("open", "missing")
            .update());
    String early = "t-" + Layout.hash(new TierKey(Direction.INGRESS, early("early")).signature());
    String untracked = tierChain(early("early"), Manner.UNTRACKED);
    String untrackedAgain = tierChain(early("early"), Manner.UNTRACKED_AGAIN);
    String preDnatAgain = tierChain(early("early"), Manner.PRE_DNAT_AGAIN);
    String failsafe = " . meta l4proto . th dport . ip saddr @failsafes accept comment \"host|";
    assertThat(text(IpFamily.IPV4))
        .containsSubsequence(
            "chain hi-eth0 {",
            "0x00000001" + failsafe + "ingress|failsafe\"",
            "ct state invalid counter drop comment \"host|eth0|ingress|invalid\"",
            "ct state untracked jump "
                + untrackedAgain
                + " comment \"tier|default|ingress|untracked-again\"",
            "jump hda-eth0 comment \"host|eth0|before-dnat\"",
            "jump "
                + Layout.tierChain(new TierKey(Direction.INGRESS, tier("web")))
                + " comment \"tier|default|ingress\"",
            "jump "
                + Layout.profileChain("open", Direction.INGRESS)
                + " comment \"profile|open|ingress\"",
            "counter drop comment \"profile|missing|ingress|missing\"",
            "counter drop comment \"host|eth0|ingress|end\"",
            "}")
        .containsSubsequence(
            "chain hui-eth0 {",
            "0x00000001" + failsafe + "untracked-in|failsafe\"",
            "0x00000002 . meta l4proto . th sport . ip saddr @failsafes accept"
                + " comment \"host|untracked-in|failsafe-answer\"",
            "jump " + untracked + " comment \"tier|default|ingress\"",
            "accept comment \"host|eth0|untracked-in|end\"",
            "}")
        .containsSubsequence(
            "chain " + untracked + " {",
            "meta l4proto tcp @nh,96,24 12582914 counter notrack accept"
                + " comment \"policy|ns/early|ingress|0\"",
            "}")
        .containsSubsequence(
            "chain hda-eth0 {",
            "0x00000001 . meta l4proto . ct original proto-dst . ct original ip saddr @failsafes"
                + " return comment \"host|pre-dnat|failsafe\"",
            "jump " + preDnatAgain + " comment \"tier|default|ingress|pre-dnat-again\"",
            "}")
        .containsSubsequence(
            "chain " + preDnatAgain + " {",
            "meta l4proto tcp ct original ip saddr & 0xffffff00 0xc0000200 accept"
                + " comment \"policy|ns/early|ingress|0\"",
            "}")
        .containsSubsequence(
            "chain host_pre_dnat {", "type filter hook prerouting priority -101; policy accept;")
        .anyMatch(line -> line.contains(early + "-in"));
    assertThat(text(IpFamily.IPV4))
        .contains("chain host_in {", "chain host_out {", "chain host_untracked_in {")
        .doesNotContain(
            "chain host_untracked_out {", "chain host_forward_in {", "chain host_forward_out {");
    assertThat(text(IpFamily.IPV6))
        .containsSubsequence(
            "chain host_untracked_in {",
            "fib daddr type local meta l4proto ipv6-icmp icmpv6 type 130-136 accept"
                + " comment \"host|untracked-in|neighbour-discovery\"",
            "}");
  }

  private static String tierChain(TierPolicies tier, Manner manner) {
    return Layout.tierChain(new TierKey(Direction.INGRESS, tier, manner));
  }

  @Test
  void a_named_endpoint_without_a_say_is_kept_from_the_one_of_all_interfaces() throws Exception {
    apply(
        ingress("web", tcp(0, RuleAction.ALLOW, ANY, ports(80))),
        all().withForwarded(List.of(tier("web")), List.of()).update(),
        host("eth0").update(),
        new PolicyUpdate.EndpointUpdated(
            PolicyFixtures.key(1),
            new EndpointPolicy(
                new InterfaceName("tap1"),
                List.of(IpAddress.parse("10.65.0.1")),
                List.of(),
                List.of(),
                List.of())));
    String elements = String.join("\n", text(IpFamily.IPV4));
    assertThat(elements)
        .contains(
            "0x00000006 . \"eth0\" : accept",
            "0x00000006 . \"tap1\" : accept",
            "0x00000004 . \"eth0\" : jump hi-eth0",
            "0x00000004 . \"tap1\" : accept");
    firewall.setHostProtection(new HostProtection(ToHostAction.DROP, List.of(), List.of()));
    apply();
    assertThat(String.join("\n", text(IpFamily.IPV4)))
        .contains(
            "0x00000006 . \"tap1\" : accept",
            "0x00000004 . \"tap1\" : drop",
            "iifname \"cali*\" counter drop comment \"host|ingress|workload|cali\"")
        .doesNotContain("0x00000001 . tcp . 22");
  }

  @Test
  void the_loopback_and_pods_are_no_host_endpoints() throws Exception {
    apply(host("lo").update(), host("cali1").update());
    assertThat(text(IpFamily.IPV4)).noneMatch(line -> line.startsWith("chain h"));
  }

  @Test
  void overlapping_failsafes_become_one_and_a_fresh_agent_finds_them() throws Exception {
    HostProtection protection =
        new HostProtection(
            ToHostAction.ACCEPT,
            List.of(
                new Failsafe(TCP, 22, Prefix.parse("10.0.0.0/8")),
                new Failsafe(TCP, 22, Prefix.parse("10.1.0.0/16")),
                new Failsafe(TCP, 22, Prefix.parse("fd00::/8"))),
            List.of());
    firewall.setHostProtection(protection);
    apply(host("eth0").update());
    assertThat(String.join("\n", text(IpFamily.IPV4)))
        .contains("0x00000001 . tcp . 22 . 10.0.0.0/8")
        .doesNotContain("10.1.0.0");
    assertThat(String.join("\n", text(IpFamily.IPV6))).contains("0x00000001 . tcp . 22 . fd00::/8");
    FirewallManager fresh = manager(fake);
    fresh.setHostProtection(protection);
    fresh.onUpdate(host("eth0").update());
    assertThat(fresh.apply()).isEqualTo(new NftOutcome.Unchanged());
  }

  @Test
  void a_staged_policy_is_counted_at_its_place_and_decides_nothing() throws Exception {
    TierPolicies tier =
        new TierPolicies("default", RuleAction.DENY, List.of(STAGED, policy("web")));
    apply(
        new PolicyUpdate.PolicyUpdated(
            STAGED,
            new RuleSet(
                List.of(
                    tcp(0, RuleAction.LOG, ANY, ANY),
                    tcp(1, RuleAction.PASS, ANY, ports(81)),
                    rule(2, RuleAction.DENY, ANY, ANY)),
                List.of())),
        ingress("web", tcp(0, RuleAction.ALLOW, ANY, ports(80))),
        endpoint(1, List.of(tier), List.of()));
    String chain = Layout.policyChain(STAGED, Direction.INGRESS);
    assertThat(text(IpFamily.IPV4))
        .containsSubsequence(
            "chain " + chain + " {",
            "meta l4proto tcp counter comment \"staged|ns/trial|ingress|0|log\"",
            "meta l4proto tcp th dport 81 counter return"
                + " comment \"staged|ns/trial|ingress|1|pass\"",
            "counter return comment \"staged|ns/trial|ingress|2|deny\"",
            "}")
        .containsSubsequence(
            "chain " + Layout.tierChain(new TierKey(Direction.INGRESS, tier)) + " {",
            "jump " + chain + " comment \"staged|ns/trial|ingress\"",
            "jump "
                + Layout.policyChain(policy("web"), Direction.INGRESS)
                + " comment \"policy|ns/web|ingress\"",
            "counter drop comment \"tier|default|ingress|end\"",
            "}");
    apply(new PolicyUpdate.PolicyRemoved(STAGED));
    assertThat(text(IpFamily.IPV4))
        .as("a staged policy that is not known closes nothing")
        .noneMatch(line -> line.contains("trial"));
  }
}
