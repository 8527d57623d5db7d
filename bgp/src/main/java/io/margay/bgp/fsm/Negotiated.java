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
/// @param peer the peer's OPEN
/// @param holdTime the smaller of both proposals; zero: no keepalives
/// @param families routes of which are exchanged
/// @param fourOctetAs both speak 4-octet AS numbers
/// @param gracefulRestart both announced the capability
public record Negotiated(
    Open peer,
    Duration holdTime,
    Set<IpFamily> families,
    boolean fourOctetAs,
    boolean gracefulRestart) {

  private static final int BAD_PEER_AS = 2;
  private static final int BAD_BGP_IDENTIFIER = 3;
  private static final int UNACCEPTABLE_HOLD_TIME = 6;
  private static final int UNSUPPORTED_CAPABILITY = 7;

  public Negotiated {
    families = Collections.unmodifiableSet(EnumSet.copyOf(families));
  }

  /// The interval of our keepalives: a third of the hold time (RFC 4271 §4.4).
  public Duration keepalive() {
    return holdTime.dividedBy(3);
  }

  /// The peer's graceful restart capability, when it has one.
  public Optional<Capability.GracefulRestart> peerGracefulRestart() {
    return peer.capability(Capability.GracefulRestart.class);
  }

  /// The verdict on a peer's OPEN.
  public sealed interface Verdict {
    record Agreed(Negotiated negotiated) implements Verdict {}

    record Refused(Notification notification) implements Verdict {}
  }

  /// Holds a peer's OPEN against ours (RFC 4271 §6.2).
  public static Verdict check(Open peer, SessionConfig config) {
    if (!peer.asn().equals(config.peerAsn())) {
      return refused(BAD_PEER_AS);
    }
    long hold = peer.holdTime().toSeconds();
    if (hold == 1 || hold == 2) {
      return refused(UNACCEPTABLE_HOLD_TIME);
    }
    boolean internal = config.peerAsn().equals(config.open().asn());
    if (internal && peer.routerId().equals(config.open().routerId())) {
      // RFC 6286 §2.2: within an AS the identifier is unique.
      return refused(BAD_BGP_IDENTIFIER);
    }
    Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);
    for (IpFamily family : IpFamily.values()) {
      AfiSafi unicast = AfiSafi.unicast(family);
      if (config.open().speaks(unicast) && peer.speaks(unicast)) {
        families.add(family);
      }
    }
    if (families.isEmpty()) {
      return new Verdict.Refused(
          new Notification(
              Notification.OPEN_MESSAGE, UNSUPPORTED_CAPABILITY, wanted(config.open())));
    }
    long ours = config.open().holdTime().toSeconds();
    return new Verdict.Agreed(
        new Negotiated(
            peer,
            Duration.ofSeconds(Math.min(ours, hold)),
            families,
            has(peer, config.open(), Capability.FourOctetAs.class),
            has(peer, config.open(), Capability.GracefulRestart.class)));
  }

  private static boolean has(Open peer, Open ours, Class<? extends Capability> kind) {
    return peer.capability(kind).isPresent() && ours.capability(kind).isPresent();
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
