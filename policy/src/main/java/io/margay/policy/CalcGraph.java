package io.margay.policy;

import io.margay.model.resource.EndpointSlice;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Computes, incrementally, what the kernel of one node must hold for all resources of the cluster.
///
/// ```
/// resources ─► ValidationFilter ─┬─► ActiveRulesCalculator ─► RuleScanner ─► both indexes ─────┐
///                                ├─► PolicyResolver ◄─ which policy selects which endpoint     ├─► EventSequencer ─► sink
///                                ├─► IpSetMemberIndex: endpoints, network sets, labels         │
///                                └─► ServiceIndex: endpoints of services                       ┘
/// ```
///
/// The output is a function of the resources as they are, not of the order they came in. Updates
/// may repeat and may come from more than one source (an endpoint is handed in ahead of the watch):
/// what changes nothing yields nothing.
///
/// Not thread-safe: the calc loop owns it. Nothing blocks and nothing is logged.
public final class CalcGraph {

  private final ValidationFilter filter;
  private final PolicyResolver resolver;
  private final EventSequencer sequencer;
  private boolean inSync;

  /// @param nodeName only endpoints of this node are given policy
  public CalcGraph(String nodeName) {
    sequencer = new EventSequencer();
    IpSetMemberIndex members = new IpSetMemberIndex(sequencer);
    ServiceIndex services = new ServiceIndex(sequencer);
    RuleScanner scanner = new RuleScanner(new Sets(members, services), sequencer);
    resolver = new PolicyResolver(sequencer);
    ActiveRulesCalculator activeRules = new ActiveRulesCalculator(scanner, resolver);
    filter = new ValidationFilter(nodeName, new FanOut(activeRules, resolver, members, services));
    filter.start();
  }

  /// The resource is this now.
  ///
  /// @param resource null = it does not exist
  public void onUpdate(ResourceRef ref, @Nullable Resource resource) {
    if (resource == null) {
      filter.onRemoved(ref);
    } else {
      filter.onUpdate(ref, resource);
    }
  }

  /// The resource exists, but its document could not be read. Nothing opens by that: the last valid
  /// version stays in force, else what can be told of it denies (a policy) or counts (a network
  /// set), and the rest is absent.
  ///
  /// @param readable a policy's tier, order, types and selectors without its rules, a network set
  ///   with those of its prefixes that can be told; null if nothing can, or for another kind
  /// @param problem what is wrong, for [#problems]
  public void onUnreadable(ResourceRef ref, @Nullable Resource readable, String problem) {
    filter.onUnreadable(ref, readable, problem);
  }

  /// Every resource that existed at some moment has been handed in. Before, nothing is emitted.
  public void onInSync() {
    inSync = true;
  }

  /// Emits what has changed since the last flush, in an order in which it can be applied: sets,
  /// policies, profiles, endpoints, then removals the other way round; at most one update per key.
  public void flush(Consumer<? super PolicyUpdate> sink) {
    if (!inSync) {
      return;
    }
    resolver.flush();
    sequencer.flush(sink);
  }

  /// Resources that are not enforced as written: what is wrong, and what is done instead.
  public SortedMap<ResourceRef, String> problems() {
    return filter.problems();
  }

  /// Hands each set to the index that fills it.
  private record Sets(IpSetMemberIndex members, ServiceIndex services)
      implements RuleScanner.SetListener {

    @Override
    public void onSetActive(SetDefinition definition) {
      switch (definition) {
        case SetDefinition.Selected selected -> members.onSetActive(selected);
        case SetDefinition.OfService ofService -> services.onSetActive(ofService);
      }
    }

    @Override
    public void onSetInactive(SetId id) {
      if (!services.onSetInactive(id)) {
        members.onSetInactive(id);
      }
    }
  }

  /// Hands each thing to the nodes that need it.
  private record FanOut(
      ActiveRulesCalculator activeRules,
      PolicyResolver resolver,
      IpSetMemberIndex members,
      ServiceIndex services)
      implements ValidationFilter.Listener {

    @Override
    public void onPolicy(PolicyKey key, @Nullable CompiledPolicy policy) {
      resolver.onPolicy(key, policy);
      activeRules.onPolicy(key, policy);
    }

    @Override
    public void onTier(String name, @Nullable TierPlace place) {
      resolver.onTier(name, place);
    }

    @Override
    public void onProfile(String name, @Nullable CompiledProfile profile) {
      activeRules.onProfile(name, profile);
      members.onProfileLabels(name, profile == null ? Map.of() : profile.labels());
    }

    @Override
    public void onSource(ResourceRef ref, @Nullable SetSource source) {
      members.onSource(ref, source);
    }

    @Override
    public boolean hasSource(ResourceRef ref) {
      return members.hasSource(ref);
    }

    @Override
    public void onSlice(ResourceRef ref, @Nullable EndpointSlice slice) {
      services.onSlice(ref, slice);
    }

    @Override
    public void onPoliced(PolicedKey key, @Nullable Policed endpoint) {
      resolver.onPoliced(key, endpoint);
      activeRules.onPoliced(key, endpoint);
    }
  }
}
