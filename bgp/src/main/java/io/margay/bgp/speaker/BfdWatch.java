package io.margay.bgp.speaker;

import io.margay.bgp.bfd.BfdChange;
import io.margay.bgp.bfd.BfdParameters;
import io.margay.bgp.bfd.BfdPeer;
import io.margay.bgp.transport.Endpoints;
import io.margay.bgp.transport.Ttl;
import io.margay.model.net.ScopedAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// BFD beside the sessions (RFC 5882 §4): a path is watched while its session is up, between the
/// very addresses of the session. So a peer without BFD costs nothing but a line in the status, and
/// only a path that was seen alive can be found dead. Lives on the loop of the sessions.
final class BfdWatch {

  private final Consumer<Set<BfdPeer>> desire;
  private final Map<ScopedAddress, BfdPeer> watched = new HashMap<>();
  private final Map<ScopedAddress, String> state = new HashMap<>();

  /// Why paths that should be watched are not.
  private final Map<ScopedAddress, String> refused = new HashMap<>();

  /// @param desire takes all paths there should be
  BfdWatch(Consumer<Set<BfdPeer>> desire) {
    this.desire = desire;
  }

  /// A session is up, or its configuration has changed.
  void watch(ScopedAddress peer, PeerConfig config, Endpoints endpoints) {
    BfdParameters parameters = config.bfd();
    BfdPeer wanted =
        parameters == null
            ? null
            : new BfdPeer(
                peer, endpoints.local().address(), hops(config.connection().ttl()), parameters);
    BfdPeer before = wanted == null ? watched.remove(peer) : watched.put(peer, wanted);
    if (wanted == null ? before != null : !wanted.equals(before)) {
      refused.remove(peer);
      if (before == null || wanted == null) {
        state.remove(peer);
      }
      try {
        bring();
      } catch (IllegalArgumentException impossible) {
        // Its session does without, and others keep theirs.
        watched.remove(peer);
        refused.put(peer, String.valueOf(impossible.getMessage()));
        BgpLog.notWatched(peer, String.valueOf(impossible.getMessage()));
        bring();
      }
    }
  }

  /// The session is down: what BFD says next is no news.
  void forget(ScopedAddress peer) {
    state.remove(peer);
    refused.remove(peer);
    if (watched.remove(peer) != null) {
      bring();
    }
  }

  private void bring() {
    desire.accept(new HashSet<>(watched.values()));
  }

  private static BfdPeer.Hops hops(Ttl ttl) {
    int far =
        switch (ttl) {
          case Ttl.Hops(int hops) -> hops;
          case Ttl.Secured(int hops) -> hops;
        };
    return far == 1 ? new BfdPeer.Hops.Single() : new BfdPeer.Hops.Multi(Ttl.MAX + 1 - far);
  }

  /// Takes what BFD says.
  ///
  /// @return why the session has to end; null: it goes on
  BfdChange.@Nullable Down changed(BfdPeer about, BfdChange change) {
    if (!about.equals(watched.get(about.peer()))) {
      return null;
    }
    return switch (change) {
      case BfdChange.Up _ -> {
        state.put(about.peer(), "up");
        yield null;
      }
      // RFC 5882 §3.2: "administratively down" says nothing about the path.
      case BfdChange.AdminDown _ -> {
        state.put(about.peer(), "administratively down at the peer");
        yield null;
      }
      case BfdChange.Down down -> {
        state.put(about.peer(), "down: " + down.diagnostic());
        yield down;
      }
    };
  }

  /// For people; null: not watched.
  @Nullable String text(ScopedAddress peer) {
    String why = refused.get(peer);
    if (why != null) {
      return "not watched: " + why;
    }
    return watched.containsKey(peer) ? state.getOrDefault(peer, "not up yet") : null;
  }
}
