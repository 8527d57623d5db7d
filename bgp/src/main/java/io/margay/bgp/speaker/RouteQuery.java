package io.margay.bgp.speaker;

import io.margay.bgp.rib.RouteKind;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Which routes to list.
///
/// @param families of these only
/// @param peer of this peer only; absent: of all, our own among them
/// @param within inside this prefix or equal to it; absent: anywhere
public record RouteQuery(
    RouteKind kind, Set<IpFamily> families, @Nullable ScopedAddress peer, @Nullable Prefix within) {

  /// Everything.
  public static final RouteQuery ALL =
      new RouteQuery(RouteKind.RECEIVED, Set.of(IpFamily.values()), null, null);

  public RouteQuery {
    families = Set.copyOf(families);
    if (kind == RouteKind.ADVERTISED && peer == null) {
      throw new IllegalArgumentException("advertised routes are those of a peer: name one");
    }
  }
}
