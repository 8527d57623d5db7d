package io.margay.bgp.speaker;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// All paths to one prefix and what became of each.
public record RouteStatus(Prefix prefix, List<PathStatus> paths) {
  public RouteStatus {
    paths = List.copyOf(paths);
  }

  /// @param peer whom it came from; absent: our own
  /// @param nextHop absent for our own
  /// @param asPath as text, empty for our own
  /// @param reason for {@link Role#CANDIDATE} why it lost, for {@link Role#REJECTED} why it was not
  ///   considered, otherwise what decided for it
  public record PathStatus(
      @Nullable IpAddress peer,
      @Nullable IpAddress nextHop,
      String asPath,
      List<String> communities,
      Role role,
      boolean stale,
      String reason) {
    public PathStatus {
      communities = List.copyOf(communities);
    }
  }

  /// What became of a path.
  public enum Role {
    BEST,
    /// Not best, but forwarded over as well.
    MULTIPATH,
    CANDIDATE,
    REJECTED
  }
}
