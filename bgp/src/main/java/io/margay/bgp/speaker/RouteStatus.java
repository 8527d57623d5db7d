package io.margay.bgp.speaker;

import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// All paths to one prefix and what became of each.
///
/// @param paths the winner first
public record RouteStatus(Prefix prefix, List<PathStatus> paths) {
  public RouteStatus {
    paths = List.copyOf(paths);
  }

  /// @param peer whom it came from; absent: our own
  /// @param pathId of a peer that sends several paths to a prefix (RFC 7911); otherwise 0
  /// @param received as it came
  /// @param accepted as import policy left it; absent: refused
  /// @param reason for {@link Role#BEST} what decided for it, for {@link Role#MULTIPATH} and {@link
  ///   Role#CANDIDATE} why it lost, otherwise why it is not considered
  /// @param stale kept for a peer that is restarting
  /// @param since when it came or changed
  /// @param metric to the next hop; absent when that cannot be reached
  public record PathStatus(
      @Nullable ScopedAddress peer,
      int pathId,
      RouteAttributes received,
      @Nullable RouteAttributes accepted,
      Role role,
      String reason,
      boolean stale,
      Instant since,
      OptionalLong metric) {

    /// As accepted, or else as received.
    public PathAttributes attributes() {
      return (accepted == null ? received : accepted).attributes();
    }

    /// Absent for our own.
    public @Nullable IpAddress nextHop() {
      return peer == null ? null : received.nextHop().address();
    }

    /// As text, empty for our own.
    public String asPath() {
      return attributes().asPath().toString();
    }

    /// As text, of all kinds.
    public List<String> communities() {
      return RouteReports.communities(attributes());
    }
  }

  /// What became of a path.
  public enum Role {
    BEST,
    /// Not best, but forwarded over as well.
    MULTIPATH,
    CANDIDATE,
    /// Accepted, but the next hop cannot be reached, or nothing is decided yet.
    INELIGIBLE,
    REJECTED
  }
}
