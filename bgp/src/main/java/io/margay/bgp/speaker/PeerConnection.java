package io.margay.bgp.speaker;

import io.margay.bgp.codec.CodecContext;
import io.margay.bgp.codec.DecodeOutcome;
import io.margay.bgp.codec.FrameDecoder;
import io.margay.bgp.codec.MessageEncoder;
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
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One connection, or one attempt at it: executes what {@link SessionFsm} says. Lives on `bgp-io`.
final class PeerConnection {

  /// How long a peer may take to read our NOTIFICATION before the connection is torn down: closing
  /// with unread input would make the kernel send RST, and the peer would never see why.
  private static final Duration LINGER = Duration.ofSeconds(1);

  /// More time for a peer whose octets we have not read yet: while reading is paused the hold timer
  /// says nothing about the peer.
  private static final Duration PAUSED_GRACE = Duration.ofSeconds(10);

  private final PeerSession session;
  private final EventLoop loop;
  private final boolean outgoing;
  private final Map<TimerKind, Deadline> timers = new EnumMap<>(TimerKind.class);
  private SessionConfig config;
  private SessionState state = new SessionState.Idle();
  private @Nullable Channel channel;
  private @Nullable Future<Channel> connecting;
  private @Nullable Future<?> backOff;
  private boolean notified;

  /// A timer that is moved far more often than it fires: its task looks again when it runs.
  private final class Deadline {
    private final TimerKind kind;
    private long atNanos;
    private boolean armed;
    private boolean scheduled;
    private long taskAtNanos;

    Deadline(TimerKind kind) {
      this.kind = kind;
    }

    void start(Duration duration) {
      armed = true;
      atNanos = System.nanoTime() + duration.toNanos();
      if (!scheduled || taskAtNanos - atNanos > 0) {
        schedule();
      }
    }

    void stop() {
      armed = false;
    }

    private void schedule() {
      scheduled = true;
      taskAtNanos = atNanos;
      long mine = taskAtNanos;
      loop.schedule(
          () -> look(mine), Math.max(0, atNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
    }

    private void look(long mine) {
      if (!scheduled || mine != taskAtNanos) {
        return;
      }
      scheduled = false;
      if (!armed) {
        return;
      }
      if (atNanos - System.nanoTime() > 0) {
        schedule();
        return;
      }
      armed = false;
      expired(kind);
    }
  }

  PeerConnection(PeerSession session, EventLoop loop, boolean outgoing) {
    this.session = session;
    this.loop = loop;
    this.outgoing = outgoing;
    this.config = session.sessionConfig(!outgoing);
    for (TimerKind kind : TimerKind.values()) {
      timers.put(kind, new Deadline(kind));
    }
  }

  SessionState state() {
    return state;
  }

  boolean isOutgoing() {
    return outgoing;
  }

  /// Whether it waits before it tries again by itself.
  boolean isBackingOff() {
    return backOff != null;
  }

  Open open() {
    return config.open();
  }

  @Nullable Channel channel() {
    return channel;
  }

  /// The peer connected.
  void accepted(Channel accepted) {
    attach(accepted);
    handle(new SessionEvent.ManualStart());
    handle(new SessionEvent.TcpConnectionConfirmed());
  }

  void stop(@Nullable Notification notification) {
    cancelBackOff();
    handle(new SessionEvent.ManualStop(notification));
  }

  void handle(SessionEvent event) {
    SessionState before = state;
    if (isBeforeOpen(before)) {
      config = session.sessionConfig(!outgoing);
    }
    Transition transition = SessionFsm.step(before, event, config);
    state = transition.next();
    if (before.getClass() != state.getClass()) {
      session.phaseChanged(this, PeerSession.phase(before), PeerSession.phase(state));
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
      case SessionAction.CloseConnection() -> close();
      case SessionAction.Send(Message message) -> send(message);
      case SessionAction.StartTimer(TimerKind kind, Duration duration) ->
          timer(kind).start(kind == TimerKind.HOLD ? duration : session.backoff().jitter(duration));
      case SessionAction.StopTimer(TimerKind kind) -> timer(kind).stop();
      case SessionAction.BackOff() -> startAfter(session.backoff().failed());
      case SessionAction.SessionUp(Negotiated negotiated) -> session.up(this, negotiated);
      case SessionAction.SessionDown(Negotiated negotiated, var reason) ->
          session.down(this, negotiated, reason);
      case SessionAction.AttemptFailed(var reason) -> session.attemptFailed(this, reason);
      case SessionAction.DeliverUpdate(Update update) -> session.deliver(this, update);
      case SessionAction.DeliverRefresh(RouteRefresh refresh) -> session.refresh(this, refresh);
    }
  }

  private Deadline timer(TimerKind kind) {
    Deadline deadline = timers.get(kind);
    if (deadline == null) {
      throw new IllegalStateException("no timer " + kind);
    }
    return deadline;
  }

  /// Starts when the pause is over, unless stopped before.
  void startAfter(Duration pause) {
    cancelBackOff();
    backOff =
        loop.schedule(
            () -> {
              backOff = null;
              handle(new SessionEvent.IdleHoldTimerExpires());
            },
            pause.toNanos(),
            TimeUnit.NANOSECONDS);
  }

  private void cancelBackOff() {
    if (backOff != null) {
      backOff.cancel(false);
      backOff = null;
    }
  }

  private void connect() {
    Future<Channel> attempt = session.connect();
    connecting = attempt;
    attempt.addListener(
        (Future<Channel> done) -> {
          if (!done.equals(connecting)) {
            if (done.isSuccess()) {
              done.getNow().close();
            }
            return;
          }
          connecting = null;
          if (done.isSuccess()) {
            attach(done.getNow());
            handle(new SessionEvent.TcpConnectionAcked());
          } else {
            handle(new SessionEvent.TcpConnectionFails(text(done.cause())));
          }
        });
  }

  private void attach(Channel attached) {
    channel = attached;
    notified = false;
    ChannelPipeline pipeline = attached.pipeline();
    pipeline.addLast(new FrameDecoder(), new MessageEncoder(), new Inbound());
  }

  private void close() {
    Future<Channel> attempt = connecting;
    connecting = null;
    if (attempt != null) {
      attempt.cancel(false);
    }
    Channel closing = channel;
    channel = null;
    if (closing == null) {
      return;
    }
    if (!notified || !(closing instanceof DuplexChannel duplex)) {
      closing.close();
      return;
    }
    closing.config().setAutoRead(true);
    duplex.shutdownOutput();
    loop.schedule(() -> closing.close(), LINGER.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void send(Message message) {
    Channel to = channel;
    if (to == null) {
      return;
    }
    session.sent().count(message);
    notified = message instanceof Notification;
    to.writeAndFlush(message);
  }

  /// Writes a batch of the RIB and calls back once it has left.
  void send(ByteBuf updates, int count, Runnable written) {
    Channel to = channel;
    if (to == null) {
      updates.release();
      return;
    }
    session.sent().countUpdates(count);
    to.writeAndFlush(updates)
        .addListener(
            done -> {
              if (done.isSuccess()) {
                written.run();
              }
            });
  }

  void pauseReading() {
    if (channel != null) {
      channel.config().setAutoRead(false);
    }
  }

  void resumeReading() {
    if (channel != null) {
      channel.config().setAutoRead(true);
    }
  }

  private void expired(TimerKind kind) {
    switch (kind) {
      case CONNECT_RETRY -> handle(new SessionEvent.ConnectRetryTimerExpires());
      case KEEPALIVE -> handle(new SessionEvent.KeepaliveTimerExpires());
      case HOLD -> {
        if (channel != null && !channel.config().isAutoRead()) {
          timer(TimerKind.HOLD).start(PAUSED_GRACE);
        } else {
          handle(new SessionEvent.HoldTimerExpires());
        }
      }
    }
  }

  private void received(DecodeOutcome outcome) {
    switch (outcome) {
      case DecodeOutcome.Accepted(Message message) -> {
        session.received().count(message);
        received(message);
      }
      case DecodeOutcome.AttributeDiscard(Update update, var errors, _) -> {
        session.malformed("attribute discard", errors);
        session.received().count(update);
        handle(new SessionEvent.UpdateMsg(update));
      }
      case DecodeOutcome.TreatAsWithdraw(Update withdrawal, var errors, _) -> {
        session.malformed("treat as withdraw", errors);
        session.received().count(withdrawal);
        handle(new SessionEvent.UpdateMsg(withdrawal));
      }
      case DecodeOutcome.SessionReset(Notification notification, String problem, _) -> {
        session.resets(problem);
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
        if (state instanceof SessionState.OpenConfirm(Negotiated negotiated)) {
          useNegotiated(negotiated);
          session.collide(this);
        }
      }
      case Update update -> handle(new SessionEvent.UpdateMsg(update));
      case Notification notification -> handle(new SessionEvent.NotifMsg(notification));
      case Keepalive _ -> handle(new SessionEvent.KeepAliveMsg());
      case RouteRefresh refresh -> handle(new SessionEvent.RouteRefreshMsg(refresh));
    }
  }

  private void useNegotiated(Negotiated negotiated) {
    Channel on = channel;
    if (on != null) {
      CodecContext context = session.codecContext(negotiated);
      on.pipeline().get(FrameDecoder.class).use(context);
      on.pipeline().get(MessageEncoder.class).use(context);
    }
  }

  private static String text(@Nullable Throwable cause) {
    if (cause == null) {
      return "closed by the peer";
    }
    String message = cause.getMessage();
    return message == null ? cause.getClass().getSimpleName() : message;
  }

  /// The end of the pipeline. What arrives after the connection was closed here is not looked at.
  private final class Inbound extends ChannelInboundHandlerAdapter {

    private @Nullable Throwable cause;

    @Override
    public void channelRead(ChannelHandlerContext context, Object outcome) {
      if (context.channel().equals(channel) && outcome instanceof DecodeOutcome decoded) {
        received(decoded);
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      if (context.channel().equals(channel)) {
        session.flush(PeerConnection.this);
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      if (context.channel().equals(channel)) {
        channel = null;
        handle(new SessionEvent.TcpConnectionFails(text(cause)));
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable thrown) {
      if (!(thrown instanceof IOException)) {
        BgpLog.handlerFailed(session.config().remote(), thrown);
      }
      cause = thrown;
      context.close();
    }
  }
}
