package io.margay.bgp.speaker;

import io.margay.model.net.IpFamily;

/// Receives what the speaker wants in the forwarding table. Called on the `bgp-rib` thread: must
/// not block and must not wait for the speaker.
public interface FibListener {

  /// Nobody forwards: nothing is worked out for it.
  FibListener NONE =
      new FibListener() {
        @Override
        public void onRoutes(FibDelta delta) {}

        @Override
        public void onReadyToSweep(IpFamily family) {}
      };

  /// The routes that changed since the last call. Next-hop sets are complete, not increments.
  void onRoutes(FibDelta delta);

  /// All routes of the family that peers still hold for us have been delivered: whatever an earlier
  /// process left in the kernel and was not delivered since may be swept. Called once per family,
  /// after End-of-RIB from every configured peer or when {@link SpeakerConfig#deferral()} is over
  /// (RFC 4724 §4.1).
  void onReadyToSweep(IpFamily family);
}
