package io.margay.agent.explain;

import io.margay.policy.PolicyKey;
import org.jspecify.annotations.Nullable;

/// What decided about a packet at one end.
public sealed interface Reason {

  /// A rule of a policy.
  ///
  /// @param rule position in the policy's rules of the direction, 0-based
  record PolicyRule(String tier, PolicyKey policy, int rule) implements Reason {}

  /// Policies of the tier select the endpoint, none of their rules matched, and the tier denies.
  record EndOfTier(String tier) implements Reason {}

  /// No tier had an answer, so the profiles gave it.
  ///
  /// @param name the profile that did; null if none had one, which denies
  record Profile(@Nullable String name) implements Reason {}

  /// A rule that stands before or beside all policy: anti-spoofing, tunnels of endpoints, unknown
  /// interfaces, neighbour discovery.
  ///
  /// @param rule the kernel rule's id; null for the end of a chain, which accepts
  record BesidePolicy(@Nullable String rule) implements Reason {}
}
