package io.margay.agent.firewall;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.policy.ComputedRule;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.HostEndpointKey;
import io.margay.policy.HostEndpointPolicy;
import io.margay.policy.PeerMatch;
import io.margay.policy.PolicyKey;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleSet;
import io.margay.policy.SetId;
import io.margay.policy.SetKind;
import io.margay.policy.SetMember;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Follows what calc wants enforced and notes which connections a change may have denied: those of
/// endpoints whose policy changed, and those with an address that a rule lost or began to exclude.
/// Where a host endpoint's policy changed it is all of them: it meets the node's own, and what goes
/// through. A change that can only allow more is nobody's suspicion.
///
/// Belongs to the dataplane loop.
public final class FlowSuspects {

  /// What a member that comes to a set, or leaves it, can do to what rules allow.
  private enum Effect {
    COMING_NARROWS,
    LEAVING_NARROWS
  }

  private record Use(SetId set, Effect effect) {}

  private final Map<EndpointKey, EndpointPolicy> endpoints = new HashMap<>();

  /// What endpoints may use as source beside their addresses; those that may nothing are not there.
  private final Map<EndpointKey, List<Prefix>> spoofable = new HashMap<>();

  private final Map<HostEndpointKey, HostEndpointPolicy> hosts = new HashMap<>();
  private final Map<PolicyKey, RuleSet> policies = new HashMap<>();
  private final Map<String, RuleSet> profiles = new HashMap<>();
  private final Map<IpAddress, InterfaceName> interfaces = new HashMap<>();
  private final Set<SetId> sets = new HashSet<>();
  private final Map<Use, Integer> uses = new HashMap<>();
  private int rulesWithSourcePorts;

  private Set<IpAddress> ends = new HashSet<>();
  private Set<IpAddress> newcomers = new HashSet<>();
  private Set<Prefix> peers = new HashSet<>();
  private Set<PolicyKey> changedPolicies = new HashSet<>();
  private Set<String> changedProfiles = new HashSet<>();

  private boolean everything;

  /// Whether the endpoints told so far may be older than this process.
  private boolean isStart = true;

  /// Takes one step of the desired state.
  public void onUpdate(PolicyUpdate update) {
    switch (update) {
      case PolicyUpdate.SetUpdated(SetId id, SetKind _, Set<SetMember> _) -> {
        // Sequencers tell a set's members once; a repetition says nothing of what left.
        everything |= !sets.add(id) && isUsed(id);
      }
      case PolicyUpdate.SetChanged(SetId id, Set<SetMember> added, Set<SetMember> removed) -> {
        if (uses.containsKey(new Use(id, Effect.COMING_NARROWS))) {
          added.forEach(this::suspect);
        }
        if (uses.containsKey(new Use(id, Effect.LEAVING_NARROWS))) {
          removed.forEach(this::suspect);
        }
      }
      case PolicyUpdate.SetRemoved(SetId id) -> sets.remove(id);
      case PolicyUpdate.PolicyUpdated(PolicyKey key, RuleSet rules) -> {
        RuleSet before = policies.put(key, rules);
        if (!rules.equals(before)) {
          count(before, rules);
          changedPolicies.add(key);
        }
      }
      case PolicyUpdate.PolicyRemoved(PolicyKey key) -> {
        count(policies.remove(key), null);
        changedPolicies.add(key);
      }
      case PolicyUpdate.ProfileUpdated(String name, RuleSet rules) -> {
        RuleSet before = profiles.put(name, rules);
        if (!rules.equals(before)) {
          count(before, rules);
          changedProfiles.add(name);
        }
      }
      case PolicyUpdate.ProfileRemoved(String name) -> {
        count(profiles.remove(name), null);
        changedProfiles.add(name);
      }
      case PolicyUpdate.EndpointUpdated(EndpointKey key, EndpointPolicy policy) -> {
        EndpointPolicy before = endpoints.put(key, policy);
        if (!policy.equals(before)) {
          leave(key, before);
          if (!policy.spoofable().isEmpty()) {
            spoofable.put(key, policy.spoofable());
            peers.addAll(policy.spoofable());
          }
          for (IpAddress own : policy.addresses()) {
            InterfaceName owner = interfaces.put(own, policy.interfaceName());
            (before != null || owner != null || isStart ? ends : newcomers).add(own);
          }
        }
      }
      case PolicyUpdate.EndpointRemoved(EndpointKey key) -> leave(key, endpoints.remove(key));
      case PolicyUpdate.HostEndpointUpdated(HostEndpointKey key, HostEndpointPolicy policy) ->
          everything |= !policy.equals(hosts.put(key, policy));
      // Another may stand for its interfaces now.
      case PolicyUpdate.HostEndpointRemoved(HostEndpointKey key) ->
          everything |= hosts.remove(key) != null && !hosts.isEmpty();
    }
  }

  /// Host endpoints stand for other interfaces than before, or other ports are open whatever they
  /// say.
  public void onHostsMoved() {
    everything |= !hosts.isEmpty();
  }

  /// Whether there are host endpoints, so that the way to any address matters.
  public boolean hasHosts() {
    return !hosts.isEmpty();
  }

  /// Whatever is open may be what no rule allows.
  public void suspectEverything() {
    everything = true;
  }

  private void leave(EndpointKey key, @Nullable EndpointPolicy policy) {
    spoofable.remove(key);
    if (policy != null) {
      policy.addresses().forEach(own -> interfaces.remove(own, policy.interfaceName()));
    }
  }

  /// The interface of the endpoint that has the address; null if none has.
  public @Nullable InterfaceName interfaceOf(IpAddress address) {
    return interfaces.get(address);
  }

  /// Whether an address that no workload has may be behind one's interface all the same, so that
  /// the way to it matters.
  public boolean isJudgedByWay(IpAddress address) {
    return spoofable.values().stream()
        .flatMap(List::stream)
        .anyMatch(prefix -> prefix.contains(address));
  }

  /// Whether any rule asks for the port a connection comes from.
  public boolean readSourcePorts() {
    return rulesWithSourcePorts > 0;
  }

  /// Whether there are new endpoints. They have no connections of their own yet, so there is no
  /// hurry; what an owner of their address left, whom this process never knew, must not be theirs.
  public boolean hasNewcomers() {
    return !newcomers.isEmpty();
  }

  /// Whether nothing is noted but newcomers.
  public boolean isEmpty() {
    return ends.isEmpty()
        && peers.isEmpty()
        && changedPolicies.isEmpty()
        && changedProfiles.isEmpty()
        && !everything;
  }

  /// Everything noted since the last call. What it holds never changes; working it out is left to
  /// whom it is handed.
  public Suspicion take() {
    ends.addAll(newcomers);
    Suspicion taken =
        new Suspicion(
            ends,
            peers,
            changedPolicies,
            changedProfiles,
            List.copyOf(endpoints.values()),
            List.copyOf(hosts.values()),
            everything);
    ends = new HashSet<>();
    newcomers = new HashSet<>();
    peers = new HashSet<>();
    changedPolicies = new HashSet<>();
    changedProfiles = new HashSet<>();
    everything = false;
    isStart = false;
    return taken;
  }

  /// As if it had not been taken.
  public void putBack(Suspicion suspicion) {
    ends.addAll(suspicion.ends());
    peers.addAll(suspicion.peers());
    changedPolicies.addAll(suspicion.policies());
    changedProfiles.addAll(suspicion.profiles());
    everything |= suspicion.everything();
  }

  private boolean isUsed(SetId id) {
    return uses.containsKey(new Use(id, Effect.COMING_NARROWS))
        || uses.containsKey(new Use(id, Effect.LEAVING_NARROWS));
  }

  private void suspect(SetMember member) {
    switch (member) {
      case SetMember.Net(Prefix prefix) -> peers.add(prefix);
      case SetMember.NamedPort port -> peers.add(port.address().toHostPrefix());
    }
  }

  private void count(@Nullable RuleSet before, @Nullable RuleSet now) {
    if (now != null) {
      count(now, 1);
    }
    if (before != null) {
      count(before, -1);
    }
  }

  private void count(RuleSet rules, int by) {
    rules.ingress().forEach(rule -> count(rule, by));
    rules.egress().forEach(rule -> count(rule, by));
  }

  private void count(ComputedRule rule, int by) {
    PeerMatch source = rule.source();
    if (!source.ports().isEmpty()
        || !source.notPorts().isEmpty()
        || !source.namedPorts().isEmpty()
        || !source.notNamedPorts().isEmpty()) {
      rulesWithSourcePorts += by;
    }
    switch (rule.action()) {
      case ALLOW -> count(rule, Effect.LEAVING_NARROWS, Effect.COMING_NARROWS, by);
      case DENY -> count(rule, Effect.COMING_NARROWS, Effect.LEAVING_NARROWS, by);
      // What is passed on may be allowed or denied there.
      case PASS -> {
        count(rule, Effect.LEAVING_NARROWS, Effect.COMING_NARROWS, by);
        count(rule, Effect.COMING_NARROWS, Effect.LEAVING_NARROWS, by);
      }
      case LOG -> {}
    }
  }

  private void count(ComputedRule rule, Effect ofMatched, Effect ofExcluded, int by) {
    for (PeerMatch peer : List.of(rule.source(), rule.destination())) {
      peer.sets().forEach(set -> count(new Use(set, ofMatched), by));
      peer.namedPorts().forEach(set -> count(new Use(set, ofMatched), by));
      peer.notSets().forEach(set -> count(new Use(set, ofExcluded), by));
      peer.notNamedPorts().forEach(set -> count(new Use(set, ofExcluded), by));
    }
  }

  private void count(Use use, int by) {
    uses.merge(use, by, (had, more) -> had + more == 0 ? null : had + more);
  }
}
