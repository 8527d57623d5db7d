package io.margay.policy;

import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Profile;
import io.margay.model.resource.ResourceRef;
import io.margay.model.selector.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Brings policies and profiles into the form the graph computes with. Pure.
final class PolicyCompiler {

  /// What became of a policy.
  ///
  /// @param <T> the compiled form
  sealed interface Outcome<T> {

    /// It can be enforced.
    ///
    /// @param warnings matches that this version can't make
    record Compiled<T>(T value, List<String> warnings) implements Outcome<T> {}

    /// It applies to no workload endpoint.
    record NotForWorkloads<T>() implements Outcome<T> {}

    /// It contradicts itself.
    ///
    /// @param closed what denies everything the resource would apply to; null when not even that is
    ///   known
    record Invalid<T>(@Nullable T closed, String problem) implements Outcome<T> {}
  }

  /// The profile that allows everything; it exists in every cluster and can't be changed.
  static final String DEFAULT_ALLOW_PROFILE = "projectcalico-default-allow";

  private PolicyCompiler() {}

  /// Compiles a policy of one namespace.
  static Outcome<CompiledPolicy> compile(NetworkPolicy policy) {
    PolicySpec spec = policy.spec();
    String namespace = policy.metadata().namespaceOrEmpty();
    Selector accounts = RuleCompiler.given(spec.serviceAccountSelector());
    Selector selector =
        RuleCompiler.inNamespace(namespace)
            .and(spec.effectiveSelector())
            .and(accounts == null ? Selector.ALL : accounts.forServiceAccounts());
    if (RuleCompiler.given(spec.namespaceSelector()) != null) {
      return new Outcome.Invalid<>(
          closed(policy.ref(), spec, selector),
          "namespaceSelector is for GlobalNetworkPolicy; a NetworkPolicy has its own namespace");
    }
    return compile(policy.ref(), spec, selector);
  }

  /// Compiles a policy of the whole cluster. Untracked and pre-DNAT policies are for hosts.
  static Outcome<CompiledPolicy> compile(GlobalNetworkPolicy policy) {
    PolicySpec spec = policy.spec();
    if (spec.isDoNotTrack() || spec.isPreDnat()) {
      return new Outcome.NotForWorkloads<>();
    }
    Selector namespaces = RuleCompiler.given(spec.namespaceSelector());
    Selector accounts = RuleCompiler.given(spec.serviceAccountSelector());
    Selector selector =
        (namespaces == null ? Selector.ALL : namespaces.forNamespaces())
            .and(spec.effectiveSelector())
            .and(accounts == null ? Selector.ALL : accounts.forServiceAccountsOnly());
    return compile(policy.ref(), spec, selector);
  }

  private static Outcome<CompiledPolicy> compile(
      ResourceRef ref, PolicySpec spec, Selector selector) {
    Selector accounts = spec.serviceAccountSelector();
    if (spec.effectiveSelector().usesGlobal() || accounts != null && accounts.usesGlobal()) {
      return new Outcome.Invalid<>(null, "global() has a meaning in a namespaceSelector only");
    }
    try {
      List<String> warnings = new ArrayList<>();
      CompiledPolicy policy =
          new CompiledPolicy(
              keyOf(ref),
              spec.effectiveTier(),
              spec.effectiveOrder(),
              selector,
              spec.effectiveTypes().contains(PolicyType.INGRESS),
              spec.effectiveTypes().contains(PolicyType.EGRESS),
              new RuleCompiler(ref.namespace(), "ingress", warnings).compileAll(spec.ingress()),
              new RuleCompiler(ref.namespace(), "egress", warnings).compileAll(spec.egress()));
      return new Outcome.Compiled<>(policy, List.copyOf(warnings));
    } catch (RuleCompiler.InvalidRule e) {
      return new Outcome.Invalid<>(closed(ref, spec, selector), String.valueOf(e.getMessage()));
    }
  }

  private static CompiledPolicy closed(ResourceRef ref, PolicySpec spec, Selector selector) {
    return new CompiledPolicy(
            keyOf(ref),
            spec.effectiveTier(),
            spec.effectiveOrder(),
            selector,
            spec.effectiveTypes().contains(PolicyType.INGRESS),
            spec.effectiveTypes().contains(PolicyType.EGRESS),
            List.of(),
            List.of())
        .closed();
  }

  /// The identity of the policy a resource is.
  static PolicyKey keyOf(ResourceRef ref) {
    return new PolicyKey(ref.kind().kindName(), ref.namespace(), ref.name());
  }

  /// Compiles a profile. Its selectors have no namespace.
  static Outcome<CompiledProfile> compile(Profile profile) {
    try {
      List<String> warnings = new ArrayList<>();
      CompiledProfile compiled =
          new CompiledProfile(
              profile.spec().labelsToApply(),
              new RuleCompiler("", "ingress", warnings).compileAll(profile.spec().ingress()),
              new RuleCompiler("", "egress", warnings).compileAll(profile.spec().egress()));
      return new Outcome.Compiled<>(compiled, List.copyOf(warnings));
    } catch (RuleCompiler.InvalidRule e) {
      // The labels are sound, and policies may select by them.
      List<SelectorRule> deny = List.of(SelectorRule.any(0, RuleAction.DENY));
      CompiledProfile closed = new CompiledProfile(profile.spec().labelsToApply(), deny, deny);
      return new Outcome.Invalid<>(closed, String.valueOf(e.getMessage()));
    }
  }

  static CompiledProfile defaultAllow() {
    List<SelectorRule> allow = List.of(SelectorRule.any(0, RuleAction.ALLOW));
    return new CompiledProfile(Map.of(), allow, allow);
  }
}
