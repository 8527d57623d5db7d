package io.margay.bgp.fsm;

import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Open;

/// Which of two connections between the same speakers stays (RFC 4271 §6.8, RFC 6286 §2.3).
public final class Collision {

  /// What becomes of a connection on which the peer's OPEN has just arrived, and of another one.
  public enum Verdict {
    /// Both go on for now.
    BOTH,
    /// The new one stays, the other ends with Cease/7.
    ARRIVED,
    /// The other stays, the new one ends with Cease/7.
    OTHER,
    /// The new one stays; the other ends without a word, as if it had broken.
    ARRIVED_AFTER_RESTART
  }

  private Collision() {}

  /// Decides when an OPEN has arrived.
  ///
  /// @param arrived on what it arrived
  /// @param arrivedOurs whether we opened that connection
  /// @param otherOurs whether we opened the other one
  /// @param otherFresh whether the other one, if it is Established, has just become so
  public static Verdict judge(
      SessionState.OpenConfirm arrived,
      boolean arrivedOurs,
      SessionState other,
      boolean otherOurs,
      boolean otherFresh) {
    return switch (other) {
      case SessionState.Idle _, SessionState.Connect _, SessionState.Active _ -> Verdict.BOTH;
      // The other has no OPEN yet: it can lose now, but not win before it is proven alive.
      case SessionState.OpenSent _ ->
          arrivedStays(arrived, arrivedOurs, otherOurs) ? Verdict.ARRIVED : Verdict.BOTH;
      case SessionState.OpenConfirm _ ->
          arrivedStays(arrived, arrivedOurs, otherOurs) ? Verdict.ARRIVED : Verdict.OTHER;
      case SessionState.Established(Negotiated negotiated) -> {
        if (negotiated.gracefulRestart()
            && !arrivedOurs
            && hasRestarted(arrived.negotiated(), negotiated, otherFresh)) {
          yield Verdict.ARRIVED_AFTER_RESTART;
        }
        yield otherFresh
                && arrivedOurs != otherOurs
                && arrivedStays(arrived, arrivedOurs, otherOurs)
            ? Verdict.BOTH
            : Verdict.OTHER;
      }
    };
  }

  /// Whether a connection without an OPEN yet is to be left alone when another becomes Established.
  ///
  /// The peer may have seen the OPEN on it first and ended the one that is Established here, by its
  /// identifier; to end this one would then end both, again and again. So this one goes on until
  /// the peer has ended either. If it ends neither, it is Established on that one too, and this one
  /// is ended by both without harm.
  ///
  /// @param up what has become Established
  /// @param upOurs whether we opened that connection
  /// @param otherOurs whether we opened the other one
  public static boolean mayStillWin(
      Negotiated up, boolean upOurs, SessionState other, boolean otherOurs) {
    return other instanceof SessionState.OpenSent
        && upOurs != otherOurs
        && oursStays(up.ours(), up.peer()) == otherOurs;
  }

  /// RFC 4724 §5: a new connection from the peer of an established session means that it restarted;
  /// "the previous TCP connection MUST be closed" without a NOTIFICATION. But when both ends
  /// connect at once, the second connection may be seen only after the first became Established; to
  /// end that one would end both. So a session that has just come up yields only to an OPEN that
  /// says what the session's own did not: that its sender is restarting.
  private static boolean hasRestarted(Negotiated now, Negotiated before, boolean fresh) {
    return !fresh || isRestarting(now) && !isRestarting(before);
  }

  private static boolean isRestarting(Negotiated negotiated) {
    return negotiated
        .peerGracefulRestart()
        .map(Capability.GracefulRestart::restarting)
        .orElse(false);
  }

  /// Of two connections that the same end opened the newer one stays: that end knows better.
  private static boolean arrivedStays(
      SessionState.OpenConfirm arrived, boolean arrivedOurs, boolean otherOurs) {
    Negotiated negotiated = arrived.negotiated();
    return arrivedOurs == otherOurs
        || oursStays(negotiated.ours(), negotiated.peer()) == arrivedOurs;
  }

  /// Whether the connection that we opened stays. The speaker with the higher identifier keeps its
  /// own; with equal identifiers the higher AS number decides.
  public static boolean oursStays(Open ours, Open theirs) {
    int byId = ours.routerId().compareTo(theirs.routerId());
    return byId != 0 ? byId > 0 : ours.asn().compareTo(theirs.asn()) > 0;
  }
}
