package io.margay.bgp.fsm;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Message;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Open;
import io.margay.bgp.message.RouteRefresh;
import io.margay.bgp.message.Update;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class SessionFsmTest {

  private static final Open OURS = open(65001, "10.0.0.1", 90);
  private static final Open THEIRS = open(65002, "10.0.0.2", 9);
  private static final SessionConfig ACTIVE = config(false);
  private static final SessionConfig PASSIVE = config(true);
  private static final Negotiated AGREED =
      new Negotiated(
          OURS,
          THEIRS,
          new Negotiated.Timing(
              Duration.ofSeconds(9), Duration.ofSeconds(3), Duration.ofSeconds(18)),
          Set.of(IpFamily.IPV4),
          Set.of(),
          Set.of(),
          Set.of());
  private static final Notification SHUTDOWN =
      Notification.of(Notification.CEASE, Notification.CEASE_SHUTDOWN);

  /// Each cell: the next state, and after "!" what is sent, for a connection that we open. The
  /// events in the order of their RFC numbers, then RFC 2918's.
  private static final String MATRIX =
      """
      event                      Idle     Connect           Active            OpenSent              OpenConfirm            Established
      ManualStart                Connect  Connect           Active            OpenSent              OpenConfirm            Established
      ManualStop                 Idle     Idle              Idle              Idle!6/2              Idle!6/2               Idle!6/2
      ConnectRetryTimerExpires   Idle     Connect           Connect           Idle!5/1              Idle!5/2               Idle!5/3
      HoldTimerExpires           Idle     Idle              Idle              Idle!4/0              Idle!4/0               Idle!4/0
      KeepaliveTimerExpires      Idle     Idle              Idle              Idle!5/1              OpenConfirm!keepalive  Established!keepalive
      IdleHoldTimerExpires       Connect  Idle              Idle              Idle!5/1              Idle!5/2               Idle!5/3
      TcpConnectionAcked         Idle     OpenSent!open     OpenSent!open     OpenSent              OpenConfirm            Established
      TcpConnectionConfirmed     Idle     OpenSent!open     OpenSent!open     OpenSent              OpenConfirm            Established
      TcpConnectionFails         Idle     Active            Active            Idle                  Idle                   Idle
      BgpOpen                    Idle     Idle              Idle              OpenConfirm!keepalive Idle!5/2               Idle!5/3
      BgpHeaderErr               Idle     Idle              Idle              Idle!1/1              Idle!1/1               Idle!1/1
      BgpOpenMsgErr              Idle     Idle              Idle              Idle!2/4              Idle!2/4               Idle!2/4
      OpenCollisionDump          Idle     Idle              Idle              Idle!6/7              Idle!6/7               Idle!6/7
      NotifMsg                   Idle     Idle              Idle              Idle                  Idle                   Idle
      KeepAliveMsg               Idle     Idle              Idle              Idle!5/1              Established            Established
      UpdateMsg                  Idle     Idle              Idle              Idle!5/1              Idle!5/2               Established
      UpdateMsgErr               Idle     Idle              Idle              Idle!5/1              Idle!5/2               Idle!3/1
      SendHoldTimerExpires       Idle     Idle              Idle              Idle!5/1              Idle!8/0               Idle!8/0
      RouteRefreshMsg            Idle     Idle              Idle              Idle!5/1              Idle!5/2               Established
      """;

  private static Open open(int asn, String id, int holdSeconds) {
    return new Open(
        new Asn(asn),
        Duration.ofSeconds(holdSeconds),
        RouterId.parse(id),
        List.of(
            new Capability.MultiProtocol(AfiSafi.IPV4_UNICAST),
            new Capability.FourOctetAs(new Asn(asn))));
  }

  private static SessionConfig config(boolean passive) {
    return config(passive, ExpectedAs.only(new Asn(65002)));
  }

  private static SessionConfig config(boolean passive, ExpectedAs expected) {
    return new SessionConfig(passive, expected, OURS, Duration.ofSeconds(5), null, null);
  }

  private static final List<SessionState> STATES =
      List.of(
          new SessionState.Idle(),
          new SessionState.Connect(),
          new SessionState.Active(),
          new SessionState.OpenSent(),
          new SessionState.OpenConfirm(AGREED),
          new SessionState.Established(AGREED));

  private static final List<SessionEvent> EVENTS =
      List.of(
          new SessionEvent.ManualStart(),
          new SessionEvent.ManualStop(SHUTDOWN),
          new SessionEvent.ConnectRetryTimerExpires(),
          new SessionEvent.HoldTimerExpires(),
          new SessionEvent.KeepaliveTimerExpires(),
          new SessionEvent.IdleHoldTimerExpires(),
          new SessionEvent.TcpConnectionAcked(),
          new SessionEvent.TcpConnectionConfirmed(),
          new SessionEvent.TcpConnectionFails("refused"),
          new SessionEvent.BgpOpen(THEIRS),
          new SessionEvent.BgpHeaderErr(Notification.of(1, 1)),
          new SessionEvent.BgpOpenMsgErr(Notification.of(2, 4)),
          new SessionEvent.OpenCollisionDump(),
          new SessionEvent.NotifMsg(SHUTDOWN),
          new SessionEvent.KeepAliveMsg(),
          new SessionEvent.UpdateMsg(Update.endOfRib(IpFamily.IPV4)),
          new SessionEvent.UpdateMsgErr(Notification.of(3, 1)),
          new SessionEvent.SendHoldTimerExpires(),
          new SessionEvent.RouteRefreshMsg(new RouteRefresh(AfiSafi.IPV4_UNICAST)));

  static Stream<Arguments> cells() {
    List<String> lines = MATRIX.lines().toList();
    List<Arguments> cells = new ArrayList<>();
    for (int row = 1; row < lines.size(); row++) {
      String[] columns = lines.get(row).split(" +", -1);
      for (int column = 0; column < STATES.size(); column++) {
        cells.add(
            Arguments.of(columns[0], STATES.get(column), EVENTS.get(row - 1), columns[column + 1]));
      }
    }
    return cells.stream();
  }

  @Test
  void the_matrix_has_every_event_and_every_state() {
    assertThat(EVENTS.stream().<Object>map(Object::getClass).toList())
        .containsExactlyInAnyOrder((Object[]) SessionEvent.class.getPermittedSubclasses());
    assertThat(STATES.stream().<Object>map(Object::getClass).toList())
        .containsExactlyInAnyOrder((Object[]) SessionState.class.getPermittedSubclasses());
    assertThat(cells()).hasSize(EVENTS.size() * STATES.size());
    assertThat(EVENTS.stream().map(SessionEvent::number).filter(number -> number > 0).toList())
        .isSorted();
  }

  @ParameterizedTest(name = "{0} in {1}")
  @MethodSource("cells")
  void every_event_has_its_answer_in_every_state(
      String name, SessionState state, SessionEvent event, String expected) {
    assertThat(event.getClass().getSimpleName()).isEqualTo(name);
    Transition transition = SessionFsm.step(state, event, ACTIVE);
    assertThat(text(transition)).isEqualTo(expected);
  }

  private static String text(Transition transition) {
    String sent = "";
    for (SessionAction action : transition.actions()) {
      if (action instanceof SessionAction.Send(Message message)) {
        assertThat(sent).isEmpty();
        sent =
            message instanceof Notification(int code, int subcode, _)
                ? "!" + code + "/" + subcode
                : "!" + message.typeName();
      }
    }
    return transition.next().getClass().getSimpleName() + sent;
  }

  static Stream<Arguments> endings() {
    return cells()
        .filter(
            cell ->
                String.valueOf(cell.get()[3]).startsWith("Idle")
                    && !(cell.get()[1] instanceof SessionState.Idle));
  }

  @ParameterizedTest(name = "{0} in {1}")
  @MethodSource("endings")
  void every_end_stops_the_timers_closes_the_connection_and_gives_the_reason(
      String name, SessionState state, SessionEvent event, String expected) {
    List<SessionAction> actions = SessionFsm.step(state, event, ACTIVE).actions();
    assertThat(actions)
        .contains(
            new SessionAction.StopTimer(TimerKind.CONNECT_RETRY),
            new SessionAction.StopTimer(TimerKind.HOLD),
            new SessionAction.StopTimer(TimerKind.KEEPALIVE),
            new SessionAction.StopTimer(TimerKind.SEND_HOLD));
    assertThat(actions)
        .filteredOn(
            action ->
                action instanceof SessionAction.CloseConnection
                    || action instanceof SessionAction.DropConnection)
        .hasSize(1);
    Class<?> ending =
        state instanceof SessionState.Established
            ? SessionAction.SessionDown.class
            : SessionAction.AttemptFailed.class;
    assertThat(actions).filteredOn(ending::isInstance).hasSize(1);
    boolean ownDecision =
        event instanceof SessionEvent.ManualStop
            || event instanceof SessionEvent.OpenCollisionDump
                && !(state instanceof SessionState.Connect)
                && !(state instanceof SessionState.Active);
    assertThat(actions.contains(new SessionAction.BackOff())).isEqualTo(!ownDecision);
  }

  @Test
  void a_passive_connection_never_backs_off() {
    for (SessionState state : STATES) {
      for (SessionEvent event : EVENTS) {
        Transition transition = SessionFsm.step(state, event, PASSIVE);
        assertThat(transition.actions()).doesNotContain(new SessionAction.BackOff());
      }
    }
    assertThat(SessionFsm.step(STATES.getFirst(), EVENTS.getFirst(), PASSIVE).next())
        .isEqualTo(new SessionState.Active());
  }

  @Test
  void a_session_comes_up_with_the_smaller_hold_time_and_a_third_of_it_as_keepalive() {
    Transition agreed =
        SessionFsm.step(new SessionState.OpenSent(), new SessionEvent.BgpOpen(THEIRS), ACTIVE);
    assertThat(agreed.actions())
        .contains(
            new SessionAction.StartTimer(TimerKind.KEEPALIVE, Duration.ofSeconds(3)),
            new SessionAction.StartTimer(TimerKind.HOLD, Duration.ofSeconds(9)));
    Transition up = SessionFsm.step(agreed.next(), new SessionEvent.KeepAliveMsg(), ACTIVE);
    assertThat(up.actions())
        .containsExactly(
            new SessionAction.StartTimer(TimerKind.HOLD, Duration.ofSeconds(9)),
            new SessionAction.SessionUp(AGREED));
  }

  @Test
  void a_peer_that_takes_nothing_is_dropped_without_waiting_for_the_notification() {
    Transition ended =
        SessionFsm.step(
            new SessionState.Established(AGREED), new SessionEvent.SendHoldTimerExpires(), ACTIVE);
    assertThat(ended.actions())
        .contains(new SessionAction.DropConnection(), new SessionAction.BackOff())
        .doesNotContain(new SessionAction.CloseConnection());
  }

  @ParameterizedTest(name = "keepalive {0} s, send hold {1} s, peer offers {2} s")
  @CsvSource({
    ",   ,   90, 30000, 180000",
    ",   ,   9,  3000,  18000",
    "10, ,   90, 10000, 180000",
    "10, ,   9,  1000,  18000",
    "30, ,   9,  3000,  18000",
    ",   20, 9,  3000,  20000",
    ",   0,  9,  3000,  0",
    ",   ,   0,  0,     480000"
  })
  void timers_follow_the_negotiated_hold_time(
      Long keepalive, Long sendHold, int offered, long keepaliveMillis, long sendHoldMillis) {
    SessionConfig config =
        new SessionConfig(
            false,
            new ExpectedAs.Any(),
            OURS,
            Duration.ofSeconds(5),
            keepalive == null ? null : Duration.ofSeconds(keepalive),
            sendHold == null ? null : Duration.ofSeconds(sendHold));
    Negotiated agreed =
        ((Negotiated.Verdict.Agreed) Negotiated.check(open(65002, "10.0.0.2", offered), config))
            .negotiated();
    assertThat(agreed.timers().keepalive()).hasMillis(keepaliveMillis);
    assertThat(agreed.timers().sendHold()).hasMillis(sendHoldMillis);
  }

  @ParameterizedTest(name = "{0}: AS {1} is {2}")
  @CsvSource({
    "only, 65002, ok",
    "only, 65003, 2/2",
    "external, 65003, ok",
    "external, 65001, 2/2",
    "any, 65001, ok",
    "any, 0, 2/2",
    "external, 0, 2/2"
  })
  void the_as_of_a_peer_may_be_left_open_but_never_zero(String kind, int asn, String expected) {
    ExpectedAs allowed =
        switch (kind) {
          case "only" -> ExpectedAs.only(new Asn(65002));
          case "external" -> new ExpectedAs.External();
          default -> new ExpectedAs.Any();
        };
    assertThat(verdict(open(asn, "10.0.0.2", 90), config(false, allowed))).isEqualTo(expected);
  }

  private static String verdict(Open peer, SessionConfig config) {
    return switch (Negotiated.check(peer, config)) {
      case Negotiated.Verdict.Agreed _ -> "ok";
      case Negotiated.Verdict.Refused(Notification refused) ->
          refused.code() + "/" + refused.subcode();
    };
  }

  @Test
  void what_only_one_end_can_do_is_not_agreed_on() {
    Open plain = open(65001, "10.0.0.1", 90);
    Open able =
        new Open(
            new Asn(65002),
            Duration.ofSeconds(90),
            RouterId.parse("10.0.0.2"),
            List.of(
                new Capability.MultiProtocol(AfiSafi.IPV4_UNICAST),
                new Capability.GracefulRestart(
                    false,
                    true,
                    Duration.ofSeconds(120),
                    List.of(new Capability.GracefulRestart.Kept(AfiSafi.IPV4_UNICAST, true))),
                Capability.ExtendedNextHop.ipv6For(AfiSafi.IPV4_UNICAST),
                new Capability.AddPath(
                    List.of(new Capability.AddPath.Family(AfiSafi.IPV4_UNICAST, true, false)))));
    Negotiated one = agreed(plain, able);
    assertThat(one.gracefulRestart()).isFalse();
    assertThat(one.notificationRestart()).isFalse();
    assertThat(one.addPathSend()).isEmpty();
    assertThat(one.extendedNextHop()).isEmpty();
    Open sender =
        new Open(
            new Asn(65001),
            Duration.ofSeconds(90),
            RouterId.parse("10.0.0.1"),
            List.of(
                new Capability.MultiProtocol(AfiSafi.IPV4_UNICAST),
                new Capability.GracefulRestart(false, true, Duration.ofSeconds(120), List.of()),
                Capability.ExtendedNextHop.ipv6For(AfiSafi.IPV4_UNICAST),
                new Capability.AddPath(
                    List.of(new Capability.AddPath.Family(AfiSafi.IPV4_UNICAST, true, true)))));
    Negotiated both = agreed(sender, able);
    assertThat(both.gracefulRestart()).isTrue();
    assertThat(both.notificationRestart()).isTrue();
    assertThat(both.addPathSend()).containsExactly(IpFamily.IPV4);
    assertThat(both.addPathReceive()).isEmpty();
    assertThat(both.extendedNextHop()).containsExactly(IpFamily.IPV4);
  }

  private static Negotiated agreed(Open ours, Open peer) {
    SessionConfig config =
        new SessionConfig(false, new ExpectedAs.Any(), ours, Duration.ofSeconds(5), null, null);
    return ((Negotiated.Verdict.Agreed) Negotiated.check(peer, config)).negotiated();
  }

  @Test
  void a_hold_time_of_zero_starts_no_timers() {
    Transition agreed =
        SessionFsm.step(
            new SessionState.OpenSent(),
            new SessionEvent.BgpOpen(open(65002, "10.0.0.2", 0)),
            ACTIVE);
    assertThat(agreed.actions())
        .filteredOn(SessionAction.StartTimer.class::isInstance)
        .containsExactly(
            new SessionAction.StartTimer(
                TimerKind.SEND_HOLD, SessionConfig.SEND_HOLD_WITHOUT_HOLD_TIME));
    Transition up = SessionFsm.step(agreed.next(), new SessionEvent.KeepAliveMsg(), ACTIVE);
    assertThat(up.actions()).noneMatch(action -> action instanceof SessionAction.StartTimer);
  }

  @Test
  void a_silent_stop_sends_nothing() {
    Transition stopped =
        SessionFsm.step(
            new SessionState.Established(AGREED), new SessionEvent.ManualStop(null), ACTIVE);
    assertThat(text(stopped)).isEqualTo("Idle");
    assertThat(stopped.actions())
        .contains(new SessionAction.SessionDown(AGREED, new EndReason.ClosedSilently()));
  }

  @ParameterizedTest(name = "AS {0}, identifier {1}, hold {2} s: {3}")
  @CsvSource({
    "65003, 10.0.0.2, 90, 2/2",
    "65002, 10.0.0.2, 1,  2/6",
    "65002, 10.0.0.2, 2,  2/6",
    "65002, 10.0.0.2, 3,  ok",
    "65002, 10.0.0.1, 90, ok"
  })
  void an_open_is_held_against_the_configuration(int asn, String id, int hold, String expected) {
    assertThat(verdict(open(asn, id, hold), ACTIVE)).isEqualTo(expected);
  }

  @Test
  void our_own_identifier_from_our_own_as_is_refused() {
    SessionConfig internal = config(false, ExpectedAs.only(new Asn(65001)));
    assertThat(Negotiated.check(OURS, internal))
        .isEqualTo(new Negotiated.Verdict.Refused(Notification.of(2, 3)));
  }

  @Test
  void a_peer_without_a_common_family_is_told_which_are_wanted() {
    Open other =
        new Open(
            new Asn(65002),
            Duration.ofSeconds(90),
            RouterId.parse("10.0.0.2"),
            List.of(new Capability.MultiProtocol(AfiSafi.IPV6_UNICAST)));
    assertThat(Negotiated.check(other, ACTIVE))
        .isInstanceOfSatisfying(
            Negotiated.Verdict.Refused.class,
            refused -> {
              assertThat(refused.notification().subcode()).isEqualTo(7);
              assertThat(refused.notification().data()).hasToString("010400010001");
            });
  }

  @Test
  void of_two_connections_the_one_of_the_higher_identifier_stays() {
    Map<Open, Boolean> stays =
        Map.of(
            open(65002, "10.0.0.2", 9), false,
            open(65002, "10.0.0.0", 9), true,
            open(65002, "200.0.0.1", 9), false,
            open(65002, "10.0.0.1", 9), false,
            open(64000, "10.0.0.1", 9), true);
    stays.forEach((theirs, ours) -> assertThat(Collision.oursStays(OURS, theirs)).isEqualTo(ours));
  }
}
