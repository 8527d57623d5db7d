package io.margay.agent.firewall;

import io.margay.policy.ComputedRule;
import io.margay.policy.PolicyKey;

/// A rule and whose it is.
record PolicyRule(PolicyKey policy, ComputedRule rule) {}
