package io.margay.bgp.speaker;

import io.margay.bgp.policy.SpeakerPolicy;
import io.margay.bgp.transport.ListenAddress;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.RouterId;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/// What a speaker is, fixed for its life.
///
/// @param asn our AS number
/// @param routerId our BGP identifier
/// @param clusterId what a reflector puts in front of CLUSTER_LIST (RFC 4456 §7)
/// @param listen where to accept connections; empty: nowhere
/// @param nextHops the node's own address per family, announced as next hop where the session
///   itself has none of that family
/// @param multipath which paths share traffic
/// @param restart graceful restart of the speaker as a whole
/// @param gracefulShutdown whether it starts drained: GRACEFUL_SHUTDOWN on every exported route
///   (RFC 8326); {@link BgpSpeaker#gracefulShutdown} changes it later
/// @param defaultLocalPref LOCAL_PREF of a route that came without, and of our own: 0 to 4294967295
public record SpeakerConfig(
    Asn asn,
    RouterId routerId,
    RouterId clusterId,
    Set<ListenAddress> listen,
    Map<IpFamily, IpAddress> nextHops,
    Multipath multipath,
    Restart restart,
    boolean gracefulShutdown,
    long defaultLocalPref) {

  /// Which paths of a prefix share traffic.
  ///
  /// @param relax whether AS_PATHs of equal length but different content do
  /// @param maxPaths most next hops of one route, 1 to 256
  public record Multipath(boolean relax, int maxPaths) {

    /// More next hops than a Linux route message of one page can name sensibly.
    public static final int LIMIT = 256;

    /// More than any leaf has uplinks.
    public static final int DEFAULT_MAX_PATHS = 16;

    /// As a node between several top-of-rack switches wants it.
    public static final Multipath DEFAULT = new Multipath(true, DEFAULT_MAX_PATHS);

    public Multipath {
      if (maxPaths < 1 || maxPaths > LIMIT) {
        throw new IllegalArgumentException("maximum paths " + maxPaths + " is not in 1.." + LIMIT);
      }
    }
  }

  /// Graceful restart (RFC 4724).
  ///
  /// @param enabled whether to offer it at all
  /// @param time how long peers should keep our routes while we are gone, up to 4095 s
  /// @param deferral longest wait for End-of-RIB before routes are selected and leftovers swept
  /// @param restarting whether an earlier process of this node left routes behind, that is, whether
  ///   this start is a restart; then route selection waits for End-of-RIB
  /// @param forwardingKept whether the kernel goes on forwarding while the speaker is away (F bit):
  ///   true where routes are programmed into it and survive the process, or where the speaker is
  ///   not in the path of packets at all
  public record Restart(
      boolean enabled,
      Duration time,
      Duration deferral,
      boolean restarting,
      boolean forwardingKept) {

    /// Long enough for a node agent to be replaced, short enough not to hold a dead node's routes.
    public static final Duration DEFAULT_TIME = Duration.ofMinutes(2);

    /// Two nodes that reboot together must not wait long for each other.
    public static final Duration DEFAULT_DEFERRAL = Duration.ofSeconds(10);

    /// None offered, none used.
    public static final Restart DISABLED =
        new Restart(false, Duration.ZERO, Duration.ZERO, false, false);

    private static final int MAX_SECONDS = 4095;

    public Restart {
      if (time.isNegative() || time.toSeconds() > MAX_SECONDS) {
        throw new IllegalArgumentException(
            "restart time " + time.toSeconds() + "s is not in 0.." + MAX_SECONDS + "s");
      }
      if (deferral.isNegative()) {
        throw new IllegalArgumentException("deferral " + deferral + " is negative");
      }
    }

    /// A speaker whose kernel routes outlive it.
    ///
    /// @param restarting whether an earlier process of this node left routes behind
    public static Restart offered(boolean restarting) {
      return new Restart(true, DEFAULT_TIME, DEFAULT_DEFERRAL, restarting, true);
    }
  }

  public SpeakerConfig {
    listen = Collections.unmodifiableSet(new LinkedHashSet<>(listen));
    nextHops = NextHopMap.checked(nextHops, Set.of());
    if (asn.toLong() == 0) {
      throw new IllegalArgumentException("AS 0 is reserved (RFC 7607)");
    }
  }

  /// A speaker that listens nowhere, without graceful restart, its router id also its cluster id.
  public static Builder builder(Asn asn, RouterId routerId) {
    return new Builder(asn, routerId);
  }

  /// Says what differs from {@link SpeakerConfig#builder}.
  public static final class Builder {

    private final Asn asn;
    private final RouterId routerId;
    private RouterId clusterId;
    private Set<ListenAddress> listen = Set.of();
    private Map<IpFamily, IpAddress> nextHops = Map.of();
    private Multipath multipath = Multipath.DEFAULT;
    private Restart restart = Restart.DISABLED;
    private boolean gracefulShutdown;
    private long defaultLocalPref = SpeakerPolicy.USUAL_LOCAL_PREF;

    private Builder(Asn asn, RouterId routerId) {
      this.asn = asn;
      this.routerId = routerId;
      this.clusterId = routerId;
    }

    public Builder clusterId(RouterId id) {
      clusterId = id;
      return this;
    }

    public Builder listen(Set<ListenAddress> addresses) {
      listen = addresses;
      return this;
    }

    public Builder nextHops(Map<IpFamily, IpAddress> own) {
      nextHops = own;
      return this;
    }

    public Builder multipath(Multipath which) {
      multipath = which;
      return this;
    }

    public Builder restart(Restart how) {
      restart = how;
      return this;
    }

    public Builder gracefulShutdown(boolean drained) {
      gracefulShutdown = drained;
      return this;
    }

    public Builder defaultLocalPref(long preference) {
      defaultLocalPref = preference;
      return this;
    }

    public SpeakerConfig build() {
      return new SpeakerConfig(
          asn,
          routerId,
          clusterId,
          listen,
          nextHops,
          multipath,
          restart,
          gracefulShutdown,
          defaultLocalPref);
    }
  }
}
