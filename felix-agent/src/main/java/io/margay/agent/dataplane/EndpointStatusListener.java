package io.margay.agent.dataplane;

import io.margay.policy.EndpointKey;
import io.margay.policy.HostEndpointKey;

/// Hears how each pod and each host endpoint of this node fares in the kernel. Called on the
/// dataplane loop, with changes only: hand over and return.
public interface EndpointStatusListener {

  /// For nobody.
  EndpointStatusListener NONE =
      new EndpointStatusListener() {
        @Override
        public void onStatus(EndpointKey endpoint, Status status) {}

        @Override
        public void onGone(EndpointKey endpoint) {}

        @Override
        public void onHostStatus(HostEndpointKey endpoint, Status status) {}

        @Override
        public void onHostGone(HostEndpointKey endpoint) {}
      };

  /// What the kernel does for a pod or a host endpoint.
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

  /// @param status [Status#UP] if its rules are there and police an interface, or stand for all;
  ///   [Status#ERROR] if they police none
  void onHostStatus(HostEndpointKey endpoint, Status status);

  void onHostGone(HostEndpointKey endpoint);
}
