package io.margay.agent.firewall;

import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftData;
import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftSet;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTableState;
import io.margay.linux.nft.NftVerdict;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.PolicyKey;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleSet;
import io.margay.policy.SetId;
import io.margay.policy.SetKind;
import io.margay.policy.SetMember;
import io.margay.policy.TierPolicies;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps what calc wants enforced and turns what changed into chains and elements of the
/// [NftTable].
///
/// Until the first [#apply] the kernel keeps what a former process left there; the caller applies
/// only once calc has seen the whole datastore. Afterwards the kernel holds a function of the
/// current updates, whatever their history.
///
/// Belongs to the dataplane loop.
public final class FirewallManager {

  private static final Logger LOG = LoggerFactory.getLogger(FirewallManager.class);

  private final NftTable table;
  private final FirewallSettings settings;
  private final Map<IpFamily, NftRenderer> renderers = new HashMap<>();
  private final RenderedChains chains;
  private final SetIds ids = new SetIds();
  private final HostPorts hostPorts;
  private HostPortMove.Listener hostPortListener = _ -> {};

  private final Map<SetId, AddressSet> sets = new HashMap<>();
  private final Map<PolicyKey, RuleSet> policies = new HashMap<>();
  private final Map<String, RuleSet> profiles = new HashMap<>();
  private final Map<EndpointKey, EndpointPolicy> endpoints = new TreeMap<>();

  /// Who claims an interface: one endpoint, or by a fault of the datastore several.
  private final Map<InterfaceName, TreeSet<EndpointKey>> claims = new HashMap<>();

  private final Map<InterfaceName, EndpointPolicy> written = new HashMap<>();
  private final Map<TierKey, Integer> tierUsers = new HashMap<>();

  private final Set<PolicyKey> dirtyPolicies = new HashSet<>();
  private final Set<String> dirtyProfiles = new HashSet<>();
  private final Set<InterfaceName> dirtyInterfaces = new TreeSet<>();
  private final Set<TierKey> dirtyTiers = new HashSet<>();

  public FirewallManager(NftTable table, FirewallSettings settings) {
    this.table = table;
    this.settings = settings;
    this.chains = new RenderedChains(table, ids);
    this.hostPorts = new HostPorts(table);
    SetShapes shapes = new Shapes();
    for (IpFamily family : IpFamily.values()) {
      for (NftSet set : Layout.sets(family)) {
        table.declareSet(family, set);
      }
      NftRenderer renderer = new NftRenderer(family, settings, shapes);
      renderers.put(family, renderer);
      for (NftChain chain : renderer.baseChains()) {
        table.putChain(family, chain);
      }
    }
  }

  private final class Shapes implements SetShapes {
    @Override
    public int id(SetId set) {
      known(set);
      return ids.id(set.value());
    }

    @Override
    public int id(RuleList list) {
      return ids.id(list.name());
    }

    @Override
    public boolean hasPrefixes(SetId set, IpFamily family) {
      return known(set).hasPrefixes(family);
    }
  }

  private AddressSet known(SetId id) {
    AddressSet set = sets.get(id);
    if (set == null) {
      throw new IllegalStateException("set " + id + " is used but was never announced");
    }
    return set;
  }

  /// Whether another plugin made the interface, and so the routes to it.
  public boolean isForeign(InterfaceName name) {
    return !settings.isNamedByUs(name);
  }

  /// Takes one step of the desired state; the kernel sees it at the next [#apply].
  public void onUpdate(PolicyUpdate update) {
    switch (update) {
      case PolicyUpdate.SetUpdated(SetId id, SetKind kind, Set<SetMember> members) ->
          onSetUpdated(id, kind, members);
      case PolicyUpdate.SetChanged(SetId id, Set<SetMember> added, Set<SetMember> removed) ->
          edit(id, known(id), set -> set.change(added, removed, table));
      case PolicyUpdate.SetRemoved(SetId id) -> {
        known(id).replace(Set.of(), table);
        sets.remove(id);
      }
      case PolicyUpdate.PolicyUpdated(PolicyKey key, RuleSet rules) -> {
        if (!rules.equals(policies.put(key, rules))) {
          dirtyPolicies.add(key);
        }
      }
      case PolicyUpdate.PolicyRemoved(PolicyKey key) -> {
        policies.remove(key);
        dirtyPolicies.add(key);
      }
      case PolicyUpdate.ProfileUpdated(String name, RuleSet rules) -> {
        if (!rules.equals(profiles.put(name, rules))) {
          dirtyProfiles.add(name);
        }
      }
      case PolicyUpdate.ProfileRemoved(String name) -> {
        profiles.remove(name);
        dirtyProfiles.add(name);
      }
      case PolicyUpdate.EndpointUpdated(EndpointKey key, EndpointPolicy policy) -> {
        claim(key, policy);
        endpoints.put(key, policy);
      }
      case PolicyUpdate.EndpointRemoved(EndpointKey key) -> {
        claim(key, null);
        endpoints.remove(key);
      }
    }
  }

  private void onSetUpdated(SetId id, SetKind kind, Set<SetMember> members) {
    AddressSet set = sets.computeIfAbsent(id, _ -> new AddressSet(ids.id(id.value()), kind));
    if (set.kind() != kind) {
      throw new IllegalStateException(
          "set " + id + " changes its kind from " + set.kind() + " to " + kind);
    }
    edit(id, set, s -> s.replace(members, table));
  }

  private interface Edit {
    void on(AddressSet set);
  }

  /// Rules look in one place or two, so those that use the set change when it gains its first
  /// prefix or loses its last.
  private void edit(SetId id, AddressSet set, Edit edit) {
    boolean had4 = set.hasPrefixes(IpFamily.IPV4);
    boolean had6 = set.hasPrefixes(IpFamily.IPV6);
    edit.on(set);
    if (had4 != set.hasPrefixes(IpFamily.IPV4) || had6 != set.hasPrefixes(IpFamily.IPV6)) {
      policies.forEach(
          (key, rules) -> {
            if (SetUse.uses(rules, id)) {
              dirtyPolicies.add(key);
            }
          });
      profiles.forEach(
          (name, rules) -> {
            if (SetUse.uses(rules, id)) {
              dirtyProfiles.add(name);
            }
          });
    }
  }

  private void claim(EndpointKey key, @Nullable EndpointPolicy policy) {
    EndpointPolicy before = endpoints.get(key);
    if (before != null) {
      TreeSet<EndpointKey> claimants = claims.get(before.interfaceName());
      if (claimants != null && claimants.remove(key) && claimants.isEmpty()) {
        claims.remove(before.interfaceName());
      }
      dirtyInterfaces.add(before.interfaceName());
    }
    if (policy != null) {
      claims.computeIfAbsent(policy.interfaceName(), _ -> new TreeSet<>()).add(key);
      dirtyInterfaces.add(policy.interfaceName());
    }
  }

  /// Says which addresses leave masqueraded.
  public void setNatOutgoing(NatOutgoing nat) {
    renderers.forEach(
        (family, renderer) -> chains.set(family, Layout.NAT_CHAIN, renderer.natOutgoing(nat)));
  }

  /// Tells from now on, right after the transaction that did it, which ports of the node lead
  /// elsewhere.
  public void tellHostPortMoves(HostPortMove.Listener listener) {
    hostPortListener = listener;
  }

  /// Makes the kernel enforce all updates so far, in one transaction.
  ///
  /// @throws NftException if the kernel refuses; it then enforces what it did before, and the next
  ///   apply tries the whole difference again
  public NftOutcome apply() throws NftException {
    render();
    NftOutcome outcome = table.apply();
    tellMoves();
    return outcome;
  }

  /// Finds and repairs what others did to our tables.
  public NftOutcome resync() throws NftException {
    render();
    NftOutcome outcome = table.resync();
    tellMoves();
    return outcome;
  }

  private void tellMoves() {
    List<HostPortMove> moves = hostPorts.takeMoves();
    if (!moves.isEmpty()) {
      hostPortListener.onMoves(moves);
    }
  }

  /// What the family's table should hold after the updates so far.
  public NftTableState desired(IpFamily family) {
    render();
    return table.desired(family);
  }

  /// Removes our tables: nothing is enforced any more.
  public void destroy() throws NftException {
    table.destroy();
  }

  private void render() {
    dirtyProfiles.forEach(this::renderProfile);
    dirtyPolicies.forEach(this::renderPolicy);
    dirtyInterfaces.forEach(this::renderInterface);
    dirtyTiers.forEach(this::renderTier);
    hostPorts.chain(renderers);
    dirtyProfiles.clear();
    dirtyPolicies.clear();
    dirtyInterfaces.clear();
    dirtyTiers.clear();
  }

  private void renderProfile(String name) {
    RuleSet rules = profiles.get(name);
    renderers.forEach(
        (family, renderer) -> {
          for (Direction direction : Direction.values()) {
            chains.set(
                family,
                Layout.profileChain(name, direction),
                rules == null ? null : renderer.profile(name, direction, rules));
          }
        });
    endpoints.values().stream()
        .filter(policy -> policy.profiles().contains(name))
        .forEach(policy -> dirtyInterfaces.add(policy.interfaceName()));
  }

  private void renderPolicy(PolicyKey key) {
    RuleSet rules = policies.get(key);
    renderers.forEach(
        (family, renderer) -> {
          for (Direction direction : Direction.values()) {
            chains.set(
                family,
                Layout.policyChain(key, direction),
                rules == null ? null : renderer.policy(key, direction, rules));
          }
        });
    for (TierKey tier : tierUsers.keySet()) {
      if (tier.tier().policies().contains(key)) {
        dirtyTiers.add(tier);
      }
    }
  }

  private void renderInterface(InterfaceName name) {
    Set<EndpointKey> claimants = claims.getOrDefault(name, new TreeSet<>());
    if (claimants.size() > 1) {
      LOG.atWarn()
          .addKeyValue("interface", name)
          .addKeyValue("endpoints", claimants)
          .log("Several endpoints claim one interface; it is closed until one is left");
    }
    EndpointKey key = claimants.size() == 1 ? claimants.iterator().next() : null;
    EndpointPolicy before = written.get(name);
    EndpointPolicy now = key == null ? null : endpoints.get(key);
    countTiers(now, 1);
    countTiers(before, -1);
    if (before != null) {
      owned(before, now);
    }
    hostPorts.replace(name, before, now);
    if (key == null || now == null) {
      if (written.remove(name) != null) {
        remove(name);
      }
      return;
    }
    written.put(name, now);
    renderers.forEach(
        (family, renderer) -> {
          for (Direction direction : Direction.values()) {
            NftChain chain = renderer.endpoint(key, now, direction, profiles::containsKey);
            table.putChain(family, chain);
            table.putElement(
                family,
                Layout.dispatch(direction),
                NftElement.verdict(NftData.interfaceName(name), NftVerdict.jump(chain.name())));
          }
        });
    for (IpAddress address : now.addresses()) {
      table.putElement(address.family(), Layout.OWNED, owned(name, address));
    }
  }

  private void remove(InterfaceName name) {
    for (IpFamily family : renderers.keySet()) {
      for (Direction direction : Direction.values()) {
        table.removeElement(family, Layout.dispatch(direction), NftData.interfaceName(name));
        table.removeChain(family, NftRenderer.endpointChain(name, direction));
      }
    }
  }

  private void owned(EndpointPolicy before, @Nullable EndpointPolicy now) {
    List<IpAddress> gone = new ArrayList<>(before.addresses());
    if (now != null) {
      gone.removeAll(now.addresses());
    }
    for (IpAddress address : gone) {
      table.removeElement(
          address.family(), Layout.OWNED, owned(before.interfaceName(), address).key());
    }
  }

  private static NftElement owned(InterfaceName name, IpAddress address) {
    return NftElement.of(NftData.concat(NftData.interfaceName(name), NftData.address(address)));
  }

  private void countTiers(@Nullable EndpointPolicy policy, int by) {
    if (policy == null) {
      return;
    }
    for (Direction direction : Direction.values()) {
      for (TierPolicies tier : direction.tiers(policy)) {
        TierKey key = new TierKey(direction, tier);
        int before = tierUsers.getOrDefault(key, 0);
        if (before + by == 0) {
          tierUsers.remove(key);
          dirtyTiers.add(key);
        } else {
          tierUsers.put(key, before + by);
          if (before == 0) {
            dirtyTiers.add(key);
          }
        }
      }
    }
  }

  private void renderTier(TierKey key) {
    boolean used = tierUsers.containsKey(key);
    renderers.forEach(
        (family, renderer) ->
            chains.set(
                family, Layout.tierChain(key), used ? renderer.tier(key, policies::get) : null));
  }
}
