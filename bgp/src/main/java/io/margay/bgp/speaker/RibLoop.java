package io.margay.bgp.speaker;

import io.margay.bgp.codec.CodecContext;
import io.margay.bgp.codec.UpdateWriter;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.Update;
import io.margay.bgp.policy.SpeakerPolicy;
import io.margay.bgp.rib.ForwardingListener;
import io.margay.bgp.rib.Reachability;
import io.margay.bgp.rib.Rib;
import io.margay.bgp.rib.RibPeer;
import io.margay.bgp.rib.RibSession;
import io.margay.bgp.rib.RibSettings;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The `bgp-rib` loop, sole writer of the {@link Rib}. Others post.
///
/// Work is taken in turns: a bounded portion of what waits is applied, then everything touched is
/// decided once, the FIB is told, and each peer that can take more is written its next batch.
final class RibLoop {

  /// UPDATEs applied in a turn before what they touched is decided and told.
  static final int TURN_UPDATES = 1_024;

  /// Other posts applied in a turn.
  private static final int TURN_POSTS = 1_024;

  /// Batches handed to a connection that have not left.
  static final int MAX_BATCHES_UNDER_WAY = 2;

  /// First sizes of the buffers for a batch; they grow if need be.
  private static final int GROUP_OCTETS = 96;

  private static final int PREFIX_OCTETS = 6;

  /// Where a peer's messages go.
  private static final class Line {
    final ScopedAddress peer;
    final Outlet outlet;
    final UpdateWriter writer;
    int underWay;

    Line(ScopedAddress peer, Outlet outlet, UpdateWriter writer) {
      this.peer = peer;
      this.outlet = outlet;
      this.writer = writer;
    }
  }

  private final Rib rib;
  private final RibEnvironment environment;
  private final LinkedBlockingQueue<Runnable> posts = new LinkedBlockingQueue<>();
  private final BackPressure pressure = new BackPressure();
  private final Map<ScopedAddress, Line> lines = new LinkedHashMap<>();

  /// Sessions that agreed on the same share a writer: it serves this thread only.
  private final Map<CodecContext, UpdateWriter> writers = new HashMap<>();

  private volatile Set<IpFamily> awaiting;
  private Runnable wake = () -> {};
  private int appliedUpdates;
  private boolean running = true;

  /// Whether the FIB stays as it is, whatever is still decided.
  private boolean leaving;

  RibLoop(SpeakerPolicy speaker, RibSettings settings, RibEnvironment environment) {
    this.environment = environment;
    FibListener fib = environment.fib();
    ForwardingListener forwarding =
        fib.equals(FibListener.NONE)
            ? null
            : changes -> {
              if (!leaving) {
                fib.onRoutes(FibDelta.of(changes));
              }
            };
    this.rib = new Rib(speaker, settings, forwarding);
    this.awaiting = rib.awaitingEndOfRib();
  }

  /// Runs on a thread of its own, called `bgp-rib`.
  void start() {
    Thread.ofPlatform().name("bgp-rib").daemon().start(this::run);
  }

  /// Runs on no thread of its own: after `waker` was called, from any thread, somebody calls {@link
  /// #turn}.
  void start(Runnable waker) {
    wake = waker;
    if (!posts.isEmpty()) {
      waker.run();
    }
  }

  private void post(Runnable work) {
    posts.add(work);
    wake.run();
  }

  /// Families whose End-of-RIB is still awaited.
  Set<IpFamily> awaiting() {
    return awaiting;
  }

  /// The peers there should be; what changed takes effect without a session being reset.
  ///
  /// @param isOpen whether others may come
  void postConfigure(Map<ScopedAddress, RibPeer> peers, boolean isOpen) {
    post(() -> rib.configure(peers, isOpen));
  }

  void postSpeaker(SpeakerPolicy speaker) {
    post(() -> rib.speaker(speaker));
  }

  void postOriginate(Map<Prefix, PathAttributes> routes) {
    post(() -> rib.originate(routes));
  }

  /// From now on the FIB hears nothing: sessions end, and packets go on as they do.
  void postLeave() {
    post(() -> leaving = true);
  }

  void postNextHops(Map<IpAddress, Reachability> known) {
    post(() -> rib.resolve(known));
  }

  void postPeerUp(RibSession session, CodecContext codec, Outlet outlet) {
    post(
        () -> {
          rib.peerUp(session);
          UpdateWriter writer = writers.computeIfAbsent(codec, UpdateWriter::new);
          lines.put(session.peer(), new Line(session.peer(), outlet, writer));
        });
  }

  /// The session goes on under other terms: another kind of peer, other next hops.
  void postSession(RibSession session) {
    post(() -> rib.session(session));
  }

  void postPeerDown(ScopedAddress peer, Set<IpFamily> keep) {
    post(
        () -> {
          rib.peerDown(peer, keep);
          lines.remove(peer);
          if (lines.isEmpty()) {
            writers.clear();
          }
        });
  }

  /// @param why for the log
  void postDropStale(ScopedAddress peer, String why) {
    post(
        () -> {
          int dropped = rib.dropStale(peer);
          if (dropped > 0) {
            BgpLog.staleDropped(peer, dropped, why);
          }
        });
  }

  void postRefresh(ScopedAddress peer, AfiSafi family) {
    post(() -> rib.refresh(peer, family));
  }

  void postEndDeferral() {
    post(rib::endDeferral);
  }

  /// A batch of the outlet has left.
  void postWritten(ScopedAddress peer, Outlet outlet) {
    post(
        () -> {
          Line line = lines.get(peer);
          if (line != null && line.outlet.equals(outlet)) {
            line.underWay--;
          }
        });
  }

  /// @param updates in the order they came; handed over
  /// @param resume called once, on this loop, after an answer of {@link
  ///   BackPressure.Admission#PAUSE}
  BackPressure.Admission postUpdates(ScopedAddress peer, List<Update> updates, Runnable resume) {
    int count = updates.size();
    BackPressure.Admission admission = pressure.admit(peer, count, resume);
    if (admission != BackPressure.Admission.REFUSED) {
      post(
          () -> {
            pressure.taken(peer, count);
            appliedUpdates += count;
            rib.update(peer, updates);
          });
    }
    return admission;
  }

  /// Runs a question on the loop. One that fails ends with its exception, and nothing else does.
  <T> CompletableFuture<T> ask(Function<Rib, T> question) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    post(
        () -> {
          try {
            answer.complete(question.apply(rib));
          } catch (RuntimeException unanswerable) {
            answer.completeExceptionally(unanswerable);
          }
        });
    return answer;
  }

  /// Ends the loop after what was posted before.
  void stop() {
    post(() -> running = false);
  }

  private void run() {
    try {
      boolean more = false;
      while (running) {
        more = turn(more ? posts.poll() : posts.take());
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error bug) {
      fail(bug);
      throw bug;
    }
  }

  /// One turn, on the caller's thread.
  ///
  /// @return whether there is more to do already
  boolean turn() {
    try {
      return running && turn(posts.poll());
    } catch (RuntimeException | Error bug) {
      fail(bug);
      throw bug;
    }
  }

  /// A RIB that is wrong must not go on answering: the loop ends, and its owner decides.
  private void fail(Throwable bug) {
    running = false;
    BgpLog.loopDied("bgp-rib", bug);
    environment.failed().accept(bug);
  }

  private boolean turn(@Nullable Runnable first) {
    rib.time(environment.clock().instant().getEpochSecond());
    appliedUpdates = 0;
    int applied = 0;
    Runnable next = first;
    while (next != null) {
      next.run();
      applied++;
      next = applied < TURN_POSTS && appliedUpdates < TURN_UPDATES ? posts.poll() : null;
    }
    settle();
    boolean wrote = write();
    pressure.resumeReading();
    return wrote || !posts.isEmpty();
  }

  private void settle() {
    Rib.Settlement settlement = rib.settle();
    settlement.limits().forEach(environment.limits());
    settlement.nextHops().ifPresent(environment.nextHops()::track);
    if (!settlement.complete().isEmpty()) {
      awaiting = rib.awaitingEndOfRib();
      for (IpFamily family : settlement.complete()) {
        if (!leaving) {
          BgpLog.readyToSweep(family);
          environment.fib().onReadyToSweep(family);
        }
      }
    }
  }

  /// Writes a batch to each peer that can take one.
  private boolean write() {
    boolean wrote = false;
    for (Line line : lines.values()) {
      if (line.underWay < MAX_BATCHES_UNDER_WAY) {
        Rib.Batch batch = rib.nextBatch(line.peer).orElse(null);
        if (batch != null) {
          wrote = true;
          write(line, batch);
        }
      }
    }
    return wrote;
  }

  private void write(Line line, Rib.Batch batch) {
    ByteBuf messages = ByteBufAllocator.DEFAULT.directBuffer(firstOctets(batch));
    int count = 0;
    for (Rib.Group group : batch.groups()) {
      int written = line.writer.write(group.family(), group.route(), group.nlri(), messages);
      if (written == 0) {
        BgpLog.attributesTooLarge(line.peer, group.nlri());
        rib.untold(line.peer, group);
        written = line.writer.write(group.family(), null, group.nlri(), messages);
      }
      count += written;
    }
    for (IpFamily family : batch.endOfRib()) {
      line.writer.endOfRib(family, messages);
      count++;
    }
    line.underWay++;
    line.outlet.send(messages, count);
  }

  private static int firstOctets(Rib.Batch batch) {
    int octets = GROUP_OCTETS * (batch.groups().size() + 1);
    for (Rib.Group group : batch.groups()) {
      octets += group.nlri().size() * PREFIX_OCTETS;
    }
    return octets;
  }
}
