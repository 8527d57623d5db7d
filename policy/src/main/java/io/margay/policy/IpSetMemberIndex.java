package io.margay.policy;

import io.margay.model.resource.ResourceRef;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Computes the members of every active set over all endpoints and network sets of the cluster.
/// Sets of services are the [ServiceIndex]'s.
///
/// Which sets are active is the [RuleScanner]'s business; when to tell the dataplane, the
/// [EventSequencer]'s.
final class IpSetMemberIndex {

  /// Hears of sets and of their visible members. A set's last members leave before it is removed.
  interface Listener {
    void onSetAdded(SetId id, SetKind kind);

    void onMemberAdded(SetId id, SetMember member);

    void onMemberRemoved(SetId id, SetMember member);

    void onSetRemoved(SetId id);
  }

  private final Listener listener;
  private final Map<SetId, ActiveSet> sets = new HashMap<>();
  private final Map<ResourceRef, Contributor> contributors = new HashMap<>();
  private final Canonical canonical = new Canonical();
  private final LabelIndex<ActiveSet, Contributor> index =
      new LabelIndex<>(
          new LabelIndex.Listener<ActiveSet, Contributor>() {
            @Override
            public void onMatchStarted(ActiveSet set, Contributor contributor) {
              contributor.sets.add(set);
              contributor.source.membersOf(set.definition).forEach(set.members::add);
            }

            @Override
            public void onMatchStopped(ActiveSet set, Contributor contributor) {
              contributor.sets.remove(set);
              contributor.source.membersOf(set.definition).forEach(set.members::remove);
            }
          });

  IpSetMemberIndex(Listener listener) {
    this.listener = listener;
  }

  void onSetActive(SetDefinition.Selected definition) {
    ActiveSet set = new ActiveSet(definition);
    sets.put(definition.id(), set);
    listener.onSetAdded(definition.id(), definition.kind());
    index.putSelector(set, definition.selector());
  }

  void onSetInactive(SetId id) {
    ActiveSet set = sets.remove(id);
    if (set == null) {
      throw new IllegalStateException("set " + id + " ends without having begun");
    }
    index.removeSelector(set);
    listener.onSetRemoved(id);
  }

  /// An endpoint or network set is this now, or is gone.
  void onSource(ResourceRef ref, @Nullable SetSource given) {
    Contributor contributor = contributors.get(ref);
    if (given == null) {
      if (contributor != null) {
        contributors.remove(ref);
        index.removeItem(contributor);
      }
      return;
    }
    if (contributor != null && contributor.source.equals(given)) {
      return;
    }
    SetSource source = canonical.source(given);
    if (contributor == null) {
      contributor = new Contributor(source);
      contributors.put(canonical.ref(ref), contributor);
    } else {
      SetSource old = contributor.source;
      contributor.source = source;
      contributor.sets.forEach(
          set -> {
            // New before old, so that what stays is never seen to leave.
            source.membersOf(set.definition).forEach(set.members::add);
            old.membersOf(set.definition).forEach(set.members::remove);
          });
    }
    index.putItem(contributor, source.labels(), source.parents());
  }

  /// Whether [#onSource] last heard that it exists.
  boolean hasSource(ResourceRef ref) {
    return contributors.containsKey(ref);
  }

  void onProfileLabels(String profile, Map<String, String> labels) {
    index.putParent(profile, labels);
  }

  private final class ActiveSet {
    private final SetDefinition.Selected definition;
    private final SetMembers members;

    private ActiveSet(SetDefinition.Selected definition) {
      this.definition = definition;
      this.members =
          new SetMembers(
              new SetMembers.Listener() {
                @Override
                public void onMemberAdded(SetMember member) {
                  listener.onMemberAdded(definition.id(), member);
                }

                @Override
                public void onMemberRemoved(SetMember member) {
                  listener.onMemberRemoved(definition.id(), member);
                }
              });
    }
  }

  private static final class Contributor {
    private SetSource source;

    private final IdentitySet<ActiveSet> sets = new IdentitySet<>();

    private Contributor(SetSource source) {
      this.source = source;
    }
  }
}
