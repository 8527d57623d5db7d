package io.margay.bgp.policy;

/// Which next hop a peer is told. What we originate is always announced with our own address, and a
/// reflected route always with the next hop it came with (RFC 4456 §10).
public enum NextHopMode {
  /// External peers: our own, unless the next hop is on the subnet we share with the peer (RFC 4271
  /// §5.1.3). Internal peers: as received.
  AUTO,
  /// Our own.
  SELF,
  /// As received.
  KEEP
}
