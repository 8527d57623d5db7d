package io.margay.policy;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.BGPConfiguration;
import io.margay.model.resource.BGPFilter;
import io.margay.model.resource.BGPPeer;
import io.margay.model.resource.BlockAffinity;
import io.margay.model.resource.CalicoNodeStatus;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.EndpointSlice;
import io.margay.model.resource.FelixConfiguration;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.GlobalNetworkSet;
import io.margay.model.resource.HostEndpoint;
import io.margay.model.resource.IPAMConfiguration;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPReservation;
import io.margay.model.resource.Kind;
import io.margay.model.resource.KubeControllersConfiguration;
import io.margay.model.resource.LiveMigration;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.NetworkSet;
import io.margay.model.resource.Node;
import io.margay.model.resource.Profile;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.StagedGlobalNetworkPolicy;
import io.margay.model.resource.StagedKubernetesNetworkPolicy;
import io.margay.model.resource.StagedNetworkPolicy;
import io.margay.model.resource.Tier;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The way into the graph: resources come out in the form it computes with, or not at all.
///
/// What is invalid must never open anything, nor close what runs. Whatever becomes invalid stays as
/// it last was when valid. Without such a version a policy or profile denies what it selects, and
/// so does a policy in a tier that does not exist, for as long as it does not; a network set has
/// those of its prefixes that can be read; a slice or an endpoint is absent, and the interface of
/// one of this node is then unknown to the firewall, which drops. For host endpoints see
/// [HostEndpoints]. Every such case is a [#problems] entry.
final class ValidationFilter {

  /// Hears of valid things; null = absent. Repeats are possible.
  interface Listener {
    void onPolicy(PolicyKey key, @Nullable CompiledPolicy policy);

    void onTier(String name, @Nullable TierPlace place);

    void onProfile(String name, @Nullable CompiledProfile profile);

    /// An endpoint of any node, or a network set.
    void onSource(ResourceRef ref, @Nullable SetSource source);

    /// Some endpoints of a service.
    void onSlice(ResourceRef ref, @Nullable EndpointSlice slice);

    /// A workload or host endpoint of this node.
    void onPoliced(PolicedKey key, @Nullable Policed endpoint);

    /// Whether [#onSource] last heard that the endpoint or network set exists.
    boolean hasSource(ResourceRef ref);
  }

  private static final String LAST_VALID = "; the last valid version stays in force";

  private final String nodeName;
  private final HostEndpoints hosts;
  private final Listener listener;
  private final SortedMap<ResourceRef, String> problems = new TreeMap<>();

  /// Slices that have been announced.
  private final Set<ResourceRef> slices = new HashSet<>();

  /// Network sets of which only a part is announced, for want of a valid version.
  private final Set<ResourceRef> partialSets = new HashSet<>();

  private final Map<ResourceRef, CompiledPolicy> policies = new HashMap<>();
  private final Map<ResourceRef, CompiledPolicy> lastValidPolicies = new HashMap<>();
  private final Map<ResourceRef, String> policyProblems = new HashMap<>();
  private final Map<ResourceRef, CompiledProfile> lastValidProfiles = new HashMap<>();
  private final Map<String, TierPlace> tiers = new HashMap<>(TierPlace.BUILT_IN);

  ValidationFilter(String nodeName, Listener listener) {
    this.nodeName = nodeName;
    this.hosts = new HostEndpoints(nodeName);
    this.listener = listener;
  }

  /// Announces what exists without being stored.
  void start() {
    tiers.forEach(listener::onTier);
    listener.onProfile(PolicyCompiler.DEFAULT_ALLOW_PROFILE, PolicyCompiler.defaultAllow());
  }

  /// What is wrong with which resource, and what is done about it.
  SortedMap<ResourceRef, String> problems() {
    return Collections.unmodifiableSortedMap(new TreeMap<>(problems));
  }

  void onUpdate(ResourceRef ref, Resource resource) {
    switch (resource) {
      case NetworkPolicy policy -> onPolicy(ref, PolicyCompiler.compile(policy));
      case GlobalNetworkPolicy policy -> onPolicy(ref, PolicyCompiler.compile(policy));
      case Profile profile -> onProfile(ref, PolicyCompiler.compile(profile));
      case Tier tier -> onTier(ref.name(), TierPlace.of(tier.spec()));
      case NetworkSet set -> onSet(ref, sourceOf(set));
      case GlobalNetworkSet set -> onSet(ref, sourceOf(set));
      case HostEndpoint endpoint -> {
        listener.onSource(ref, sourceOf(endpoint));
        onHost(ref, hosts.onUpdate(ref, endpoint));
      }
      case WorkloadEndpoint endpoint -> onWorkload(ref, endpoint);
      case EndpointSlice slice -> {
        problems.remove(ref);
        slices.add(ref);
        listener.onSlice(ref, slice);
      }
      case StagedNetworkPolicy policy -> onPolicy(ref, PolicyCompiler.compile(ref, policy));
      case StagedGlobalNetworkPolicy policy -> onPolicy(ref, PolicyCompiler.compile(policy));
      case StagedKubernetesNetworkPolicy _ ->
          onPolicy(
              ref,
              new PolicyCompiler.Outcome.Invalid<>(
                  null, "its rules hold what Kubernetes has no name for"));
      case BGPConfiguration _,
          BGPFilter _,
          BGPPeer _,
          BlockAffinity _,
          CalicoNodeStatus _,
          ClusterInformation _,
          FelixConfiguration _,
          IPAMConfiguration _,
          IPPool _,
          IPReservation _,
          KubeControllersConfiguration _,
          LiveMigration _,
          Node _ -> {}
    }
  }

  void onRemoved(ResourceRef ref) {
    problems.remove(ref);
    switch (ref.kind()) {
      case NETWORK_POLICY,
          GLOBAL_NETWORK_POLICY,
          STAGED_GLOBAL_NETWORK_POLICY,
          STAGED_KUBERNETES_NETWORK_POLICY,
          STAGED_NETWORK_POLICY -> {
        policies.remove(ref);
        lastValidPolicies.remove(ref);
        policyProblems.remove(ref);
        listener.onPolicy(PolicyCompiler.keyOf(ref), null);
      }
      case PROFILE -> {
        lastValidProfiles.remove(ref);
        if (!isBuiltInProfile(ref)) {
          listener.onProfile(ref.name(), null);
        }
      }
      case TIER -> onTier(ref.name(), TierPlace.BUILT_IN.get(ref.name()));
      case NETWORK_SET, GLOBAL_NETWORK_SET -> {
        partialSets.remove(ref);
        listener.onSource(ref, null);
      }
      case HOST_ENDPOINT -> {
        hosts.onRemoved(ref);
        listener.onPoliced(new HostEndpointKey(ref.name()), null);
        listener.onSource(ref, null);
      }
      case WORKLOAD_ENDPOINT -> {
        listener.onPoliced(keyOf(ref), null);
        listener.onSource(ref, null);
      }
      case ENDPOINT_SLICE -> {
        slices.remove(ref);
        listener.onSlice(ref, null);
      }
      case BGP_CONFIGURATION,
          BGP_FILTER,
          BGP_PEER,
          BLOCK_AFFINITY,
          CALICO_NODE_STATUS,
          CLUSTER_INFORMATION,
          FELIX_CONFIGURATION,
          IPAM_CONFIGURATION,
          IP_POOL,
          IP_RESERVATION,
          KUBE_CONTROLLERS_CONFIGURATION,
          LIVE_MIGRATION,
          NODE -> {}
    }
  }

  /// The stored document of `ref` could not be read.
  ///
  /// @param readable what could be: a policy without its rules, a network set with the prefixes
  ///   that are well, or null when not even that
  void onUnreadable(ResourceRef ref, @Nullable Resource readable, String problem) {
    switch (ref.kind()) {
      case NETWORK_POLICY,
          GLOBAL_NETWORK_POLICY,
          STAGED_GLOBAL_NETWORK_POLICY,
          STAGED_KUBERNETES_NETWORK_POLICY,
          STAGED_NETWORK_POLICY ->
          onPolicy(ref, unreadable(readable, problem));
      case PROFILE -> onProfile(ref, new PolicyCompiler.Outcome.Invalid<>(null, problem));
      case TIER ->
          problems.put(
              ref,
              problem
                  + (tiers.containsKey(ref.name())
                      ? LAST_VALID
                      : "; the tier is taken for absent, its policies deny"));
      case NETWORK_SET, GLOBAL_NETWORK_SET -> onInvalidSet(ref, readable, problem);
      case HOST_ENDPOINT ->
          onHost(
              ref,
              hosts.onInvalid(
                  ref,
                  listener.hasSource(ref) ? problem : problem + "; no rule finds its addresses"));
      case WORKLOAD_ENDPOINT -> onInvalidWorkload(ref, problem);
      case ENDPOINT_SLICE ->
          problems.put(
              ref,
              problem
                  + (slices.contains(ref)
                      ? LAST_VALID
                      : "; taken for absent, its service lacks its endpoints"));
      case BGP_CONFIGURATION,
          BGP_FILTER,
          BGP_PEER,
          BLOCK_AFFINITY,
          CALICO_NODE_STATUS,
          CLUSTER_INFORMATION,
          FELIX_CONFIGURATION,
          IPAM_CONFIGURATION,
          IP_POOL,
          IP_RESERVATION,
          KUBE_CONTROLLERS_CONFIGURATION,
          LIVE_MIGRATION,
          NODE -> {}
    }
  }

  private static PolicyCompiler.Outcome<CompiledPolicy> unreadable(
      @Nullable Resource readable, String problem) {
    PolicyCompiler.Outcome<CompiledPolicy> outcome =
        switch (readable) {
          case NetworkPolicy policy -> PolicyCompiler.compile(policy);
          case GlobalNetworkPolicy policy -> PolicyCompiler.compile(policy);
          case null, default -> new PolicyCompiler.Outcome.Invalid<>(null, problem);
        };
    return switch (outcome) {
      case PolicyCompiler.Outcome.Compiled<CompiledPolicy>(CompiledPolicy policy, _) ->
          new PolicyCompiler.Outcome.Invalid<>(policy.closed(), problem);
      case PolicyCompiler.Outcome.Nothing<CompiledPolicy> none -> none;
      case PolicyCompiler.Outcome.Invalid<CompiledPolicy>(CompiledPolicy closed, _) ->
          new PolicyCompiler.Outcome.Invalid<>(closed, problem);
    };
  }

  private void onSet(ResourceRef ref, SetSource set) {
    problems.remove(ref);
    partialSets.remove(ref);
    listener.onSource(ref, set);
  }

  private void onInvalidSet(ResourceRef ref, @Nullable Resource readable, String problem) {
    if (listener.hasSource(ref) && !partialSets.contains(ref)) {
      problems.put(ref, problem + LAST_VALID);
      return;
    }
    SetSource part =
        switch (readable) {
          case NetworkSet set -> sourceOf(set);
          case GlobalNetworkSet set -> sourceOf(set);
          case null, default -> null;
        };
    if (part == null) {
      partialSets.remove(ref);
      problems.put(ref, problem + "; taken for absent, no rule finds it");
    } else {
      partialSets.add(ref);
      problems.put(ref, problem + "; the rest of the set is in force");
    }
    listener.onSource(ref, part);
  }

  private void onPolicy(ResourceRef ref, PolicyCompiler.Outcome<CompiledPolicy> outcome) {
    policyProblems.remove(ref);
    switch (outcome) {
      case PolicyCompiler.Outcome.Compiled<CompiledPolicy>(
              CompiledPolicy policy,
              List<String> warnings) -> {
        policies.put(ref, policy);
        lastValidPolicies.put(ref, policy);
        if (!warnings.isEmpty()) {
          policyProblems.put(ref, String.join("; ", warnings));
        }
      }
      case PolicyCompiler.Outcome.Nothing<CompiledPolicy> _ -> {
        policies.remove(ref);
        lastValidPolicies.remove(ref);
      }
      case PolicyCompiler.Outcome.Invalid<CompiledPolicy>(
              CompiledPolicy closed,
              String problem) -> {
        CompiledPolicy last = lastValidPolicies.get(ref);
        if (PolicyCompiler.keyOf(ref).isStaged()) {
          policies.remove(ref);
          policyProblems.put(ref, problem + "; the staged policy is not counted");
        } else if (last != null) {
          policyProblems.put(ref, problem + LAST_VALID);
        } else if (closed != null) {
          policies.put(ref, closed);
          policyProblems.put(ref, problem + "; the policy denies everything it selects");
        } else {
          policies.remove(ref);
          policyProblems.put(
              ref, problem + "; what the policy selects isn't known, it does nothing");
        }
      }
    }
    publish(ref);
  }

  private void publish(ResourceRef ref) {
    CompiledPolicy policy = policies.get(ref);
    String problem = policyProblems.get(ref);
    if (policy != null
        && !PolicyCompiler.keyOf(ref).isStaged()
        && !tiers.containsKey(policy.tier())) {
      String missing =
          "tier \""
              + policy.tier()
              + "\" does not exist; the policy denies everything it selects"
              + " until the tier is created";
      problem = problem == null ? missing : problem + "; " + missing;
      policy = policy.closed();
    }
    if (problem == null) {
      problems.remove(ref);
    } else {
      problems.put(ref, problem);
    }
    listener.onPolicy(PolicyCompiler.keyOf(ref), policy);
  }

  private void onTier(String name, @Nullable TierPlace place) {
    problems.remove(ResourceRef.global(Kind.TIER, name));
    boolean existed = tiers.containsKey(name);
    if (place == null) {
      tiers.remove(name);
    } else {
      tiers.put(name, place);
    }
    listener.onTier(name, place);
    if (existed != (place != null)) {
      List<ResourceRef> affected = new ArrayList<>();
      policies.forEach(
          (ref, policy) -> {
            if (policy.tier().equals(name)) {
              affected.add(ref);
            }
          });
      affected.forEach(this::publish);
    }
  }

  private void onProfile(ResourceRef ref, PolicyCompiler.Outcome<CompiledProfile> outcome) {
    problems.remove(ref);
    if (isBuiltInProfile(ref)) {
      return;
    }
    switch (outcome) {
      case PolicyCompiler.Outcome.Compiled<CompiledProfile>(
              CompiledProfile profile,
              List<String> warnings) -> {
        lastValidProfiles.put(ref, profile);
        if (!warnings.isEmpty()) {
          problems.put(ref, String.join("; ", warnings));
        }
        listener.onProfile(ref.name(), profile);
      }
      case PolicyCompiler.Outcome.Nothing<CompiledProfile> _ ->
          listener.onProfile(ref.name(), null);
      case PolicyCompiler.Outcome.Invalid<CompiledProfile>(
              CompiledProfile closed,
              String problem) -> {
        CompiledProfile last = lastValidProfiles.get(ref);
        problems.put(ref, problem + (last == null ? "; the profile denies" : LAST_VALID));
        listener.onProfile(ref.name(), last == null ? closed : last);
      }
    }
  }

  private static boolean isBuiltInProfile(ResourceRef ref) {
    return ref.name().equals(PolicyCompiler.DEFAULT_ALLOW_PROFILE);
  }

  private void onWorkload(ResourceRef ref, WorkloadEndpoint endpoint) {
    boolean isLocal = nodeName.equals(endpoint.spec().node());
    InterfaceName interfaceName = endpoint.spec().interfaceName();
    String problem = null;
    for (Prefix net : endpoint.spec().ipNetworks()) {
      if (!net.isHost()) {
        problem = "ipNetworks has " + net + ", which is not a single address";
      }
    }
    if (isLocal && interfaceName == null) {
      problem = "the endpoint is on this node and has no interfaceName";
    }
    if (problem != null) {
      onInvalidWorkload(ref, problem);
      return;
    }
    List<String> inert = isLocal ? inert(endpoint.spec()) : List.of();
    if (inert.isEmpty()) {
      problems.remove(ref);
    } else {
      problems.put(ref, String.join("; ", inert));
    }
    Map<String, String> labels = ImpliedLabels.of(endpoint);
    listener.onSource(
        ref,
        new SetSource(
            labels,
            endpoint.spec().profiles(),
            endpoint.spec().ipNetworks(),
            ports(endpoint.spec().ports())));
    List<IpAddress> addresses = new ArrayList<>();
    endpoint.spec().ipNetworks().forEach(net -> addresses.add(net.address()));
    listener.onPoliced(
        keyOf(ref),
        isLocal && interfaceName != null
            ? new LocalEndpoint(
                interfaceName,
                addresses,
                labels,
                endpoint.spec().profiles(),
                hostPorts(endpoint.spec().ports()),
                endpoint.spec().allowSpoofedSourcePrefixes())
            : null);
  }

  private void onInvalidWorkload(ResourceRef ref, String problem) {
    problems.put(
        ref,
        problem
            + (listener.hasSource(ref)
                ? LAST_VALID
                : "; if it is this node's, its traffic is dropped, and no rule finds its"
                    + " addresses"));
  }

  /// What is asked for an endpoint and is not done.
  private static List<String> inert(WorkloadEndpointSpec spec) {
    List<String> problems = new ArrayList<>();
    if (!spec.ipNATs().isEmpty()) {
      problems.add(
          "spec.ipNATs has no effect here; the pod is reached under its own addresses alone");
    }
    if (!spec.qosControls().isEmpty()) {
      problems.add("spec.qosControls has no effect here; the pod's traffic has no limits");
    }
    return problems;
  }

  private void onHost(ResourceRef ref, HostEndpoints.Outcome outcome) {
    if (outcome.problem() == null) {
      problems.remove(ref);
    } else {
      problems.put(ref, outcome.problem());
    }
    listener.onPoliced(new HostEndpointKey(ref.name()), outcome.local());
  }

  private static EndpointKey keyOf(ResourceRef ref) {
    return new EndpointKey(ref.namespace(), ref.name());
  }

  private static SetSource sourceOf(NetworkSet set) {
    return new SetSource(
        ImpliedLabels.inNamespace(set.metadata()),
        List.of("kns." + set.ref().namespace()),
        set.spec().nets(),
        List.of());
  }

  private static SetSource sourceOf(GlobalNetworkSet set) {
    return new SetSource(
        ImpliedLabels.inNamespace(set.metadata()), List.of(), set.spec().nets(), List.of());
  }

  private static SetSource sourceOf(HostEndpoint endpoint) {
    List<Prefix> nets = new ArrayList<>();
    endpoint.spec().expectedIPs().forEach(address -> nets.add(address.toHostPrefix()));
    return new SetSource(
        ImpliedLabels.inNamespace(endpoint.metadata()),
        endpoint.spec().profiles(),
        nets,
        ports(endpoint.spec().ports()));
  }

  private static List<HostPort> hostPorts(List<EndpointPort> ports) {
    return ports.stream().map(HostPort::of).flatMap(Optional::stream).distinct().toList();
  }

  private static List<SetSource.Port> ports(List<EndpointPort> ports) {
    List<SetSource.Port> named = new ArrayList<>(ports.size());
    for (EndpointPort port : ports) {
      named.add(new SetSource.Port(port.name(), port.protocol().number(), port.port()));
    }
    return named;
  }
}
