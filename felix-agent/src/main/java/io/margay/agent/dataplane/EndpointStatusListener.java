package io.margay.agent.dataplane;

import io.margay.policy.EndpointKey;

/// Hears how each pod of this node fares in the kernel. Called on the dataplane loop, with changes
/// only: hand over and return.
public interface EndpointStatusListener {

  /// What the kernel does for a pod.
  enum Status {
    /// Its rules and routes are there.
    UP,
    /// Its host end is not there, so it has no route.
    DOWN,
    /// The kernel refuses its rules or routes; they are tried again.
    ERROR
  }

  void onStatus(EndpointKey endpoint, Status status);

  void onGone(EndpointKey endpoint);
}
