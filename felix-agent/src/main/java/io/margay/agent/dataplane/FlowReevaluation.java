package io.margay.agent.dataplane;

import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FlowKind;
import io.margay.agent.firewall.FlowSuspects;
import io.margay.agent.firewall.FlowVerdicts;
import io.margay.agent.loop.Loop;
import io.margay.agent.settings.PolicyChangeMode;
import io.margay.linux.LinuxException;
import io.margay.linux.conntrack.Connection;
import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftTable;
import io.margay.model.net.IpAddress;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.PolicyUpdate;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Deque;
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
/// is new and no SYN, so it does not come back; what is cut at host endpoints is kept out by its
/// own ends, from just before it is cut ([CutFlows]). UDP has no beginning: a datagram from the
/// side that only answered so far opens a new connection if policy allows it in that direction.
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
  private final TrackedFlows tracked;
  private final FlowSuspects suspects = new FlowSuspects();
  private final CutFlows cuts;
  private final FlowJudge judge;
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
        CutFlows.GLANCE);
  }

  /// @param mostHeld how many connections a round holds at most
  /// @param glance how often new connections are looked for that have the ends of one cut at a host
  ///   endpoint
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
      Duration glance) {
    this.mostHeld = mostHeld;
    this.dataplane = dataplane;
    this.worker = worker;
    this.mode = mode;
    this.atOnce = atOnce;
    this.tracked = new TrackedFlows(inRounds, freed);
    this.cuts =
        new CutFlows(
            firewall, dataplane::schedule, System::nanoTime, CutFlows.Limits.glancing(glance));
    this.judge = new FlowJudge(new FlowPlaces(suspects, network), new FlowVerdicts(table), cuts);
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

  /// Of those cut at host endpoints, how many nothing keeps from coming back, because too many were
  /// cut. From any thread.
  public long letGo() {
    return cuts.letGo();
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
    switch (update) {
      case PolicyUpdate.EndpointUpdated(EndpointKey key, EndpointPolicy policy) ->
          forgetAtOnce(freed.onEndpoint(key, policy.addresses()));
      case PolicyUpdate.EndpointRemoved(EndpointKey key) -> freed.onEndpoint(key, List.of());
      // Policy of host endpoints may have become another. Sets have members everywhere.
      case PolicyUpdate.SetUpdated _,
          PolicyUpdate.SetChanged _,
          PolicyUpdate.SetRemoved _,
          PolicyUpdate.PolicyUpdated _,
          PolicyUpdate.PolicyRemoved _,
          PolicyUpdate.ProfileUpdated _,
          PolicyUpdate.ProfileRemoved _,
          PolicyUpdate.HostEndpointUpdated _,
          PolicyUpdate.HostEndpointRemoved _ ->
          cuts.onPolicy();
    }
  }

  /// An address was freed and has a new owner, whose connections must not be taken for those of the
  /// one before. It has none yet: its interface opens with the next transaction.
  private void forgetAtOnce(List<IpAddress> addresses) {
    if (addresses.isEmpty()) {
      return;
    }
    try {
      forgotten.addAndGet(atOnce.deleteFlows(Set.copyOf(addresses)));
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
      cuts.onPolicy();
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
    boolean glances = cuts.isGlanceDue();
    if (!isUrgent
        && !suspects.hasNewcomers()
        && freed.isEmpty()
        && !glances
        && !cuts.isReviewDue()) {
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
                new Stretch(mostHeld, 0, Stretch.END),
                cuts.byEnds(),
                glances,
                cuts.takeReview())
            : rest;
    if (begun.glances) {
      cuts.glanced();
    }
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
    Deque<Map.Entry<FlowKind, List<Connection>>> found;
    try {
      found = tracked.gather(round);
    } catch (LinuxException refused) {
      dataplane.postUnlessEnded(() -> failed(round, refused));
      return;
    }
    round.workedNanos += THREADS.getCurrentThreadCpuTime() - start;
    dataplane.postUnlessEnded(() -> round.toJudge = found);
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
    boolean isDone;
    try {
      isDone = judge.judge(round, toJudge, start + BATCH.toNanos());
    } catch (LinuxException refused) {
      failed(round, refused);
      return;
    }
    round.workedNanos += System.nanoTime() - start;
    if (!isDone) {
      dataplane.postUnlessEnded(() -> {}); // so that this is called again
      return;
    }
    if (!judge.isKeptOut(round)) {
      // Policy may have changed until it is.
      round.judgeDeniedAgain();
      dataplane.postUnlessEnded(() -> {});
      return;
    }
    round.deleting = true;
    worker.postUnlessEnded(() -> delete(round));
  }

  /// On the worker.
  private void delete(FlowRound round) {
    long start = THREADS.getCurrentThreadCpuTime();
    try {
      TrackedFlows.Deleted deleted = tracked.delete(round);
      round.workedNanos += THREADS.getCurrentThreadCpuTime() - start;
      dataplane.postUnlessEnded(() -> ended(round, deleted.cut(), deleted.forgotten()));
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
      next =
          new FlowRound(
              ended.suspicion,
              ended.freed,
              ended.bySourcePort,
              ended.stretch.rest(),
              cuts.byEnds(),
              ended.glances,
              Set.of());
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
