package io.margay.bgp.speaker;

import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.RouterId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One peer at one moment.
///
/// @param since when {@link #phase()} was entered
/// @param session what was negotiated; absent unless Established
/// @param families counters per configured family
/// @param lastError why the last session ended or could not begin; absent if none did
/// @param received messages by type name
/// @param sent messages by type name
/// @param timesEstablished sessions so far
public record PeerStatus(
    String description,
    IpAddress address,
    Asn asn,
    SessionPhase phase,
    Instant since,
    @Nullable Negotiation session,
    Map<IpFamily, FamilyStatus> families,
    @Nullable String lastError,
    Map<String, Long> received,
    Map<String, Long> sent,
    long timesEstablished) {
  public PeerStatus {
    families = Map.copyOf(families);
    received = Map.copyOf(received);
    sent = Map.copyOf(sent);
  }

  /// What the two ends agreed on.
  ///
  /// @param capabilities those of the peer's OPEN, as text
  /// @param peerRestarting whether the peer's OPEN said it is restarting (RFC 4724 §3, R bit)
  public record Negotiation(
      RouterId peerRouterId,
      IpAddress localAddress,
      Duration holdTime,
      Duration keepalive,
      List<String> capabilities,
      boolean gracefulRestart,
      boolean peerRestarting) {
    public Negotiation {
      capabilities = List.copyOf(capabilities);
    }
  }

  /// @param negotiated whether the current session carries the family
  /// @param prefixesReceived in Adj-RIB-In, before policy
  /// @param prefixesAccepted of these, after policy
  /// @param prefixesStale of these, kept for a restarting peer
  /// @param prefixesDiscarded of these, kept out by the prefix limit
  /// @param prefixesBest whose winner came from the peer
  /// @param prefixesAdvertised in Adj-RIB-Out
  /// @param prefixesToTell that may have to be told and were not yet
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
      boolean endOfRibSent) {}
}
