package io.margay.agent.firewall;

import io.margay.model.net.InterfaceName;
import io.margay.policy.HostEndpointKey;
import io.margay.policy.HostEndpointPolicy;
import io.margay.policy.HostEndpointPolicy.Tiers;
import io.margay.policy.HostInterface;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import io.margay.policy.TierPolicies;
import java.util.List;

/// A host endpoint as calc would tell of it; a tier's rules are those of the policies it names.
record HostFixtures(
    String name,
    HostInterface where,
    Tiers untracked,
    List<TierPolicies> preDnat,
    Tiers normal,
    Tiers forwarded,
    List<String> profiles) {

  /// An endpoint of an interface, without policy.
  static HostFixtures host(String interfaceName) {
    return at(interfaceName, new HostInterface.Named(new InterfaceName(interfaceName)));
  }

  /// The endpoint of all interfaces, without policy.
  static HostFixtures all() {
    return at("all", new HostInterface.All());
  }

  static HostFixtures at(String name, HostInterface where) {
    return new HostFixtures(name, where, Tiers.NONE, List.of(), Tiers.NONE, Tiers.NONE, List.of());
  }

  HostFixtures withUntracked(List<TierPolicies> ingress, List<TierPolicies> egress) {
    return new HostFixtures(
        name, where, new Tiers(ingress, egress), preDnat, normal, forwarded, profiles);
  }

  HostFixtures withPreDnat(TierPolicies... tiers) {
    return new HostFixtures(name, where, untracked, List.of(tiers), normal, forwarded, profiles);
  }

  HostFixtures withNormal(List<TierPolicies> ingress, List<TierPolicies> egress) {
    return new HostFixtures(
        name, where, untracked, preDnat, new Tiers(ingress, egress), forwarded, profiles);
  }

  HostFixtures withForwarded(List<TierPolicies> ingress, List<TierPolicies> egress) {
    return new HostFixtures(
        name, where, untracked, preDnat, normal, new Tiers(ingress, egress), profiles);
  }

  HostFixtures withProfiles(String... names) {
    return new HostFixtures(name, where, untracked, preDnat, normal, forwarded, List.of(names));
  }

  /// A tier before DNAT or connection tracking, which ends without a say.
  static TierPolicies early(String... policies) {
    return PolicyFixtures.tier("default", RuleAction.PASS, policies);
  }

  HostEndpointKey key() {
    return new HostEndpointKey(name);
  }

  PolicyUpdate update() {
    return new PolicyUpdate.HostEndpointUpdated(
        key(), new HostEndpointPolicy(where, untracked, preDnat, normal, forwarded, profiles));
  }

  PolicyUpdate removal() {
    return new PolicyUpdate.HostEndpointRemoved(key());
  }
}
