package io.margay.bgp.speaker;

import io.margay.model.net.ScopedAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/// UPDATEs that wait for the RIB, and the connections that stopped reading until there are fewer.
///
/// Whoever sends while many wait is asked to stop reading, be it its own or others' that do. Given
/// up is a peer only for what waits of its own: a few peers that send much, or many that send at
/// once, cost nobody the session. Connections take in, the RIB's loop takes out.
final class BackPressure {

  /// UPDATEs of all peers waiting before connections stop reading.
  static final int PAUSE_READING_AT = 8_192;

  /// UPDATEs of all peers waiting below which reading goes on.
  static final int RESUME_READING_AT = 2_048;

  /// UPDATEs of one peer waiting beyond which its session is given up: reading was stopped long
  /// before, so the loop does not move any more.
  static final int MAX_WAITING_OF_PEER = 65_536;

  /// What became of UPDATEs.
  enum Admission {
    ADMITTED,
    /// Admitted, but the sender should stop reading until called back.
    PAUSE,
    REFUSED
  }

  private final AtomicInteger waiting = new AtomicInteger();

  /// Peers of which nothing waits are not in it.
  private final Map<ScopedAddress, Integer> waitingOf = new ConcurrentHashMap<>();

  private final ConcurrentLinkedQueue<Runnable> paused = new ConcurrentLinkedQueue<>();

  /// UPDATEs want to wait; what is admitted must be posted after.
  ///
  /// @param resume called once, after an answer of {@link Admission#PAUSE}
  Admission admit(ScopedAddress peer, int updates, Runnable resume) {
    int own = waitingOf.merge(peer, updates, Integer::sum);
    if (own > MAX_WAITING_OF_PEER) {
      forget(peer, updates);
      return Admission.REFUSED;
    }
    if (waiting.addAndGet(updates) < PAUSE_READING_AT) {
      return Admission.ADMITTED;
    }
    // Before the post: the turn that takes the last waiting post then finds it.
    paused.add(resume);
    return Admission.PAUSE;
  }

  /// UPDATEs wait no more.
  void taken(ScopedAddress peer, int updates) {
    waiting.addAndGet(-updates);
    forget(peer, updates);
  }

  private void forget(ScopedAddress peer, int updates) {
    waitingOf.computeIfPresent(peer, (_, own) -> own == updates ? null : own - updates);
  }

  /// Calls back whom it asked to stop, once few enough wait.
  void resumeReading() {
    if (waiting.get() >= RESUME_READING_AT) {
      return;
    }
    Runnable resume = paused.poll();
    while (resume != null) {
      resume.run();
      resume = paused.poll();
    }
  }
}
