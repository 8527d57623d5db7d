package io.margay.agent.dataplane;

import io.margay.agent.firewall.FlowKind;
import io.margay.agent.firewall.Suspicion;
import io.margay.linux.conntrack.Connection;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
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

  /// Whether one that may come back in its middle is denied at a host endpoint.
  boolean cutsAtHost;

  /// The node's addresses; null until somebody asked.
  @Nullable Set<IpAddress> own;

  /// Those of its own interfaces.
  Map<IpAddress, Set<InterfaceName>> holders = Map.of();

  final Map<IpAddress, Set<InterfaceName>> ways = new HashMap<>();
  boolean deleting;

  FlowRound(
      Suspicion suspicion, Map<IpAddress, Long> freed, boolean bySourcePort, Stretch stretch) {
    this.suspicion = suspicion;
    this.freed = freed;
    this.bySourcePort = bySourcePort;
    this.stretch = stretch;
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
    cutsAtHost = false;
  }
}
