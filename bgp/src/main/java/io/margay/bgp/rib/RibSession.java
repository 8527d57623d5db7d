package io.margay.bgp.rib;

import io.margay.bgp.policy.ExportSession;
import io.margay.bgp.policy.RouteSource;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import java.util.Set;

/// An established session as the RIBs see it.
///
/// @param source whom its routes come from
/// @param export what its routes are written for
/// @param families what is exchanged
/// @param keptForwarding families the peer says it kept forwarding over its restart (F bit)
/// @param unawaited the peer's End-of-RIB is not waited for before routes are selected: it is
///   restarting itself, or does not speak graceful restart
/// @param addPathSend families in which the peer is told every path, not only the best (RFC 7911)
public record RibSession(
    RouteSource source,
    ExportSession export,
    Set<IpFamily> families,
    Set<IpFamily> keptForwarding,
    boolean unawaited,
    Set<IpFamily> addPathSend) {
  public RibSession {
    families = Set.copyOf(families);
    keptForwarding = Set.copyOf(keptForwarding);
    addPathSend = Set.copyOf(addPathSend);
  }

  public ScopedAddress peer() {
    return source.peer();
  }
}
