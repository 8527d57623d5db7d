package io.margay.bgp.transport;

/// How far away a peer may be: the hop limit (IPv4: TTL) of what we send, and the least that what
/// we receive must arrive with.
public sealed interface Ttl {

  /// The largest hop limit there is.
  int MAX = 255;

  /// Sends with a hop limit that reaches so far, and takes everything.
  ///
  /// @param hops 1 (the same link) to 255
  record Hops(int hops) implements Ttl {
    public Hops {
      check(hops);
    }
  }

  /// The generalised TTL security mechanism (RFC 5082 §3): both ends send with 255, so a packet
  /// that arrives with less than 256 - hops has come further than the peer can be, whatever its
  /// source address says.
  ///
  /// @param hops how many hops away the peer may be: 1 (the same link) to 255
  record Secured(int hops) implements Ttl {
    public Secured {
      check(hops);
    }
  }

  /// A peer on the same link, without TTL security.
  static Ttl adjacent() {
    return new Hops(1);
  }

  /// A peer up to so many hops away, without TTL security.
  static Ttl multihop(int hops) {
    return new Hops(hops);
  }

  /// A peer up to so many hops away, with TTL security.
  static Ttl secured(int hops) {
    return new Secured(hops);
  }

  /// The hop limit of packets to the peer.
  default int sent() {
    return switch (this) {
      case Hops(int hops) -> hops;
      case Secured _ -> MAX;
    };
  }

  /// The least hop limit a packet of the peer may arrive with; zero: any.
  default int leastReceived() {
    return switch (this) {
      case Hops _ -> 0;
      case Secured(int hops) -> MAX + 1 - hops;
    };
  }

  private static void check(int hops) {
    if (hops < 1 || hops > MAX) {
      throw new IllegalArgumentException(
          "a peer is 1 to " + MAX + " hops away, not " + hops + "; 1 is the same link");
    }
  }
}
