package io.margay.bgp.bfd;

import io.margay.model.net.IpAddress;
import io.margay.model.net.ScopedAddress;
import org.jspecify.annotations.Nullable;

/// A path to watch.
///
/// @param peer the far end; a link-local address names its interface
/// @param local our end; absent: the kernel chooses. Multihop needs it (RFC 5883 §4: the pair of
///   addresses names the session until discriminators are known)
/// @param hops how far the peer may be
public record BfdPeer(
    ScopedAddress peer, @Nullable IpAddress local, Hops hops, BfdParameters parameters) {

  /// How far a peer may be.
  public sealed interface Hops {
    /// On the same link: what was forwarded by anybody is not listened to (RFC 5881 §5).
    record Single() implements Hops {}

    /// Behind routers (RFC 5883).
    ///
    /// @param minTtl the least hop limit a packet may arrive with, 1 to 255
    record Multi(int minTtl) implements Hops {
      public Multi {
        if (minTtl < 1 || minTtl > 255) {
          throw new IllegalArgumentException("BFD minimum TTL " + minTtl + " is not in 1..255");
        }
      }
    }
  }

  public BfdPeer {
    if (local != null && local.family() != peer.family()) {
      throw new IllegalArgumentException(
          "BFD peer " + peer + ": local address " + local + " is of the other family");
    }
    if (peer.address().isLinkLocal() && peer.family().version() == 6 && peer.scope() == null) {
      throw new IllegalArgumentException(
          "BFD peer " + peer + ": a link-local address needs its interface, as in fe80::1%eth0");
    }
    if (hops instanceof Hops.Multi && local == null) {
      throw new IllegalArgumentException(
          "BFD peer " + peer + ": a multihop session needs its local address");
    }
  }

  /// What names the session: parameters can change within it.
  record Key(ScopedAddress peer, @Nullable IpAddress local, boolean multihop) {}

  Key key() {
    return new Key(peer, local, hops instanceof Hops.Multi);
  }
}
