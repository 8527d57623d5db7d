package io.margay.agent.firewall;

import io.margay.policy.ComputedRule;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.RuleSet;
import io.margay.policy.TierPolicies;
import java.util.List;

/// As seen from the endpoint.
public enum Direction {
  /// Towards the endpoint.
  INGRESS("ingress", "in", "i-"),
  /// From the endpoint.
  EGRESS("egress", "out", "e-");

  private final String word;
  private final String suffix;
  private final String endpointChain;

  Direction(String word, String suffix, String endpointChain) {
    this.word = word;
    this.suffix = suffix;
    this.endpointChain = endpointChain;
  }

  /// As rule ids have it.
  String word() {
    return word;
  }

  /// As chain names have it.
  String suffix() {
    return suffix;
  }

  Direction opposite() {
    return switch (this) {
      case INGRESS -> EGRESS;
      case EGRESS -> INGRESS;
    };
  }

  /// The direction of a tier's, policy's or profile's chain.
  static Direction ofChain(String chain) {
    return chain.endsWith(EGRESS.suffix) ? EGRESS : INGRESS;
  }

  /// The chains that police packets of endpoints in this direction, in the order they are met.
  public List<String> endpointBaseChains() {
    return switch (this) {
      case INGRESS -> List.of(Layout.INGRESS_CHAIN);
      case EGRESS -> List.of(Layout.SPOOF_CHAIN, Layout.EGRESS_CHAIN);
    };
  }

  /// Prefix of an endpoint's chain.
  String endpointChain() {
    return endpointChain;
  }

  List<ComputedRule> rules(RuleSet rules) {
    return switch (this) {
      case INGRESS -> rules.ingress();
      case EGRESS -> rules.egress();
    };
  }

  List<TierPolicies> tiers(EndpointPolicy policy) {
    return switch (this) {
      case INGRESS -> policy.ingress();
      case EGRESS -> policy.egress();
    };
  }
}
