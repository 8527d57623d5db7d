package io.margay.agent.dataplane;

import io.margay.agent.firewall.CutFlow;
import io.margay.agent.firewall.FlowKind;
import io.margay.agent.firewall.Suspicion;
import io.margay.linux.LinuxException;
import io.margay.linux.conntrack.Connection;
import io.margay.linux.conntrack.Conntrack;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The kernel's table of connections, as rounds of [FlowReevaluation] read and write it. Belongs to
/// the worker.
final class TrackedFlows {

  private final Conntrack conntrack;
  private final FreedAddresses freed;

  TrackedFlows(Conntrack conntrack, FreedAddresses freed) {
    this.conntrack = conntrack;
    this.freed = freed;
  }

  /// Leaves in the round what it is about beside policy. A round that would hold too much is cut
  /// short.
  ///
  /// @return what policy is to be asked about
  /// @throws LinuxException when the table cannot be read
  Deque<Map.Entry<FlowKind, List<Connection>>> gather(FlowRound round) throws LinuxException {
    Suspicion.Scope scope = round.suspicion.scope();
    List<Connection> found = connections(scope, round);
    while (!round.stretch.isWhole()) {
      round.stretch = round.stretch.shorter();
      found = connections(scope, round);
    }
    Map<FlowKind, List<Connection>> suspicious = new HashMap<>();
    for (Connection one : found) {
      CutFlow cutBefore = round.cutBefore(one);
      // Asked after the table was read: what it showed is the former owner's then.
      if (one.touches(own -> isStillFreed(round, own))) {
        round.orphans.add(one);
      } else if (cutBefore != null && one.isPickedUp()) {
        // It came back while somebody had taken away what keeps it out.
        add(suspicious, cutBefore.kind(), one);
      } else {
        // A SYN alone has begun none, nor has what a socket of the one that was cut answers to it.
        if (cutBefore != null && one.isAssured()) {
          round.begunAnew.add(cutBefore);
        }
        // What another connection announced was let in for that one's sake.
        if (scope.test(one) && !one.isExpected()) {
          add(suspicious, FlowKind.of(one, round.bySourcePort), one);
        }
      }
    }
    return new ArrayDeque<>(suspicious.entrySet());
  }

  private static void add(
      Map<FlowKind, List<Connection>> suspicious, FlowKind kind, Connection one) {
    suspicious.computeIfAbsent(kind, _ -> new ArrayList<>()).add(one);
  }

  private List<Connection> connections(Suspicion.Scope scope, FlowRound round)
      throws LinuxException {
    List<Connection> found = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      if (scope.isByAddress() && !round.glances) {
        Set<IpAddress> addresses = new HashSet<>(scope.addresses());
        addresses.addAll(round.freed.keySet());
        found.addAll(conntrack.connections(family, addresses, round.stretch::admits));
      } else {
        found.addAll(
            conntrack.connections(
                family,
                one ->
                    (scope.test(one)
                            || one.touches(round.freed::containsKey)
                            || round.cutBefore(one) != null)
                        && round.stretch.admits(one)));
      }
    }
    return found;
  }

  private boolean isStillFreed(FlowRound round, IpAddress address) {
    Long since = round.freed.get(address);
    return since != null && freed.isStill(address, since);
  }

  /// @param cut connections that policy denies
  /// @param forgotten those of freed addresses
  record Deleted(int cut, int forgotten) {}

  /// @throws LinuxException when one can't be deleted
  Deleted delete(FlowRound round) throws LinuxException {
    int cut = conntrack.delete(round.deniedConnections());
    int forgotten = conntrack.delete(round.orphans);
    if (round.stretch.isLast()) {
      freed.settled(round.freed);
    }
    return new Deleted(cut, forgotten);
  }
}
