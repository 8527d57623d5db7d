package io.margay.agent.firewall;

import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftSet;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTableState;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.HostEndpointKey;
import io.margay.policy.HostEndpointPolicy;
import io.margay.policy.PolicyKey;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleSet;
import io.margay.policy.SetId;
import io.margay.policy.SetKind;
import io.margay.policy.SetMember;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.RuleMatcher;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Keeps what calc wants enforced and turns what changed into chains and elements of the
/// [NftTable].
///
/// Until the first [#apply] the kernel keeps what a former process left there; the caller applies
/// only once calc has seen the whole datastore. Afterwards the kernel holds a function of the
/// current updates, whatever their history.
///
/// Belongs to the dataplane loop.
public final class FirewallManager {

  private final NftTable table;
  private final FirewallSettings settings;
  private final Map<IpFamily, NftRenderer> renderers = new HashMap<>();
  private final Map<IpFamily, BaseRenderer> bases = new HashMap<>();
  private final RenderedChains chains;
  private final SetIds ids = new SetIds();
  private final HostPorts hostPorts;
  private final TunnelPeers tunnelPeers;
  private HostPortMove.Listener hostPortListener = _ -> {};
  private PacketLog packetLog = PacketLog.DEFAULT;
  private Map<InterfaceName, List<Prefix>> spoofable = Map.of();

  private final AddressSets sets;
  private final Map<PolicyKey, RuleSet> policies = new HashMap<>();
  private final Map<String, RuleSet> profiles = new HashMap<>();
  private final TierUse tiers = new TierUse();
  private final WorkloadEndpoints workloads;
  private final HostEndpoints hosts;
  private final CutGuard cuts;

  private final Set<PolicyKey> dirtyPolicies = new HashSet<>();
  private final Set<String> dirtyProfiles = new HashSet<>();

  public FirewallManager(NftTable table, FirewallSettings settings) {
    this.table = table;
    this.settings = settings;
    this.sets = new AddressSets(table, ids, this::markUsers);
    this.chains = new RenderedChains(table, ids, sets);
    this.hostPorts = new HostPorts(table);
    this.tunnelPeers = new TunnelPeers(table);
    this.workloads = new WorkloadEndpoints(table, settings, tiers, hostPorts);
    this.hosts = new HostEndpoints(table, settings, tiers);
    this.cuts = new CutGuard(table);
    for (IpFamily family : IpFamily.values()) {
      for (NftSet set : Layout.sets(family)) {
        table.declareSet(family, set);
      }
      BaseRenderer base = new BaseRenderer(family, settings, sets);
      bases.put(family, base);
      for (NftChain chain : base.chains()) {
        table.putChain(family, chain);
      }
    }
    renderWith(PacketLog.DEFAULT);
  }

  private void renderWith(PacketLog log) {
    packetLog = log;
    for (IpFamily family : IpFamily.values()) {
      TunnelGuard guard = tunnelPeers.guard();
      Rendering rendering =
          new Rendering(
              family,
              sets,
              new PacketLogger(log, tiers::tierOf),
              new Rendering.Tunnel(guard.port(), guard.families().contains(family)));
      renderers.put(family, new NftRenderer(settings, rendering));
      hosts.renderWith(rendering);
    }
  }

  /// Says how packets are logged.
  public void setPacketLog(PacketLog log) {
    if (!log.equals(packetLog)) {
      renderAllWith(log);
    }
  }

  private void renderAllWith(PacketLog log) {
    renderWith(log);
    dirtyPolicies.addAll(policies.keySet());
    dirtyProfiles.addAll(profiles.keySet());
    workloads.onAll();
    tiers.onAll();
  }

  /// Says who sends and takes wrapped packets.
  public void setTunnelGuard(TunnelGuard guard) {
    TunnelGuard before = tunnelPeers.guard();
    tunnelPeers.set(guard, bases);
    if (guard.port() != before.port() || !guard.families().equals(before.families())) {
      renderAllWith(packetLog);
    }
  }

  /// Whether endpoints may send from the prefixes that they name beside their own addresses
  /// (FelixConfiguration workloadSourceSpoofing, WorkloadEndpoint allowSpoofedSourcePrefixes).
  public void setMaySpoof(boolean may) {
    workloads.setMaySpoof(may);
  }

  /// Whether another plugin made the interface, and so the routes to it.
  public boolean isForeign(InterfaceName name) {
    return !settings.isNamedByUs(name);
  }

  /// Takes one step of the desired state; the kernel sees it at the next [#apply].
  public void onUpdate(PolicyUpdate update) {
    switch (update) {
      case PolicyUpdate.SetUpdated(SetId id, SetKind kind, Set<SetMember> members) ->
          sets.update(id, kind, members);
      case PolicyUpdate.SetChanged(SetId id, Set<SetMember> added, Set<SetMember> removed) ->
          sets.change(id, added, removed);
      case PolicyUpdate.SetRemoved(SetId id) -> sets.remove(id);
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
      case PolicyUpdate.EndpointUpdated(EndpointKey key, EndpointPolicy policy) ->
          workloads.put(key, policy);
      case PolicyUpdate.EndpointRemoved(EndpointKey key) -> workloads.put(key, null);
      case PolicyUpdate.HostEndpointUpdated(HostEndpointKey key, HostEndpointPolicy policy) ->
          hosts.put(key, policy);
      case PolicyUpdate.HostEndpointRemoved(HostEndpointKey key) -> hosts.put(key, null);
    }
  }

  private void markUsers(SetId id) {
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

  /// Says which addresses leave masqueraded.
  public void setNatOutgoing(NatOutgoing nat) {
    bases.forEach((family, base) -> chains.set(family, Layout.NAT_CHAIN, base.natOutgoing(nat)));
  }

  /// Says what protects the node itself beside policy.
  ///
  /// @return whether that is another than before
  public boolean setHostProtection(HostProtection protection) {
    return hosts.setProtection(protection);
  }

  /// Drops what is of a connection that is to be cut and no longer tracked: the kernel would take
  /// it up again, in whichever direction its packets go.
  ///
  /// @param flow one that shares neither side's ends with another that is kept out
  public void keepOut(CutFlow flow) {
    cuts.keepOut(flow);
  }

  /// @param flow one that is kept out
  public void letIn(CutFlow flow) {
    cuts.letIn(flow);
  }

  /// What the kernel keeps out, whoever told it to.
  public List<CutFlow> findKeptOut() throws NftException {
    return cuts.find();
  }

  /// Whether some host endpoint is found by its addresses, so that [#setHostAddresses] matters.
  public boolean needsHostAddresses() {
    return hosts.needAddresses();
  }

  /// Where each host endpoint polices, as last applied.
  public Map<HostEndpointKey, HostPlace> hostPlaces() {
    return hosts.places();
  }

  /// Says which addresses each interface of the node has.
  public void setHostAddresses(Map<InterfaceName, Set<IpAddress>> addresses) {
    hosts.setAddresses(addresses);
  }

  /// Tells from now on, right after the transaction that did it, which ports of the node lead
  /// elsewhere.
  public void tellHostPortMoves(HostPortMove.Listener listener) {
    hostPortListener = listener;
  }

  /// Makes the kernel enforce all updates so far, in one transaction. New lists of port ranges that
  /// its rules ask for come in one before it; what old rules may still look for leaves in one after
  /// it.
  ///
  /// @throws NftException if the kernel refuses; it then enforces what it did before, and the next
  ///   apply tries the whole difference again
  public NftOutcome apply() throws NftException {
    renderAhead();
    NftOutcome outcome = table.apply();
    tellMoves();
    sweep();
    return outcome;
  }

  /// Hears from now on what others do to our tables; see [NftTable#watch].
  public void watch(Runnable alarm) throws NftException {
    table.watch(alarm);
  }

  /// What others did to our tables so far.
  public NftTable.Tampering tampering() {
    return table.tampering();
  }

  /// Finds and repairs what others did to our tables.
  public NftOutcome resync() throws NftException {
    renderAhead();
    NftOutcome outcome = table.resync();
    tellMoves();
    sweep();
    return outcome;
  }

  /// Whether the kernel enforces the updates so far; see [NftTable#isAsDesired].
  public boolean isEnforced() throws NftException {
    render();
    return table.isAsDesired();
  }

  private void sweep() throws NftException {
    boolean members = sets.sweepLate();
    boolean lists = chains.sweepLate();
    if (members || lists) {
      table.apply();
    }
  }

  private void renderAhead() {
    render();
    table.addAhead(chains.takeFresh());
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

  /// What the rules of the updates so far were written for.
  public RuleOrigins origins() {
    return new RuleOrigins(
        policies, profiles, workloads.all(), hosts.all(), tiers::tierOf, chains.mergedIds());
  }

  /// The policy's rule that lets a packet through which a rule of a merged tier accepts: of those
  /// whose order merging gave up, the first that matches.
  ///
  /// @param flow what the rule accepted
  /// @return empty if the rule is of no merged tier, or if none of those matches
  public Optional<RuleOrigin.PolicyRule> memberOf(String chain, String ruleId, Flow flow) {
    RuleMatcher matcher = new RuleMatcher(sets);
    return chains.members(flow.family(), chain, ruleId).stream()
        .filter(member -> matcher.matches(member.rule(), flow))
        .findFirst()
        .map(
            member ->
                new RuleOrigin.PolicyRule(
                    member.policy(), Direction.ofChain(chain), member.rule().index()));
  }

  /// Removes our tables: nothing is enforced any more.
  public void destroy() throws NftException {
    table.destroy();
  }

  /// Tells the table what it should hold after the updates so far, and nobody else.
  public void render() {
    dirtyProfiles.forEach(this::renderProfile);
    if (workloads.render(renderers, profiles::containsKey)) {
      hosts.onForeignWorkload();
    }
    renderSpoofable();
    hosts.render(workloads.foreign(), profiles::containsKey);
    // Log entries name a policy's tier, which endpoints say.
    dirtyPolicies.addAll(tiers.takeMoved());
    dirtyPolicies.forEach(this::renderPolicy);
    tiers.render(renderers, chains, policies::get);
    sets.sweep();
    hostPorts.chain(bases);
    dirtyProfiles.clear();
    dirtyPolicies.clear();
  }

  private void renderSpoofable() {
    if (workloads.spoofable().equals(spoofable)) {
      return;
    }
    spoofable = Map.copyOf(workloads.spoofable());
    bases.forEach(
        (family, base) -> {
          List<NftChain> chains = base.spoof(spoofable);
          if (chains.size() == 1) {
            table.removeChain(family, Layout.SPOOFED_CHAIN);
          }
          chains.forEach(chain -> table.putChain(family, chain));
        });
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
    workloads.onProfile(name);
    hosts.onProfile(name);
  }

  private void renderPolicy(PolicyKey key) {
    RuleSet rules = policies.get(key);
    if (rules == null) {
      tiers.forget(key);
    }
    renderers.forEach(
        (family, renderer) -> {
          for (Direction direction : Direction.values()) {
            chains.set(
                family,
                Layout.policyChain(key, direction),
                rules == null ? null : renderer.policy(key, direction, rules));
          }
        });
    tiers.onPolicy(key);
  }
}
