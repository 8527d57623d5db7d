package io.margay.bgp.rib;

import io.margay.bgp.message.PathAttribute;
import io.margay.model.net.Asn;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongFunction;

/// Chooses between paths by elimination, so that the outcome does not depend on their order (RFC
/// 4271 §9.1.2.2; MED is compared within one neighbouring AS only).
///
/// @param multipathRelax whether shared-over paths may differ in what their AS paths contain
/// @param maxPaths most paths to share traffic over
public record DecisionProcess(boolean multipathRelax, int maxPaths) {

  /// What a path without LOCAL_PREF counts as.
  private static final long DEFAULT_LOCAL_PREF = 100;

  private static final Comparator<Path.Learned> TIE_BREAK =
      Comparator.comparing((Path.Learned path) -> path.from().routerId())
          .thenComparing(path -> path.from().address());

  /// @param paths at least one; at most one of our own and one of each peer
  public Decision decide(List<Path> paths) {
    Map<Path, DecisionStep> lost = new HashMap<>();
    for (Path path : paths) {
      if (path instanceof Path.Local local) {
        for (Path other : paths) {
          if (!other.equals(local)) {
            lost.put(other, DecisionStep.LOCAL_ROUTE);
          }
        }
        return new Decision(
            local,
            List.of(),
            lost.isEmpty() ? DecisionStep.ONLY_PATH : DecisionStep.LOCAL_ROUTE,
            lost);
      }
    }
    List<Path.Learned> left = new ArrayList<>();
    for (Path path : paths) {
      if (path instanceof Path.Learned learned) {
        left.add(learned);
      }
    }
    DecisionStep last = DecisionStep.ONLY_PATH;
    last = keepLowest(left, path -> -localPref(path), DecisionStep.LOCAL_PREF, lost, last);
    last =
        keepLowest(
            left, path -> path.attributes().asPath().hops(), DecisionStep.AS_PATH, lost, last);
    last = keepLowest(left, DecisionProcess::origin, DecisionStep.ORIGIN, lost, last);
    last = dropHigherMed(left, lost, last);
    last =
        keepLowest(
            left, path -> path.from().external() ? 0 : 1, DecisionStep.PEER_TYPE, lost, last);
    left.sort(TIE_BREAK);
    Path.Learned best = left.getFirst();
    List<Path.Learned> multipath = new ArrayList<>();
    for (Path.Learned path : left) {
      if (!path.equals(best)) {
        last =
            path.from().routerId().equals(best.from().routerId())
                ? DecisionStep.NEIGHBOR_IP
                : DecisionStep.ROUTER_ID;
        lost.put(path, last);
      }
      if (multipath.size() < maxPaths
          && (multipathRelax || path.attributes().asPath().equals(best.attributes().asPath()))) {
        multipath.add(path);
      }
    }
    return new Decision(best, multipath, last, lost);
  }

  private static DecisionStep keepLowest(
      List<Path.Learned> left,
      ToLongFunction<Path.Learned> rank,
      DecisionStep step,
      Map<Path, DecisionStep> lost,
      DecisionStep last) {
    long lowest = Long.MAX_VALUE;
    for (Path.Learned path : left) {
      lowest = Math.min(lowest, rank.applyAsLong(path));
    }
    long limit = lowest;
    boolean decided =
        left.removeIf(
            path -> {
              boolean loses = rank.applyAsLong(path) > limit;
              if (loses) {
                lost.put(path, step);
              }
              return loses;
            });
    return decided ? step : last;
  }

  private static DecisionStep dropHigherMed(
      List<Path.Learned> left, Map<Path, DecisionStep> lost, DecisionStep last) {
    Map<Optional<Asn>, Long> lowest = new HashMap<>();
    for (Path.Learned path : left) {
      lowest.merge(path.attributes().asPath().first(), med(path), Math::min);
    }
    boolean decided =
        left.removeIf(
            path -> {
              boolean loses =
                  med(path) > lowest.getOrDefault(path.attributes().asPath().first(), 0L);
              if (loses) {
                lost.put(path, DecisionStep.MED);
              }
              return loses;
            });
    return decided ? DecisionStep.MED : last;
  }

  private static long localPref(Path path) {
    return path.attributes()
        .find(PathAttribute.LocalPref.class)
        .map(pref -> Integer.toUnsignedLong(pref.value()))
        .orElse(DEFAULT_LOCAL_PREF);
  }

  private static long origin(Path path) {
    return path.attributes()
        .find(PathAttribute.Origin.class)
        .map(origin -> (long) origin.origin().wireValue())
        .orElse((long) PathAttribute.OriginCode.INCOMPLETE.wireValue());
  }

  /// "routes that do not have the MULTI_EXIT_DISC attribute are considered to have the lowest
  /// possible value" (RFC 4271 §9.1.2.2 c).
  private static long med(Path path) {
    return path.attributes()
        .find(PathAttribute.MultiExitDisc.class)
        .map(med -> Integer.toUnsignedLong(med.value()))
        .orElse(0L);
  }
}
