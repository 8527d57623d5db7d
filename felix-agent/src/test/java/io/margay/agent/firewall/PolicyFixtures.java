package io.margay.agent.firewall;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.policy.ComputedRule;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.HostPort;
import io.margay.policy.PeerMatch;
import io.margay.policy.PolicyKey;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.PortRange;
import io.margay.policy.RuleAction;
import io.margay.policy.RuleSet;
import io.margay.policy.SetId;
import io.margay.policy.SetKind;
import io.margay.policy.SetMember;
import io.margay.policy.TierPolicies;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Short ways to write down what calc would say.
final class PolicyFixtures {

  static final int TCP = 6;
  static final int UDP = 17;
  static final int ICMP = 1;
  static final int SCTP = 132;
  static final PeerMatch ANY = PeerMatch.ANY;

  private PolicyFixtures() {}

  static PolicyKey policy(String name) {
    return new PolicyKey("NetworkPolicy", "ns", name);
  }

  static ComputedRule rule(int index, RuleAction action, PeerMatch source, PeerMatch destination) {
    return new ComputedRule(index, action, null, null, null, null, null, source, destination);
  }

  static ComputedRule tcp(int index, RuleAction action, PeerMatch source, PeerMatch destination) {
    return new ComputedRule(index, action, null, TCP, null, null, null, source, destination);
  }

  static ComputedRule udp(int index, RuleAction action, PeerMatch source, PeerMatch destination) {
    return new ComputedRule(index, action, null, UDP, null, null, null, source, destination);
  }

  static ComputedRule protocol(int index, RuleAction action, int protocol, PeerMatch destination) {
    return new ComputedRule(index, action, null, protocol, null, null, null, ANY, destination);
  }

  static PeerMatch inSet(String set) {
    return peer(List.of(), List.of(), List.of(new SetId(set)), List.of(), List.of(), List.of());
  }

  static PeerMatch notInSet(String set) {
    return peer(List.of(), List.of(), List.of(), List.of(new SetId(set)), List.of(), List.of());
  }

  static PeerMatch nets(List<String> nets, List<String> except) {
    return peer(nets, except, List.of(), List.of(), List.of(), List.of());
  }

  static PeerMatch ports(int... ports) {
    List<PortRange> ranges = Arrays.stream(ports).mapToObj(PortRange::of).toList();
    return peer(List.of(), List.of(), List.of(), List.of(), ranges, List.of());
  }

  static PeerMatch portRange(int first, int last) {
    return peer(
        List.of(), List.of(), List.of(), List.of(), List.of(new PortRange(first, last)), List.of());
  }

  static PeerMatch namedPort(String set) {
    return peer(List.of(), List.of(), List.of(), List.of(), List.of(), List.of(new SetId(set)));
  }

  static PeerMatch peer(
      List<String> nets,
      List<String> notNets,
      List<SetId> sets,
      List<SetId> notSets,
      List<PortRange> ports,
      List<SetId> namedPorts) {
    return new PeerMatch(
        nets.stream().map(Prefix::parse).toList(),
        notNets.stream().map(Prefix::parse).toList(),
        sets,
        notSets,
        ports,
        namedPorts,
        List.of(),
        List.of());
  }

  static Set<SetMember> members(String... members) {
    return Arrays.stream(members)
        .map(m -> new SetMember.Net(Prefix.parseLenient(m)))
        .collect(Collectors.toSet());
  }

  static PolicyUpdate set(String id, String... members) {
    return new PolicyUpdate.SetUpdated(new SetId(id), SetKind.NETS, members(members));
  }

  static PolicyUpdate change(String id, Set<SetMember> added, Set<SetMember> removed) {
    return new PolicyUpdate.SetChanged(new SetId(id), added, removed);
  }

  static PolicyUpdate ingress(String policy, ComputedRule... rules) {
    return new PolicyUpdate.PolicyUpdated(policy(policy), new RuleSet(List.of(rules), List.of()));
  }

  static PolicyUpdate egress(String policy, ComputedRule... rules) {
    return new PolicyUpdate.PolicyUpdated(policy(policy), new RuleSet(List.of(), List.of(rules)));
  }

  static PolicyUpdate profile(String name, RuleAction action) {
    List<ComputedRule> rules = List.of(rule(0, action, ANY, ANY));
    return new PolicyUpdate.ProfileUpdated(name, new RuleSet(rules, rules));
  }

  static TierPolicies tier(String name, RuleAction end, String... policies) {
    return new TierPolicies(
        name, end, Arrays.stream(policies).map(PolicyFixtures::policy).toList());
  }

  static TierPolicies tier(String... policies) {
    return tier("default", RuleAction.DENY, policies);
  }

  static PolicyUpdate endpoint(
      int number, List<TierPolicies> ingress, List<TierPolicies> egress, String... profiles) {
    return new PolicyUpdate.EndpointUpdated(
        key(number),
        new EndpointPolicy(
            new InterfaceName("cali" + number),
            List.of(IpAddress.parse("10.65.0." + number), IpAddress.parse("fd00:65::" + number)),
            ingress,
            egress,
            List.of(profiles)));
  }

  /// An open endpoint that ports of the node lead to.
  static PolicyUpdate withHostPorts(int number, HostPort... ports) {
    return withHostPorts(number, List.of(), List.of(), ports);
  }

  static PolicyUpdate withHostPorts(
      int number, List<TierPolicies> ingress, List<TierPolicies> egress, HostPort... ports) {
    return new PolicyUpdate.EndpointUpdated(
        key(number),
        new EndpointPolicy(
            new InterfaceName("cali" + number),
            List.of(IpAddress.parse("10.65.0." + number), IpAddress.parse("fd00:65::" + number)),
            ingress,
            egress,
            List.of("open"),
            List.of(ports),
            List.of()));
  }

  /// An endpoint with profile `open` that may send from the prefix too.
  static PolicyUpdate spoofing(
      int number, String prefix, List<TierPolicies> ingress, List<TierPolicies> egress) {
    return new PolicyUpdate.EndpointUpdated(
        key(number),
        new EndpointPolicy(
            new InterfaceName("cali" + number),
            List.of(IpAddress.parse("10.65.0." + number), IpAddress.parse("fd00:65::" + number)),
            ingress,
            egress,
            List.of("open"),
            List.of(),
            List.of(Prefix.parse(prefix))));
  }

  static EndpointKey key(int number) {
    return new EndpointKey("ns", "pod" + number);
  }
}
