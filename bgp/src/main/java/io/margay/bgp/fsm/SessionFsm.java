package io.margay.bgp.fsm;

import io.margay.bgp.fsm.SessionAction.AttemptFailed;
import io.margay.bgp.fsm.SessionAction.BackOff;
import io.margay.bgp.fsm.SessionAction.CloseConnection;
import io.margay.bgp.fsm.SessionAction.DeliverRefresh;
import io.margay.bgp.fsm.SessionAction.DeliverUpdate;
import io.margay.bgp.fsm.SessionAction.DropConnection;
import io.margay.bgp.fsm.SessionAction.OpenConnection;
import io.margay.bgp.fsm.SessionAction.Send;
import io.margay.bgp.fsm.SessionAction.SessionDown;
import io.margay.bgp.fsm.SessionAction.SessionUp;
import io.margay.bgp.fsm.SessionAction.StartTimer;
import io.margay.bgp.fsm.SessionAction.StopTimer;
import io.margay.bgp.fsm.SessionEvent.BgpHeaderErr;
import io.margay.bgp.fsm.SessionEvent.BgpOpen;
import io.margay.bgp.fsm.SessionEvent.BgpOpenMsgErr;
import io.margay.bgp.fsm.SessionEvent.ConnectRetryTimerExpires;
import io.margay.bgp.fsm.SessionEvent.HoldTimerExpires;
import io.margay.bgp.fsm.SessionEvent.IdleHoldTimerExpires;
import io.margay.bgp.fsm.SessionEvent.KeepAliveMsg;
import io.margay.bgp.fsm.SessionEvent.KeepaliveTimerExpires;
import io.margay.bgp.fsm.SessionEvent.ManualStart;
import io.margay.bgp.fsm.SessionEvent.ManualStop;
import io.margay.bgp.fsm.SessionEvent.NotifMsg;
import io.margay.bgp.fsm.SessionEvent.OpenCollisionDump;
import io.margay.bgp.fsm.SessionEvent.RouteRefreshMsg;
import io.margay.bgp.fsm.SessionEvent.SendHoldTimerExpires;
import io.margay.bgp.fsm.SessionEvent.TcpConnectionAcked;
import io.margay.bgp.fsm.SessionEvent.TcpConnectionConfirmed;
import io.margay.bgp.fsm.SessionEvent.TcpConnectionFails;
import io.margay.bgp.fsm.SessionEvent.UpdateMsg;
import io.margay.bgp.fsm.SessionEvent.UpdateMsgErr;
import io.margay.bgp.fsm.SessionState.Active;
import io.margay.bgp.fsm.SessionState.Connect;
import io.margay.bgp.fsm.SessionState.Established;
import io.margay.bgp.fsm.SessionState.Idle;
import io.margay.bgp.fsm.SessionState.OpenConfirm;
import io.margay.bgp.fsm.SessionState.OpenSent;
import io.margay.bgp.message.Keepalive;
import io.margay.bgp.message.Notification;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The state machine of one connection (RFC 4271 §8.2.2): total, and without memory but the state.
///
/// It differs from the RFC's text in one place: a failed attempt does not stay in Connect or Idle
/// but goes to Active with the retry timer, as implementations do, so that the back-off of Idle is
/// left for peers that were reached and refused.
public final class SessionFsm {

  /// "A HoldTimer value of 4 minutes is suggested" while the peer's OPEN is awaited (§8.2.2).
  static final Duration OPEN_HOLD_TIME = Duration.ofMinutes(4);

  private static final int IN_OPEN_SENT = 1;
  private static final int IN_OPEN_CONFIRM = 2;
  private static final int IN_ESTABLISHED = 3;

  private SessionFsm() {}

  public static Transition step(SessionState state, SessionEvent event, SessionConfig config) {
    return switch (state) {
      case Idle idle -> idle(idle, event, config);
      case Connect connect -> connect(connect, event, config);
      case Active active -> active(active, event, config);
      case OpenSent sent -> openSent(sent, event, config);
      case OpenConfirm confirm -> openConfirm(confirm, event, config);
      case Established established -> established(established, event, config);
    };
  }

  private static Transition idle(Idle state, SessionEvent event, SessionConfig config) {
    return switch (event) {
      case ManualStart _, IdleHoldTimerExpires _ ->
          config.passive() ? to(new Active()) : connecting(config);
      case ManualStop _,
          ConnectRetryTimerExpires _,
          HoldTimerExpires _,
          KeepaliveTimerExpires _,
          TcpConnectionAcked _,
          TcpConnectionConfirmed _,
          TcpConnectionFails _,
          BgpOpen _,
          BgpHeaderErr _,
          BgpOpenMsgErr _,
          OpenCollisionDump _,
          NotifMsg _,
          KeepAliveMsg _,
          UpdateMsg _,
          UpdateMsgErr _,
          SendHoldTimerExpires _,
          RouteRefreshMsg _ ->
          to(state);
    };
  }

  private static Transition connecting(SessionConfig config) {
    return to(
        new Connect(),
        new StartTimer(TimerKind.CONNECT_RETRY, config.connectRetry()),
        new OpenConnection());
  }

  private static Transition connect(Connect state, SessionEvent event, SessionConfig config) {
    return switch (event) {
      case ManualStart _ -> to(state);
      case ManualStop(Notification notification) -> stopped(null, notification, false);
      case ConnectRetryTimerExpires _ ->
          to(
              state,
              new CloseConnection(),
              new AttemptFailed(new EndReason.ConnectionLost("connection attempt timed out")),
              new StartTimer(TimerKind.CONNECT_RETRY, config.connectRetry()),
              new OpenConnection());
      case TcpConnectionAcked _, TcpConnectionConfirmed _ -> opening(config);
      case TcpConnectionFails(String cause) ->
          to(
              new Active(),
              new AttemptFailed(new EndReason.ConnectionLost(cause)),
              new StartTimer(TimerKind.CONNECT_RETRY, config.connectRetry()));
      case HoldTimerExpires _,
          KeepaliveTimerExpires _,
          IdleHoldTimerExpires _,
          BgpOpen _,
          BgpHeaderErr _,
          BgpOpenMsgErr _,
          OpenCollisionDump _,
          NotifMsg _,
          KeepAliveMsg _,
          UpdateMsg _,
          UpdateMsgErr _,
          SendHoldTimerExpires _,
          RouteRefreshMsg _ ->
          failed(null, new EndReason.ConnectionLost("unexpected event"), null, config);
    };
  }

  private static Transition opening(SessionConfig config) {
    return to(
        new OpenSent(),
        new StopTimer(TimerKind.CONNECT_RETRY),
        new Send(config.open()),
        new StartTimer(TimerKind.HOLD, OPEN_HOLD_TIME));
  }

  private static Transition active(Active state, SessionEvent event, SessionConfig config) {
    return switch (event) {
      case ManualStart _ -> to(state);
      case ManualStop(Notification notification) -> stopped(null, notification, false);
      case ConnectRetryTimerExpires _ -> config.passive() ? to(state) : connecting(config);
      case TcpConnectionAcked _, TcpConnectionConfirmed _ -> opening(config);
      case TcpConnectionFails _ ->
          config.passive()
              ? to(state)
              : to(state, new StartTimer(TimerKind.CONNECT_RETRY, config.connectRetry()));
      case HoldTimerExpires _,
          KeepaliveTimerExpires _,
          IdleHoldTimerExpires _,
          BgpOpen _,
          BgpHeaderErr _,
          BgpOpenMsgErr _,
          OpenCollisionDump _,
          NotifMsg _,
          KeepAliveMsg _,
          UpdateMsg _,
          UpdateMsgErr _,
          SendHoldTimerExpires _,
          RouteRefreshMsg _ ->
          failed(null, new EndReason.ConnectionLost("unexpected event"), null, config);
    };
  }

  private static Transition openSent(OpenSent state, SessionEvent event, SessionConfig config) {
    return switch (event) {
      case ManualStart _, TcpConnectionAcked _, TcpConnectionConfirmed _ -> to(state);
      case ManualStop(Notification notification) -> stopped(null, notification, true);
      case HoldTimerExpires _ -> refused(null, holdExpired(), config);
      case TcpConnectionFails(String cause) ->
          failed(null, new EndReason.ConnectionLost(cause), null, config);
      case BgpOpen(var open) ->
          switch (Negotiated.check(open, config)) {
            case Negotiated.Verdict.Agreed(Negotiated negotiated) -> confirming(negotiated);
            case Negotiated.Verdict.Refused(Notification notification) ->
                refused(null, notification, config);
          };
      case BgpHeaderErr(Notification error) -> refused(null, error, config);
      case BgpOpenMsgErr(Notification error) -> refused(null, error, config);
      case OpenCollisionDump _ -> stopped(null, collision(), true);
      case NotifMsg(Notification notification) ->
          failed(null, new EndReason.NotificationReceived(notification), null, config);
      case UpdateMsgErr _,
          ConnectRetryTimerExpires _,
          KeepaliveTimerExpires _,
          IdleHoldTimerExpires _,
          KeepAliveMsg _,
          UpdateMsg _,
          SendHoldTimerExpires _,
          RouteRefreshMsg _ ->
          refused(null, unexpected(IN_OPEN_SENT), config);
    };
  }

  private static Transition confirming(Negotiated negotiated) {
    List<SessionAction> actions = new ArrayList<>();
    actions.add(new Send(new Keepalive()));
    if (negotiated.holdTime().isZero()) {
      actions.add(new StopTimer(TimerKind.HOLD));
    } else {
      actions.add(new StartTimer(TimerKind.KEEPALIVE, negotiated.timers().keepalive()));
      actions.add(new StartTimer(TimerKind.HOLD, negotiated.holdTime()));
    }
    if (!negotiated.timers().sendHold().isZero()) {
      actions.add(new StartTimer(TimerKind.SEND_HOLD, negotiated.timers().sendHold()));
    }
    return new Transition(new OpenConfirm(negotiated), actions);
  }

  private static Transition openConfirm(
      OpenConfirm state, SessionEvent event, SessionConfig config) {
    Negotiated negotiated = state.negotiated();
    return switch (event) {
      case ManualStart _, TcpConnectionAcked _, TcpConnectionConfirmed _ -> to(state);
      case ManualStop(Notification notification) -> stopped(null, notification, true);
      case HoldTimerExpires _ -> refused(null, holdExpired(), config);
      case SendHoldTimerExpires _ -> stalled(null, config);
      case KeepaliveTimerExpires _ -> keepAlive(state, negotiated);
      case TcpConnectionFails(String cause) ->
          failed(null, new EndReason.ConnectionLost(cause), null, config);
      case KeepAliveMsg _ -> {
        List<SessionAction> actions = new ArrayList<>(restartHold(negotiated));
        actions.add(new SessionUp(negotiated));
        yield new Transition(new Established(negotiated), actions);
      }
      case BgpHeaderErr(Notification error) -> refused(null, error, config);
      case BgpOpenMsgErr(Notification error) -> refused(null, error, config);
      case OpenCollisionDump _ -> stopped(null, collision(), true);
      case NotifMsg(Notification notification) ->
          failed(null, new EndReason.NotificationReceived(notification), null, config);
      case BgpOpen _,
          UpdateMsgErr _,
          ConnectRetryTimerExpires _,
          IdleHoldTimerExpires _,
          UpdateMsg _,
          RouteRefreshMsg _ ->
          refused(null, unexpected(IN_OPEN_CONFIRM), config);
    };
  }

  private static Transition established(
      Established state, SessionEvent event, SessionConfig config) {
    Negotiated negotiated = state.negotiated();
    return switch (event) {
      case ManualStart _, TcpConnectionAcked _, TcpConnectionConfirmed _ -> to(state);
      case ManualStop(Notification notification) -> stopped(negotiated, notification, true);
      case HoldTimerExpires _ -> refused(negotiated, holdExpired(), config);
      case SendHoldTimerExpires _ -> stalled(negotiated, config);
      case KeepaliveTimerExpires _ -> keepAlive(state, negotiated);
      case TcpConnectionFails(String cause) ->
          failed(negotiated, new EndReason.ConnectionLost(cause), null, config);
      case KeepAliveMsg _ -> new Transition(state, restartHold(negotiated));
      case UpdateMsg(var update) -> delivering(state, new DeliverUpdate(update));
      case RouteRefreshMsg(var refresh) -> delivering(state, new DeliverRefresh(refresh));
      case UpdateMsgErr(Notification error) -> refused(negotiated, error, config);
      case BgpHeaderErr(Notification error) -> refused(negotiated, error, config);
      case BgpOpenMsgErr(Notification error) -> refused(negotiated, error, config);
      case OpenCollisionDump _ -> stopped(negotiated, collision(), true);
      case NotifMsg(Notification notification) ->
          failed(negotiated, new EndReason.NotificationReceived(notification), null, config);
      case BgpOpen _, ConnectRetryTimerExpires _, IdleHoldTimerExpires _ ->
          refused(negotiated, unexpected(IN_ESTABLISHED), config);
    };
  }

  private static Transition keepAlive(SessionState state, Negotiated negotiated) {
    return to(
        state,
        new Send(new Keepalive()),
        new StartTimer(TimerKind.KEEPALIVE, negotiated.timers().keepalive()));
  }

  /// KEEPALIVE and UPDATE restart the hold timer, where there is one.
  private static Transition delivering(Established state, SessionAction delivery) {
    List<SessionAction> actions = new ArrayList<>(restartHold(state.negotiated()));
    actions.add(delivery);
    return new Transition(state, actions);
  }

  private static List<SessionAction> restartHold(Negotiated negotiated) {
    return negotiated.holdTime().isZero()
        ? List.of()
        : List.of(new StartTimer(TimerKind.HOLD, negotiated.holdTime()));
  }

  private static Notification holdExpired() {
    return Notification.of(Notification.HOLD_TIMER_EXPIRED, 0);
  }

  private static Notification collision() {
    return Notification.of(Notification.CEASE, Notification.CEASE_COLLISION);
  }

  /// The subcodes of RFC 6608 name the state.
  private static Notification unexpected(int subcode) {
    return Notification.of(Notification.STATE_MACHINE, subcode);
  }

  /// Ends on our own decision: Idle, until somebody starts it again.
  private static Transition stopped(
      @Nullable Negotiated up, @Nullable Notification notification, boolean connected) {
    EndReason reason =
        notification == null
            ? new EndReason.ClosedSilently()
            : new EndReason.NotificationSent(notification);
    List<SessionAction> actions = new ArrayList<>();
    if (connected && notification != null) {
      actions.add(new Send(notification));
    }
    end(up, reason, actions);
    return new Transition(new Idle(), actions);
  }

  private static Transition refused(
      @Nullable Negotiated up, Notification notification, SessionConfig config) {
    return failed(up, new EndReason.NotificationSent(notification), notification, config);
  }

  /// RFC 9687 §4.2: the NOTIFICATION most likely never leaves, so nothing waits for it.
  private static Transition stalled(@Nullable Negotiated up, SessionConfig config) {
    Notification expired = Notification.of(Notification.SEND_HOLD_TIMER_EXPIRED, 0);
    Transition ended = refused(up, expired, config);
    List<SessionAction> actions = new ArrayList<>(ended.actions());
    actions.replaceAll(action -> action instanceof CloseConnection ? new DropConnection() : action);
    return new Transition(ended.next(), actions);
  }

  /// Ends on an error. A passive connection waits for the peer at once, so that a back-off never
  /// keeps the peer out.
  private static Transition failed(
      @Nullable Negotiated up,
      EndReason reason,
      @Nullable Notification notification,
      SessionConfig config) {
    List<SessionAction> actions = new ArrayList<>();
    if (notification != null) {
      actions.add(new Send(notification));
    }
    if (!config.passive()) {
      actions.add(new BackOff());
    }
    end(up, reason, actions);
    return new Transition(config.passive() ? new Active() : new Idle(), actions);
  }

  private static void end(@Nullable Negotiated up, EndReason reason, List<SessionAction> actions) {
    for (TimerKind kind : TimerKind.values()) {
      actions.add(new StopTimer(kind));
    }
    actions.add(new CloseConnection());
    actions.add(up == null ? new AttemptFailed(reason) : new SessionDown(up, reason));
  }

  private static Transition to(SessionState next, SessionAction... actions) {
    return new Transition(next, List.of(actions));
  }
}
