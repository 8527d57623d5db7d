package io.margay.bgp.speaker;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.Update;
import io.margay.bgp.rib.Decision;
import io.margay.bgp.rib.PeerPolicy;
import io.margay.bgp.rib.Rib;
import io.margay.bgp.rib.RibDelta;
import io.margay.bgp.rib.RibSession;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The `bgp-rib` thread, sole writer of the {@link Rib}. Others post.
///
/// Work is taken in bursts: all waiting posts are applied, then everything touched is decided once,
/// the FIB is told, and peers whose last batch has left get the next one.
final class RibLoop {

  /// UPDATEs waiting before their connection stops reading.
  static final int PAUSE_READING_AT = 8_192;

  /// UPDATEs waiting below which reading goes on.
  static final int RESUME_READING_AT = 2_048;

  /// UPDATEs waiting beyond which a session is given up: reading was stopped long before, so the
  /// loop does not move any more.
  static final int MAX_WAITING_UPDATES = 65_536;

  private static final int BURST = 1_024;

  /// What became of a posted UPDATE.
  enum Admission {
    ADMITTED,
    /// Admitted, but the sender should stop reading until called back.
    PAUSE,
    REFUSED
  }

  private static final class Line {
    final Outlet outlet;
    boolean busy;

    Line(Outlet outlet) {
      this.outlet = outlet;
    }
  }

  private final Rib rib;
  private final FibListener fib;
  private final LinkedBlockingQueue<Runnable> posts = new LinkedBlockingQueue<>();
  private final AtomicInteger waitingUpdates = new AtomicInteger();
  private final ConcurrentLinkedQueue<Runnable> paused = new ConcurrentLinkedQueue<>();
  private final Map<IpAddress, Line> lines = new HashMap<>();
  private final Thread thread;
  private volatile Set<IpFamily> awaiting;
  private boolean running = true;

  RibLoop(Rib rib, FibListener fib) {
    this.rib = rib;
    this.fib = fib;
    this.awaiting = rib.awaitingEndOfRib();
    this.thread = Thread.ofPlatform().name("bgp-rib").daemon().unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /// Families whose End-of-RIB is still awaited.
  Set<IpFamily> awaiting() {
    return awaiting;
  }

  void postConfigure(Map<IpAddress, PeerPolicy> policies) {
    posts.add(() -> rib.configure(policies));
  }

  void postOriginate(Map<Prefix, PathAttributes> routes) {
    posts.add(() -> rib.originate(routes));
  }

  void postGuard(Set<Prefix> ownRanges) {
    posts.add(() -> rib.guard(ownRanges));
  }

  void postPeerUp(RibSession session, Outlet outlet) {
    posts.add(
        () -> {
          rib.peerUp(session);
          lines.put(session.peer().address(), new Line(outlet));
        });
  }

  void postPeerDown(IpAddress peer, Set<IpFamily> keep) {
    posts.add(
        () -> {
          rib.peerDown(peer, keep);
          lines.remove(peer);
        });
  }

  /// @param why for the log
  void postDropStale(IpAddress peer, String why) {
    posts.add(
        () -> {
          int dropped = rib.dropStale(peer);
          if (dropped > 0) {
            BgpLog.staleDropped(peer, dropped, why);
          }
        });
  }

  void postRefresh(IpAddress peer, AfiSafi family) {
    posts.add(() -> rib.refresh(peer, family));
  }

  void postEndDeferral() {
    posts.add(rib::endDeferral);
  }

  /// The outlet's batch has left.
  void postWritten(IpAddress peer, Outlet outlet) {
    posts.add(
        () -> {
          Line line = lines.get(peer);
          if (line != null && line.outlet.equals(outlet)) {
            line.busy = false;
          }
        });
  }

  /// @param resume called once, on this loop, after an answer of {@link Admission#PAUSE}
  Admission postUpdate(IpAddress peer, Update update, Runnable resume) {
    int waiting = waitingUpdates.incrementAndGet();
    if (waiting > MAX_WAITING_UPDATES) {
      waitingUpdates.decrementAndGet();
      return Admission.REFUSED;
    }
    boolean pause = waiting >= PAUSE_READING_AT;
    if (pause) {
      // Before the post: the burst that takes the last waiting post then finds it.
      paused.add(resume);
    }
    posts.add(
        () -> {
          waitingUpdates.decrementAndGet();
          rib.update(peer, update);
        });
    return pause ? Admission.PAUSE : Admission.ADMITTED;
  }

  /// Runs a question on the loop.
  <T> CompletableFuture<T> ask(Function<Rib, T> question) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    posts.add(() -> answer.complete(question.apply(rib)));
    return answer;
  }

  /// Ends the thread after what was posted before.
  void stop() {
    posts.add(() -> running = false);
  }

  private void run() {
    List<Runnable> burst = new ArrayList<>(BURST);
    try {
      while (running) {
        burst.add(posts.take());
        posts.drainTo(burst, BURST - 1);
        for (Runnable post : burst) {
          post.run();
        }
        burst.clear();
        settle();
        if (waitingUpdates.get() < RESUME_READING_AT) {
          resumeReading();
        }
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error bug) {
      // A RIB that is wrong must not go on answering: the thread ends and its handler decides.
      BgpLog.loopDied("bgp-rib", bug);
      throw bug;
    }
  }

  private void resumeReading() {
    Runnable resume = paused.poll();
    while (resume != null) {
      resume.run();
      resume = paused.poll();
    }
  }

  private void settle() {
    Rib.Settlement settlement = rib.settle();
    List<FibChange> changes = new ArrayList<>();
    for (RibDelta delta : settlement.deltas()) {
      List<FibNextHop> before = nextHops(delta.before());
      List<FibNextHop> after = nextHops(delta.after());
      if (!before.equals(after)) {
        changes.add(
            after.isEmpty()
                ? new FibChange.Withdraw(delta.prefix())
                : new FibChange.Install(delta.prefix(), after));
      }
    }
    if (!changes.isEmpty()) {
      fib.onRoutes(new FibDelta(changes));
    }
    if (!settlement.complete().isEmpty()) {
      awaiting = rib.awaitingEndOfRib();
      for (IpFamily family : settlement.complete()) {
        BgpLog.readyToSweep(family);
        fib.onReadyToSweep(family);
      }
    }
    lines.forEach(
        (peer, line) -> {
          if (!line.busy) {
            rib.nextBatch(peer)
                .ifPresent(
                    batch -> {
                      line.busy = true;
                      if (!batch.tooLarge().isEmpty()) {
                        BgpLog.attributesTooLarge(peer, batch.tooLarge());
                      }
                      line.outlet.send(batch.updates());
                    });
          }
        });
  }

  private static List<FibNextHop> nextHops(@Nullable Decision decision) {
    if (decision == null) {
      return List.of();
    }
    return decision.multipath().stream()
        .map(path -> new FibNextHop(path.nextHop(), null))
        .distinct()
        .sorted()
        .toList();
  }
}
