package io.margay.bgp.speaker;

import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What is wanted of one peer. The address identifies the peer.
///
/// @param description free text for people; may be empty
/// @param address where the peer is
/// @param port its TCP port, 1 to 65535
/// @param asn the AS number its OPEN must name
/// @param localAddress the source address of our connections; absent: the kernel chooses
/// @param passive only wait for the peer to connect
/// @param families what to exchange, whatever family the session itself runs over
/// @param password TCP MD5 key; absent: none
/// @param holdTime offered hold time: zero (no keepalives) or 3 to 65535 s
/// @param connectRetry pause between connection attempts, before jitter
/// @param importMode what to do with the peer's routes
/// @param exportMode what to tell the peer
/// @param ttl hop limit of our packets: 1 for a neighbour on the link, up to 255
/// @param gracefulRestart whether to offer graceful restart (with {@link
///   SpeakerConfig#gracefulRestart()})
/// @param nextHops next hop to announce to this peer, per family; where absent: our end of the
///   session for its family, {@link SpeakerConfig#nextHops()} for the other
public record PeerConfig(
    String description,
    IpAddress address,
    int port,
    Asn asn,
    @Nullable IpAddress localAddress,
    boolean passive,
    Set<IpFamily> families,
    @Nullable Password password,
    Duration holdTime,
    Duration connectRetry,
    ImportMode importMode,
    ExportMode exportMode,
    int ttl,
    boolean gracefulRestart,
    Map<IpFamily, IpAddress> nextHops) {

  /// The port of RFC 4271 §8.
  public static final int DEFAULT_PORT = 179;

  /// RFC 4271 §10.
  public static final Duration DEFAULT_HOLD_TIME = Duration.ofSeconds(90);

  /// Shorter than the 120 s of RFC 4271 §10: nodes and switches come back within seconds.
  public static final Duration DEFAULT_CONNECT_RETRY = Duration.ofSeconds(5);

  private static final int MAX_HOLD_SECONDS = 65535;

  /// What happens to the routes of a peer.
  public enum ImportMode {
    /// Taken, less own ranges, AS loops and unusable next hops.
    ACCEPT,
    /// Kept out of the decision process (RFC 8212 §2 without a policy).
    REJECT
  }

  /// Which routes a peer hears.
  public enum ExportMode {
    /// The originated ones. Learned routes are never passed on.
    OWN,
    /// None.
    REJECT
  }

  public PeerConfig {
    if (families.isEmpty()) {
      throw new IllegalArgumentException("peer " + address + " has no address family");
    }
    families = Collections.unmodifiableSet(EnumSet.copyOf(families));
    nextHops = SpeakerConfig.checkedNextHops(nextHops);
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException(
          "peer " + address + ": port " + port + " is not in 1..65535");
    }
    if (ttl < 1 || ttl > 255) {
      throw new IllegalArgumentException("peer " + address + ": ttl " + ttl + " is not in 1..255");
    }
    if (asn.toLong() == 0) {
      throw new IllegalArgumentException("peer " + address + ": AS 0 is reserved (RFC 7607)");
    }
    if (localAddress != null && localAddress.family() != address.family()) {
      throw new IllegalArgumentException(
          "peer " + address + ": local address " + localAddress + " is of the other family");
    }
    long hold = holdTime.toSeconds();
    if (hold < 0 || hold == 1 || hold == 2 || hold > MAX_HOLD_SECONDS) {
      throw new IllegalArgumentException(
          "peer " + address + ": hold time " + holdTime + " is neither zero nor 3 to 65535 s");
    }
    if (connectRetry.compareTo(Duration.ofMillis(100)) < 0) {
      throw new IllegalArgumentException(
          "peer " + address + ": connect retry " + connectRetry + " is shorter than 100 ms");
    }
  }

  /// A directly connected peer with default timers, IPv4 and IPv6, importing and exporting.
  public static PeerConfig of(IpAddress address, Asn asn) {
    return new PeerConfig(
        "",
        address,
        DEFAULT_PORT,
        asn,
        null,
        false,
        EnumSet.allOf(IpFamily.class),
        null,
        DEFAULT_HOLD_TIME,
        DEFAULT_CONNECT_RETRY,
        ImportMode.ACCEPT,
        ExportMode.OWN,
        1,
        true,
        new EnumMap<>(IpFamily.class));
  }
}
