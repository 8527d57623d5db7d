package io.margay.bgp.rib;

import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.policy.RouteSource;
import io.margay.model.net.Asn;
import io.margay.model.net.RouterId;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Chooses between the paths to a prefix by elimination, so that the outcome does not depend on
/// their order. The step each loser lost at stays readable until the next choice: what is explained
/// is what was decided.
final class Selection {

  private static final int FIRST_CANDIDATES = 16;

  /// The rules between paths that traffic could be shared over, in order.
  private static final List<DecisionStep> TIE_BREAK =
      List.of(
          DecisionStep.STALE,
          DecisionStep.ROUTER_ID,
          DecisionStep.CLUSTER_LENGTH,
          DecisionStep.NEIGHBOR_IP,
          DecisionStep.PATH_ID);

  private final DecisionRules rules;
  private final AttributeStore attributes;
  private final NextHops nextHops;
  private final Peers peers;

  private int[] slots = new int[FIRST_CANDIDATES];

  /// Absent: still in the running.
  private @Nullable DecisionStep[] lostAt = new @Nullable DecisionStep[FIRST_CANDIDATES];

  private boolean[] shares = new boolean[FIRST_CANDIDATES];
  private int size;
  private DecisionStep decidedBy = DecisionStep.ONLY_PATH;

  Selection(DecisionRules rules, AttributeStore attributes, NextHops nextHops, Peers peers) {
    this.rules = rules;
    this.attributes = attributes;
    this.nextHops = nextHops;
    this.peers = peers;
  }

  /// Whether a path may be chosen at all.
  boolean isEligible(PathTable paths, int slot) {
    int accepted = paths.accepted(slot);
    return accepted >= 0
        && (nextHops.areAllReachable()
            || nextHops.metric(attributes.hop(accepted)) != NextHops.UNREACHABLE);
  }

  /// The best of the paths linked from `first`; 0 when none is eligible.
  int choose(PathTable paths, int first) {
    size = 0;
    decidedBy = DecisionStep.ONLY_PATH;
    for (int slot = first; slot != 0; slot = paths.next(slot)) {
      if (isEligible(paths, slot)) {
        add(slot);
      }
    }
    if (size == 0) {
      return 0;
    }
    if (size == 1) {
      shares[0] = paths.peer(slots[0]) != Peers.OURSELVES;
      return slots[0];
    }
    return eliminate(paths);
  }

  private void add(int slot) {
    if (size == slots.length) {
      slots = Arrays.copyOf(slots, size * 2);
      lostAt = Arrays.copyOf(lostAt, size * 2);
      shares = Arrays.copyOf(shares, size * 2);
    }
    slots[size] = slot;
    lostAt[size] = null;
    shares[size] = false;
    size++;
  }

  /// Candidates of the last choice.
  int size() {
    return size;
  }

  int slot(int candidate) {
    return slots[candidate];
  }

  /// Why a candidate lost; absent for the winner.
  @Nullable DecisionStep lostAt(int candidate) {
    return lostAt[candidate];
  }

  /// Whether traffic is shared over a candidate; the winner, unless it is our own, included.
  boolean shares(int candidate) {
    return shares[candidate];
  }

  /// The last rule that told the winner from another candidate.
  DecisionStep decidedBy() {
    return decidedBy;
  }

  private int eliminate(PathTable paths) {
    for (int i = 0; i < size; i++) {
      if (paths.peer(slots[i]) == Peers.OURSELVES) {
        for (int other = 0; other < size; other++) {
          if (other != i) {
            lose(other, DecisionStep.LOCAL_ROUTE);
          }
        }
        return slots[i];
      }
    }
    keepPreferred(paths);
    keepLowestMed(paths);
    keepExternal(paths);
    keepNearest(paths);
    return shareAndBreakTie(paths);
  }

  private void lose(int candidate, DecisionStep step) {
    lostAt[candidate] = step;
    decidedBy = decidedBy.compareTo(step) < 0 ? step : decidedBy;
  }

  /// RFC 4271 §9.1.1 and §9.1.2.2 a, b: LOCAL_PREF, AS_PATH length, ORIGIN.
  private void keepPreferred(PathTable paths) {
    long lowest = Long.MAX_VALUE;
    for (int i = 0; i < size; i++) {
      lowest = Math.min(lowest, attributes.preference(paths.accepted(slots[i])));
    }
    for (int i = 0; i < size; i++) {
      long preference = attributes.preference(paths.accepted(slots[i]));
      if (preference != lowest) {
        lose(i, AttributeStore.differsIn(preference, lowest));
      }
    }
  }

  /// RFC 4271 §9.1.2.2 c: compared within one neighbouring AS; without the attribute "considered to
  /// have the lowest possible value".
  private void keepLowestMed(PathTable paths) {
    boolean differ = false;
    long common = -1;
    for (int i = 0; i < size; i++) {
      if (lostAt[i] == null) {
        long med = of(paths, i).med();
        differ |= common >= 0 && med != common;
        common = med;
      }
    }
    if (!differ) {
      return;
    }
    // Judged before anyone leaves: each loser has a better one of its own neighbour AS.
    boolean[] loses = new boolean[size];
    for (int i = 0; i < size; i++) {
      if (lostAt[i] == null) {
        long neighbor = neighbor(of(paths, i));
        for (int other = 0; other < size && !loses[i]; other++) {
          loses[i] =
              lostAt[other] == null
                  && of(paths, other).med() < of(paths, i).med()
                  && neighbor(of(paths, other)) == neighbor;
        }
      }
    }
    for (int i = 0; i < size; i++) {
      if (loses[i]) {
        lose(i, DecisionStep.MED);
      }
    }
  }

  /// The neighbouring AS; -1 for a path of our own AS or behind an aggregate.
  private static long neighbor(PathAttributes attributes) {
    return attributes.asPath().first().map(Asn::toLong).orElse(-1L);
  }

  /// RFC 4271 §9.1.2.2 d.
  private void keepExternal(PathTable paths) {
    boolean anyExternal = false;
    for (int i = 0; i < size; i++) {
      anyExternal |= lostAt[i] == null && !source(paths, i).kind().isInternal();
    }
    for (int i = 0; i < size && anyExternal; i++) {
      if (lostAt[i] == null && source(paths, i).kind().isInternal()) {
        lose(i, DecisionStep.PEER_TYPE);
      }
    }
  }

  /// RFC 4271 §9.1.2.2 e.
  private void keepNearest(PathTable paths) {
    long nearest = Long.MAX_VALUE;
    for (int i = 0; i < size; i++) {
      if (lostAt[i] == null) {
        nearest = Math.min(nearest, metric(paths, i));
      }
    }
    for (int i = 0; i < size; i++) {
      if (lostAt[i] == null && metric(paths, i) != nearest) {
        lose(i, DecisionStep.IGP_METRIC);
      }
    }
  }

  private int shareAndBreakTie(PathTable paths) {
    int best = -1;
    for (int i = 0; i < size; i++) {
      if (lostAt[i] == null && (best < 0 || compareTie(paths, i, best) < 0)) {
        best = i;
      }
    }
    // The winner is shared over first, then the others in the order of the tie-break.
    shares[best] = true;
    int sharing = 1;
    while (sharing < rules.maxPaths()) {
      int next = -1;
      for (int i = 0; i < size; i++) {
        if (lostAt[i] == null
            && !shares[i]
            && isAlike(paths, i, best)
            && (next < 0 || compareTie(paths, i, next) < 0)) {
          next = i;
        }
      }
      if (next < 0) {
        break;
      }
      shares[next] = true;
      sharing++;
    }
    for (int i = 0; i < size; i++) {
      if (lostAt[i] == null && i != best) {
        lose(i, tieStep(paths, i, best));
      }
    }
    return slots[best];
  }

  private boolean isAlike(PathTable paths, int one, int other) {
    return rules.multipathRelax() || of(paths, one).asPath().equals(of(paths, other).asPath());
  }

  private int compareTie(PathTable paths, int one, int other) {
    for (DecisionStep step : TIE_BREAK) {
      int order = compareAt(step, paths, one, other);
      if (order != 0) {
        return order;
      }
    }
    return 0;
  }

  private DecisionStep tieStep(PathTable paths, int one, int other) {
    for (DecisionStep step : TIE_BREAK) {
      if (compareAt(step, paths, one, other) != 0) {
        return step;
      }
    }
    throw new IllegalStateException("two paths of one peer have one path id");
  }

  /// The order of two equal paths by one rule of the tie-break: RFC 4271 §9.1.2.2 f, g with RFC
  /// 4456 §9 between, where ORIGINATOR_ID takes the place of the router id.
  private int compareAt(DecisionStep step, PathTable paths, int one, int other) {
    return switch (step) {
      case STALE -> Boolean.compare(isStale(paths, one), isStale(paths, other));
      case ROUTER_ID -> originator(paths, one).compareTo(originator(paths, other));
      case CLUSTER_LENGTH ->
          Integer.compare(
              of(paths, one).clusterList().size(), of(paths, other).clusterList().size());
      case NEIGHBOR_IP -> source(paths, one).peer().compareTo(source(paths, other).peer());
      case PATH_ID -> Integer.compareUnsigned(paths.pathId(slots[one]), paths.pathId(slots[other]));
      case ONLY_PATH, LOCAL_ROUTE, LOCAL_PREF, AS_PATH, ORIGIN, MED, PEER_TYPE, IGP_METRIC -> 0;
    };
  }

  private boolean isStale(PathTable paths, int candidate) {
    return paths.has(slots[candidate], PathTable.STALE);
  }

  private RouterId originator(PathTable paths, int candidate) {
    RouterId originator = of(paths, candidate).originatorId();
    return originator == null ? source(paths, candidate).routerId() : originator;
  }

  private PathAttributes of(PathTable paths, int candidate) {
    return attributes.get(paths.accepted(slots[candidate])).attributes();
  }

  private RouteSource source(PathTable paths, int candidate) {
    return peers.source(paths.peer(slots[candidate]));
  }

  private long metric(PathTable paths, int candidate) {
    return nextHops.metric(attributes.hop(paths.accepted(slots[candidate])));
  }
}
