package io.margay.bgp.speaker;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Notification;
import io.margay.bgp.rib.PrefixLimit;
import io.margay.model.net.IpFamily;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How near a peer's session is to its prefix limits.
final class PrefixLimits {

  private final Map<IpFamily, PrefixLimit> crossed = new EnumMap<>(IpFamily.class);

  void clear() {
    crossed.clear();
  }

  /// @return whether the session has to end
  boolean crossed(PrefixLimit limit) {
    crossed.put(limit.family(), limit);
    BgpLog.prefixLimit(limit);
    return switch (limit.level()) {
      case NEAR -> false;
      case EXCEEDED ->
          switch (limit.limit().action()) {
            case WARN, DISCARD -> false;
            case RESTART -> true;
          };
    };
  }

  /// What the peer is told (RFC 4486 §4).
  Notification notice(PrefixLimit limit) {
    return Notification.maxPrefix(AfiSafi.unicast(limit.family()), limit.limit().limit());
  }

  /// For people; null: below the warning.
  @Nullable String text(IpFamily family) {
    PrefixLimit limit = crossed.get(family);
    if (limit == null) {
      return null;
    }
    String level =
        switch (limit.level()) {
          case NEAR -> "near";
          case EXCEEDED -> "exceeded";
        };
    return level + ": " + limit.count() + " of " + limit.limit().limit();
  }
}
