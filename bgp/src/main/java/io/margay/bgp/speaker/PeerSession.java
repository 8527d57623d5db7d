package io.margay.bgp.speaker;

import io.margay.bgp.bfd.BfdParameters;
import io.margay.bgp.codec.CodecContext;
import io.margay.bgp.fsm.Collision;
import io.margay.bgp.fsm.EndReason;
import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.fsm.Negotiated;
import io.margay.bgp.fsm.Retention;
import io.margay.bgp.fsm.SessionConfig;
import io.margay.bgp.fsm.SessionEvent;
import io.margay.bgp.fsm.SessionState;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.RouteRefresh;
import io.margay.bgp.message.Update;
import io.margay.bgp.rib.FamilyCounts;
import io.margay.bgp.rib.PrefixLimit;
import io.margay.bgp.rib.RibSession;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One peer: its connections side by side, which of them stays, and what the RIB is told. Lives on
/// the loop of the sessions.
final class PeerSession {

  /// Connections of a peer that may wait for their OPEN at once.
  static final int MAX_INCOMING = 2;

  /// How long a peer that passed its prefix limit is left alone, in both directions.
  static final Duration PREFIX_LIMIT_PAUSE = Duration.ofSeconds(30);

  /// How long after a session came up another connection may still be from the time when both ends
  /// connected at once.
  private static final Duration COLLISION_WINDOW = Duration.ofSeconds(5);

  private final PeerHost host;
  private final ScopedAddress address;
  private final Backoff backoff;
  private final PeerHistory history;
  private final StaleRoutes stale;
  private final Deadline barred;
  private final Dialing dialing;
  private final MessageCounts sent = new MessageCounts();
  private final MessageCounts received = new MessageCounts();
  private final List<PeerConnection> incoming = new ArrayList<>();
  private final PrefixLimits limits = new PrefixLimits();
  private PeerConfig config;
  private @Nullable PeerConnection outgoing;
  private @Nullable PeerConnection established;
  private @Nullable RibSession told;
  private SessionPhase phase = SessionPhase.IDLE;
  private Instant since;
  private long sinceNanos;
  private @Nullable String resetProblem;
  private long upSinceNanos;
  private boolean stopped;
  private boolean leftAlone;

  PeerSession(PeerHost host, ScopedAddress address, PeerConfig config) {
    this.host = host;
    this.address = address;
    this.config = config;
    this.backoff = new Backoff(host.random());
    this.history = new PeerHistory(address, host.clock());
    this.stale = new StaleRoutes(address, host.clock(), host.rib(), this::quietened);
    this.dialing = new Dialing(host.network(), address);
    this.barred = new Deadline(host.clock(), this::resume);
    this.since = host.clock().instant();
    this.sinceNanos = host.clock().nanos();
  }

  ScopedAddress address() {
    return address;
  }

  PeerConfig config() {
    return config;
  }

  SessionClock clock() {
    return host.clock();
  }

  Backoff backoff() {
    return backoff;
  }

  PeerHistory history() {
    return history;
  }

  MessageCounts sent() {
    return sent;
  }

  MessageCounts received() {
    return received;
  }

  SessionPhase phase() {
    return phase;
  }

  /// The session as it is; null: none is up.
  ConfigDiff.@Nullable Session agreed() {
    PeerConnection up = established;
    if (up == null) {
      return null;
    }
    Wire wire = up.wire();
    return wire != null && up.state() instanceof SessionState.Established(Negotiated negotiated)
        ? new ConfigDiff.Session(negotiated, wire.endpoints())
        : null;
  }

  private void watch() {
    ConfigDiff.Session agreed = agreed();
    if (agreed != null) {
      host.watch(this, agreed);
    }
  }

  /// Begins to connect, or to wait for the peer.
  ///
  /// After a restart a peer with BFD is left alone for a detection time first. Its BFD session is
  /// still that of the earlier process: were this one faster than the peer's timer, the end of it
  /// would come upon the new BGP session, and a peer takes a second end within a restart for a
  /// failure and forgets our routes (RFC 4724 §4.2).
  void start() {
    BfdParameters bfd = config.bfd();
    if (bfd != null && host.isRestarting() && !leftAlone) {
      leftAlone = true;
      barred.start(bfd.interval().multipliedBy(bfd.multiplier()));
      setPhase();
      return;
    }
    setPhase();
    if (!config.connection().passive() && outgoing == null) {
      PeerConnection connection = new PeerConnection(this, true);
      outgoing = connection;
      connection.start();
    }
  }

  /// Ends everything for good.
  ///
  /// @param notification what the peer is told; absent: nothing, so that it may wait for us
  void stop(@Nullable Notification notification) {
    stopped = true;
    barred.stop();
    for (PeerConnection connection : connections()) {
      end(connection, notification);
    }
    stale.forget();
  }

  private static void end(PeerConnection connection, @Nullable Notification notification) {
    connection.stop(
        notification != null
                && connection.state() instanceof SessionState.Established(Negotiated negotiated)
            ? Retention.forGood(negotiated, notification)
            : notification);
  }

  /// Ends the session, and begins anew.
  ///
  /// @param keepRoutes whether both ends may keep routes meanwhile, as over a restart
  void reset(Notification notification, boolean keepRoutes) {
    for (PeerConnection connection : connections()) {
      if (connection.wire() != null) {
        if (keepRoutes) {
          connection.stop(notification);
        } else {
          end(connection, notification);
        }
      }
    }
  }

  /// Whether nothing of the peer is left: no connection, no routes kept for it.
  boolean isQuiet() {
    return incoming.isEmpty() && outgoing == null && !stale.isWaitingForPeer() && !barred.isArmed();
  }

  /// The peer connected. In back-off, too: it is never kept out, unless it passed its prefix limit.
  void accepted(Wire wire) {
    if (stopped
        || barred.isArmed()
        || incoming.size() >= MAX_INCOMING + (established == null ? 0 : 1)) {
      wire.drop();
      return;
    }
    wire.ttl(config.connection().ttl());
    PeerConnection connection = new PeerConnection(this, false);
    incoming.add(connection);
    connection.accepted(wire);
  }

  /// Takes a configuration that differs only in what needs no new session.
  void reconfigure(PeerConfig wanted) {
    PeerConfig before = config;
    config = wanted;
    for (PeerConnection connection : connections()) {
      Wire wire = connection.wire();
      if (wire != null) {
        wanted.connection().bring(wire, before.connection());
      }
    }
    PeerConnection up = established;
    if (up != null && up.state() instanceof SessionState.Established(Negotiated negotiated)) {
      RibSession session = ribSession(up, negotiated);
      if (!session.equals(told)) {
        told = session;
        host.rib().postSession(session);
      }
    }
    watch();
    if (barred.isArmed()
        && !Objects.equals(before.policy().maxPrefix(), wanted.policy().maxPrefix())) {
      barred.stop();
      resume();
    }
    if (before.connection().passive() != wanted.connection().passive()) {
      changeDirection();
    }
  }

  private void changeDirection() {
    PeerConnection ours = outgoing;
    if (!config.connection().passive()) {
      if (established == null) {
        start();
      }
    } else if (ours != null && !ours.equals(established)) {
      outgoing = null;
      ours.stop(null);
    }
    setPhase();
  }

  /// What is true now: the restarting bit of the OPEN changes once the restart is over.
  SessionConfig terms(boolean passive) {
    return Terms.of(host.speaker(), config, passive, host.isRestarting());
  }

  CodecContext codec(Negotiated negotiated) {
    return Terms.codec(negotiated);
  }

  Network.Attempt connect(Consumer<Wire> connected, Consumer<String> refused) {
    return dialing.begin(config.connection(), connected, refused);
  }

  List<PeerConnection> connections() {
    List<PeerConnection> all = new ArrayList<>(incoming);
    if (outgoing != null) {
      all.add(outgoing);
    }
    return all;
  }

  /// Decides between connections once the OPEN has arrived on one.
  void collide(PeerConnection arrived, SessionState.OpenConfirm confirm) {
    for (PeerConnection other : connections()) {
      if (other == arrived) {
        continue;
      }
      boolean fresh = host.clock().nanos() - upSinceNanos < COLLISION_WINDOW.toNanos();
      switch (Collision.judge(
          confirm, arrived.isOutgoing(), other.state(), other.isOutgoing(), fresh)) {
        case BOTH -> {}
        case ARRIVED -> other.handle(new SessionEvent.OpenCollisionDump());
        case ARRIVED_AFTER_RESTART -> other.breakOff("the peer opened a new session");
        case OTHER -> {
          arrived.handle(new SessionEvent.OpenCollisionDump());
          return;
        }
      }
    }
  }

  /// Whether another connection carries the session.
  boolean isUpBeside(PeerConnection connection) {
    return established != null && established != connection;
  }

  void up(PeerConnection connection, Negotiated negotiated) {
    established = connection;
    upSinceNanos = host.clock().nanos();
    history.up();
    limits.clear();
    backoff.succeeded();
    for (PeerConnection other : connections()) {
      if (other != connection
          && !Collision.mayStillWin(
              negotiated, connection.isOutgoing(), other.state(), other.isOutgoing())) {
        other.giveWay();
      }
    }
    setPhase();
    BgpLog.peerUp(address, config.description());
    stale.up(negotiated);
    RibSession session = ribSession(connection, negotiated);
    told = session;
    host.rib()
        .postPeerUp(
            session,
            codec(negotiated),
            new SessionOutlet(address, connection, connection.wire(), host));
    watch();
  }

  private RibSession ribSession(PeerConnection connection, Negotiated negotiated) {
    Wire wire = connection.wire();
    if (wire == null) {
      throw new IllegalStateException("an established session has a connection");
    }
    return Terms.rib(
        host.speaker(),
        config,
        negotiated,
        wire.endpoints(),
        host.network().link(wire.endpoints().local()));
  }

  void down(PeerConnection connection, Negotiated negotiated, EndReason reason) {
    if (established == connection) {
      established = null;
      told = null;
    }
    String text = describe(reason);
    history.down(text);
    BgpLog.peerDown(address, config.description(), text);
    host.rib().postPeerDown(address, stale.down(negotiated, reason));
    host.sessionDown(this);
    ended(connection);
    for (PeerConnection other : connections()) {
      if (other.succeed()) {
        return;
      }
    }
  }

  void attemptFailed(PeerConnection connection, EndReason reason) {
    if (!reason.isCollision() && !(reason instanceof EndReason.ClosedSilently)) {
      String text =
          reason instanceof EndReason.ConnectionLost(String cause)
              ? "No connection: " + cause + dialing.droppedMeanwhile()
              : describe(reason);
      if (history.attemptFailed(text)) {
        BgpLog.attemptFailed(address, text);
      }
    }
    ended(connection);
  }

  private String describe(EndReason reason) {
    String problem = resetProblem;
    resetProblem = null;
    return problem == null ? reason.describe() : reason.describe() + ": " + problem;
  }

  /// A connection that we opened and that lost a collision stays idle as long as another lives.
  private void ended(PeerConnection connection) {
    incoming.remove(connection);
    PeerConnection ours = outgoing;
    if (!stopped && !barred.isArmed() && incoming.isEmpty()) {
      if (ours == null) {
        if (!config.connection().passive()) {
          outgoing = new PeerConnection(this, true);
          outgoing.startAfter(backoff.failed());
        }
      } else if (config.connection().passive()
          && !(ours.state() instanceof SessionState.Established)) {
        ours.retire();
        outgoing = null;
      } else if (ours.state() instanceof SessionState.Idle && !ours.isBackingOff()) {
        ours.startAfter(backoff.failed());
      }
    }
    setPhase();
    if (isQuiet()) {
      host.quiet(this);
    }
  }

  /// The peer passed a prefix limit, or came near it.
  void limit(PrefixLimit crossed) {
    if (established != null && limits.crossed(crossed)) {
      barred.start(PREFIX_LIMIT_PAUSE);
      Notification full = limits.notice(crossed);
      for (PeerConnection connection : connections()) {
        end(connection, full);
      }
      stale.flush("the peer announced more prefixes than its limit");
    }
  }

  private void resume() {
    if (!stopped) {
      PeerConnection ours = outgoing;
      if (ours == null) {
        start();
      } else if (ours.state() instanceof SessionState.Idle) {
        ours.startAfter(Duration.ZERO);
      }
      if (isQuiet()) {
        host.quiet(this);
      }
    }
  }

  /// BFD found the path to the peer dead.
  ///
  /// @param flush whether routes kept for the peer would lead nowhere: its BFD does not share fate
  ///   with its control plane, so its forwarding is gone (RFC 5882 §4.3)
  void bfdDown(String diagnostic, boolean flush) {
    PeerConnection up = established;
    if (up == null || !(up.state() instanceof SessionState.Established(Negotiated negotiated))) {
      return;
    }
    resetProblem = diagnostic;
    Notification down = Notification.of(Notification.CEASE, Notification.CEASE_BFD_DOWN);
    if (flush || !negotiated.gracefulRestart()) {
      up.stop(Retention.forGood(negotiated, down));
    } else if (negotiated.notificationRestart()) {
      up.stop(down);
    } else {
      // A NOTIFICATION would end the peer's patience, too.
      up.breakOff("BFD down");
    }
  }

  /// The way to the peer is known to be gone, and what it forwarded with it: the session ends for
  /// good, and is set up again when the way is back.
  void pathDown(String cause) {
    PeerConnection up = established;
    if (up != null && up.state() instanceof SessionState.Established(Negotiated negotiated)) {
      resetProblem = cause;
      up.stop(
          Retention.forGood(negotiated, Notification.shutdown(Notification.CEASE_RESET, cause)));
    } else if (stale.isWaitingForPeer()) {
      // It went before the way to it did, and was expected back over it.
      stale.flush(cause);
      quietened();
    }
  }

  /// Nothing may be left to wait for.
  private void quietened() {
    if (isQuiet()) {
      host.quiet(this);
    }
  }

  void deliver(PeerConnection connection, List<Update> updates) {
    stale.heard(updates);
    BackPressure.Admission admission =
        host.rib()
            .postUpdates(address, updates, () -> host.clock().execute(connection::resumeReading));
    switch (admission) {
      case ADMITTED -> {}
      case PAUSE -> connection.pauseReading();
      case REFUSED ->
          connection.stop(Notification.of(Notification.CEASE, Notification.CEASE_OUT_OF_RESOURCES));
    }
  }

  void refresh(RouteRefresh refresh) {
    host.rib().postRefresh(address, refresh.family());
  }

  /// A message is about to end the session.
  void resets(String problem, String hex) {
    resetProblem = problem;
    history.reset(problem, hex);
  }

  void failed(Throwable bug) {
    host.failed(bug);
  }

  void phaseChanged(SessionPhase from, SessionPhase to) {
    BgpLog.transition(address, from, to);
    setPhase();
  }

  /// The peer's phase is that of its most advanced connection.
  private void setPhase() {
    SessionPhase furthest =
        config.connection().passive() && !stopped && !barred.isArmed()
            ? SessionPhase.ACTIVE
            : SessionPhase.IDLE;
    for (PeerConnection connection : connections()) {
      SessionPhase candidate = SessionPhase.of(connection.state());
      if (candidate.compareTo(furthest) > 0) {
        furthest = candidate;
      }
    }
    if (furthest != phase) {
      phase = furthest;
      since = host.clock().instant();
      sinceNanos = host.clock().nanos();
    }
  }

  /// The peer as this loop knows it.
  ///
  /// @param families the RIB's counters
  PeerStatus status(Map<IpFamily, FamilyCounts> families) {
    PeerConnection up = established;
    PeerStatus.Negotiation session = up == null ? null : PeerReport.negotiation(up);
    Asn expected = config.asn() instanceof ExpectedAs.Only(Asn only) ? only : null;
    Wire wire = up == null ? null : up.wire();
    return new PeerStatus(
        config,
        address,
        config.asn(),
        up != null && up.state() instanceof SessionState.Established(Negotiated negotiated)
            ? negotiated.peer().asn()
            : expected,
        Terms.localAsn(host.speaker(), config),
        phase,
        since,
        Duration.ofNanos(host.clock().nanos() - sinceNanos),
        session,
        PeerReport.families(families, limits),
        history.snapshot(),
        stale.snapshot(),
        received.snapshot(),
        sent.snapshot(),
        wire == null ? 0 : wire.unsentOctets(),
        host.bfd(address));
  }
}
