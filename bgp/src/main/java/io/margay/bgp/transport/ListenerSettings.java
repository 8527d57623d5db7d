package io.margay.bgp.transport;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.Prefix;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What one listener needs so that each expected peer gets past the kernel, and as few others as it
/// can tell apart: pure.
///
/// A listener answers SYNs before anybody knows which peer is there, so its hop limits are those of
/// its least strict peer; the accepted connection then gets the peer's own.
///
/// @param keys key per address range
/// @param sentHops hop limit of SYN-ACKs: the farthest peer's, and 255 for one with TTL security,
///   which would drop anything less
/// @param leastReceivedHops what a SYN must arrive with: above 0 only if every peer has TTL
///   security
record ListenerSettings(Map<Prefix, Password> keys, int sentHops, int leastReceivedHops) {

  /// Of a listener that expects nobody.
  static final ListenerSettings NONE = new ListenerSettings(Map.of(), 1, 0);

  ListenerSettings {
    keys = Collections.unmodifiableMap(new TreeMap<>(keys));
  }

  /// @throws IllegalArgumentException when two peers behind one listener have one address and
  ///   different keys
  static ListenerSettings of(ListenAddress listener, Collection<ExpectedPeer> peers) {
    Map<Prefix, ExpectedPeer> seen = new TreeMap<>();
    Map<Prefix, Password> keys = new TreeMap<>();
    int sent = 0;
    int least = Ttl.MAX;
    for (ExpectedPeer peer : peers) {
      if (!reaches(peer, listener)) {
        continue;
      }
      sent = Math.max(sent, peer.ttl().sent());
      least = Math.min(least, peer.ttl().leastReceived());
      ExpectedPeer twin = seen.put(peer.addresses(), peer);
      if (twin != null && !Objects.equals(twin.password(), peer.password())) {
        throw new IllegalArgumentException(clash(listener, twin, peer));
      }
      if (peer.password() != null) {
        keys.put(peer.addresses(), peer.password());
      }
    }
    return seen.isEmpty() ? NONE : new ListenerSettings(keys, sent, least);
  }

  /// Whether a listener may be what the peer connects to.
  static boolean reaches(ExpectedPeer peer, ListenAddress listener) {
    InterfaceName only = listener.device();
    return peer.addresses().family() == listener.family()
        && (only == null || peer.scope() == null || only.equals(peer.scope()));
  }

  private static String clash(ListenAddress listener, ExpectedPeer one, ExpectedPeer other) {
    return "peers "
        + text(one)
        + " and "
        + text(other)
        + " have different passwords, but the listener "
        + listener
        + " can hold one key per address; give them one password, or listen on each interface by"
        + " itself (address%interface)";
  }

  private static String text(ExpectedPeer peer) {
    @Nullable InterfaceName scope = peer.scope();
    return scope == null ? peer.addresses().toString() : peer.addresses() + "%" + scope;
  }
}
