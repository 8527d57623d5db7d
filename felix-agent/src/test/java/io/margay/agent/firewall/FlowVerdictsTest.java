package io.margay.agent.firewall;

import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.SCTP;
import static io.margay.agent.firewall.PolicyFixtures.TCP;
import static io.margay.agent.firewall.PolicyFixtures.UDP;
import static io.margay.agent.firewall.PolicyFixtures.egress;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.protocol;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.IpAddress;
import io.margay.policy.ComputedRule;
import io.margay.policy.IcmpMatch;
import io.margay.policy.RuleAction;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Pod 1 is `cali1`, a machine outside is reached by `up0`.
final class FlowVerdictsTest {

  private static final int ECHO_REQUEST = 8;
  private static final int ECHO_REQUEST_V6 = 128;
  private static final String OUTSIDE = "198.51.100.7";

  private final JudgedNode node = new JudgedNode();

  @BeforeEach
  void raise() {
    node.has("192.0.2.1");
  }

  private boolean allows(int protocol, String source, String answerer, int port) throws Exception {
    return node.allows(kind(protocol, source, answerer, port, 0));
  }

  private void podUnder(ComputedRule allow) throws Exception {
    node.apply(
        profile("open", RuleAction.ALLOW),
        ingress("in", allow),
        egress("out", allow),
        endpoint(1, List.of(tier("in")), List.of(tier("out")), "open"));
    node.wayToWorkload("10.65.0.1", "cali1");
    node.wayToWorkload("fd00:65::1", "cali1");
  }

  @ParameterizedTest
  @CsvSource({
    "6,   10.65.0.1,  198.51.100.7",
    "6,   fd00:65::1, 2001:db8::7",
    "17,  10.65.0.1,  198.51.100.7",
    "17,  fd00:65::1, 2001:db8::7",
    "132, 10.65.0.1,  198.51.100.7",
    "132, fd00:65::1, 2001:db8::7",
  })
  void a_flow_is_judged_by_its_protocol_and_port(int protocol, String pod, String peer)
      throws Exception {
    podUnder(protocol(0, RuleAction.ALLOW, protocol, ports(80)));
    assertThat(allows(protocol, peer, pod, 80)).isTrue();
    assertThat(allows(protocol, peer, pod, 81)).isFalse();
    assertThat(allows(protocol, pod, peer, 80)).isTrue();
    assertThat(allows(protocol, pod, peer, 81)).isFalse();
    for (int other : new int[] {TCP, UDP, SCTP}) {
      assertThat(allows(other, peer, pod, 80)).isEqualTo(other == protocol);
    }
    assertThat(allows(protocol, "192.0.2.1", "10.65.0.1", 81)).as("the node's own").isTrue();
    assertThat(allows(protocol, peer, peer, 81)).as("nobody's").isTrue();
  }

  @ParameterizedTest
  @CsvSource({"1, 8, 10.65.0.1, 198.51.100.7", "58, 128, fd00:65::1, 2001:db8::7"})
  void icmp_is_judged_by_its_type(int protocol, int request, String pod, String peer)
      throws Exception {
    podUnder(
        new ComputedRule(
            0, RuleAction.ALLOW, null, protocol, null, new IcmpMatch(request, 0), null, ANY, ANY));
    for (int type : new int[] {ECHO_REQUEST, 13, ECHO_REQUEST_V6}) {
      boolean isAllowed = type == request;
      assertThat(node.allows(icmp(protocol, peer, pod, type))).isEqualTo(isAllowed);
      assertThat(node.allows(icmp(protocol, pod, peer, type))).isEqualTo(isAllowed);
    }
  }

  private static FlowKind icmp(int protocol, String source, String answerer, int type) {
    return kind(protocol, source, answerer, 0, type);
  }

  private static FlowKind kind(int protocol, String source, String answerer, int port, int type) {
    IpAddress to = IpAddress.parse(answerer);
    return new FlowKind(IpAddress.parse(source), 0, to, port, to, port, protocol, type, 0, false);
  }

  @Test
  void an_address_behind_an_endpoint_is_judged_there() throws Exception {
    podUnder(protocol(0, RuleAction.ALLOW, TCP, ports(80)));
    String behind = "203.0.113.9";
    assertThat(allows(TCP, behind, OUTSIDE, 81)).as("while no way is known").isTrue();
    node.wayToWorkload(behind, "cali1");
    assertThat(allows(TCP, behind, OUTSIDE, 80)).isTrue();
    assertThat(allows(TCP, behind, OUTSIDE, 81)).isFalse();
    assertThat(allows(TCP, OUTSIDE, behind, 80)).isTrue();
    assertThat(allows(TCP, OUTSIDE, behind, 81)).isFalse();
    node.wayToWorkload(behind, "cali1", "up0");
    assertThat(allows(TCP, OUTSIDE, behind, 81)).as("it may have taken the other way").isTrue();
  }
}
