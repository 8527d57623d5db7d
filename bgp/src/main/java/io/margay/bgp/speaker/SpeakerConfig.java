package io.margay.bgp.speaker;

import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.RouterId;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;

/// What a speaker is, fixed for its life.
///
/// @param asn our AS number
/// @param routerId our BGP identifier
/// @param listenAddresses where to accept connections, `0.0.0.0` and `::` included; empty: nowhere
/// @param listenPort the TCP port of all of them, 1 to 65535
/// @param nextHops the node's own address per family, announced as next hop where the session
///   itself has none of that family
/// @param multipathRelax whether paths of equal AS_PATH length but different content share traffic
/// @param maxPaths most next hops of one route, 1 to 256
/// @param gracefulRestart whether to offer graceful restart at all (RFC 4724)
/// @param restartTime how long peers should keep our routes while we are gone, up to 4095 s
/// @param deferral longest wait for End-of-RIB before routes are selected and leftovers swept
/// @param restarting whether an earlier process of this node left routes behind, that is, whether
///   this start is a restart; then, with graceful restart, route selection waits for End-of-RIB
public record SpeakerConfig(
    Asn asn,
    RouterId routerId,
    Set<IpAddress> listenAddresses,
    int listenPort,
    Map<IpFamily, IpAddress> nextHops,
    boolean multipathRelax,
    int maxPaths,
    boolean gracefulRestart,
    Duration restartTime,
    Duration deferral,
    boolean restarting) {

  /// Long enough for a node agent to be replaced, short enough not to hold a dead node's routes.
  public static final Duration DEFAULT_RESTART_TIME = Duration.ofMinutes(2);

  /// Two nodes that reboot together must not wait long for each other.
  public static final Duration DEFAULT_DEFERRAL = Duration.ofSeconds(10);

  /// More next hops than a Linux route message of one page can name sensibly.
  public static final int MAX_PATHS_LIMIT = 256;

  private static final int MAX_RESTART_SECONDS = 4095;

  public SpeakerConfig {
    listenAddresses = Set.copyOf(listenAddresses);
    nextHops = checkedNextHops(nextHops);
    if (asn.toLong() == 0) {
      throw new IllegalArgumentException("AS 0 is reserved (RFC 7607)");
    }
    if (listenPort < 1 || listenPort > 65535) {
      throw new IllegalArgumentException("BGP port " + listenPort + " is not in 1..65535");
    }
    if (maxPaths < 1 || maxPaths > MAX_PATHS_LIMIT) {
      throw new IllegalArgumentException(
          "maximum paths " + maxPaths + " is not in 1.." + MAX_PATHS_LIMIT);
    }
    if (restartTime.isNegative() || restartTime.toSeconds() > MAX_RESTART_SECONDS) {
      throw new IllegalArgumentException(
          "restart time " + restartTime + " is not in 0.." + MAX_RESTART_SECONDS + " s");
    }
    if (deferral.isNegative()) {
      throw new IllegalArgumentException("deferral " + deferral + " is negative");
    }
  }

  static Map<IpFamily, IpAddress> checkedNextHops(Map<IpFamily, IpAddress> nextHops) {
    Map<IpFamily, IpAddress> copy = new EnumMap<>(IpFamily.class);
    nextHops.forEach(
        (family, address) -> {
          if (address.family() != family || address.isUnspecified() || address.isMulticast()) {
            throw new IllegalArgumentException(
                address + " cannot be the next hop of " + family + " routes");
          }
          copy.put(family, address);
        });
    return Collections.unmodifiableMap(copy);
  }
}
