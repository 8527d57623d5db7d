package io.margay.policy;

/// Who owns a list of rules.
sealed interface RulesKey {

  record OfPolicy(PolicyKey key) implements RulesKey {}

  record OfProfile(String name) implements RulesKey {}
}
