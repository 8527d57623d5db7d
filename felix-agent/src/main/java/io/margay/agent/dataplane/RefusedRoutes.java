package io.margay.agent.dataplane;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteFailure;
import io.margay.linux.route.RouteKey;
import io.margay.linux.route.RouteTable;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Says which routes the kernel refuses, each once for as long as it does. Belongs to the dataplane
/// loop.
final class RefusedRoutes {

  /// Prefixes in others' hands that are told one by one; the rest, say of a second daemon that
  /// learns the same table, share a line.
  static final int MAX_TOLD = 20;

  private static final Logger LOG = LoggerFactory.getLogger(RefusedRoutes.class);

  private final RouteTable routes;
  private final Set<RouteKey> told = new HashSet<>();
  private boolean toldMore;
  private boolean toldOthers;

  RefusedRoutes(RouteTable routes) {
    this.routes = routes;
  }

  /// @param pending what the last write left undone
  void look(List<RouteFailure> pending) {
    Map<Boolean, List<RouteFailure>> byCause =
        pending.stream()
            .collect(Collectors.partitioningBy(failure -> failure.cause().is(Errno.EEXIST)));
    taken(byCause.getOrDefault(true, List.of()));
    others(byCause.getOrDefault(false, List.of()));
  }

  private void taken(List<RouteFailure> taken) {
    told.retainAll(taken.stream().map(RefusedRoutes::keyOf).collect(Collectors.toSet()));
    List<RouteFailure> news =
        taken.stream()
            .filter(failure -> !told.contains(keyOf(failure)))
            .limit(MAX_TOLD - told.size())
            .toList();
    if (!news.isEmpty()) {
      Map<RouteKey, Route> holders = holders(news);
      for (RouteFailure failure : news) {
        told.add(keyOf(failure));
        Route holder = holders.get(keyOf(failure));
        if (holder != null) {
          tell(failure.change().route(), holder);
        }
      }
    }
    boolean isMore = taken.size() > told.size();
    if (isMore && !toldMore) {
      LOG.atWarn()
          .addKeyValue("routes", taken.size() - told.size())
          .log("further routes of ours wait because others' stand in their place");
    }
    toldMore = isMore;
  }

  private static void tell(Route ours, Route theirs) {
    LOG.atWarn()
        .addKeyValue("prefix", ours.prefix())
        .addKeyValue("ours", ours)
        .addKeyValue("theirs", theirs)
        .addKeyValue(
            "fix",
            "ip -%d route del %s proto %d, or stop what writes it"
                .formatted(ours.family().version(), ours.prefix(), theirs.protocol()))
        .log(
            "another's route stands where ours should, and stays; ours is written when it goes, and"
                + " a block of this node is not announced before");
  }

  private Map<RouteKey, Route> holders(List<RouteFailure> taken) {
    try {
      return routes.holders(taken);
    } catch (LinuxException unreadable) {
      LOG.atWarn()
          .addKeyValue("prefixes", taken.stream().map(f -> f.change().route().prefix()).toList())
          .addKeyValue("reason", unreadable.getMessage())
          .log(
              "others' routes stand where ours should, and can't be read; ours wait until they go");
      return Map.of();
    }
  }

  /// Of a link that is down, the kernel refuses a whole table.
  private void others(List<RouteFailure> others) {
    if (!others.isEmpty() && !toldOthers) {
      LOG.atWarn()
          .addKeyValue("routes", others.size())
          .addKeyValue("first", others.getFirst().change().route())
          .addKeyValue("reason", others.getFirst().cause().getMessage())
          .log(
              "the kernel refuses routes; they are tried again, at once when a link comes or goes");
    }
    toldOthers = !others.isEmpty();
  }

  private static RouteKey keyOf(RouteFailure failure) {
    return failure.change().route().key();
  }
}
