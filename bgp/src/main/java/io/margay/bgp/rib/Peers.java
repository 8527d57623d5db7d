package io.margay.bgp.rib;

import io.margay.bgp.policy.RouteSource;
import io.margay.model.net.ScopedAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The configured peers, by address and by the number their paths are marked with.
final class Peers {

  /// The number on what we originate.
  static final int OURSELVES = 0;

  private final Map<ScopedAddress, PeerRibs> byAddress = new LinkedHashMap<>();
  private final List<@Nullable PeerRibs> byNumber = new ArrayList<>();
  private final IdSet free = new IdSet();

  Peers() {
    byNumber.add(null);
  }

  PeerRibs add(ScopedAddress address, RibPeer wanted) {
    int number = free.takeFirst();
    if (number < 0) {
      number = byNumber.size();
      byNumber.add(null);
    }
    PeerRibs peer = new PeerRibs(address, number, wanted);
    byAddress.put(address, peer);
    byNumber.set(number, peer);
    return peer;
  }

  /// No path may be marked with its number any more.
  void remove(PeerRibs peer) {
    byAddress.remove(peer.address);
    byNumber.set(peer.number, null);
    free.add(peer.number);
  }

  @Nullable PeerRibs find(ScopedAddress address) {
    return byAddress.get(address);
  }

  /// Absent for {@link #OURSELVES}.
  @Nullable PeerRibs numbered(int number) {
    return byNumber.get(number);
  }

  /// Whom paths with this number came from.
  RouteSource source(int number) {
    PeerRibs peer = byNumber.get(number);
    if (peer == null || peer.source == null) {
      throw new IllegalStateException("no peer has number " + number);
    }
    return peer.source;
  }

  /// Names the source of paths with this number as no other ever was; 0 for {@link #OURSELVES}.
  int sourceNumber(int number) {
    PeerRibs peer = byNumber.get(number);
    return peer == null ? 0 : peer.sourceNumber;
  }

  Collection<PeerRibs> all() {
    return Collections.unmodifiableCollection(byAddress.values());
  }
}
