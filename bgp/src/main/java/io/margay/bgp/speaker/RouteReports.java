package io.margay.bgp.speaker;

import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.rib.Advertisement;
import io.margay.bgp.rib.Decision;
import io.margay.bgp.rib.Path;
import io.margay.bgp.rib.Rib;
import io.margay.bgp.speaker.RouteStatus.PathStatus;
import io.margay.bgp.speaker.RouteStatus.Role;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Routes as people read them.
final class RouteReports {

  private RouteReports() {}

  static RouteStatus route(Rib.Known known) {
    List<PathStatus> paths = new ArrayList<>();
    Decision decision = known.decision();
    if (decision != null) {
      paths.add(path(decision.best(), Role.BEST, decision.decidedBy().toString()));
      decision
          .lost()
          .forEach(
              (path, step) -> {
                boolean shares =
                    path instanceof Path.Learned learned && decision.multipath().contains(learned);
                paths.add(path(path, shares ? Role.MULTIPATH : Role.CANDIDATE, step.toString()));
              });
    }
    for (Rib.Refused refused : known.refused()) {
      paths.add(path(refused.path(), Role.REJECTED, refused.reason().toString()));
    }
    return new RouteStatus(known.prefix(), paths);
  }

  private static PathStatus path(Path path, Role role, String reason) {
    String asPath = path.attributes().asPath().toString();
    List<String> communities = communities(path.attributes());
    return switch (path) {
      case Path.Local _ -> new PathStatus(null, null, asPath, communities, role, false, reason);
      case Path.Learned learned ->
          new PathStatus(
              learned.from().address(),
              learned.nextHop(),
              asPath,
              communities,
              role,
              learned.stale(),
              reason);
    };
  }

  static List<AdvertisedStatus> advertised(Map<Prefix, Advertisement> told) {
    return told.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .map(
            entry ->
                new AdvertisedStatus(
                    entry.getKey(),
                    entry.getValue().nextHop(),
                    entry.getValue().attributes().asPath().toString(),
                    communities(entry.getValue().attributes())))
        .toList();
  }

  private static List<String> communities(PathAttributes attributes) {
    List<String> all = new ArrayList<>();
    attributes.communities().communities().forEach(one -> all.add(one.toString()));
    attributes.largeCommunities().communities().forEach(one -> all.add(one.toString()));
    return all;
  }
}
