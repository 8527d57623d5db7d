package io.margay.bgp.speaker;

import io.margay.model.net.IpAddress;
import java.util.Set;

/// Watches whether next hops can be reached, and how far away they are. What it finds goes to
/// {@link BgpSpeaker#nextHops}; until then a next hop counts as out of reach. Link-local next hops
/// are not asked for: they are as reachable as the session they came over.
@FunctionalInterface
public interface NextHopTracker {

  /// Nobody watches: every next hop can be reached, at no cost.
  NextHopTracker NONE = _ -> {};

  /// Called on the `bgp-rib` thread: must not block and must not wait for the speaker.
  ///
  /// @param nextHops all that matter from now on
  void track(Set<IpAddress> nextHops);
}
