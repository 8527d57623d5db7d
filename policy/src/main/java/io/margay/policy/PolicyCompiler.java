package io.margay.policy;

import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Profile;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.StagedGlobalNetworkPolicy;
import io.margay.model.resource.StagedNetworkPolicy;
import io.margay.model.selector.Selector;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

    /// It says nothing that could be enforced or counted.
    record Nothing<T>() implements Outcome<T> {}

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
    return ofNamespace(policy.ref(), policy.spec());
  }

  /// Compiles a policy of one namespace that is on trial.
  ///
  /// @param ref what it is written as, which may be a Kubernetes policy
  static Outcome<CompiledPolicy> compile(ResourceRef ref, StagedNetworkPolicy policy) {
    return switch (policy.spec().effectiveStagedAction()) {
      case SET, LEARN, IGNORE -> ofNamespace(ref, policy.spec().policy());
      case DELETE -> new Outcome.Nothing<>();
    };
  }

  private static Outcome<CompiledPolicy> ofNamespace(ResourceRef ref, PolicySpec spec) {
    String namespace = ref.namespace();
    Selector accounts = RuleCompiler.given(spec.serviceAccountSelector());
    Selector selector =
        RuleCompiler.inNamespace(namespace)
            .and(spec.effectiveSelector())
            .and(accounts == null ? Selector.ALL : accounts.forServiceAccounts());
    if (RuleCompiler.given(spec.namespaceSelector()) != null) {
      return new Outcome.Invalid<>(
          closed(ref, spec, selector),
          "namespaceSelector is for GlobalNetworkPolicy; a NetworkPolicy has its own namespace");
    }
    return compile(ref, spec, selector);
  }

  /// Compiles a policy of the whole cluster.
  static Outcome<CompiledPolicy> compile(GlobalNetworkPolicy policy) {
    return ofCluster(policy.ref(), policy.spec());
  }

  /// Compiles a policy of the whole cluster that is on trial.
  static Outcome<CompiledPolicy> compile(StagedGlobalNetworkPolicy policy) {
    return switch (policy.spec().effectiveStagedAction()) {
      case SET, LEARN, IGNORE -> ofCluster(policy.ref(), policy.spec().policy());
      case DELETE -> new Outcome.Nothing<>();
    };
  }

  private static Outcome<CompiledPolicy> ofCluster(ResourceRef ref, PolicySpec spec) {
    Selector namespaces = RuleCompiler.given(spec.namespaceSelector());
    Selector accounts = RuleCompiler.given(spec.serviceAccountSelector());
    Selector selector =
        (namespaces == null ? Selector.ALL : namespaces.forNamespaces())
            .and(spec.effectiveSelector())
            .and(accounts == null ? Selector.ALL : accounts.forServiceAccountsOnly());
    if (spec.isDoNotTrack() && spec.isPreDnat()) {
      return new Outcome.Invalid<>(
          closed(ref, spec, selector), "doNotTrack and preDNAT exclude each other");
    }
    return compile(ref, spec, selector);
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
              stages(spec),
              appliesTo(spec, PolicyType.INGRESS),
              appliesTo(spec, PolicyType.EGRESS),
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
            stages(spec),
            appliesTo(spec, PolicyType.INGRESS),
            appliesTo(spec, PolicyType.EGRESS),
            List.of(),
            List.of())
        .closed();
  }

  private static Set<HostStage> stages(PolicySpec spec) {
    if (spec.isDoNotTrack()) {
      return EnumSet.of(HostStage.UNTRACKED);
    }
    if (spec.isPreDnat()) {
      return EnumSet.of(HostStage.PRE_DNAT);
    }
    return spec.isApplyOnForward()
        ? EnumSet.of(HostStage.NORMAL, HostStage.FORWARDED)
        : EnumSet.of(HostStage.NORMAL);
  }

  private static boolean appliesTo(PolicySpec spec, PolicyType direction) {
    return spec.effectiveTypes().contains(direction);
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
