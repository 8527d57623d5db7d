package io.margay.bgp.fsm;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Octets;
import io.margay.bgp.message.Open;
import io.margay.model.net.IpFamily;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/// What two OPENs agree on.
///
/// @param ours what we said
/// @param peer what the peer said
/// @param timers for how long which silence is fine
/// @param families routes of which are exchanged
/// @param addPathReceive of these, those of which the peer tells several paths (RFC 7911 §4)
/// @param addPathSend of these, those of which we tell several paths
/// @param extendedNextHop of these, those whose next hop may be of IPv6 although they are not (RFC
///   8950 §4)
public record Negotiated(
    Open ours,
    Open peer,
    Timing timers,
    Set<IpFamily> families,
    Set<IpFamily> addPathReceive,
    Set<IpFamily> addPathSend,
    Set<IpFamily> extendedNextHop) {

  private static final int BAD_PEER_AS = 2;
  private static final int BAD_BGP_IDENTIFIER = 3;
  private static final int UNACCEPTABLE_HOLD_TIME = 6;
  private static final int UNSUPPORTED_CAPABILITY = 7;

  /// @param holdTime the smaller of both proposals; zero: no keepalives
  /// @param keepalive interval of our keepalives before jitter
  /// @param sendHold how long the peer may accept nothing we send; zero: for ever
  public record Timing(Duration holdTime, Duration keepalive, Duration sendHold) {}

  public Negotiated {
    families = ascending(families);
    addPathReceive = ascending(addPathReceive);
    addPathSend = ascending(addPathSend);
    extendedNextHop = ascending(extendedNextHop);
  }

  private static Set<IpFamily> ascending(Set<IpFamily> families) {
    Set<IpFamily> copy = EnumSet.noneOf(IpFamily.class);
    copy.addAll(families);
    return Collections.unmodifiableSet(copy);
  }

  public Duration holdTime() {
    return timers.holdTime();
  }

  /// Whether the peer is in the AS our OPEN named.
  public boolean isInternal() {
    return peer.asn().equals(ours.asn());
  }

  /// Whether both speak 4-octet AS numbers.
  public boolean fourOctetAs() {
    return both(Capability.FourOctetAs.class);
  }

  /// Whether both announced graceful restart.
  public boolean gracefulRestart() {
    return both(Capability.GracefulRestart.class);
  }

  /// Whether a NOTIFICATION leaves routes in place as a lost connection does (RFC 8538 §4).
  public boolean notificationRestart() {
    return ours.capability(Capability.GracefulRestart.class)
            .map(Capability.GracefulRestart::notification)
            .orElse(false)
        && peerGracefulRestart().map(Capability.GracefulRestart::notification).orElse(false);
  }

  /// The peer's graceful restart capability, when it has one.
  public Optional<Capability.GracefulRestart> peerGracefulRestart() {
    return peer.capability(Capability.GracefulRestart.class);
  }

  private boolean both(Class<? extends Capability> kind) {
    return ours.capability(kind).isPresent() && peer.capability(kind).isPresent();
  }

  /// The verdict on a peer's OPEN.
  public sealed interface Verdict {
    record Agreed(Negotiated negotiated) implements Verdict {}

    record Refused(Notification notification) implements Verdict {}
  }

  /// Holds a peer's OPEN against ours (RFC 4271 §6.2).
  public static Verdict check(Open peer, SessionConfig config) {
    Open ours = config.open();
    if (!config.expected().allows(peer.asn(), ours.asn())) {
      return refused(BAD_PEER_AS);
    }
    long hold = peer.holdTime().toSeconds();
    if (hold == 1 || hold == 2) {
      return refused(UNACCEPTABLE_HOLD_TIME);
    }
    if (peer.asn().equals(ours.asn()) && peer.routerId().equals(ours.routerId())) {
      // RFC 6286 §2.2: within an AS the identifier is unique.
      return refused(BAD_BGP_IDENTIFIER);
    }
    Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);
    for (IpFamily family : IpFamily.values()) {
      AfiSafi unicast = AfiSafi.unicast(family);
      if (ours.speaks(unicast) && peer.speaks(unicast)) {
        families.add(family);
      }
    }
    if (families.isEmpty()) {
      return new Verdict.Refused(
          new Notification(Notification.OPEN_MESSAGE, UNSUPPORTED_CAPABILITY, wanted(ours)));
    }
    Duration holdTime = Duration.ofSeconds(Math.min(ours.holdTime().toSeconds(), hold));
    return new Verdict.Agreed(
        new Negotiated(
            ours,
            peer,
            new Timing(holdTime, config.keepalive(holdTime), config.sendHold(holdTime)),
            families,
            addPath(families, peer, ours),
            addPath(families, ours, peer),
            extended(families, ours, peer)));
  }

  /// Families of which one end wants to send several paths and the other to receive them.
  private static Set<IpFamily> addPath(Set<IpFamily> families, Open sender, Open receiver) {
    Set<IpFamily> agreed = EnumSet.noneOf(IpFamily.class);
    for (IpFamily family : families) {
      AfiSafi unicast = AfiSafi.unicast(family);
      boolean sends = sender.addPath(unicast).map(Capability.AddPath.Family::send).orElse(false);
      boolean receives =
          receiver.addPath(unicast).map(Capability.AddPath.Family::receive).orElse(false);
      if (sends && receives) {
        agreed.add(family);
      }
    }
    return agreed;
  }

  private static Set<IpFamily> extended(Set<IpFamily> families, Open ours, Open peer) {
    Set<IpFamily> agreed = EnumSet.noneOf(IpFamily.class);
    for (IpFamily family : families) {
      AfiSafi unicast = AfiSafi.unicast(family);
      if (ours.takesIpv6NextHop(unicast) && peer.takesIpv6NextHop(unicast)) {
        agreed.add(family);
      }
    }
    return agreed;
  }

  private static Verdict refused(int subcode) {
    return new Verdict.Refused(Notification.of(Notification.OPEN_MESSAGE, subcode));
  }

  /// The capabilities the peer lacks, as it should have sent them (RFC 5492 §5).
  private static Octets wanted(Open open) {
    byte[] capabilities = new byte[6 * IpFamily.values().length];
    int length = 0;
    for (IpFamily family : IpFamily.values()) {
      AfiSafi unicast = AfiSafi.unicast(family);
      if (open.speaks(unicast)) {
        capabilities[length] = 1;
        capabilities[length + 1] = 4;
        capabilities[length + 3] = (byte) unicast.afi();
        capabilities[length + 5] = (byte) unicast.safi();
        length += 6;
      }
    }
    return Octets.of(Arrays.copyOf(capabilities, length));
  }
}
