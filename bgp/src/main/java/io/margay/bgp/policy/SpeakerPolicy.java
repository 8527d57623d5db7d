package io.margay.bgp.policy;

import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import java.util.Set;

/// What is the same for all peers of a speaker.
///
/// @param clusterId of the routes we reflect (RFC 4456 §7); the router id unless several reflectors
///   share one
/// @param ownAddresses addresses of this node: nobody's next hop but ours
/// @param guard ranges that no peer may announce
/// @param gracefulShutdown whether the node is being drained: what it announces is marked as about
///   to go away (RFC 8326 §4.2)
/// @param defaultLocalPref LOCAL_PREF of a route that came without, and of our own: 0 to 4294967295
public record SpeakerPolicy(
    Asn asn,
    RouterId routerId,
    int clusterId,
    Set<IpAddress> ownAddresses,
    OwnRanges guard,
    boolean gracefulShutdown,
    long defaultLocalPref) {

  /// What most speakers take (RFC 4271 §5.1.5 leaves it open).
  public static final long USUAL_LOCAL_PREF = PathAttributes.DEFAULT_LOCAL_PREF;

  /// What Calico nodes give routes without a priority of their own: priority 1024. A node whose
  /// filters set priorities needs it, so that every priority compares with the routes that have
  /// none.
  public static final long CALICO_LOCAL_PREF = RoutePriority.toLocalPref(RoutePriority.DEFAULT);

  private static final long MAX_LOCAL_PREF = 0xffff_ffffL;

  public SpeakerPolicy {
    ownAddresses = Set.copyOf(ownAddresses);
    if (asn.value() == 0) {
      throw new IllegalArgumentException("AS 0 can't be the speaker's (RFC 7607)");
    }
    if (defaultLocalPref < 0 || defaultLocalPref > MAX_LOCAL_PREF) {
      throw new IllegalArgumentException(
          "default LOCAL_PREF " + defaultLocalPref + " is not in 0.." + MAX_LOCAL_PREF);
    }
  }

  public SpeakerPolicy(
      Asn asn,
      RouterId routerId,
      int clusterId,
      Set<IpAddress> ownAddresses,
      Set<Prefix> guard,
      boolean gracefulShutdown) {
    this(
        asn,
        routerId,
        clusterId,
        ownAddresses,
        OwnRanges.of(guard),
        gracefulShutdown,
        USUAL_LOCAL_PREF);
  }

  /// A speaker that reflects under its own router id and guards nothing.
  public static SpeakerPolicy of(Asn asn, RouterId routerId) {
    return new SpeakerPolicy(asn, routerId, routerId.value(), Set.of(), Set.of(), false);
  }

  public SpeakerPolicy withGuard(OwnRanges ranges) {
    return new SpeakerPolicy(
        asn, routerId, clusterId, ownAddresses, ranges, gracefulShutdown, defaultLocalPref);
  }

  public SpeakerPolicy withGracefulShutdown(boolean draining) {
    return new SpeakerPolicy(
        asn, routerId, clusterId, ownAddresses, guard, draining, defaultLocalPref);
  }
}
