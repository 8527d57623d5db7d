package io.margay.agent.firewall;

import static io.margay.agent.firewall.PolicyFixtures.policy;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.policy.PolicyKey;
import io.margay.policy.RuleAction;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class LogPrefixTest {

  private static final PolicyKey WEB = new PolicyKey("NetworkPolicy", "shop", "web");
  private static final PolicyKey METADATA =
      new PolicyKey("GlobalNetworkPolicy", "", "security.metadata");

  private static String group(RuleAction action, RuleOrigin origin) {
    return LogPrefix.ofGroup(action, origin, _ -> "security");
  }

  @Test
  void an_nflog_prefix_names_action_owner_direction_rule_tier_and_policy() {
    assertThat(group(RuleAction.LOG, new RuleOrigin.PolicyRule(WEB, Direction.INGRESS, 3)))
        .isEqualTo("LPI3|security|np/shop/web");
    assertThat(group(RuleAction.ALLOW, new RuleOrigin.PolicyRule(METADATA, Direction.EGRESS, 0)))
        .isEqualTo("APE0|security|gnp/security.metadata");
    assertThat(group(RuleAction.DENY, new RuleOrigin.EndOfTier("default", Direction.INGRESS)))
        .isEqualTo("DPI|default");
    assertThat(group(RuleAction.ALLOW, new RuleOrigin.ProfileRule("kns.shop", Direction.EGRESS, 1)))
        .isEqualTo("ARE1|kns.shop");
  }

  @Test
  void a_prefix_that_is_too_long_ends_in_a_hash_and_stays_one_rules_own() {
    String one = "n".repeat(250);
    PolicyKey first = new PolicyKey("NetworkPolicy", "shop", one + "1");
    PolicyKey second = new PolicyKey("NetworkPolicy", "shop", one + "2");
    String prefix = group(RuleAction.LOG, new RuleOrigin.PolicyRule(first, Direction.INGRESS, 0));
    assertThat(prefix.getBytes(StandardCharsets.UTF_8)).hasSize(127);
    assertThat(prefix)
        .startsWith("LPI0|security|np/shop/nnn")
        .isNotEqualTo(
            group(RuleAction.LOG, new RuleOrigin.PolicyRule(second, Direction.INGRESS, 0)));
  }

  @Test
  void the_kernels_log_has_calicos_prefix_and_the_rule_unless_one_is_set() {
    RuleOrigin rule = new RuleOrigin.PolicyRule(WEB, Direction.INGRESS, 3);
    assertThat(LogPrefix.ofKernel(null, rule, _ -> "default"))
        .isEqualTo("calico-packet policy|shop/web|ingress|3: ");
    assertThat(LogPrefix.ofKernel("audit", rule, _ -> "default")).isEqualTo("audit: ");
    assertThat(LogPrefix.ofKernel("%t %k %n %p", rule, _ -> "default"))
        .isEqualTo("default np web shop/web: ");
    assertThat(LogPrefix.ofKernel("a\"b\nc", rule, _ -> "default")).isEqualTo("a_b_c: ");
    assertThat(LogPrefix.ofKernel("x".repeat(300), rule, _ -> "default")).hasSize(127);
  }

  @Test
  void policies_of_one_name_and_two_kinds_differ() {
    PolicyKey staged = new PolicyKey("StagedNetworkPolicy", "ns", "p");
    assertThat(group(RuleAction.LOG, new RuleOrigin.PolicyRule(policy("p"), Direction.INGRESS, 0)))
        .isNotEqualTo(
            group(
                RuleAction.LOG,
                new RuleOrigin.StagedRule(staged, Direction.INGRESS, 0, RuleAction.LOG)));
  }
}
