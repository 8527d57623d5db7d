package io.margay.cni;

import io.margay.cni.spec.CniException;
import java.util.List;

/// Rules and routes of endpoints. Policy before wire: a pod whose endpoint was never applied is
/// dropped.
public interface EndpointPolicy {

  /// Hands the endpoint over and waits until its rules and its route are in the kernel.
  ///
  /// @throws CniException as [Applying#await]
  default void apply(PodEndpoint endpoint) throws CniException {
    begin(endpoint).await();
  }

  /// Hands the endpoint over. Its host end is there. Repeating it is harmless.
  Applying begin(PodEndpoint endpoint);

  /// An endpoint on its way into the kernel.
  interface Applying {

    /// Returns when the rules and the route are in the kernel.
    ///
    /// @throws CniException 105 when that took too long; the caller undoes
    void await() throws CniException;
  }

  /// Takes rules and route away; returns when they are gone from the kernel, or will be without
  /// further ado. An endpoint of the same name that belongs to another container is left alone.
  void remove(PodEndpoint endpoint);

  /// What is missing from the kernel, one sentence each; empty when all is well.
  List<String> problems(PodEndpoint endpoint);
}
