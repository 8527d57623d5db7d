package io.margay.bgp.speaker;

import io.margay.bgp.bfd.BfdParameters;
import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.message.Capability;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.transport.Password;
import io.margay.bgp.transport.Ttl;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What is wanted of one peer, or of every peer of a range. The remote identifies the entry.
///
/// @param description free text for people; may be empty
/// @param remote where the peer is
/// @param asn the AS number its OPEN must name
/// @param connection how TCP reaches it
/// @param timers its timers
/// @param families what to exchange, whatever family the session itself runs over
/// @param addPath several paths per prefix, for all families
/// @param routeReflectorClient whether a peer of our AS is a client we reflect to (RFC 4456 §5);
///   says nothing of an external one
/// @param gracefulRestart whether to offer graceful restart (with {@link
///   SpeakerConfig.Restart#enabled()})
/// @param restartTime how long this peer is asked to keep our routes while we are gone, 1 to 4095 s
///   (RFC 4724 §3); absent: {@link SpeakerConfig.Restart#time()}
/// @param nextHops our own next hop towards this peer, per family of the routes; an IPv6 address
///   for IPv4 routes needs RFC 8950. Where absent: our end of the session for its family, {@link
///   SpeakerConfig#nextHops()} for the other
/// @param bfd what BFD is to run beside the session; absent: none
/// @param policy what is taken from it and told to it
public record PeerConfig(
    String description,
    Remote remote,
    ExpectedAs asn,
    Connection connection,
    Timers timers,
    Set<IpFamily> families,
    AddPathMode addPath,
    boolean routeReflectorClient,
    boolean gracefulRestart,
    @Nullable Duration restartTime,
    Map<IpFamily, IpAddress> nextHops,
    @Nullable BfdParameters bfd,
    PeerPolicy policy) {

  public PeerConfig {
    if (restartTime != null
        && (restartTime.toSeconds() < 1
            || restartTime.toSeconds() > Capability.GracefulRestart.MAX_RESTART_SECONDS)) {
      throw new IllegalArgumentException(
          "restart time of peer "
              + remote
              + " is "
              + restartTime.toSeconds()
              + " s, not in 1.."
              + Capability.GracefulRestart.MAX_RESTART_SECONDS
              + " s");
    }
    if (families.isEmpty()) {
      throw new IllegalArgumentException("peer " + remote + " has no address family");
    }
    families = Collections.unmodifiableSet(EnumSet.copyOf(families));
    nextHops = NextHopMap.checked(nextHops, Set.of(IpFamily.IPV4));
    IpAddress local = connection.localAddress();
    if (local != null && local.family() != remote.family()) {
      throw new IllegalArgumentException(
          "peer " + remote + ": local address " + local + " is of the other family");
    }
    if (remote instanceof Remote.Within && !connection.passive()) {
      throw new IllegalArgumentException(
          "peers of " + remote + " can only be waited for: passive must be set");
    }
  }

  /// A directly connected peer with default timers and its own address family.
  ///
  /// @param policy what is taken from it and told to it
  public static Builder builder(ScopedAddress address, Asn asn, PeerPolicy policy) {
    return new Builder(new Remote.At(address), ExpectedAs.only(asn), policy);
  }

  /// Every peer of a range that connects to us.
  public static Builder range(Prefix range, ExpectedAs asn, PeerPolicy policy) {
    return range(new Remote.Within(range), asn, policy);
  }

  /// The same with a limit of its own.
  public static Builder range(Remote.Within range, ExpectedAs asn, PeerPolicy policy) {
    return new Builder(range, asn, policy);
  }

  /// This, to be changed in some points.
  public Builder toBuilder() {
    Builder builder = new Builder(remote, asn, policy);
    builder.description = description;
    builder.connection = connection;
    builder.timers = timers;
    builder.families = families;
    builder.addPath = addPath;
    builder.routeReflectorClient = routeReflectorClient;
    builder.gracefulRestart = gracefulRestart;
    builder.restartTime = restartTime;
    builder.nextHops = nextHops;
    builder.bfd = bfd;
    return builder;
  }

  /// Says what differs from a directly connected peer with default timers.
  public static final class Builder {

    private final Remote remote;
    private ExpectedAs asn;
    private String description = "";
    private Connection connection;
    private Timers timers = Timers.DEFAULT;
    private Set<IpFamily> families;
    private AddPathMode addPath = AddPathMode.NONE;
    private boolean routeReflectorClient;
    private boolean gracefulRestart = true;
    private @Nullable Duration restartTime;
    private Map<IpFamily, IpAddress> nextHops = Map.of();
    private @Nullable BfdParameters bfd;
    private PeerPolicy policy;

    private Builder(Remote remote, ExpectedAs asn, PeerPolicy policy) {
      this.remote = remote;
      this.asn = asn;
      this.policy = policy;
      this.families = Set.of(remote.family());
      Connection plain = Connection.DEFAULT;
      this.connection =
          switch (remote) {
            case Remote.At _ -> plain;
            case Remote.Within _ ->
                new Connection(plain.port(), null, true, plain.ttl(), plain.password());
          };
    }

    public Builder description(String text) {
      description = text;
      return this;
    }

    public Builder asn(ExpectedAs expected) {
      asn = expected;
      return this;
    }

    public Builder connection(Connection how) {
      connection = how;
      return this;
    }

    public Builder port(int port) {
      Connection c = connection;
      return connection(new Connection(port, c.localAddress(), c.passive(), c.ttl(), c.password()));
    }

    public Builder localAddress(@Nullable IpAddress address) {
      Connection c = connection;
      return connection(new Connection(c.port(), address, c.passive(), c.ttl(), c.password()));
    }

    public Builder passive(boolean waits) {
      Connection c = connection;
      return connection(new Connection(c.port(), c.localAddress(), waits, c.ttl(), c.password()));
    }

    public Builder ttl(Ttl ttl) {
      Connection c = connection;
      return connection(new Connection(c.port(), c.localAddress(), c.passive(), ttl, c.password()));
    }

    public Builder password(@Nullable Password password) {
      Connection c = connection;
      return connection(new Connection(c.port(), c.localAddress(), c.passive(), c.ttl(), password));
    }

    public Builder timers(Timers all) {
      timers = all;
      return this;
    }

    /// The offered hold time, with keepalives at a third of it.
    public Builder holdTime(Duration holdTime) {
      return timers(new Timers(holdTime, null, timers.sendHold(), timers.connectRetry()));
    }

    public Builder connectRetry(Duration pause) {
      return timers(
          new Timers(timers.holdTime(), timers.keepaliveTime(), timers.sendHold(), pause));
    }

    public Builder families(Set<IpFamily> all) {
      families = all;
      return this;
    }

    public Builder addPath(AddPathMode mode) {
      addPath = mode;
      return this;
    }

    public Builder routeReflectorClient(boolean client) {
      routeReflectorClient = client;
      return this;
    }

    public Builder gracefulRestart(boolean offered) {
      gracefulRestart = offered;
      return this;
    }

    public Builder restartTime(@Nullable Duration time) {
      restartTime = time;
      return this;
    }

    public Builder nextHops(Map<IpFamily, IpAddress> own) {
      nextHops = own;
      return this;
    }

    public Builder bfd(@Nullable BfdParameters parameters) {
      bfd = parameters;
      return this;
    }

    public Builder policy(PeerPolicy what) {
      policy = what;
      return this;
    }

    /// @throws IllegalArgumentException when the parts do not fit together
    public PeerConfig build() {
      return new PeerConfig(
          description,
          remote,
          asn,
          connection,
          timers,
          families,
          addPath,
          routeReflectorClient,
          gracefulRestart,
          restartTime,
          nextHops,
          bfd,
          policy);
    }
  }
}
