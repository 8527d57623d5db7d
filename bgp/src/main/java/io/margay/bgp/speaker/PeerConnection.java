package io.margay.bgp.speaker;

import io.margay.bgp.codec.DecodeOutcome;
import io.margay.bgp.fsm.Negotiated;
import io.margay.bgp.fsm.SessionAction;
import io.margay.bgp.fsm.SessionConfig;
import io.margay.bgp.fsm.SessionEvent;
import io.margay.bgp.fsm.SessionFsm;
import io.margay.bgp.fsm.SessionState;
import io.margay.bgp.fsm.TimerKind;
import io.margay.bgp.fsm.Transition;
import io.margay.bgp.message.Keepalive;
import io.margay.bgp.message.Message;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Open;
import io.margay.bgp.message.RouteRefresh;
import io.margay.bgp.message.Update;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One connection, or one attempt at it: executes what {@link SessionFsm} says. Lives on the loop
/// of the sessions.
final class PeerConnection implements Wire.Receiver {

  /// More time for a peer whose octets we have not read yet: while reading is paused the hold timer
  /// says nothing about the peer.
  static final Duration PAUSED_GRACE = Duration.ofSeconds(10);

  /// After a stall of our own the hold timer may run before the socket is read: what waits there
  /// gets this chance to be seen.
  static final Duration SECOND_LOOK = Duration.ofMillis(100);

  /// How long a connection that could come up beside its session waits for the peer to end the one
  /// or the other: longer than a lost segment takes to be sent again.
  static final Duration COLLISION_SETTLES = Duration.ofSeconds(2);

  /// UPDATEs handed to the RIB at a time.
  private static final int BATCH_UPDATES = 512;

  private final PeerSession session;
  private final boolean outgoing;
  private final Deadline connectRetry;
  private final Deadline hold;
  private final Deadline keepalive;
  private final Deadline backOff;
  private final Deadline settling;
  private final Nudge nudge;
  private SessionConfig config;
  private SessionState state = new SessionState.Idle();
  private @Nullable Wire wire;
  private Network.@Nullable Attempt attempt;
  private @Nullable SendHold sendHold;
  private List<Update> updates = new ArrayList<>();
  private boolean heard;
  private boolean lookedAgain;

  PeerConnection(PeerSession session, boolean outgoing) {
    this.session = session;
    this.outgoing = outgoing;
    this.config = session.terms(!outgoing);
    SessionClock clock = session.clock();
    this.connectRetry =
        new Deadline(clock, () -> handle(new SessionEvent.ConnectRetryTimerExpires()));
    this.hold = new Deadline(clock, this::holdExpired);
    this.keepalive = new Deadline(clock, () -> handle(new SessionEvent.KeepaliveTimerExpires()));
    this.settling = new Deadline(clock, () -> handle(new SessionEvent.OpenCollisionDump()));
    this.backOff = new Deadline(clock, () -> handle(new SessionEvent.IdleHoldTimerExpires()));
    this.nudge =
        new Nudge(clock, this::isReading, () -> handle(new SessionEvent.KeepaliveTimerExpires()));
  }

  private boolean isReading() {
    return wire != null && wire.isReading();
  }

  SessionState state() {
    return state;
  }

  boolean isOutgoing() {
    return outgoing;
  }

  /// Whether it waits before it tries again by itself.
  boolean isBackingOff() {
    return backOff.isArmed();
  }

  @Nullable Wire wire() {
    return wire;
  }

  Open open() {
    return config.open();
  }

  Duration holdLeft() {
    return hold.left();
  }

  Duration keepaliveLeft() {
    return keepalive.left();
  }

  /// The peer connected.
  void accepted(Wire accepted) {
    attach(accepted);
    handle(new SessionEvent.ManualStart());
    handle(new SessionEvent.TcpConnectionConfirmed());
  }

  void start() {
    handle(new SessionEvent.ManualStart());
  }

  /// Starts when the pause is over, unless stopped before.
  void startAfter(Duration pause) {
    backOff.start(pause);
  }

  /// @param notification what to tell the peer; absent: nothing
  void stop(@Nullable Notification notification) {
    backOff.stop();
    handle(new SessionEvent.ManualStop(notification));
  }

  /// Ends as if the connection had broken.
  void breakOff(String cause) {
    handle(new SessionEvent.TcpConnectionFails(cause));
  }

  /// The session beside it has ended: what the peer has confirmed here counts now.
  ///
  /// @return whether it is Established
  boolean succeed() {
    boolean confirmed = settling.isArmed();
    if (confirmed) {
      settling.stop();
      handle(new SessionEvent.KeepAliveMsg());
    }
    return confirmed;
  }

  /// Another connection of the peer carries the session.
  void giveWay() {
    switch (state) {
      case SessionState.OpenSent _, SessionState.OpenConfirm _, SessionState.Established _ ->
          handle(new SessionEvent.OpenCollisionDump());
      case SessionState.Idle _, SessionState.Connect _, SessionState.Active _ ->
          stop((Notification) null);
    }
  }

  /// Nobody starts it again.
  void retire() {
    backOff.stop();
  }

  void handle(SessionEvent event) {
    flush();
    SessionState before = state;
    if (isBeforeOpen(before)) {
      config = session.terms(!outgoing);
    }
    Transition transition = SessionFsm.step(before, event, config);
    state = transition.next();
    if (before.getClass() != state.getClass()) {
      session.phaseChanged(SessionPhase.of(before), SessionPhase.of(state));
    }
    for (SessionAction action : transition.actions()) {
      execute(action);
    }
  }

  private static boolean isBeforeOpen(SessionState state) {
    return switch (state) {
      case SessionState.Idle _, SessionState.Connect _, SessionState.Active _ -> true;
      case SessionState.OpenSent _, SessionState.OpenConfirm _, SessionState.Established _ -> false;
    };
  }

  private void execute(SessionAction action) {
    switch (action) {
      case SessionAction.OpenConnection() -> connect();
      case SessionAction.CloseConnection() -> close(false);
      case SessionAction.DropConnection() -> close(true);
      case SessionAction.Send(Message message) -> send(message);
      case SessionAction.StartTimer(TimerKind kind, Duration duration) -> start(kind, duration);
      case SessionAction.StopTimer(TimerKind kind) -> stop(kind);
      case SessionAction.BackOff() -> startAfter(session.backoff().failed());
      case SessionAction.SessionUp(Negotiated negotiated) -> session.up(this, negotiated);
      case SessionAction.SessionDown(Negotiated negotiated, var reason) ->
          session.down(this, negotiated, reason);
      case SessionAction.AttemptFailed(var reason) -> session.attemptFailed(this, reason);
      case SessionAction.DeliverUpdate(Update update) -> updates.add(update);
      case SessionAction.DeliverRefresh(RouteRefresh refresh) -> session.refresh(refresh);
    }
  }

  private void start(TimerKind kind, Duration duration) {
    switch (kind) {
      case CONNECT_RETRY -> connectRetry.start(session.backoff().jitter(duration));
      case KEEPALIVE -> keepalive.start(session.backoff().jitter(duration));
      case HOLD -> {
        lookedAgain = false;
        hold.start(duration);
      }
      case SEND_HOLD -> {
        Wire watched = wire;
        if (watched != null) {
          sendHold =
              new SendHold(
                  session.clock(),
                  watched,
                  duration,
                  () -> handle(new SessionEvent.SendHoldTimerExpires()));
        }
      }
    }
  }

  private void stop(TimerKind kind) {
    switch (kind) {
      case CONNECT_RETRY -> connectRetry.stop();
      case KEEPALIVE -> keepalive.stop();
      case HOLD -> hold.stop();
      case SEND_HOLD -> {
        if (sendHold != null) {
          sendHold.stop();
          sendHold = null;
        }
      }
    }
  }

  private void holdExpired() {
    Wire on = wire;
    if (on != null && !on.isReading()) {
      hold.start(PAUSED_GRACE);
    } else if (!lookedAgain) {
      lookedAgain = true;
      hold.start(SECOND_LOOK);
    } else {
      handle(new SessionEvent.HoldTimerExpires());
    }
  }

  private void connect() {
    Attempt mine = new Attempt();
    attempt = mine;
    mine.begin();
  }

  /// An attempt that was given up may still be answered; the answer is then thrown away.
  private final class Attempt implements Network.Attempt {
    private Network.@Nullable Attempt under;

    void begin() {
      under = session.connect(this::connected, this::refused);
    }

    private void connected(Wire made) {
      if (attempt != this) {
        made.drop();
        return;
      }
      attempt = null;
      attach(made);
      handle(new SessionEvent.TcpConnectionAcked());
    }

    private void refused(String cause) {
      if (attempt == this) {
        attempt = null;
        handle(new SessionEvent.TcpConnectionFails(cause));
      }
    }

    @Override
    public void cancel() {
      if (under != null) {
        under.cancel();
      }
    }
  }

  private void attach(Wire attached) {
    wire = attached;
    attached.open(this);
  }

  private void close(boolean atOnce) {
    settling.stop();
    nudge.stop();
    Network.Attempt given = attempt;
    attempt = null;
    if (given != null) {
      given.cancel();
    }
    Wire closing = wire;
    wire = null;
    if (closing != null) {
      if (atOnce) {
        closing.drop();
      } else {
        closing.finish();
      }
    }
  }

  private void send(Message message) {
    Wire to = wire;
    if (to != null) {
      session.sent().count(message);
      if (message instanceof Keepalive) {
        nudge.keptAlive();
      }
      to.send(message);
    }
  }

  /// Writes a batch of UPDATEs and calls back once it has left.
  void send(ByteBuf messages, int count, Runnable written) {
    Wire to = wire;
    if (to == null) {
      messages.release();
      return;
    }
    session.sent().countUpdates(count);
    to.send(messages, written);
  }

  void pauseReading() {
    if (wire != null) {
      wire.pauseReading();
    }
  }

  void resumeReading() {
    if (wire != null) {
      wire.resumeReading();
    }
  }

  @Override
  public void received(DecodeOutcome outcome) {
    switch (outcome) {
      case DecodeOutcome.Accepted(Message message) -> {
        session.received().count(message);
        received(message);
      }
      case DecodeOutcome.AttributeDiscard discard -> {
        session.history().attributesDiscarded(discard.errors(), discard.hex());
        session.received().count(discard.update());
        received(discard.update());
      }
      case DecodeOutcome.TreatAsWithdraw withdraw -> {
        session.history().treatedAsWithdraw(withdraw.errors(), withdraw.hex());
        session.received().count(withdraw.withdrawal());
        received(withdraw.withdrawal());
      }
      case DecodeOutcome.SessionReset reset -> {
        session.resets(reset.problem(), reset.hex());
        Notification notification = reset.notification();
        handle(
            switch (notification.code()) {
              case Notification.MESSAGE_HEADER -> new SessionEvent.BgpHeaderErr(notification);
              case Notification.OPEN_MESSAGE -> new SessionEvent.BgpOpenMsgErr(notification);
              default -> new SessionEvent.UpdateMsgErr(notification);
            });
      }
    }
  }

  private void received(Message message) {
    switch (message) {
      case Open open -> {
        handle(new SessionEvent.BgpOpen(open));
        if (state instanceof SessionState.OpenConfirm confirm && wire != null) {
          wire.use(session.codec(confirm.negotiated()));
          session.collide(this, confirm);
        }
      }
      case Update update -> received(update);
      case Notification notification -> handle(new SessionEvent.NotifMsg(notification));
      case Keepalive _ -> {
        if (state instanceof SessionState.OpenConfirm && session.isUpBeside(this)) {
          if (!settling.isArmed()) {
            settling.start(COLLISION_SETTLES);
          }
        } else {
          handle(new SessionEvent.KeepAliveMsg());
        }
      }
      case RouteRefresh refresh -> handle(new SessionEvent.RouteRefreshMsg(refresh));
    }
  }

  /// What the state machine says to an UPDATE in Established, without asking it for each of
  /// hundreds of thousands: it is handed over, and the hold timer restarts (RFC 4271 §8.2.2, event
  /// 27).
  private void received(Update update) {
    if (!(state instanceof SessionState.Established)) {
      handle(new SessionEvent.UpdateMsg(update));
      return;
    }
    heard = true;
    updates.add(update);
    if (updates.size() >= BATCH_UPDATES) {
      flush();
    }
  }

  @Override
  public void readComplete() {
    flush();
  }

  /// Hands over what was received, before anything else of this connection is.
  private void flush() {
    if (heard
        && state instanceof SessionState.Established(Negotiated negotiated)
        && !negotiated.holdTime().isZero()) {
      start(TimerKind.HOLD, negotiated.holdTime());
      nudge.heard(updates.size());
    }
    heard = false;
    if (!updates.isEmpty()) {
      List<Update> batch = updates;
      updates = new ArrayList<>();
      session.deliver(this, batch);
    }
  }

  @Override
  public void lost(String cause) {
    wire = null;
    nudge.stop();
    handle(new SessionEvent.TcpConnectionFails(cause));
  }

  @Override
  public void failed(Throwable bug) {
    session.failed(bug);
  }
}
