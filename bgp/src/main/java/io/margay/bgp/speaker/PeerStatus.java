package io.margay.bgp.speaker;

import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.transport.Endpoints;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One peer at one moment.
///
/// @param config what is wanted of it; for a dynamic peer that of its range
/// @param address where it is
/// @param expectedAs the AS numbers its OPEN may name
/// @param asn its AS number, once it has said so; before, the one it must have; absent: unknown
/// @param localAsn the AS number our OPEN names
/// @param phase that of its most advanced connection
/// @param since when {@link #phase()} was entered, by the time of day as it was then
/// @param age for how long it has lasted, whatever the time of day has become
/// @param session what was negotiated; absent unless Established
/// @param families counters per configured family
/// @param history what happened so far
/// @param restart what graceful restart does with its routes
/// @param received messages of all its connections so far
/// @param sent messages to it so far
/// @param sendQueueOctets what waits for the peer to accept it, in the kernel's view: not taken yet
/// @param bfd what BFD says of it; absent: none runs
public record PeerStatus(
    PeerConfig config,
    ScopedAddress address,
    ExpectedAs expectedAs,
    @Nullable Asn asn,
    Asn localAsn,
    SessionPhase phase,
    Instant since,
    Duration age,
    @Nullable Negotiation session,
    Map<IpFamily, FamilyStatus> families,
    History history,
    Restart restart,
    Messages received,
    Messages sent,
    long sendQueueOctets,
    @Nullable String bfd) {
  public PeerStatus {
    families = Map.copyOf(families);
  }

  public String description() {
    return config.description();
  }

  /// Why the last session ended or could not begin; absent if none did.
  public @Nullable String lastError() {
    LastEnd end = history.lastError();
    return end == null ? null : end.reason();
  }

  /// Whether it is one of a range.
  public boolean isDynamic() {
    return config.remote() instanceof Remote.Within;
  }

  /// Messages by type.
  public record Messages(
      long opens, long updates, long notifications, long keepalives, long routeRefreshes) {

    public long total() {
      return opens + updates + notifications + keepalives + routeRefreshes;
    }

    /// By the names counters and operators use.
    public Map<String, Long> byType() {
      return Map.of(
          "open", opens,
          "update", updates,
          "notification", notifications,
          "keepalive", keepalives,
          "route-refresh", routeRefreshes);
    }
  }

  /// What the two ends agreed on.
  ///
  /// @param endpoints both ends of the connection
  /// @param opened whether we opened the connection
  /// @param internal whether the peer is in the AS our OPEN named
  /// @param holdLeft time until the session is given up for silence; zero: no hold time
  /// @param keepaliveLeft time until our next KEEPALIVE
  /// @param sendHold how long the peer may accept nothing; zero: for ever
  /// @param capabilitiesSent those of our OPEN, as text
  /// @param capabilities those of the peer's OPEN, as text
  /// @param families what is exchanged
  /// @param gracefulRestart whether both announced it
  /// @param notificationRestart whether NOTIFICATIONs leave routes in place (RFC 8538)
  /// @param peerRestarting whether the peer's OPEN said it is restarting (RFC 4724 §3, R bit)
  /// @param peerRestartTime how long the peer asks us to wait for it
  public record Negotiation(
      RouterId peerRouterId,
      Endpoints endpoints,
      boolean opened,
      boolean internal,
      Duration holdTime,
      Duration holdLeft,
      Duration keepalive,
      Duration keepaliveLeft,
      Duration sendHold,
      List<String> capabilitiesSent,
      List<String> capabilities,
      Set<IpFamily> families,
      Set<IpFamily> addPathReceive,
      Set<IpFamily> addPathSend,
      Set<IpFamily> extendedNextHop,
      boolean gracefulRestart,
      boolean notificationRestart,
      boolean peerRestarting,
      Duration peerRestartTime) {
    public Negotiation {
      capabilitiesSent = List.copyOf(capabilitiesSent);
      capabilities = List.copyOf(capabilities);
      families = Set.copyOf(families);
      addPathReceive = Set.copyOf(addPathReceive);
      addPathSend = Set.copyOf(addPathSend);
      extendedNextHop = Set.copyOf(extendedNextHop);
    }
  }

  /// @param negotiated whether the current session carries the family
  /// @param prefixesReceived in Adj-RIB-In, before policy
  /// @param prefixesAccepted of these, after policy
  /// @param prefixesStale of these, kept for a restarting peer
  /// @param prefixesDiscarded kept out by the prefix limit
  /// @param prefixesBest of which the winner came from the peer
  /// @param prefixesAdvertised in Adj-RIB-Out
  /// @param prefixesToTell that may have to be told and were not yet
  /// @param limit how near the prefix limit is; absent: below the warning, or no limit
  public record FamilyStatus(
      boolean negotiated,
      int prefixesReceived,
      int prefixesAccepted,
      int prefixesStale,
      int prefixesDiscarded,
      int prefixesBest,
      int prefixesAdvertised,
      int prefixesToTell,
      boolean endOfRibReceived,
      boolean endOfRibSent,
      @Nullable String limit) {}

  /// @param established sessions so far
  /// @param dropped sessions that ended
  /// @param lastReset when and why the last session ended; absent if none did
  /// @param lastError when and why the last session ended or could not begin; absent if none did
  /// @param malformed messages that were wrong
  public record History(
      long established,
      long dropped,
      @Nullable LastEnd lastReset,
      @Nullable LastEnd lastError,
      Malformed malformed) {}

  /// @param reason who ended it and why, with the peer's own text where it sent one
  public record LastEnd(String reason, Instant at) {}

  /// Malformed UPDATEs (RFC 7606).
  ///
  /// @param treatedAsWithdraw messages whose routes were taken as withdrawn
  /// @param attributesDiscarded messages that stood without some attributes
  /// @param last the latest; absent if there was none
  public record Malformed(
      long treatedAsWithdraw, long attributesDiscarded, @Nullable LastMalformed last) {}

  /// @param outcome what became of it
  /// @param problem what was wrong first
  /// @param hex the message, or its beginning
  public record LastMalformed(String outcome, String problem, String hex, Instant at) {}

  /// What graceful restart does with the peer's routes.
  ///
  /// @param waiting whether routes are kept: until the peer is back, or until its End-of-RIB
  /// @param left time until what is still stale goes; zero if nothing is kept
  public record Restart(Waiting waiting, Duration left) {

    /// Nothing is kept.
    public static final Restart NONE = new Restart(Waiting.NONE, Duration.ZERO);

    public enum Waiting {
      NONE,
      /// The peer is away.
      FOR_PEER,
      /// The peer is back and tells its routes again.
      FOR_END_OF_RIB
    }
  }
}
