package io.margay.policy.oracle;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.PolicyType;
import io.margay.policy.ComputedRule;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.IcmpMatch;
import io.margay.policy.PeerMatch;
import io.margay.policy.PolicyKey;
import io.margay.policy.PortRange;
import io.margay.policy.RuleAction;
import io.margay.policy.RuleSet;
import io.margay.policy.SetId;
import io.margay.policy.TierPolicies;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Evaluates the rules and sets that the dataplane was given, as the kernel is to evaluate them.
public final class RuleInterpreter {

  private final PolicyState state;

  public RuleInterpreter(PolicyState state) {
    this.state = state;
  }

  /// What happens to a packet. Only local endpoints have a say; traffic of an endpoint to itself
  /// never leaves it.
  public Verdict decide(Flow flow) {
    if (flow.source().equals(flow.destination())) {
      return new Verdict(null, null);
    }
    EndpointKey from = endpointAt(flow.source());
    EndpointKey to = endpointAt(flow.destination());
    return new Verdict(
        from == null ? null : decide(from, PolicyType.EGRESS, flow),
        to == null ? null : decide(to, PolicyType.INGRESS, flow));
  }

  private @Nullable EndpointKey endpointAt(IpAddress address) {
    for (var endpoint : state.endpoints().entrySet()) {
      if (endpoint.getValue().addresses().contains(address)) {
        return endpoint.getKey();
      }
    }
    return null;
  }

  /// What one local endpoint's policies say.
  ///
  /// @throws IllegalArgumentException if the endpoint isn't local
  public Decision decide(EndpointKey key, PolicyType direction, Flow flow) {
    EndpointPolicy endpoint = state.endpoints().get(key);
    if (endpoint == null) {
      throw new IllegalArgumentException("endpoint " + key + " is not on this node");
    }
    List<Step> path = new ArrayList<>();
    List<TierPolicies> tiers =
        direction == PolicyType.INGRESS ? endpoint.ingress() : endpoint.egress();
    for (TierPolicies tier : tiers) {
      switch (inTier(tier, direction, flow, path)) {
        case ALLOW -> {
          return new Decision(true, path);
        }
        case DENY -> {
          return new Decision(false, path);
        }
        case PASS, LOG -> {}
      }
    }
    return new Decision(inProfiles(endpoint.profiles(), direction, flow, path), path);
  }

  private RuleAction inTier(TierPolicies tier, PolicyType direction, Flow flow, List<Step> path) {
    for (PolicyKey key : tier.policies()) {
      RuleSet rules = state.policies().get(key);
      if (rules == null) {
        throw new IllegalStateException("an endpoint needs policy " + key);
      }
      for (ComputedRule rule : of(rules, direction)) {
        if (matches(rule, flow)) {
          path.add(new Step.PolicyRule(tier.tier(), key, rule.index(), rule.action()));
          if (rule.action() != RuleAction.LOG) {
            return rule.action();
          }
        }
      }
    }
    path.add(new Step.EndOfTier(tier.tier(), tier.endAction()));
    return tier.endAction();
  }

  private boolean inProfiles(
      List<String> profiles, PolicyType direction, Flow flow, List<Step> path) {
    for (String name : profiles) {
      RuleSet rules = state.profiles().get(name);
      if (rules == null) {
        path.add(new Step.MissingProfile(name));
        return false;
      }
      for (ComputedRule rule : of(rules, direction)) {
        if (matches(rule, flow)) {
          path.add(new Step.ProfileRule(name, rule.index(), rule.action()));
          if (rule.action() != RuleAction.LOG) {
            return rule.action() == RuleAction.ALLOW;
          }
        }
      }
    }
    path.add(new Step.NoProfileMatched());
    return false;
  }

  private static List<ComputedRule> of(RuleSet rules, PolicyType direction) {
    return direction == PolicyType.INGRESS ? rules.ingress() : rules.egress();
  }

  private boolean matches(ComputedRule rule, Flow flow) {
    return (rule.ipVersion() == null || rule.ipVersion() == flow.family())
        && (rule.protocol() == null || rule.protocol() == flow.protocol())
        && (rule.notProtocol() == null || rule.notProtocol() != flow.protocol())
        && (rule.icmp() == null || matches(rule.icmp(), flow))
        && (rule.notIcmp() == null || !matches(rule.notIcmp(), flow))
        && matches(rule.source(), flow.source(), flow.protocol(), flow.sourcePort())
        && matches(rule.destination(), flow.destination(), flow.protocol(), flow.destinationPort());
  }

  private static boolean matches(IcmpMatch wanted, Flow flow) {
    Flow.Icmp icmp = flow.icmp();
    return icmp != null
        && icmp.type() == wanted.type()
        && (wanted.code() == null || wanted.code() == icmp.code());
  }

  private boolean matches(PeerMatch peer, IpAddress address, int protocol, int port) {
    return (peer.nets().isEmpty() || inAny(peer.nets(), address))
        && !inAny(peer.notNets(), address)
        && peer.sets().stream().allMatch(id -> state.containsAddress(id, address))
        && peer.notSets().stream().noneMatch(id -> state.containsAddress(id, address))
        && (peer.ports().isEmpty() && peer.namedPorts().isEmpty()
            || isPort(peer.ports(), peer.namedPorts(), address, protocol, port))
        && !isPort(peer.notPorts(), peer.notNamedPorts(), address, protocol, port);
  }

  private static boolean inAny(List<Prefix> nets, IpAddress address) {
    return nets.stream().anyMatch(net -> net.contains(address));
  }

  private boolean isPort(
      List<PortRange> ranges, List<SetId> named, IpAddress address, int protocol, int port) {
    return ranges.stream().anyMatch(range -> range.contains(port))
        || named.stream().anyMatch(id -> state.containsPort(id, address, protocol, port));
  }
}
