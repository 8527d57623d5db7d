package io.margay.agent.dataplane;

import io.margay.agent.firewall.CutFlow;
import io.margay.agent.firewall.FlowKind;
import io.margay.agent.firewall.Suspicion;
import io.margay.agent.firewall.Ways;
import io.margay.linux.conntrack.Connection;
import io.margay.linux.nft.NftPacket.Ends;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a [FlowReevaluation] is looking into. One thread at a time has it.
final class FlowRound {

  final long begun = System.nanoTime();
  final Suspicion suspicion;
  final Map<IpAddress, Long> freed;
  final boolean bySourcePort;
  Stretch stretch;

  /// Processor time spent on it so far, by either thread.
  long workedNanos;

  /// Null until the kernel's table has been read.
  @Nullable Deque<Map.Entry<FlowKind, List<Connection>>> toJudge;

  final List<Map.Entry<FlowKind, List<Connection>>> denied = new ArrayList<>();
  final List<Connection> orphans = new ArrayList<>();

  /// Those among the denied that may come back in their middle where a host endpoint denies them.
  final List<CutFlow> toKeepOut = new ArrayList<>();

  /// What earlier rounds cut at host endpoints, by what either side sends.
  final Map<Ends, CutFlow> cutBefore;

  /// Whether all connections that look like one of them are looked for.
  final boolean glances;

  /// Those among them whose ends have a connection again that was seen to begin.
  final Set<CutFlow> begunAnew = new HashSet<>();

  /// Those among them that policy may have come to allow.
  final Deque<CutFlow> keptOut;

  /// The node's addresses; null until somebody asked.
  @Nullable Set<IpAddress> own;

  /// Those of its own interfaces.
  Map<IpAddress, Set<InterfaceName>> holders = Map.of();

  /// Those of them that no link has by which packets come in, and that may be services'.
  Set<IpAddress> virtual = Set.of();

  /// Null until somebody asked.
  @Nullable Ways routing;

  final Map<IpAddress, Set<InterfaceName>> ways = new HashMap<>();
  boolean deleting;

  FlowRound(
      Suspicion suspicion,
      Map<IpAddress, Long> freed,
      boolean bySourcePort,
      Stretch stretch,
      Map<Ends, CutFlow> cutBefore,
      boolean glances,
      Collection<CutFlow> keptOut) {
    this.keptOut = new ArrayDeque<>(keptOut);
    this.cutBefore = cutBefore;
    this.glances = glances;
    this.suspicion = suspicion;
    this.freed = freed;
    this.bySourcePort = bySourcePort;
    this.stretch = stretch;
  }

  /// What was cut at a host endpoint, of which the connection has the ends; null if nothing was.
  @Nullable CutFlow cutBefore(Connection one) {
    return cutBefore.isEmpty() || !CutFlow.isOne(one) ? null : cutBefore.get(CutFlow.sent(one));
  }

  /// What is to be cut.
  List<Connection> deniedConnections() {
    List<Connection> all = new ArrayList<>();
    denied.forEach(kind -> all.addAll(kind.getValue()));
    return all;
  }

  /// What was denied is asked about once more.
  void judgeDeniedAgain() {
    toJudge = new ArrayDeque<>(denied);
    denied.clear();
    toKeepOut.clear();
  }
}
