package io.margay.bgp.speaker;

import io.margay.bgp.fsm.EndReason;
import io.margay.bgp.fsm.Negotiated;
import io.margay.bgp.fsm.Retention;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Update;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// The routes of a peer that is away or just back (the helper's part of RFC 4724 §4.2): how long
/// they stay. The RIB marks them and drops those not told again at End-of-RIB; here runs the timer
/// that bounds both waits. Lives on the loop of the sessions.
final class StaleRoutes {

  /// How long stale routes may wait for End-of-RIB once the peer is back.
  static final Duration END_OF_RIB_TIME = Duration.ofMinutes(3);

  private final ScopedAddress peer;
  private final RibLoop rib;
  private final Runnable onGivenUp;
  private final Deadline timer;
  private PeerStatus.Restart.Waiting waiting = PeerStatus.Restart.Waiting.NONE;

  /// Families with routes that were kept and are not told again yet.
  private Set<IpFamily> kept = Set.of();

  /// @param onGivenUp runs when a peer that was waited for did not come
  StaleRoutes(ScopedAddress peer, SessionClock clock, RibLoop rib, Runnable onGivenUp) {
    this.peer = peer;
    this.rib = rib;
    this.onGivenUp = onGivenUp;
    this.timer = new Deadline(clock, this::expired);
  }

  private void expired() {
    String why =
        switch (waiting) {
          case FOR_PEER -> "the peer did not come back in its restart time";
          case FOR_END_OF_RIB -> "no End-of-RIB within " + END_OF_RIB_TIME.toSeconds() + "s";
          case NONE -> "nothing was waited for";
        };
    boolean stayedAway = isWaitingForPeer();
    waiting = PeerStatus.Restart.Waiting.NONE;
    rib.postDropStale(peer, why);
    if (stayedAway) {
      onGivenUp.run();
    }
  }

  /// The session ended.
  ///
  /// @return families whose routes stay
  Set<IpFamily> down(Negotiated session, EndReason reason) {
    kept = Retention.kept(session, reason);
    if (kept.isEmpty()) {
      forget();
    } else {
      waiting = PeerStatus.Restart.Waiting.FOR_PEER;
      timer.start(Retention.restartTime(session));
    }
    return kept;
  }

  /// A session is up again. The RIB keeps what the peer kept forwarding over it.
  void up(Negotiated session) {
    if (waiting == PeerStatus.Restart.Waiting.FOR_PEER) {
      kept =
          kept.stream()
              .filter(Retention.keptForwarding(session)::contains)
              .collect(Collectors.toUnmodifiableSet());
      waiting = PeerStatus.Restart.Waiting.FOR_END_OF_RIB;
      timer.start(END_OF_RIB_TIME);
      forgetIfTold();
    }
  }

  /// Messages of the peer: the last End-of-RIB that is waited for may be among them.
  void heard(List<Update> updates) {
    if (waiting != PeerStatus.Restart.Waiting.FOR_END_OF_RIB) {
      return;
    }
    for (Update update : updates) {
      IpFamily ended = update.endOfRib().flatMap(AfiSafi::unicastFamily).orElse(null);
      if (ended != null) {
        kept =
            kept.stream().filter(family -> family != ended).collect(Collectors.toUnmodifiableSet());
      }
    }
    forgetIfTold();
  }

  private void forgetIfTold() {
    if (kept.isEmpty()) {
      forget();
    }
  }

  /// Nobody waits for the peer any more.
  void forget() {
    waiting = PeerStatus.Restart.Waiting.NONE;
    timer.stop();
  }

  /// Drops what is kept now.
  void flush(String why) {
    forget();
    rib.postDropStale(peer, why);
  }

  boolean isWaitingForPeer() {
    return waiting == PeerStatus.Restart.Waiting.FOR_PEER;
  }

  PeerStatus.Restart snapshot() {
    return new PeerStatus.Restart(waiting, timer.left());
  }
}
