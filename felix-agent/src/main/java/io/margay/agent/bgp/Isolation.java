package io.margay.agent.bgp;

import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// How long no BGP peer has had a session. Peers that never had one count from when that was seen
/// first: they may have been configured just now. For any thread.
final class Isolation {

  private final InstantSource clock;
  private @Nullable Instant seen;

  Isolation(InstantSource clock) {
    this.clock = clock;
  }

  /// @param established of each peer, whether it has a session
  /// @param lastEnd when the last session of any ended; empty if there was none
  /// @return since when none has one; empty if one has or there are no peers
  synchronized Optional<Instant> look(List<Boolean> established, Optional<Instant> lastEnd) {
    if (established.isEmpty() || established.contains(true)) {
      seen = null;
      return Optional.empty();
    }
    if (seen == null) {
      seen = clock.instant();
    }
    return Optional.of(lastEnd.orElse(seen));
  }
}
