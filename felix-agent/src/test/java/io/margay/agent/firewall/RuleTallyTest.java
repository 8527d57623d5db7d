package io.margay.agent.firewall;

import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftCounter;
import io.margay.linux.nft.NftRuleInfo;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.model.net.IpFamily;
import io.margay.policy.RuleAction;
import java.util.List;
import org.junit.jupiter.api.Test;

class RuleTallyTest {

  private static final String WEB = "policy|ns/web|ingress|0";

  private final RuleTally tally = new RuleTally();
  private final RuleOrigins origins = origins();

  private static RuleOrigins origins() {
    try (NftTable table = new NftTable(new FakeNftables(false).open(), "m", Ownership.NEVER)) {
      FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
      firewall.onUpdate(profile("open", RuleAction.ALLOW));
      firewall.onUpdate(ingress("web", PolicyFixtures.rule(0, RuleAction.ALLOW, ANY, ANY)));
      firewall.onUpdate(endpoint(1, List.of(tier("web")), List.of(), "open"));
      firewall.render();
      return firewall.origins();
    }
  }

  private static NftRuleInfo rule(long handle, String id, long packets) {
    return new NftRuleInfo("c", handle, id, new NftCounter(packets, packets * 100));
  }

  private PolicyCount web() {
    return tally.counts(origins).stream()
        .filter(count -> count.what().policy().equals("ns/web"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void rules_of_one_id_count_together_under_the_authors_name() {
    tally.take(IpFamily.IPV4, List.of(rule(1, WEB, 2), rule(2, WEB, 3)));
    tally.take(IpFamily.IPV6, List.of(rule(1, WEB, 10)));
    assertThat(web().what())
        .isEqualTo(
            new PolicyCount.Subject("default", "NetworkPolicy", "ns/web", "ingress", "0", "allow"));
    assertThat(web().ipv4()).isEqualTo(new NftCounter(5, 500));
    assertThat(web().packets()).isEqualTo(15);
  }

  @Test
  void a_chain_written_anew_goes_on_counting() {
    tally.take(IpFamily.IPV4, List.of(rule(1, WEB, 5)));
    tally.take(IpFamily.IPV4, List.of(rule(9, WEB, 2)));
    tally.take(IpFamily.IPV4, List.of(rule(9, WEB, 3)));
    assertThat(web().packets()).isEqualTo(8);
  }

  @Test
  void handles_that_come_again_in_a_new_table_are_other_rules() {
    tally.take(IpFamily.IPV4, List.of(rule(1, WEB, 5), rule(2, "x", 50)));
    tally.take(IpFamily.IPV4, List.of(rule(1, "x", 60), rule(2, WEB, 4)));
    assertThat(web().packets()).isEqualTo(9);
    tally.take(IpFamily.IPV4, List.of(rule(1, "x", 60), rule(2, WEB, 1)));
    assertThat(web().packets()).isEqualTo(10);
  }

  @Test
  void what_leaves_the_table_is_forgotten_and_nobodys_rules_are_left_out() {
    tally.take(IpFamily.IPV4, List.of(rule(1, WEB, 5), rule(2, "spoof|source|cali", 7)));
    assertThat(tally.counts(origins)).hasSize(1);
    tally.take(IpFamily.IPV4, List.of());
    assertThat(tally.counts(origins)).isEmpty();
    tally.take(IpFamily.IPV4, List.of(rule(1, WEB, 1)));
    assertThat(web().packets()).isEqualTo(1);
  }
}
