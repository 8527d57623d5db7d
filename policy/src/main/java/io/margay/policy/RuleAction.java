package io.margay.policy;

/// What a matching rule does.
public enum RuleAction {
  /// Accept; final.
  ALLOW,
  /// Drop; final.
  DENY,
  /// Go on with the next tier, or the profiles after the last one. In a profile: deny.
  PASS,
  /// Log and go on with the next rule.
  LOG
}
