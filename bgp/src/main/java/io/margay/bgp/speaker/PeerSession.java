package io.margay.bgp.speaker;

import io.margay.bgp.codec.AttributeError;
import io.margay.bgp.codec.CodecContext;
import io.margay.bgp.fsm.Collision;
import io.margay.bgp.fsm.EndReason;
import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.fsm.Negotiated;
import io.margay.bgp.fsm.SessionConfig;
import io.margay.bgp.fsm.SessionEvent;
import io.margay.bgp.fsm.SessionState;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Open;
import io.margay.bgp.message.RouteRefresh;
import io.margay.bgp.message.Update;
import io.margay.bgp.policy.ExportSession;
import io.margay.bgp.policy.PeerKind;
import io.margay.bgp.policy.RouteSource;
import io.margay.bgp.rib.RibSession;
import io.margay.bgp.transport.Dial;
import io.margay.bgp.transport.Endpoints;
import io.margay.bgp.transport.Transport;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// One configured peer: its connections side by side, which of them stays, and what the RIB is
/// told. Lives on `bgp-io`.
final class PeerSession {

  /// Connections of a peer that may wait for their OPEN at once.
  static final int MAX_INCOMING = 2;

  /// How long stale routes may wait for End-of-RIB once the peer is back.
  static final Duration STALE_TIME = Duration.ofMinutes(3);

  /// Messages collected before the RIB gets them.
  private static final int MAX_COLLECTED = 256;

  /// Least time between two log lines about malformed messages.
  private static final Duration MALFORMED_LOG_INTERVAL = Duration.ofSeconds(10);

  private final SpeakerConfig speaker;
  private final Transport transport;
  private final RibLoop rib;
  private final InstantSource clock;
  private final Backoff backoff;
  private final MessageCounts sent = new MessageCounts();
  private final MessageCounts received = new MessageCounts();
  private final List<PeerConnection> incoming = new ArrayList<>();
  private List<Update> collected = new ArrayList<>();
  private PeerConfig config;
  private @Nullable PeerConnection outgoing;
  private @Nullable PeerConnection established;
  private @Nullable Future<?> staleTimer;
  private SessionPhase phase = SessionPhase.IDLE;
  private Instant since;
  private @Nullable String lastError;
  private @Nullable String resetProblem;
  private Instant malformedLogged = Instant.MIN;
  private long timesEstablished;
  private boolean stopped;

  PeerSession(
      SpeakerConfig speaker,
      PeerConfig config,
      Transport transport,
      RibLoop rib,
      InstantSource clock,
      RandomGenerator random) {
    this.speaker = speaker;
    this.config = config;
    this.transport = transport;
    this.rib = rib;
    this.clock = clock;
    this.backoff = new Backoff(random);
    this.since = clock.instant();
  }

  PeerConfig config() {
    return config;
  }

  Backoff backoff() {
    return backoff;
  }

  MessageCounts sent() {
    return sent;
  }

  MessageCounts received() {
    return received;
  }

  private EventLoop loop() {
    return transport.loop();
  }

  void start() {
    if (config.connection().passive()) {
      setPhase();
      return;
    }
    PeerConnection connection = new PeerConnection(this, loop(), true);
    outgoing = connection;
    connection.handle(new SessionEvent.ManualStart());
  }

  /// Takes a configuration that differs only in what needs no new session.
  void reconfigure(PeerConfig changed) {
    config = changed;
  }

  /// Ends everything for good.
  void stop(@Nullable Notification notification) {
    stopped = true;
    cancelStaleTimer();
    for (PeerConnection connection : connections()) {
      connection.stop(notification);
    }
  }

  /// The peer connected. In back-off, too: it is never kept out.
  void accepted(Channel channel) {
    if (stopped || incoming.size() >= MAX_INCOMING + (established == null ? 0 : 1)) {
      channel.close();
      return;
    }
    PeerConnection connection = new PeerConnection(this, loop(), false);
    incoming.add(connection);
    connection.accepted(channel);
  }

  /// What is true now: the restarting bit of the OPEN changes once the restart is over.
  SessionConfig sessionConfig(boolean passive) {
    List<Capability> capabilities = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      if (config.families().contains(family)) {
        capabilities.add(new Capability.MultiProtocol(AfiSafi.unicast(family)));
      }
    }
    capabilities.add(new Capability.RouteRefreshing());
    if (offersGracefulRestart()) {
      // The kernel keeps our routes whatever happens to this process, so forwarding is always
      // preserved; restarting is true only until the restart is over.
      List<Capability.GracefulRestart.Kept> kept =
          config.families().stream()
              .sorted()
              .map(
                  family ->
                      new Capability.GracefulRestart.Kept(
                          AfiSafi.unicast(family), speaker.restart().forwardingKept()))
              .toList();
      boolean restarting = speaker.restart().restarting() && !rib.awaiting().isEmpty();
      capabilities.add(new Capability.GracefulRestart(restarting, speaker.restart().time(), kept));
    }
    capabilities.add(new Capability.FourOctetAs(speaker.asn()));
    return new SessionConfig(
        passive,
        peerAsn(),
        new Open(speaker.asn(), config.timers().holdTime(), speaker.routerId(), capabilities),
        config.timers().connectRetry());
  }

  private boolean offersGracefulRestart() {
    return speaker.restart().enabled() && config.gracefulRestart();
  }

  Future<Channel> connect() {
    return transport.connect(
        new Dial(
            ScopedAddress.of(peer()),
            config.connection().port(),
            config.connection().localAddress(),
            config.connection().ttl(),
            config.connection().password(),
            Dial.DEFAULT_TIMEOUT));
  }

  private IpAddress peer() {
    return switch (config.remote()) {
      case Remote.At(ScopedAddress address) -> address.address();
      case Remote.Within(Prefix range, int _) -> range.address();
    };
  }

  private Asn peerAsn() {
    return switch (config.asn()) {
      case ExpectedAs.Only(Asn asn) -> asn;
      case ExpectedAs.External(), ExpectedAs.Any() -> Asn.of(0);
    };
  }

  CodecContext codecContext(Negotiated negotiated) {
    Set<AfiSafi> families = new HashSet<>();
    for (IpFamily family : negotiated.families()) {
      families.add(AfiSafi.unicast(family));
    }
    return new CodecContext(negotiated.fourOctetAs(), isInternal(), families);
  }

  private boolean isInternal() {
    return peerAsn().equals(speaker.asn());
  }

  private List<PeerConnection> connections() {
    List<PeerConnection> all = new ArrayList<>(incoming);
    if (outgoing != null) {
      all.add(outgoing);
    }
    return all;
  }

  /// Decides between connections once the OPEN has arrived on `arrived` (RFC 4271 §6.8).
  void collide(PeerConnection arrived) {
    for (PeerConnection other : connections()) {
      if (other != arrived && !survivesBeside(arrived, other)) {
        return;
      }
    }
  }

  /// Whether `arrived` still stands.
  private boolean survivesBeside(PeerConnection arrived, PeerConnection other) {
    return switch (other.state()) {
      case SessionState.Idle _, SessionState.Connect _, SessionState.Active _ -> true;
      case SessionState.Established(Negotiated negotiated) -> {
        if (negotiated.gracefulRestart() && !arrived.isOutgoing()) {
          // RFC 4724 §5: a new connection from an established peer means that it restarted; the
          // old one ends as if it had broken.
          other.handle(new SessionEvent.TcpConnectionFails("the peer opened a new session"));
          yield true;
        }
        arrived.handle(new SessionEvent.OpenCollisionDump());
        yield false;
      }
      case SessionState.OpenConfirm _ -> {
        boolean arrivedStays = staysOver(arrived, other);
        (arrivedStays ? other : arrived).handle(new SessionEvent.OpenCollisionDump());
        yield arrivedStays;
      }
      case SessionState.OpenSent _ -> {
        // The other has no OPEN yet: it can lose now, but not win before it is proven alive.
        if (staysOver(arrived, other)) {
          other.handle(new SessionEvent.OpenCollisionDump());
        }
        yield true;
      }
    };
  }

  private static boolean staysOver(PeerConnection arrived, PeerConnection other) {
    if (arrived.isOutgoing() == other.isOutgoing()) {
      return true;
    }
    if (!(arrived.state() instanceof SessionState.OpenConfirm(Negotiated negotiated))) {
      return false;
    }
    return Collision.oursStays(arrived.open(), negotiated.peer()) == arrived.isOutgoing();
  }

  void up(PeerConnection connection, Negotiated negotiated) {
    established = connection;
    timesEstablished++;
    lastError = null;
    backoff.succeeded();
    for (PeerConnection other : connections()) {
      if (other != connection) {
        dump(other);
      }
    }
    setPhase();
    BgpLog.peerUp(peer(), config.description());
    if (staleTimer != null) {
      restartStaleTimer(STALE_TIME, "no End-of-RIB in time");
    }
    IpAddress local = localAddress(connection);
    Map<IpFamily, IpAddress> nextHops = new EnumMap<>(IpFamily.class);
    nextHops.putAll(speaker.nextHops());
    nextHops.put(local.family(), local);
    nextHops.putAll(config.nextHops());
    Set<IpFamily> kept = EnumSet.noneOf(IpFamily.class);
    boolean peerRestarting = false;
    Capability.GracefulRestart restart = negotiated.peerGracefulRestart().orElse(null);
    if (restart != null) {
      peerRestarting = restart.restarting();
      for (IpFamily family : IpFamily.values()) {
        restart
            .of(AfiSafi.unicast(family))
            .filter(Capability.GracefulRestart.Kept::forwarding)
            .ifPresent(_ -> kept.add(family));
      }
    }
    rib.postPeerUp(
        ribSession(negotiated, kept, peerRestarting, nextHops),
        codecContext(negotiated),
        new SessionOutlet(connection));
  }

  private RibSession ribSession(
      Negotiated negotiated,
      Set<IpFamily> kept,
      boolean peerRestarting,
      Map<IpFamily, IpAddress> own) {
    Map<IpFamily, NextHop> nextHops = new EnumMap<>(IpFamily.class);
    own.forEach((family, address) -> nextHops.put(family, NextHop.of(address)));
    RouteSource source =
        new RouteSource(
            address(), negotiated.peer().asn(), negotiated.peer().routerId(), peerKind());
    return new RibSession(
        source,
        new ExportSession(
            source.peer(),
            source.asn(),
            source.routerId(),
            source.kind(),
            negotiated.families(),
            nextHops,
            Set.of(),
            Set.of()),
        negotiated.families(),
        kept,
        peerRestarting,
        Set.of());
  }

  private PeerKind peerKind() {
    if (!isInternal()) {
      return PeerKind.EBGP;
    }
    return config.routeReflectorClient() ? PeerKind.CLIENT : PeerKind.IBGP;
  }

  private ScopedAddress address() {
    return ScopedAddress.of(peer());
  }

  /// Hands batches of the RIB over to the loop of the connection.
  private final class SessionOutlet implements Outlet {
    private final PeerConnection connection;

    SessionOutlet(PeerConnection connection) {
      this.connection = connection;
    }

    @Override
    public void send(ByteBuf messages, int count) {
      ScopedAddress peer = address();
      loop()
          .execute(
              () -> {
                if (established == connection) {
                  connection.send(messages, count, () -> rib.postWritten(peer, this));
                } else {
                  messages.release();
                }
              });
    }
  }

  private static IpAddress localAddress(PeerConnection connection) {
    Channel channel = connection.channel();
    if (channel == null) {
      throw new IllegalStateException("an established session has a connection");
    }
    return Endpoints.of(channel).local().address();
  }

  private static void dump(PeerConnection other) {
    switch (other.state()) {
      case SessionState.OpenSent _, SessionState.OpenConfirm _, SessionState.Established _ ->
          other.handle(new SessionEvent.OpenCollisionDump());
      case SessionState.Idle _, SessionState.Connect _, SessionState.Active _ -> other.stop(null);
    }
  }

  void down(PeerConnection connection, Negotiated negotiated, EndReason reason) {
    if (established == connection) {
      established = null;
    }
    lastError = describe(reason);
    BgpLog.peerDown(peer(), config.description(), lastError);
    Set<IpFamily> keep = keptOverRestart(negotiated, reason);
    flush(connection);
    rib.postPeerDown(address(), keep);
    if (keep.isEmpty()) {
      cancelStaleTimer();
    } else {
      restartStaleTimer(
          negotiated
              .peerGracefulRestart()
              .map(Capability.GracefulRestart::restartTime)
              .orElse(Duration.ZERO),
          "the peer did not come back");
    }
    ended(connection);
  }

  /// Routes are kept when the connection broke, not when somebody ended it (RFC 4724 §4.2, §5).
  private Set<IpFamily> keptOverRestart(Negotiated negotiated, EndReason reason) {
    Set<IpFamily> keep = EnumSet.noneOf(IpFamily.class);
    if (reason instanceof EndReason.ConnectionLost && !stopped && negotiated.gracefulRestart()) {
      negotiated
          .peerGracefulRestart()
          .ifPresent(
              restart -> {
                for (IpFamily family : negotiated.families()) {
                  restart.of(AfiSafi.unicast(family)).ifPresent(_ -> keep.add(family));
                }
              });
    }
    return keep;
  }

  private void restartStaleTimer(Duration after, String why) {
    cancelStaleTimer();
    staleTimer =
        loop()
            .schedule(
                () -> {
                  staleTimer = null;
                  rib.postDropStale(address(), why);
                },
                after.toMillis(),
                TimeUnit.MILLISECONDS);
  }

  private void cancelStaleTimer() {
    if (staleTimer != null) {
      staleTimer.cancel(false);
      staleTimer = null;
    }
  }

  void attemptFailed(PeerConnection connection, EndReason reason) {
    if (!(reason instanceof EndReason.ClosedSilently)) {
      String text =
          reason instanceof EndReason.ConnectionLost(String cause)
              ? "No connection: " + cause
              : describe(reason);
      if (!text.equals(lastError)) {
        BgpLog.attemptFailed(peer(), text);
      }
      lastError = text;
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
    if (ours != null
        && !stopped
        && incoming.isEmpty()
        && ours.state() instanceof SessionState.Idle
        && !ours.isBackingOff()) {
      ours.startAfter(backoff.failed());
    }
    setPhase();
  }

  void deliver(PeerConnection connection, Update update) {
    collected.add(update);
    if (collected.size() >= MAX_COLLECTED) {
      flush(connection);
    }
  }

  /// Hands over what was collected: at the end of each read, so that the RIB gets many messages at
  /// a time.
  void flush(PeerConnection connection) {
    if (collected.isEmpty()) {
      return;
    }
    List<Update> updates = collected;
    collected = new ArrayList<>();
    RibLoop.Admission admission =
        rib.postUpdates(address(), updates, () -> loop().execute(connection::resumeReading));
    switch (admission) {
      case ADMITTED -> {}
      case PAUSE -> connection.pauseReading();
      case REFUSED ->
          connection.stop(Notification.of(Notification.CEASE, Notification.CEASE_OUT_OF_RESOURCES));
    }
  }

  void refresh(PeerConnection connection, RouteRefresh refresh) {
    flush(connection);
    rib.postRefresh(address(), refresh.family());
  }

  void malformed(String outcome, List<AttributeError> errors) {
    Instant now = clock.instant();
    if (now.isAfter(malformedLogged.plus(MALFORMED_LOG_INTERVAL))) {
      malformedLogged = now;
      BgpLog.malformed(peer(), outcome, errors);
    }
  }

  /// A message is about to end the session.
  void resets(String problem) {
    resetProblem = problem;
  }

  void phaseChanged(PeerConnection connection, SessionPhase from, SessionPhase to) {
    BgpLog.transition(peer(), from, to);
    setPhase();
  }

  /// The peer's phase is that of its most advanced connection.
  private void setPhase() {
    SessionPhase furthest =
        config.connection().passive() && !stopped ? SessionPhase.ACTIVE : SessionPhase.IDLE;
    for (PeerConnection connection : connections()) {
      SessionPhase candidate = phase(connection.state());
      if (candidate.compareTo(furthest) > 0) {
        furthest = candidate;
      }
    }
    if (furthest != phase) {
      phase = furthest;
      since = clock.instant();
    }
  }

  static SessionPhase phase(SessionState state) {
    return switch (state) {
      case SessionState.Idle _ -> SessionPhase.IDLE;
      case SessionState.Connect _ -> SessionPhase.CONNECT;
      case SessionState.Active _ -> SessionPhase.ACTIVE;
      case SessionState.OpenSent _ -> SessionPhase.OPEN_SENT;
      case SessionState.OpenConfirm _ -> SessionPhase.OPEN_CONFIRM;
      case SessionState.Established _ -> SessionPhase.ESTABLISHED;
    };
  }

  /// The peer as this loop knows it; the RIB's counters are added by the caller.
  PeerStatus status(Map<IpFamily, PeerStatus.FamilyStatus> families) {
    return new PeerStatus(
        config.description(),
        peer(),
        peerAsn(),
        phase,
        since,
        negotiation(),
        families,
        lastError,
        received.snapshot(),
        sent.snapshot(),
        timesEstablished);
  }

  private PeerStatus.@Nullable Negotiation negotiation() {
    PeerConnection connection = established;
    if (connection == null
        || !(connection.state() instanceof SessionState.Established(Negotiated negotiated))) {
      return null;
    }
    return new PeerStatus.Negotiation(
        negotiated.peer().routerId(),
        localAddress(connection),
        negotiated.holdTime(),
        negotiated.keepalive(),
        negotiated.peer().capabilities().stream().map(Capability::toString).toList(),
        negotiated.gracefulRestart(),
        negotiated.peerGracefulRestart().map(Capability.GracefulRestart::restarting).orElse(false));
  }
}
