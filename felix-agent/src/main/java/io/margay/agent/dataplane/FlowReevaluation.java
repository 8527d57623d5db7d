package io.margay.agent.dataplane;

import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FlowKind;
import io.margay.agent.firewall.FlowSuspects;
import io.margay.agent.firewall.FlowVerdicts;
import io.margay.agent.firewall.Surroundings;
import io.margay.agent.firewall.Suspicion;
import io.margay.agent.loop.Loop;
import io.margay.agent.settings.PolicyChangeMode;
import io.margay.linux.LinuxException;
import io.margay.linux.conntrack.Connection;
import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftPacket;
import io.margay.linux.nft.NftTable;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.policy.PolicyUpdate;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Cuts connections that are open and that policy, as it has become, would not let begin, or that
/// began while another process had changed the rules; and forgets those of addresses that no
/// endpoint has any more, so that the next pod to get one does not inherit them. Established
/// packets pass by a fast path that asks no policy, so nothing else would.
///
/// Comes after changes, never before them: the kernel is read and written by a thread of its own,
/// and the rules, which belong to the dataplane loop, are asked there for at most [#BATCH] at a
/// time. Changes are gathered into rounds, one at a time and at least [#INTERVAL] apart; a round
/// that was much work is followed by a rest [#REST] times as long, so that a node with many
/// connections and many changes gives a fifth of a core to it.
///
/// Deleting a tracked connection is not enough by itself: TCP is picked up again in its middle, in
/// the direction of whoever sends next (`nf_conntrack_tcp_loose`). Each workload's chain drops what
/// is new and no SYN, so it does not come back; at host endpoints such a rule is there from just
/// before a cut until a while after the last one ([RecentCuts]). UDP has no beginning: a datagram
/// from the side that only answered so far opens a new connection if policy allows it in that
/// direction.
///
/// Belongs to the dataplane loop.
public final class FlowReevaluation implements AppliedListener {

  /// From the begin of one round to that of the next, at least.
  static final Duration INTERVAL = Duration.ofMillis(100);

  /// The same where nobody waits: for connections of freed addresses (whoever is given one of them
  /// before has them forgotten at once) and of new endpoints, which have none of their own yet.
  static final Duration CALM_INTERVAL = Duration.ofSeconds(1);

  /// A round's work is followed by rest of so many times its length.
  static final int REST = 4;

  /// How long the loop is kept from other work at a time.
  static final Duration BATCH = Duration.ofMillis(1);

  /// How many connections a round holds at most, each some 500 octets. A round that finds more is
  /// gone through in parts, each a round.
  static final int MAX_HELD = 65_536;

  /// How soon a round that the kernel refused is tried again.
  static final Duration RETRY = Duration.ofSeconds(1);

  private static final Logger LOG = LoggerFactory.getLogger(FlowReevaluation.class);

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final Loop dataplane;
  private final Loop worker;
  private final PolicyChangeMode mode;
  private final Conntrack atOnce;
  private final Conntrack inRounds;
  private final FlowSuspects suspects = new FlowSuspects();
  private final FlowPlaces places;
  private final RecentCuts cuts;
  private final FlowVerdicts verdicts;
  private final FreedAddresses freed = new FreedAddresses();

  private final int mostHeld;
  private @Nullable FlowRound round;

  /// The rest of one that was too large.
  private @Nullable FlowRound next;

  private long notBefore = System.nanoTime();
  private long calmNotBefore = notBefore;
  private boolean wakeScheduled;
  private long wakeAt;
  private final AtomicLong cut = new AtomicLong();
  private final AtomicLong forgotten = new AtomicLong();

  /// @param worker whose thread reads and writes the kernel's table
  /// @param table what the kernel holds
  /// @param firewall writes it
  /// @param atOnce used on the dataplane loop
  /// @param inRounds used by the worker
  /// @param network asked on the dataplane loop
  public FlowReevaluation(
      Loop dataplane,
      Loop worker,
      NftTable table,
      FirewallManager firewall,
      PolicyChangeMode mode,
      Conntrack atOnce,
      Conntrack inRounds,
      NodeNetwork network) {
    this(
        dataplane,
        worker,
        table,
        firewall,
        mode,
        atOnce,
        inRounds,
        network,
        MAX_HELD,
        RecentCuts.MEMORY);
  }

  /// @param mostHeld how many connections a round holds at most
  /// @param memory how long connections cut at host endpoints are kept from coming back
  public FlowReevaluation(
      Loop dataplane,
      Loop worker,
      NftTable table,
      FirewallManager firewall,
      PolicyChangeMode mode,
      Conntrack atOnce,
      Conntrack inRounds,
      NodeNetwork network,
      int mostHeld,
      Duration memory) {
    this.mostHeld = mostHeld;
    this.dataplane = dataplane;
    this.worker = worker;
    this.mode = mode;
    this.atOnce = atOnce;
    this.inRounds = inRounds;
    this.places = new FlowPlaces(suspects, network);
    this.verdicts = new FlowVerdicts(table);
    this.cuts = new RecentCuts(dataplane, firewall, memory);
  }

  /// Takes over what the kernel remembers of a former process's cuts. Before the loop starts.
  ///
  /// @throws NftException if the kernel does not tell
  public void adopt() throws NftException {
    if (mode == PolicyChangeMode.REEVALUATE) {
      cuts.adopt();
    }
  }

  /// Connections cut so far because policy came to deny them. From any thread.
  public long cut() {
    return cut.get();
  }

  /// Connections of freed addresses forgotten so far. From any thread.
  public long forgotten() {
    return forgotten.get();
  }

  @Override
  public void onUpdate(PolicyUpdate update) {
    if (mode == PolicyChangeMode.REEVALUATE) {
      suspects.onUpdate(update);
    }
    List<IpAddress> reclaimed = freed.onUpdate(update);
    if (!reclaimed.isEmpty()) {
      forgetAtOnce(Set.copyOf(reclaimed));
    }
  }

  /// An address was freed and has a new owner, whose connections must not be taken for those of the
  /// one before. It has none yet: its interface opens with the next transaction.
  private void forgetAtOnce(Set<IpAddress> addresses) {
    try {
      forgotten.addAndGet(atOnce.deleteFlows(addresses));
    } catch (LinuxException refused) {
      LOG.atWarn()
          .addKeyValue("addresses", addresses)
          .addKeyValue("reason", refused.getMessage())
          .log(
              "connections of an address's former owner can't be deleted; its new one inherits"
                  + " them until they time out");
    }
  }

  @Override
  public void onHostsMoved() {
    if (mode == PolicyChangeMode.REEVALUATE) {
      suspects.onHostsMoved();
    }
  }

  @Override
  public void onRepaired() {
    if (mode == PolicyChangeMode.REEVALUATE) {
      suspects.suspectEverything();
    }
  }

  @Override
  public void onApplied() {
    if (round == null) {
      begin();
    } else if (round.toJudge != null && !round.deleting) {
      judge(round, round.toJudge);
    }
  }

  private void begin() {
    FlowRound rest = next;
    boolean isUrgent = rest != null || !suspects.isEmpty();
    if (!isUrgent && !suspects.hasNewcomers() && freed.isEmpty()) {
      return;
    }
    long wait = (isUrgent ? notBefore : calmNotBefore) - System.nanoTime();
    if (wait > 0) {
      wakeIn(wait);
      return;
    }
    FlowRound begun =
        rest == null
            ? new FlowRound(
                suspects.take(),
                freed.now(),
                suspects.readSourcePorts(),
                new Stretch(mostHeld, 0, Stretch.END))
            : rest;
    next = null;
    round = begun;
    worker.postUnlessEnded(() -> gather(begun));
  }

  private void wakeIn(long nanos) {
    long at = System.nanoTime() + nanos;
    if (!wakeScheduled || at - wakeAt < 0) {
      wakeScheduled = true;
      wakeAt = at;
      dataplane.schedule(Duration.ofNanos(nanos), () -> wakeScheduled = false);
    }
  }

  /// On the worker.
  private void gather(FlowRound round) {
    long start = THREADS.getCurrentThreadCpuTime();
    Suspicion.Scope scope = round.suspicion.scope();
    Map<FlowKind, List<Connection>> suspicious = new HashMap<>();
    try {
      List<Connection> found = connections(scope, round);
      while (!round.stretch.isWhole()) {
        round.stretch = round.stretch.shorter();
        found = connections(scope, round);
      }
      for (Connection one : found) {
        // Asked after the table was read: what it showed is the former owner's then.
        if (one.touches(own -> isStillFreed(round, own))) {
          round.orphans.add(one);
        } else if (scope.test(one) && !one.isExpected()) {
          // What another connection announced was let in for that one's sake.
          suspicious
              .computeIfAbsent(FlowKind.of(one, round.bySourcePort), _ -> new ArrayList<>())
              .add(one);
        }
      }
    } catch (LinuxException refused) {
      dataplane.postUnlessEnded(() -> failed(round, refused));
      return;
    }
    round.workedNanos += THREADS.getCurrentThreadCpuTime() - start;
    dataplane.postUnlessEnded(() -> round.toJudge = new ArrayDeque<>(suspicious.entrySet()));
  }

  private List<Connection> connections(Suspicion.Scope scope, FlowRound round)
      throws LinuxException {
    List<Connection> found = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      if (scope.isByAddress()) {
        Set<IpAddress> addresses = new HashSet<>(scope.addresses());
        addresses.addAll(round.freed.keySet());
        found.addAll(inRounds.connections(family, addresses, round.stretch::admits));
      } else {
        found.addAll(
            inRounds.connections(
                family,
                one ->
                    (scope.test(one) || one.touches(round.freed::containsKey))
                        && round.stretch.admits(one)));
      }
    }
    return found;
  }

  private boolean isStillFreed(FlowRound round, IpAddress address) {
    Long since = round.freed.get(address);
    return since != null && freed.isStill(address, since);
  }

  /// Only right after a transaction do the rules at hand and the kernel's agree.
  private void judge(FlowRound round, Deque<Map.Entry<FlowKind, List<Connection>>> toJudge) {
    if (suspects.readSourcePorts() && !round.bySourcePort) {
      suspects.putBack(round.suspicion); // sorted out by too little
      this.round = null;
      begin();
      return;
    }
    long start = System.nanoTime();
    try {
      judge(round, toJudge, start + BATCH.toNanos());
    } catch (LinuxException refused) {
      failed(round, refused);
      return;
    }
    round.workedNanos += System.nanoTime() - start;
    if (!toJudge.isEmpty()) {
      dataplane.postUnlessEnded(() -> {}); // so that this is called again
      return;
    }
    if (round.cutsAtHost && !cuts.areRemembered()) {
      // The rule that keeps it from coming back goes first. Policy may have changed until then.
      cuts.remember();
      round.judgeDeniedAgain();
      dataplane.postUnlessEnded(() -> {});
      return;
    }
    if (round.cutsAtHost) {
      cuts.remember();
    }
    round.deleting = true;
    worker.postUnlessEnded(() -> delete(round));
  }

  /// @param until when to leave the rest for later
  private void judge(
      FlowRound round, Deque<Map.Entry<FlowKind, List<Connection>>> toJudge, long until)
      throws LinuxException {
    if (toJudge.isEmpty()) {
      return;
    }
    Surroundings around = places.around(round);
    boolean isTimeLeft = true;
    while (!toJudge.isEmpty() && isTimeLeft) {
      Map.Entry<FlowKind, List<Connection>> kind = toJudge.removeFirst();
      switch (verdicts.of(kind.getKey(), around)) {
        case ALLOWED -> {}
        case DENIED_BY_WORKLOAD -> round.denied.add(kind);
        case DENIED_BY_HOST -> {
          round.denied.add(kind);
          round.cutsAtHost |= kind.getKey().protocol() == NftPacket.TCP;
        }
      }
      isTimeLeft = System.nanoTime() - until < 0;
    }
  }

  /// On the worker.
  private void delete(FlowRound round) {
    long start = THREADS.getCurrentThreadCpuTime();
    try {
      int cutNow = inRounds.delete(round.deniedConnections());
      int forgottenNow = inRounds.delete(round.orphans);
      if (round.stretch.isLast()) {
        freed.settled(round.freed);
      }
      round.workedNanos += THREADS.getCurrentThreadCpuTime() - start;
      dataplane.postUnlessEnded(() -> ended(round, cutNow, forgottenNow));
    } catch (LinuxException refused) {
      dataplane.postUnlessEnded(() -> failed(round, refused));
    }
  }

  private void ended(FlowRound ended, int cutNow, int forgottenNow) {
    cut.addAndGet(cutNow);
    forgotten.addAndGet(forgottenNow);
    notBefore =
        Math.max(ended.begun + INTERVAL.toNanos(), System.nanoTime() + REST * ended.workedNanos);
    calmNotBefore = Math.max(ended.begun + CALM_INTERVAL.toNanos(), notBefore);
    round = null;
    if (!ended.stretch.isLast()) {
      next = new FlowRound(ended.suspicion, ended.freed, ended.bySourcePort, ended.stretch.rest());
    }
    if (cutNow > 0) {
      LOG.atInfo()
          .addKeyValue("connections", cutNow)
          .log("connections that policy denies now are cut");
    }
  }

  private void failed(FlowRound failed, LinuxException refused) {
    LOG.atWarn()
        .addKeyValue("reason", refused.getMessage())
        .log(
            "open connections can't be compared with policy; those that are denied now go on"
                + " until the next try");
    suspects.putBack(failed.suspicion);
    notBefore = System.nanoTime() + RETRY.toNanos();
    calmNotBefore = notBefore;
    round = null;
  }
}
