package io.margay.policy;

import io.margay.model.net.InterfaceName;
import io.margay.model.resource.HostEndpoint;
import io.margay.model.resource.HostEndpointSpec;
import io.margay.model.resource.ResourceRef;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Which host endpoints are this node's, and what they stand for.
///
/// One that becomes invalid stays as it last was when valid: to drop it would open the node. One
/// that never was valid opens nothing that was closed, and is reported.
final class HostEndpoints {

  private final String nodeName;
  private final Map<ResourceRef, LocalHost> lastValid = new HashMap<>();

  HostEndpoints(String nodeName) {
    this.nodeName = nodeName;
  }

  /// What a host endpoint is to this node.
  ///
  /// @param local null = nothing
  /// @param problem why it is not enforced as written, and what is done; null = it is
  record Outcome(@Nullable LocalHost local, @Nullable String problem) {}

  Outcome onUpdate(ResourceRef ref, HostEndpoint endpoint) {
    HostEndpointSpec spec = endpoint.spec();
    if (!nodeName.equals(spec.node())) {
      lastValid.remove(ref);
      return new Outcome(null, null);
    }
    HostInterface where;
    try {
      where = where(spec);
    } catch (IllegalArgumentException invalid) {
      return onInvalid(ref, "spec.interfaceName: " + invalid.getMessage());
    }
    if (where == null) {
      return onInvalid(ref, "it names neither an interface nor expectedIPs");
    }
    LocalHost local =
        new LocalHost(where, ImpliedLabels.inNamespace(endpoint.metadata()), spec.profiles());
    lastValid.put(ref, local);
    return new Outcome(local, null);
  }

  private static @Nullable HostInterface where(HostEndpointSpec spec) {
    String name = spec.interfaceName();
    if (name == null || name.isEmpty()) {
      return spec.expectedIPs().isEmpty()
          ? null
          : new HostInterface.Holding(Set.copyOf(spec.expectedIPs()));
    }
    return name.equals(HostEndpointSpec.ALL_INTERFACES)
        ? new HostInterface.All()
        : new HostInterface.Named(new InterfaceName(name));
  }

  Outcome onInvalid(ResourceRef ref, String problem) {
    LocalHost last = lastValid.get(ref);
    return new Outcome(
        last,
        problem
            + (last == null
                ? "; if it is this node's, the interface is not policed"
                : "; the last valid version stays in force"));
  }

  void onRemoved(ResourceRef ref) {
    lastValid.remove(ref);
  }
}
