package io.margay.policy.oracle;

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
import io.margay.model.resource.KubeControllersConfiguration;
import io.margay.model.resource.LiveMigration;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.NetworkSet;
import io.margay.model.resource.Node;
import io.margay.model.resource.Profile;
import io.margay.model.resource.Resource;
import io.margay.model.resource.StagedGlobalNetworkPolicy;
import io.margay.model.resource.StagedKubernetesNetworkPolicy;
import io.margay.model.resource.StagedNetworkPolicy;
import io.margay.model.resource.Tier;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.selector.Selector;
import io.margay.model.selector.SelectorNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Something with labels and addresses, as the oracle sees it.
///
/// @param labels own, implied and inherited, in one map
/// @param namespace null for what has none
/// @param serviceAccount null for what runs as none
/// @param nets its addresses or prefixes
/// @param ports its named ports
/// @param profiles in order
record Entity(
    boolean isWorkload,
    Map<String, String> labels,
    @Nullable String namespace,
    @Nullable String serviceAccount,
    List<Prefix> nets,
    List<EndpointPort> ports,
    List<String> profiles) {

  /// The entity a resource is; null if it is none, or one so broken that it counts as absent.
  static @Nullable Entity of(Resource resource, Map<String, Profile> profiles) {
    return switch (resource) {
      case WorkloadEndpoint endpoint -> {
        var spec = endpoint.spec();
        if (spec.interfaceName() == null || !spec.ipNetworks().stream().allMatch(Prefix::isHost)) {
          yield null;
        }
        Map<String, String> labels = merged(resource, spec.profiles(), profiles);
        putOrRemove(labels, "projectcalico.org/orchestrator", spec.orchestrator());
        putOrRemove(labels, "projectcalico.org/serviceaccount", spec.serviceAccountName());
        yield new Entity(
            true,
            labels,
            resource.metadata().namespace(),
            spec.serviceAccountName(),
            spec.ipNetworks(),
            spec.ports(),
            spec.profiles());
      }
      case HostEndpoint endpoint ->
          new Entity(
              false,
              merged(resource, endpoint.spec().profiles(), profiles),
              null,
              null,
              endpoint.spec().expectedIPs().stream().map(IpAddress::toHostPrefix).toList(),
              endpoint.spec().ports(),
              endpoint.spec().profiles());
      case NetworkSet set ->
          new Entity(
              false,
              merged(resource, List.of("kns." + resource.metadata().namespace()), profiles),
              resource.metadata().namespace(),
              null,
              set.spec().nets(),
              List.of(),
              List.of());
      case GlobalNetworkSet set ->
          new Entity(
              false,
              merged(resource, List.of(), profiles),
              null,
              null,
              set.spec().nets(),
              List.of(),
              List.of());
      case BGPConfiguration _,
          BGPFilter _,
          BGPPeer _,
          BlockAffinity _,
          CalicoNodeStatus _,
          ClusterInformation _,
          EndpointSlice _,
          FelixConfiguration _,
          GlobalNetworkPolicy _,
          IPAMConfiguration _,
          IPPool _,
          IPReservation _,
          KubeControllersConfiguration _,
          LiveMigration _,
          NetworkPolicy _,
          Node _,
          Profile _,
          StagedGlobalNetworkPolicy _,
          StagedKubernetesNetworkPolicy _,
          StagedNetworkPolicy _,
          Tier _ ->
          null;
    };
  }

  private static Map<String, String> merged(
      Resource resource, List<String> parents, Map<String, Profile> profiles) {
    Map<String, String> labels = new HashMap<>();
    for (String parent : parents.reversed()) {
      Profile profile = profiles.get(parent);
      if (profile != null) {
        labels.putAll(profile.spec().labelsToApply());
      }
    }
    labels.putAll(resource.metadata().labels());
    putOrRemove(labels, "projectcalico.org/namespace", resource.metadata().namespace());
    return labels;
  }

  private static void putOrRemove(Map<String, String> labels, String key, @Nullable String value) {
    if (value == null || value.isEmpty()) {
      labels.remove(key);
    } else {
      labels.put(key, value);
    }
  }

  boolean holds(IpAddress address) {
    return nets.stream().anyMatch(net -> net.contains(address));
  }

  /// Whether it calls this port by this name.
  boolean calls(String name, int protocol, int port) {
    return ports.stream()
        .anyMatch(
            own ->
                own.name().equals(name)
                    && own.protocol().number() == protocol
                    && own.port() == port);
  }

  /// Whether its labels satisfy the selector; none given = yes.
  boolean is(@Nullable Selector selector) {
    return selector == null || evaluate(selector.root(), "", true, true);
  }

  /// Whether it is in a namespace that the selector means; none given = yes. `all()` is any
  /// namespace, `global()` none.
  boolean livesIn(@Nullable Selector selector) {
    boolean hasNamespace = namespace != null;
    return selector == null
        || selector.text().isEmpty()
        || evaluate(selector.root(), "pcns.", hasNamespace, !hasNamespace);
  }

  /// Whether its service account's labels satisfy the selector; none given = yes.
  ///
  /// @param all what `all()` says about it
  boolean runsAs(@Nullable Selector selector, boolean all) {
    return selector == null
        || selector.text().isEmpty()
        || evaluate(selector.root(), "pcsa.", all, true);
  }

  private boolean evaluate(SelectorNode node, String prefix, boolean all, boolean global) {
    return switch (node) {
      case SelectorNode.All() -> all;
      case SelectorNode.Global() -> global;
      case SelectorNode.Not(SelectorNode operand) -> !evaluate(operand, prefix, all, global);
      case SelectorNode.And(List<SelectorNode> operands) ->
          operands.stream().allMatch(operand -> evaluate(operand, prefix, all, global));
      case SelectorNode.Or(List<SelectorNode> operands) ->
          operands.stream().anyMatch(operand -> evaluate(operand, prefix, all, global));
      case SelectorNode.Has(String key) -> value(prefix, key) != null;
      case SelectorNode.Equal(String key, String wanted) -> wanted.equals(value(prefix, key));
      case SelectorNode.NotEqual(String key, String wanted) -> !wanted.equals(value(prefix, key));
      case SelectorNode.In(String key, List<String> wanted) -> isOneOf(wanted, value(prefix, key));
      case SelectorNode.NotIn(String key, List<String> wanted) ->
          !isOneOf(wanted, value(prefix, key));
      case SelectorNode.Contains(String key, String part) -> {
        String value = value(prefix, key);
        yield value != null && value.contains(part);
      }
      case SelectorNode.StartsWith(String key, String part) -> {
        String value = value(prefix, key);
        yield value != null && value.startsWith(part);
      }
      case SelectorNode.EndsWith(String key, String part) -> {
        String value = value(prefix, key);
        yield value != null && value.endsWith(part);
      }
    };
  }

  private static boolean isOneOf(List<String> wanted, @Nullable String value) {
    return value != null && wanted.contains(value);
  }

  private @Nullable String value(String prefix, String key) {
    return labels.get(prefix + key);
  }
}
