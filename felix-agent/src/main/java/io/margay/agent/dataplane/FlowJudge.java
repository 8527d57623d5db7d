package io.margay.agent.dataplane;

import io.margay.agent.firewall.CutFlow;
import io.margay.agent.firewall.FlowKind;
import io.margay.agent.firewall.FlowVerdicts;
import io.margay.agent.firewall.Surroundings;
import io.margay.linux.LinuxException;
import io.margay.linux.conntrack.Connection;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/// Compares what rounds of [FlowReevaluation] found with the rules, a little at a time, and sees to
/// it that what is to be cut at host endpoints is kept out first. Belongs to the dataplane loop.
final class FlowJudge {

  private final FlowPlaces places;
  private final FlowVerdicts verdicts;
  private final CutFlows cuts;

  FlowJudge(FlowPlaces places, FlowVerdicts verdicts, CutFlows cuts) {
    this.places = places;
    this.verdicts = verdicts;
    this.cuts = cuts;
  }

  /// Goes on with the round.
  ///
  /// @param until when to leave the rest for later
  /// @return whether all of it was judged
  /// @throws LinuxException if the kernel does not tell where connections come and go
  boolean judge(FlowRound round, Deque<Map.Entry<FlowKind, List<Connection>>> toJudge, long until)
      throws LinuxException {
    round.begunAnew.forEach(cuts::letIn);
    round.begunAnew.clear();
    if (toJudge.isEmpty() && round.keptOut.isEmpty()) {
      return true;
    }
    Surroundings around = places.around(round);
    while (!toJudge.isEmpty()) {
      judge(round, toJudge.removeFirst(), around);
      if (System.nanoTime() - until >= 0) {
        return toJudge.isEmpty() && round.keptOut.isEmpty();
      }
    }
    while (!round.keptOut.isEmpty()) {
      CutFlow flow = round.keptOut.removeFirst();
      if (verdicts.of(flow.kind(), around) == FlowVerdicts.Verdict.ALLOWED) {
        cuts.letIn(flow);
      }
      if (System.nanoTime() - until >= 0) {
        return round.keptOut.isEmpty();
      }
    }
    return true;
  }

  private void judge(
      FlowRound round, Map.Entry<FlowKind, List<Connection>> kind, Surroundings around)
      throws LinuxException {
    switch (verdicts.of(kind.getKey(), around)) {
      case ALLOWED -> kind.getValue().forEach(cuts::letIn);
      case DENIED_BY_WORKLOAD -> round.denied.add(kind);
      case DENIED_BY_HOST -> {
        round.denied.add(kind);
        for (Connection one : kind.getValue()) {
          if (CutFlow.isOne(one)) {
            round.toKeepOut.add(cutFlow(round, one));
          }
        }
      }
    }
  }

  /// One that came back is the one that was cut.
  private static CutFlow cutFlow(FlowRound round, Connection one) {
    CutFlow before = round.cutBefore(one);
    return before != null && one.isPickedUp() ? before : CutFlow.of(one);
  }

  /// All is judged: what would bring back what is to be cut must be dropped before it is.
  ///
  /// @return whether it is; if not, it will be with the next write
  boolean isKeptOut(FlowRound round) {
    return !cuts.keepOut(round.toKeepOut);
  }
}
