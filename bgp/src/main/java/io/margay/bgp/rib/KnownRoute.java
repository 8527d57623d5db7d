package io.margay.bgp.rib;

import io.margay.bgp.message.RouteAttributes;
import io.margay.bgp.policy.RouteSource;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Everything known of one prefix.
///
/// @param paths the winner first
public record KnownRoute(Prefix prefix, List<KnownPath> paths) {
  public KnownRoute {
    paths = List.copyOf(paths);
  }

  /// One path and what became of it.
  ///
  /// @param source whom it came from; absent: our own
  /// @param pathId of the peer, where it sends several paths to a prefix (RFC 7911); otherwise 0
  /// @param received as it came
  /// @param accepted as policy left it; absent: refused
  /// @param standing what became of it
  /// @param reason for {@link Standing#BEST} what decided last, for {@link Standing#MULTIPATH} and
  ///   {@link Standing#CANDIDATE} what it lost by, otherwise why it is not considered
  /// @param stale kept for a restarting peer
  /// @param sinceSeconds when it came or changed, seconds since 1970
  /// @param metric to the next hop; absent when that cannot be reached
  public record KnownPath(
      @Nullable RouteSource source,
      int pathId,
      RouteAttributes received,
      @Nullable RouteAttributes accepted,
      Standing standing,
      String reason,
      boolean stale,
      long sinceSeconds,
      OptionalLong metric) {}

  /// What became of a path.
  public enum Standing {
    BEST,
    /// Not best, but forwarded over as well.
    MULTIPATH,
    CANDIDATE,
    /// Accepted, but the next hop cannot be reached, or nothing is decided yet.
    INELIGIBLE,
    REJECTED
  }
}
