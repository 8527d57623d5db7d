package io.margay.policy;

import io.margay.model.net.IpAddress;
import io.margay.model.resource.EndpointSlice;
import io.margay.model.resource.ResourceRef;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Computes the members of every active set of a service over the slices of its endpoints. Slices
/// of services that no rule names cost their memory alone.
///
/// An endpoint counts whether it is ready or not, and a port without a number does not, as with
/// Felix. An address that two slices have stays while one of them has it.
final class ServiceIndex {

  private final IpSetMemberIndex.Listener listener;
  private final Map<ResourceRef, EndpointSlice> slices = new HashMap<>();
  private final Map<ServiceKey, Set<ResourceRef>> slicesOf = new HashMap<>();
  private final Map<SetId, ActiveSet> sets = new HashMap<>();
  private final Map<ServiceKey, Set<ActiveSet>> setsOf = new HashMap<>();

  private record ActiveSet(SetDefinition.OfService definition, SetMembers members) {

    @Override
    public boolean equals(@Nullable Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return definition.hashCode();
    }
  }

  ServiceIndex(IpSetMemberIndex.Listener listener) {
    this.listener = listener;
  }

  void onSetActive(SetDefinition.OfService definition) {
    SetId id = definition.id();
    ActiveSet set =
        new ActiveSet(
            definition,
            new SetMembers(
                new SetMembers.Listener() {
                  @Override
                  public void onMemberAdded(SetMember member) {
                    listener.onMemberAdded(id, member);
                  }

                  @Override
                  public void onMemberRemoved(SetMember member) {
                    listener.onMemberRemoved(id, member);
                  }
                }));
    sets.put(id, set);
    setsOf.computeIfAbsent(definition.service(), _ -> new HashSet<>()).add(set);
    listener.onSetAdded(id, definition.kind());
    for (ResourceRef ref : slicesOf.getOrDefault(definition.service(), Set.of())) {
      membersOf(slices.get(ref), definition).forEach(set.members::add);
    }
  }

  /// @return whether the set is a service's
  boolean onSetInactive(SetId id) {
    ActiveSet set = sets.remove(id);
    if (set == null) {
      return false;
    }
    ServiceKey service = set.definition.service();
    remove(setsOf, service, set);
    for (ResourceRef ref : slicesOf.getOrDefault(service, Set.of())) {
      membersOf(slices.get(ref), set.definition).forEach(set.members::remove);
    }
    listener.onSetRemoved(id);
    return true;
  }

  /// A slice is this now, or is gone.
  void onSlice(ResourceRef ref, @Nullable EndpointSlice now) {
    EndpointSlice before = slices.get(ref);
    if (now == null) {
      slices.remove(ref);
    } else {
      slices.put(ref, now);
    }
    ServiceKey old = serviceOf(before);
    ServiceKey current = serviceOf(now);
    if (current != null) {
      slicesOf.computeIfAbsent(current, _ -> new HashSet<>()).add(ref);
      // New before old, so that what stays is never seen to leave.
      for (ActiveSet set : setsOf.getOrDefault(current, Set.of())) {
        membersOf(now, set.definition).forEach(set.members::add);
      }
    }
    if (old != null) {
      for (ActiveSet set : setsOf.getOrDefault(old, Set.of())) {
        membersOf(before, set.definition).forEach(set.members::remove);
      }
      if (!old.equals(current)) {
        remove(slicesOf, old, ref);
      }
    }
  }

  private static <K, V> void remove(Map<K, Set<V>> sets, K key, V value) {
    Set<V> values = sets.get(key);
    if (values != null && values.remove(value) && values.isEmpty()) {
      sets.remove(key);
    }
  }

  private static @Nullable ServiceKey serviceOf(@Nullable EndpointSlice slice) {
    return slice == null || slice.service().isEmpty()
        ? null
        : new ServiceKey(slice.metadata().namespaceOrEmpty(), slice.service());
  }

  private static Set<SetMember> membersOf(
      @Nullable EndpointSlice slice, SetDefinition.OfService set) {
    Set<SetMember> members = new LinkedHashSet<>();
    if (slice == null) {
      return members;
    }
    for (IpAddress address : slice.addresses()) {
      if (set.withPorts()) {
        for (EndpointSlice.ServicePort port : slice.ports()) {
          members.add(new SetMember.NamedPort(address, port.protocol(), port.number()));
        }
      } else {
        members.add(new SetMember.Net(address.toHostPrefix()));
      }
    }
    return members;
  }
}
