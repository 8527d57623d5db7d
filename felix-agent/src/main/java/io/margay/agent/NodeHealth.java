package io.margay.agent;

import io.margay.agent.dataplane.DataplaneStatus;
import io.margay.agent.http.AgentViews.Reporter;
import io.margay.bgp.speaker.PeerStatus;
import io.margay.bgp.speaker.SessionPhase;
import io.margay.datastore.SyncStatus;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// Which of the agent's parts live, and which are ready. From any thread.
///
/// A part is dead when its loop has owed an answer for [#SILENCE]: what sticks for that long does
/// so until the agent is restarted. What is away, refused or not there yet (the datastore, the
/// kernel's consent, peers) makes parts unready, never dead: a restart would mend none of it.
///
/// @param silences for how long each loop owes an answer
/// @param isServing whether CNI calls are taken
/// @param speaker the BGP peers; empty while the node has no identity
record NodeHealth(
    Supplier<? extends Map<String, Duration>> silences,
    BooleanSupplier isServing,
    Supplier<SyncStatus> sync,
    Supplier<DataplaneStatus> dataplane,
    Supplier<Optional<List<PeerStatus>>> speaker) {

  /// As long as the unit's watchdog waits.
  static final Duration SILENCE = Duration.ofSeconds(60);

  /// The loop of the BGP speaker.
  static final String BGP = "bgp";

  /// The loop that writes to the kernel.
  static final String DATAPLANE = "dataplane";

  SortedMap<String, Reporter> reporters() {
    SortedMap<String, Reporter> parts = new TreeMap<>();
    Map<String, Duration> owed = silences.get();
    owed.forEach((loop, _) -> parts.put(loop, new Reporter(true, true, "answers")));
    boolean serves = isServing.getAsBoolean();
    parts.put("cni", new Reporter(true, serves, serves ? "taking calls" : "starting"));
    parts.put("datastore", datastore());
    DataplaneStatus kernel = dataplane.get();
    parts.put(
        DATAPLANE,
        new Reporter(
            true,
            kernel.problem().isEmpty(),
            kernel.problem().orElse("the kernel holds what is desired")));
    // One that is stuck would not answer this either.
    if (!isDead(owed.getOrDefault(BGP, Duration.ZERO))) {
      parts.put(BGP, bgp());
    }
    owed.forEach(
        (loop, silence) -> {
          if (isDead(silence)) {
            parts.put(
                loop,
                new Reporter(
                    false,
                    false,
                    "has not answered for " + silence.toSeconds() + " s; restart the agent"));
          }
        });
    return parts;
  }

  private static boolean isDead(Duration silence) {
    return silence.compareTo(SILENCE) >= 0;
  }

  /// A node whose peers are all down still takes pods: graceful restart or a second link may cover
  /// it.
  private Reporter bgp() {
    Optional<List<PeerStatus>> peers;
    try {
      peers = speaker.get();
    } catch (IllegalStateException silent) {
      return new Reporter(true, false, "no answer: " + silent.getMessage());
    }
    return new Reporter(
        true,
        peers.isPresent(),
        peers
            .map(
                all ->
                    all.stream().filter(peer -> peer.phase() == SessionPhase.ESTABLISHED).count()
                        + " of "
                        + all.size()
                        + " peers established")
            .orElse("no BGP identity"));
  }

  private Reporter datastore() {
    return switch (sync.get()) {
      case SyncStatus.InSync(long revision) ->
          new Reporter(true, true, "in sync at revision " + revision);
      case SyncStatus.Stale(var since, String reason) ->
          new Reporter(
              true, true, "away since " + since + ", what is known stays in force: " + reason);
      case SyncStatus.Waiting(String reason) -> new Reporter(true, false, "waiting: " + reason);
    };
  }
}
