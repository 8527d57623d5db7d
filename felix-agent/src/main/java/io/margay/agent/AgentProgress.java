package io.margay.agent;

import io.margay.bgp.speaker.PeerStatus;
import io.margay.bgp.speaker.SessionPhase;
import io.margay.datastore.SyncStatus;
import java.util.List;
import java.util.function.Supplier;

/// What the agent waits for, or how it fares, in a line: what `systemctl status` shows. From any
/// thread.
final class AgentProgress {

  private final Supplier<SyncStatus> sync;
  private final Supplier<CalcDriver.Snapshot> calculation;
  private final Supplier<List<PeerStatus>> peers;
  private volatile boolean isServing;

  AgentProgress(
      Supplier<SyncStatus> sync,
      Supplier<CalcDriver.Snapshot> calculation,
      Supplier<List<PeerStatus>> peers) {
    this.sync = sync;
    this.calculation = calculation;
    this.peers = peers;
  }

  /// From now on pods are served.
  void serve() {
    isServing = true;
  }

  String line() {
    SyncStatus status = sync.get();
    if (isServing) {
      List<PeerStatus> all = peers.get();
      long established =
          all.stream().filter(peer -> peer.phase() == SessionPhase.ESTABLISHED).count();
      return "serving %d pods; %d of %d BGP peers established; %s"
          .formatted(
              calculation.get().endpoints().size(), established, all.size(), datastore(status));
    }
    return status instanceof SyncStatus.Waiting(String reason)
        ? "waiting for the datastore: " + reason
        : "bringing the kernel in line; " + datastore(status);
  }

  private static String datastore(SyncStatus status) {
    return switch (status) {
      case SyncStatus.Waiting(String reason) -> "waiting for the datastore: " + reason;
      case SyncStatus.InSync(long _) -> "in sync with the datastore";
      case SyncStatus.Stale(var since, String reason) ->
          "the datastore is away since " + since + ": " + reason;
    };
  }
}
