package io.margay.bgp.speaker;

import io.margay.bgp.bfd.BfdChange;
import io.margay.bgp.bfd.BfdPeer;
import io.margay.bgp.fsm.SessionState;
import io.margay.bgp.message.Notification;
import io.margay.bgp.rib.DecisionRules;
import io.margay.bgp.rib.FamilyCounts;
import io.margay.bgp.rib.RibSettings;
import io.margay.bgp.sim.VirtualTime;
import io.margay.bgp.transport.Dial;
import io.margay.bgp.transport.Endpoints;
import io.margay.bgp.transport.ExpectedPeer;
import io.margay.bgp.transport.Md5Drops;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/// One process of a whole speaker in a simulation: sessions, state machines, RIB, octets; only the
/// sockets and the threads are not real.
final class SimNode {

  /// Where nodes find each other.
  interface World {
    VirtualTime time();

    Random random();

    SimLink link(ScopedAddress one, ScopedAddress other);

    /// The process that listens there now; empty if there is none.
    Optional<SimNode> listening(ScopedAddress address);

    boolean hasPower(ScopedAddress address);

    void bug(SimNode where, Throwable bug);
  }

  private final World world;
  private final ScopedAddress address;
  private final PeerTable peers;
  private final RibLoop rib;
  private final RecordingFib fib = new RecordingFib();
  private final List<SimWire> wires = new ArrayList<>();
  private final Set<VirtualTime.Event> alarms = new HashSet<>();
  private Set<BfdPeer> watched = Set.of();
  private Map<ExpectedPeer, String> refusedPasswords = Map.of();
  private boolean alive = true;
  private boolean slow;
  private boolean turning;
  private long lastExecuteNanos;

  SimNode(World world, ScopedAddress address, SpeakerConfig config) {
    this.world = world;
    this.address = address;
    VirtualTime time = world.time();
    InstantSource instants = time::instant;
    this.rib =
        new RibLoop(
            Terms.policy(config),
            new RibSettings(
                new DecisionRules(true, 4),
                config.restart().restarting() && config.restart().enabled(),
                false,
                1),
            new RibEnvironment(
                fib,
                NextHopTracker.NONE,
                instants,
                limit -> clock.execute(() -> peers().prefixLimit(limit)),
                bug -> world.bug(this, bug)));
    this.peers =
        new PeerTable(
            config,
            clock,
            world.random(),
            network,
            rib,
            desired -> watched = desired,
            bug -> world.bug(this, bug));
    rib.start(this::wake);
    clock.schedule(config.restart().deferral(), rib::postEndDeferral);
  }

  private PeerTable peers() {
    return peers;
  }

  private final SessionClock clock =
      new SessionClock() {
        @Override
        public long nanos() {
          return world().time().nanos();
        }

        @Override
        public Instant instant() {
          return world().time().instant();
        }

        @Override
        public Alarm schedule(Duration after, Runnable task) {
          VirtualTime.Event[] mine = new VirtualTime.Event[1];
          mine[0] =
              world()
                  .time()
                  .after(
                      after,
                      () -> {
                        alarms.remove(mine[0]);
                        run(task);
                      });
          alarms.add(mine[0]);
          return () -> {
            alarms.remove(mine[0]);
            mine[0].cancel();
          };
        }

        @Override
        public void execute(Runnable task) {
          lastExecuteNanos = Math.max(lastExecuteNanos, world().time().nanos()) + 1;
          world().time().at(lastExecuteNanos, () -> run(task));
        }
      };

  private final Network network =
      new Network() {
        @Override
        public Attempt connect(Dial dial, Consumer<Wire> connected, Consumer<String> refused) {
          return SimNode.this.connect(dial, connected, refused);
        }

        @Override
        public Map<ExpectedPeer, String> expect(Collection<ExpectedPeer> expected) {
          return refusedPasswords;
        }

        @Override
        public Md5Drops md5Drops() {
          return new Md5Drops(0, 0, 0);
        }

        @Override
        public LocalLink link(ScopedAddress own) {
          return LocalLink.UNKNOWN;
        }
      };

  private World world() {
    return world;
  }

  SessionClock clock() {
    return clock;
  }

  RecordingFib fib() {
    return fib;
  }

  ScopedAddress address() {
    return address;
  }

  /// From now on it takes little at a time from its connections.
  void readSlowly() {
    slow = true;
  }

  boolean readsSlowly() {
    return slow;
  }

  boolean isAlive() {
    return alive;
  }

  boolean hasPower() {
    return world.hasPower(address);
  }

  private void run(Runnable task) {
    if (alive) {
      try {
        task.run();
      } catch (RuntimeException | Error bug) {
        world.bug(this, bug);
      }
    }
  }

  private void wake() {
    if (!turning && alive) {
      turning = true;
      world
          .time()
          .after(
              Duration.ofNanos(world.random().nextLong(1, 2_000_000)),
              () -> {
                turning = false;
                if (alive && rib.turn()) {
                  wake();
                }
              });
    }
  }

  private Network.Attempt connect(Dial dial, Consumer<Wire> connected, Consumer<String> refused) {
    boolean[] given = new boolean[1];
    SimLink link = world.link(address, dial.remote());
    VirtualTime time = world.time();
    // A lost SYN is repeated after 1 s and 3 s.
    long lost = world.random().nextInt(8) == 0 ? 1_000_000_000L : 0;
    VirtualTime.Event timeout =
        time.after(
            dial.timeout(),
            () -> {
              if (!given[0]) {
                given[0] = true;
                run(() -> refused.accept("no answer"));
              }
            });
    long synNanos = time.nanos() + lost + link.delayNanos();
    time.at(
        synNanos,
        () -> {
          if (given[0] || link.isCut() || !world.hasPower(dial.remote())) {
            return;
          }
          time.at(
              time.nanos() + link.delayNanos(),
              () -> {
                if (given[0] || link.isCut() || !alive) {
                  return;
                }
                given[0] = true;
                timeout.cancel();
                SimNode there = world.listening(dial.remote()).orElse(null);
                if (there == null) {
                  run(() -> refused.accept("connection refused"));
                } else {
                  join(there, link, connected);
                }
              });
        });
    return () -> {
      given[0] = true;
      timeout.cancel();
    };
  }

  private void join(SimNode there, SimLink link, Consumer<Wire> connected) {
    SimWire ours = new SimWire(this, link, new Endpoints(address, 40_000, there.address, 179));
    SimWire theirs = new SimWire(there, link, new Endpoints(there.address, 179, address, 40_000));
    SimWire.join(ours, theirs);
    wires.add(ours);
    there.wires.add(theirs);
    world
        .time()
        .at(
            world.time().nanos() + link.delayNanos(),
            () -> {
              if (there.alive) {
                there.run(() -> there.peers.accepted(theirs));
              } else {
                theirs.killed();
              }
            });
    run(() -> connected.accept(ours));
  }

  void configure(Collection<PeerConfig> wanted) {
    run(() -> peers.configure(PeerTable.byRemote(wanted)));
  }

  List<PeerChange> plan(Collection<PeerConfig> wanted) {
    return peers.plan(PeerTable.byRemote(wanted));
  }

  RibLoop rib() {
    return rib;
  }

  /// Somebody connects.
  void accept(Wire wire) {
    run(() -> peers.accepted(wire));
  }

  /// Passwords that the kernel will refuse.
  void refusePasswords(Map<ExpectedPeer, String> refused) {
    refusedPasswords = refused;
  }

  /// Paths BFD is asked to watch.
  Set<BfdPeer> watched() {
    return watched;
  }

  /// What BFD has found.
  void bfd(BfdPeer about, BfdChange change) {
    run(() -> peers.bfdChanged(about, change));
  }

  void pathDown(ScopedAddress peer, String cause) {
    run(() -> peers.pathDown(peer, cause));
  }

  /// The process ends without a chance to say anything.
  ///
  /// @param power whether the kernel lives on and closes its connections
  void die(boolean power) {
    alive = false;
    alarms.forEach(VirtualTime.Event::cancel);
    alarms.clear();
    if (power) {
      wires.stream().filter(wire -> !wire.isClosed()).forEach(SimWire::killed);
    }
  }

  /// A clean end.
  void close(CloseMode mode) {
    run(
        () ->
            peers.close(
                mode == CloseMode.SHUTDOWN
                    ? Notification.shutdown(Notification.CEASE_SHUTDOWN, "")
                    : null));
  }

  /// Connections of a peer that are Established at this end.
  List<Wire> established(ScopedAddress peer) {
    List<Wire> up = new ArrayList<>();
    for (PeerSession session : peers.sessions()) {
      if (session.address().equals(peer)) {
        for (PeerConnection connection : session.connections()) {
          Wire wire = connection.wire();
          if (wire != null && connection.state() instanceof SessionState.Established) {
            up.add(wire);
          }
        }
      }
    }
    return up;
  }

  Collection<PeerSession> sessions() {
    return peers.sessions();
  }

  boolean isRibIdle() {
    return !turning;
  }

  /// Only while the RIB is idle, so that asking changes nothing.
  Map<ScopedAddress, Map<IpFamily, FamilyCounts>> counts() {
    CompletableFuture<Map<ScopedAddress, Map<IpFamily, FamilyCounts>>> answer =
        rib.ask(table -> table.reader().counts());
    rib.turn();
    return answer.join();
  }

  int pendingAlarms() {
    return alarms.size();
  }

  List<SimWire> openWires() {
    return wires.stream().filter(wire -> !wire.isClosed()).toList();
  }
}
