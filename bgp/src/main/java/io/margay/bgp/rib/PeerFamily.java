package io.margay.bgp.rib;

import io.margay.bgp.policy.MaxPrefix;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One peer and one family: counts, how far the exchange is, and what the peer is told.
final class PeerFamily {

  int received;
  int accepted;
  int stale;

  /// Kept out by the prefix limit.
  int discarded;

  /// Prefixes whose winner came from this peer.
  int best;

  boolean endOfRibReceived;
  boolean endOfRibSent;

  /// Absent while the family is not exchanged.
  @Nullable AdjRibOut out;

  private @Nullable MaxPrefix limit;
  private boolean warned;
  private boolean exceeded;

  void limit(@Nullable MaxPrefix wanted) {
    limit = wanted;
  }

  @Nullable MaxPrefix limit() {
    return limit;
  }

  /// Whether one more prefix may be accepted. With action WARN there is no end.
  boolean hasRoom() {
    MaxPrefix max = limit;
    return max == null
        || switch (max.action()) {
          case WARN -> true;
          case RESTART, DISCARD -> accepted < max.limit();
        };
  }

  /// What became true of the limit since the last call.
  Optional<PrefixLimit> crossed(ScopedAddress peer, IpFamily family) {
    MaxPrefix max = limit;
    if (max == null) {
      return Optional.empty();
    }
    long wanted = (long) accepted + discarded;
    boolean exceedsNow = max.isExceededBy(wanted);
    boolean warnsNow = wanted >= max.warnAt();
    PrefixLimit.Level level = null;
    if (exceedsNow && !exceeded) {
      level = PrefixLimit.Level.EXCEEDED;
    } else if (warnsNow && !warned) {
      level = PrefixLimit.Level.NEAR;
    }
    exceeded = exceedsNow;
    warned = warnsNow;
    return level == null
        ? Optional.empty()
        : Optional.of(new PrefixLimit(peer, family, level, wanted, max));
  }
}
