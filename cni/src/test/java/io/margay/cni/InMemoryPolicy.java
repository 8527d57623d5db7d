package io.margay.cni;

import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Endpoints by the name of their document.
final class InMemoryPolicy implements EndpointPolicy {

  final Map<String, PodEndpoint> applied = new TreeMap<>();
  boolean fails;

  @Override
  public Applying begin(PodEndpoint endpoint) {
    applied.put(InMemoryAddresses.key(endpoint.document()), endpoint);
    boolean late = fails;
    return () -> {
      if (late) {
        throw new CniException(CniError.POLICY_NOT_PROGRAMMED, "too slow");
      }
    };
  }

  @Override
  public void remove(PodEndpoint endpoint) {
    applied.values().removeIf(there -> there.attachment().id().equals(endpoint.attachment().id()));
  }

  @Override
  public List<String> problems(PodEndpoint endpoint) {
    return applied.containsKey(InMemoryAddresses.key(endpoint.document()))
        ? List.of()
        : List.of("no policy");
  }
}
