package io.margay.agent.dataplane;

import io.margay.agent.firewall.CutFlow;
import io.margay.agent.firewall.FirewallManager;
import io.margay.linux.conntrack.Connection;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftPacket.Ends;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Remembers which connections of TCP were cut at host endpoints, and has the rules keep each of
/// them out, until policy allows it again, or a new one of the same ends has begun, or for
/// [#MEMORY]. The kernel remembers them for the process that comes next, which does not know since
/// when: their time begins anew.
///
/// Belongs to the dataplane loop.
final class CutFlows {

  /// As long as the kernel itself remembers a connection that says nothing
  /// (`nf_conntrack_tcp_timeout_established`, 432,000 s by default): one that is silent for longer
  /// is picked up in its middle though nobody cut it.
  private static final Duration MEMORY = Duration.ofDays(5);

  /// How many are remembered, both families together; each is three elements in the kernel, some
  /// 500 octets, and twice as much here.
  private static final int MOST = 32_768;

  /// How often it is looked whether a new connection has the ends of one that is kept out.
  static final Duration GLANCE = Duration.ofMinutes(1);

  private static final Logger LOG = LoggerFactory.getLogger(CutFlows.class);

  private final FirewallManager firewall;
  private final BiConsumer<Duration, Runnable> scheduler;
  private final LongSupplier nanos;
  private final Limits limits;

  /// Since when, the oldest first.
  private final LinkedHashMap<CutFlow, Long> since = new LinkedHashMap<>();

  private final Map<Ends, CutFlow> byEnds = new HashMap<>();
  private final AtomicLong letGo = new AtomicLong();
  private boolean isWatched;
  private boolean isGlanceDue;
  private boolean isReviewDue;

  /// @param most how many are remembered, both families together
  /// @param memory for how long
  /// @param glance how often it is looked whether a new connection has the ends of one
  record Limits(int most, Duration memory, Duration glance) {

    static Limits glancing(Duration often) {
      return new Limits(MOST, MEMORY, often);
    }
  }

  /// @param scheduler runs something on the dataplane loop after a while
  /// @param nanos a steady clock
  CutFlows(
      FirewallManager firewall,
      BiConsumer<Duration, Runnable> scheduler,
      LongSupplier nanos,
      Limits limits) {
    this.firewall = firewall;
    this.scheduler = scheduler;
    this.nanos = nanos;
    this.limits = limits;
  }

  /// Takes over what a former process remembered. Before anything is written.
  ///
  /// @throws NftException if the kernel does not tell
  void adopt() throws NftException {
    keepOut(firewall.findKeptOut());
  }

  /// Those that are kept out, by what the packets of either side look like.
  Map<Ends, CutFlow> byEnds() {
    return Map.copyOf(byEnds);
  }

  /// These are to be cut, or are cut again: their time begins now. If there are too many, those
  /// that were cut first are no longer kept out.
  ///
  /// @return whether the kernel must be told: with the next write it keeps them out
  boolean keepOut(Collection<CutFlow> flows) {
    boolean isNews = false;
    long now = nanos.getAsLong();
    Iterator<CutFlow> some = flows.iterator();
    for (int kept = 0; kept < limits.most() && some.hasNext(); kept++) {
      CutFlow flow = some.next();
      if (since.remove(flow) == null) {
        letIn(byEnds.get(flow.sent()));
        letIn(byEnds.get(flow.answered()));
        byEnds.put(flow.sent(), flow);
        byEnds.put(flow.answered(), flow);
        firewall.keepOut(flow);
        isNews = true;
      }
      since.put(flow, now);
    }
    int tooMany = Math.max(0, since.size() - limits.most());
    while (some.hasNext()) {
      some.next();
      tooMany++;
    }
    if (tooMany > 0) {
      letGo.addAndGet(tooMany);
      LOG.atWarn()
          .addKeyValue("most", limits.most())
          .addKeyValue("letGo", tooMany)
          .log(
              "more connections were cut at host endpoints than can be kept out; some may come back"
                  + " where policy of the other direction allows it");
    }
    while (since.size() > limits.most()) {
      letIn(since.firstEntry().getKey());
    }
    watch();
    return isNews;
  }

  /// How many were no longer kept out, or never, because there were too many. From any thread.
  long letGo() {
    return letGo.get();
  }

  /// If it is kept out, it no longer is after the next write.
  void letIn(@Nullable CutFlow flow) {
    if (flow != null && since.remove(flow) != null) {
      byEnds.remove(flow.sent());
      byEnds.remove(flow.answered());
      firewall.letIn(flow);
    }
  }

  /// As [#letIn(CutFlow)], of the one that a connection of the table looks like, if there is one,
  /// and whose handshake is done.
  void letIn(Connection allowed) {
    if (!since.isEmpty() && allowed.isAssured() && CutFlow.isOne(allowed)) {
      letIn(byEnds.get(CutFlow.sent(allowed)));
    }
  }

  /// Whether it is time to look for new connections of their ends.
  boolean isGlanceDue() {
    return isGlanceDue && !since.isEmpty();
  }

  /// Policy changed, in whichever way.
  void onPolicy() {
    isReviewDue = !since.isEmpty();
  }

  /// Whether policy may have come to allow some of them.
  boolean isReviewDue() {
    return isReviewDue;
  }

  /// Those that policy may have come to allow; from now on they are known to be gone through.
  Set<CutFlow> takeReview() {
    Set<CutFlow> all = isReviewDue ? Set.copyOf(since.keySet()) : Set.of();
    isReviewDue = false;
    return all;
  }

  /// It is not for a while.
  void glanced() {
    isGlanceDue = false;
  }

  private void watch() {
    if (!isWatched && !since.isEmpty()) {
      isWatched = true;
      scheduler.accept(limits.glance(), this::glance);
    }
  }

  private void glance() {
    isWatched = false;
    isGlanceDue = true;
    long now = nanos.getAsLong();
    while (!since.isEmpty() && now - since.firstEntry().getValue() >= limits.memory().toNanos()) {
      letIn(since.firstEntry().getKey());
    }
    watch();
  }
}
