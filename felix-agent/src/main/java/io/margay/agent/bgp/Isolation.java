package io.margay.agent.bgp;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// How long no BGP peer has had a session. Peers that never had one count from when that was seen
/// first: they may have been configured just now. For any thread.
final class Isolation {

  private final InstantSource clock;
  private final InstantSource steady;
  private @Nullable Instant since;
  private Optional<Instant> countedFrom = Optional.empty();

  /// @param clock the time of day, as ends of sessions are given
  /// @param steady a clock that nobody sets
  Isolation(InstantSource clock, InstantSource steady) {
    this.clock = clock;
    this.steady = steady;
  }

  /// @param established of each peer, whether it has a session
  /// @param lastEnd when the last session of any ended, by `clock`; empty if there was none
  /// @return since when none has one, by `steady`; empty if one has or there are no peers
  synchronized Optional<Instant> look(List<Boolean> established, Optional<Instant> lastEnd) {
    if (established.isEmpty() || established.contains(true)) {
      since = null;
      return Optional.empty();
    }
    if (since == null || !lastEnd.equals(countedFrom)) {
      Instant now = clock.instant();
      Duration ago =
          lastEnd
              .map(end -> Duration.between(end, now))
              .filter(past -> !past.isNegative())
              .orElse(Duration.ZERO);
      since = steady.instant().minus(ago);
      countedFrom = lastEnd;
    }
    return Optional.of(since);
  }
}
