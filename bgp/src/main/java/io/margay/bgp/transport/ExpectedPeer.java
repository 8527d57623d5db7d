package io.margay.bgp.transport;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import org.jspecify.annotations.Nullable;

/// What listeners must know of a peer, or of a range of them, before its first SYN: the kernel
/// checks key and hop limit before anybody could be asked.
///
/// Where several keys fit an address the longest prefix counts. The kernel knows no exception to a
/// key: a peer without password inside a range with one cannot connect to us (we can to it).
///
/// @param addresses the peer as a host prefix, or a range of dynamic peers
/// @param scope the interface they are on; absent: any
/// @param ttl how far away they may be
/// @param password their key; absent: they sign nothing
public record ExpectedPeer(
    Prefix addresses, @Nullable InterfaceName scope, Ttl ttl, @Nullable Password password) {

  /// One peer.
  public static ExpectedPeer host(ScopedAddress address, Ttl ttl, @Nullable Password password) {
    return new ExpectedPeer(address.address().toHostPrefix(), address.scope(), ttl, password);
  }

  /// Any peer of a range.
  public static ExpectedPeer range(Prefix addresses, Ttl ttl, @Nullable Password password) {
    return new ExpectedPeer(addresses, null, ttl, password);
  }
}
