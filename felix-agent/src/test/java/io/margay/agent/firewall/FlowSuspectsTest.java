package io.margay.agent.firewall;

import static io.margay.agent.firewall.HostFixtures.all;
import static io.margay.agent.firewall.HostFixtures.host;
import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.change;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.key;
import static io.margay.agent.firewall.PolicyFixtures.members;
import static io.margay.agent.firewall.PolicyFixtures.notInSet;
import static io.margay.agent.firewall.PolicyFixtures.policy;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.rule;
import static io.margay.agent.firewall.PolicyFixtures.set;
import static io.margay.agent.firewall.PolicyFixtures.spoofing;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.policy.ComputedRule;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FlowSuspectsTest {

  private final FlowSuspects suspects = new FlowSuspects();

  private void learn(PolicyUpdate... updates) {
    for (PolicyUpdate update : updates) {
      suspects.onUpdate(update);
    }
  }

  /// Pod 1 under policy `p`, pod 2 under `q`, and nothing noted.
  private void start(ComputedRule... rules) {
    learn(
        set("s", "10.65.0.2"),
        ingress("p", rules),
        ingress("q"),
        profile("open", RuleAction.ALLOW),
        endpoint(1, List.of(tier("p")), List.of(), "open"),
        endpoint(2, List.of(tier("q")), List.of(), "open"));
    suspects.take();
  }

  @ParameterizedTest
  @CsvSource({
    "ALLOW, false, false, true",
    "ALLOW, true,  true,  false",
    "DENY,  false, true,  false",
    "DENY,  true,  false, true",
    "PASS,  false, true,  true",
    "PASS,  true,  true,  true",
    "LOG,   false, false, false",
  })
  void a_member_is_suspect_where_its_move_can_deny_something(
      RuleAction action, boolean excluded, boolean coming, boolean leaving) {
    start(rule(0, action, excluded ? notInSet("s") : inSet("s"), ANY));
    learn(change("s", members("10.65.0.9"), members()));
    assertThat(suspects.isEmpty()).isEqualTo(!coming);
    suspects.take();
    learn(change("s", members(), members("10.65.0.9")));
    assertThat(suspects.isEmpty()).isEqualTo(!leaving);
    assertThat(suspects.take().scope().addresses())
        .isEqualTo(leaving ? Set.of(IpAddress.parse("10.65.0.9")) : Set.of());
    // Who no longer asks for a set does not care what becomes of it.
    learn(ingress("p"));
    suspects.take();
    learn(change("s", members("10.65.0.9"), members("10.65.0.2")));
    assertThat(suspects.isEmpty()).isTrue();
  }

  @Test
  void prefixes_are_suspect_as_a_whole() {
    start(rule(0, RuleAction.ALLOW, inSet("s"), ANY));
    learn(change("s", members(), members("192.0.2.0/24", "10.65.0.2")));
    Suspicion.Scope scope = suspects.take().scope();
    assertThat(scope.isByAddress()).isFalse();
    assertThat(scope.prefixes()).containsExactly(Prefix.parse("192.0.2.0/24"));
    assertThat(scope.addresses()).containsExactly(IpAddress.parse("10.65.0.2"));
  }

  @Test
  void a_changed_policy_or_profile_suspects_the_endpoints_that_have_it() {
    start();
    learn(ingress("p", rule(0, RuleAction.ALLOW, ANY, ANY)));
    assertThat(suspects.take().scope().addresses())
        .containsExactlyInAnyOrder(IpAddress.parse("10.65.0.1"), IpAddress.parse("fd00:65::1"));
    learn(new PolicyUpdate.PolicyRemoved(policy("q")));
    assertThat(suspects.take().scope().addresses()).contains(IpAddress.parse("10.65.0.2"));
    learn(profile("open", RuleAction.DENY));
    assertThat(suspects.take().scope().addresses()).hasSize(4);
    learn(profile("open", RuleAction.DENY), ingress("p", rule(0, RuleAction.ALLOW, ANY, ANY)));
    assertThat(suspects.take().scope().addresses()).as("nothing changed").isEmpty();
  }

  @Test
  void endpoints_there_from_the_start_may_have_connections_of_an_earlier_process() {
    learn(endpoint(1, List.of(tier("p")), List.of(), "open"));
    assertThat(suspects.take().ends())
        .containsExactlyInAnyOrder(IpAddress.parse("10.65.0.1"), IpAddress.parse("fd00:65::1"));
  }

  @Test
  void a_new_endpoint_can_wait_unless_its_address_has_an_owner() {
    start();
    learn(endpoint(3, List.of(tier("p")), List.of(), "open"));
    assertThat(suspects.isEmpty()).isTrue();
    assertThat(suspects.hasNewcomers()).isTrue();
    assertThat(suspects.take().ends()).contains(IpAddress.parse("10.65.0.3"));
    assertThat(suspects.hasNewcomers()).isFalse();
    assertThat(suspects.interfaceOf(IpAddress.parse("10.65.0.3"))).hasToString("cali3");
    PolicyUpdate.EndpointUpdated third =
        (PolicyUpdate.EndpointUpdated) endpoint(3, List.of(tier("q")), List.of(), "open");
    learn(new PolicyUpdate.EndpointUpdated(key(4), third.policy()));
    assertThat(suspects.isEmpty()).isFalse();
    assertThat(suspects.take().ends())
        .containsExactlyInAnyOrder(IpAddress.parse("10.65.0.3"), IpAddress.parse("fd00:65::3"));
  }

  @Test
  void an_endpoint_is_suspect_when_it_changes_and_known_by_its_addresses() {
    start();
    learn(endpoint(1, List.of(tier("p")), List.of(), "open"));
    assertThat(suspects.isEmpty()).isTrue();
    learn(endpoint(1, List.of(tier("q")), List.of(), "open"));
    assertThat(suspects.take().ends()).contains(IpAddress.parse("10.65.0.1"));
    assertThat(suspects.interfaceOf(IpAddress.parse("fd00:65::1"))).hasToString("cali1");
    learn(new PolicyUpdate.EndpointRemoved(key(1)));
    assertThat(suspects.interfaceOf(IpAddress.parse("fd00:65::1"))).isNull();
    assertThat(suspects.isEmpty()).isTrue();
  }

  @Test
  void prefixes_an_endpoint_may_send_from_are_suspect_with_its_addresses() {
    start();
    IpAddress behind = IpAddress.parse("203.0.113.9");
    assertThat(suspects.isJudgedByWay(behind)).isFalse();
    learn(spoofing(2, "203.0.113.0/24", List.of(tier("q")), List.of()));
    assertThat(suspects.take().scope().prefixes()).containsExactly(Prefix.parse("203.0.113.0/24"));
    assertThat(suspects.isJudgedByWay(behind)).isTrue();
    assertThat(suspects.isJudgedByWay(IpAddress.parse("203.0.114.9"))).isFalse();
    learn(ingress("p", rule(0, RuleAction.ALLOW, ANY, ANY)));
    assertThat(suspects.take().scope().prefixes()).as("another's policy").isEmpty();
    learn(ingress("q", rule(0, RuleAction.ALLOW, ANY, ANY)));
    assertThat(suspects.take().scope().prefixes()).containsExactly(Prefix.parse("203.0.113.0/24"));
    learn(new PolicyUpdate.EndpointRemoved(key(2)));
    assertThat(suspects.isJudgedByWay(behind)).isFalse();
  }

  @Test
  void what_is_put_back_is_noted_again() {
    start(rule(0, RuleAction.ALLOW, inSet("s"), ANY));
    learn(change("s", members(), members("10.65.0.2")), ingress("q"));
    Suspicion taken = suspects.take();
    assertThat(suspects.isEmpty()).isTrue();
    suspects.putBack(taken);
    assertThat(suspects.take().scope()).isEqualTo(taken.scope());
  }

  @Test
  void source_ports_matter_while_a_rule_asks_for_them() {
    start(tcp(0, RuleAction.ALLOW, ports(53), ANY));
    assertThat(suspects.readSourcePorts()).isTrue();
    learn(ingress("p", tcp(0, RuleAction.ALLOW, ANY, ports(53))));
    assertThat(suspects.readSourcePorts()).isFalse();
  }

  /// Pod 1 under `p`, and the host endpoint `up0`, whose forward policy is `q`.
  private void startWithHost() {
    start(rule(0, RuleAction.ALLOW, inSet("s"), ANY));
    learn(
        ingress("r"),
        profile("host", RuleAction.ALLOW),
        host("up0").withForwarded(List.of(tier("q")), List.of()).withProfiles("host").update());
    suspects.take();
  }

  @Test
  void a_host_endpoint_that_changes_suspects_everything_and_one_that_does_not_nothing() {
    start();
    assertThat(suspects.hasHosts()).isFalse();
    learn(host("up0").update());
    assertThat(suspects.hasHosts()).isTrue();
    assertThat(suspects.take().scope().everything()).as("a new one").isTrue();
    learn(host("up0").update());
    assertThat(suspects.isEmpty()).isTrue();
    learn(host("up0").withNormal(List.of(tier("q")), List.of()).update());
    assertThat(suspects.take().scope().everything()).isTrue();
    learn(all().update());
    suspects.take();
    learn(host("up0").removal());
    assertThat(suspects.take().scope().everything()).as("another has its interface now").isTrue();
    learn(all().removal(), all().removal());
    assertThat(suspects.isEmpty()).as("nobody denies anything there").isTrue();
    assertThat(suspects.hasHosts()).isFalse();
  }

  @Test
  void a_policy_or_profile_of_a_host_endpoint_suspects_everything_and_others_do_not() {
    startWithHost();
    learn(ingress("q", rule(0, RuleAction.ALLOW, ANY, ANY)));
    assertThat(suspects.take().scope().everything()).isTrue();
    learn(profile("host", RuleAction.DENY));
    assertThat(suspects.take().scope().everything()).isTrue();
    learn(new PolicyUpdate.PolicyRemoved(policy("q")));
    assertThat(suspects.take().scope().everything()).isTrue();
    learn(
        ingress("p", rule(0, RuleAction.ALLOW, ANY, ANY)),
        ingress("r", rule(0, RuleAction.DENY, ANY, ANY)));
    Suspicion.Scope scope = suspects.take().scope();
    assertThat(scope.everything()).as("of workloads alone, and of nobody").isFalse();
    assertThat(scope.addresses()).contains(IpAddress.parse("10.65.0.1"));
    learn(profile("open", RuleAction.DENY));
    assertThat(suspects.take().scope().everything()).isFalse();
  }

  @Test
  void a_member_of_a_set_that_a_host_endpoints_policy_asks_for_is_suspect_alone() {
    startWithHost();
    learn(ingress("q", rule(0, RuleAction.ALLOW, inSet("s"), ANY)));
    suspects.take();
    learn(change("s", members(), members("198.51.100.0/24")));
    Suspicion.Scope scope = suspects.take().scope();
    assertThat(scope.everything()).isFalse();
    assertThat(scope.prefixes()).containsExactly(Prefix.parse("198.51.100.0/24"));
  }

  @Test
  void host_endpoints_that_move_or_lose_failsafes_are_suspect_if_there_are_any() {
    start();
    suspects.onHostsMoved();
    assertThat(suspects.isEmpty()).isTrue();
    startWithHost();
    suspects.onHostsMoved();
    assertThat(suspects.take().scope().everything()).isTrue();
  }
}
