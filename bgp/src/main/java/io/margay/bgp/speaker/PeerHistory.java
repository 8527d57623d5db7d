package io.margay.bgp.speaker;

import io.margay.bgp.codec.AttributeError;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What happened with a peer, for people. Lives on the loop of the sessions.
final class PeerHistory {

  /// Least time between two log lines about malformed messages of one peer.
  private static final Duration MALFORMED_LOG_INTERVAL = Duration.ofSeconds(10);

  private final ScopedAddress peer;
  private final SessionClock clock;
  private long established;
  private long dropped;
  private long treatedAsWithdraw;
  private long attributesDiscarded;
  private final LogPause malformedPause = new LogPause(MALFORMED_LOG_INTERVAL);
  private PeerStatus.@Nullable LastEnd lastReset;
  private PeerStatus.@Nullable LastEnd lastError;
  private PeerStatus.@Nullable LastMalformed lastMalformed;

  PeerHistory(ScopedAddress peer, SessionClock clock) {
    this.peer = peer;
    this.clock = clock;
  }

  void up() {
    established++;
  }

  void down(String reason) {
    dropped++;
    lastReset = new PeerStatus.LastEnd(reason, clock.instant());
    lastError = lastReset;
  }

  /// @return whether this is another reason than last time
  boolean attemptFailed(String reason) {
    PeerStatus.LastEnd before = lastError;
    lastError = new PeerStatus.LastEnd(reason, clock.instant());
    return before == null || !before.reason().equals(reason);
  }

  /// The peer cannot connect to us.
  void passwordRefused(String why) {
    lastError = new PeerStatus.LastEnd("Cannot be let in: " + why, clock.instant());
  }

  void treatedAsWithdraw(List<AttributeError> errors, String hex) {
    treatedAsWithdraw++;
    malformed("treat as withdraw", errors, hex);
  }

  void attributesDiscarded(List<AttributeError> errors, String hex) {
    attributesDiscarded++;
    malformed("attribute discard", errors, hex);
  }

  private void malformed(String outcome, List<AttributeError> errors, String hex) {
    Instant now = clock.instant();
    AttributeError first = errors.getFirst();
    lastMalformed =
        new PeerStatus.LastMalformed(
            outcome, "attribute " + first.code() + ": " + first.problem(), hex, now);
    if (malformedPause.isOver(clock.nanos())) {
      BgpLog.malformed(peer, outcome, errors, hex);
    }
  }

  /// A message that ended the session.
  void reset(String problem, String hex) {
    lastMalformed = new PeerStatus.LastMalformed("session reset", problem, hex, clock.instant());
  }

  PeerStatus.History snapshot() {
    return new PeerStatus.History(
        established,
        dropped,
        lastReset,
        lastError,
        new PeerStatus.Malformed(treatedAsWithdraw, attributesDiscarded, lastMalformed));
  }
}
