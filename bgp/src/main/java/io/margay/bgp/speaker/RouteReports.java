package io.margay.bgp.speaker;

import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.rib.KnownRoute;
import io.margay.bgp.rib.RibReader;
import io.margay.bgp.speaker.RouteStatus.PathStatus;
import io.margay.bgp.speaker.RouteStatus.Role;
import io.margay.model.net.Prefix;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Routes as people read them.
final class RouteReports {

  private RouteReports() {}

  static RouteStatus route(KnownRoute known) {
    return new RouteStatus(known.prefix(), known.paths().stream().map(RouteReports::path).toList());
  }

  static Optional<RouteDetail> detail(RibReader reader, Prefix prefix) {
    return reader.route(prefix).map(known -> new RouteDetail(route(known), reader.exports(prefix)));
  }

  private static PathStatus path(KnownRoute.KnownPath path) {
    return new PathStatus(
        path.source() == null ? null : path.source().peer(),
        path.pathId(),
        path.received(),
        path.accepted(),
        role(path.standing()),
        path.reason(),
        path.stale(),
        Instant.ofEpochSecond(path.sinceSeconds()),
        path.metric());
  }

  private static Role role(KnownRoute.Standing standing) {
    return switch (standing) {
      case BEST -> Role.BEST;
      case MULTIPATH -> Role.MULTIPATH;
      case CANDIDATE -> Role.CANDIDATE;
      case INELIGIBLE -> Role.INELIGIBLE;
      case REJECTED -> Role.REJECTED;
    };
  }

  /// Of all kinds, as text.
  static List<String> communities(PathAttributes attributes) {
    List<String> all = new ArrayList<>();
    attributes.communities().communities().forEach(one -> all.add(one.toString()));
    attributes
        .extendedCommunities()
        .communities()
        .forEach(one -> all.add("0x%016x".formatted(one)));
    attributes.largeCommunities().communities().forEach(one -> all.add(one.toString()));
    return all;
  }
}
