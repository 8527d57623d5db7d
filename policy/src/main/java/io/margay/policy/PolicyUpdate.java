package io.margay.policy;

import java.util.Set;

/// One step of what the dataplane must hold. The sequencer emits them referents first (sets,
/// policies, profiles, endpoints) and removals reversed, at most one per key and flush.
public sealed interface PolicyUpdate {

  /// A set exists and has exactly these members.
  record SetUpdated(SetId id, SetKind kind, Set<SetMember> members) implements PolicyUpdate {
    public SetUpdated {
      members = Set.copyOf(members);
    }
  }

  /// A known set gained and lost members.
  record SetChanged(SetId id, Set<SetMember> added, Set<SetMember> removed)
      implements PolicyUpdate {
    public SetChanged {
      added = Set.copyOf(added);
      removed = Set.copyOf(removed);
    }
  }

  /// No rule refers to the set any more.
  record SetRemoved(SetId id) implements PolicyUpdate {}

  /// A policy that a local endpoint uses has these rules.
  record PolicyUpdated(PolicyKey key, RuleSet rules) implements PolicyUpdate {}

  record PolicyRemoved(PolicyKey key) implements PolicyUpdate {}

  /// A profile that a local endpoint names has these rules.
  record ProfileUpdated(String name, RuleSet rules) implements PolicyUpdate {}

  record ProfileRemoved(String name) implements PolicyUpdate {}

  record EndpointUpdated(EndpointKey key, EndpointPolicy policy) implements PolicyUpdate {}

  record EndpointRemoved(EndpointKey key) implements PolicyUpdate {}

  record HostEndpointUpdated(HostEndpointKey key, HostEndpointPolicy policy)
      implements PolicyUpdate {}

  record HostEndpointRemoved(HostEndpointKey key) implements PolicyUpdate {}
}
