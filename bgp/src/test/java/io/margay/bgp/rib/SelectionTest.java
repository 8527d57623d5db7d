package io.margay.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.bgp.policy.PeerKind;
import io.margay.bgp.policy.RouteSource;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SelectionTest {

  /// A path as the oracle sees it.
  ///
  /// @param peer its address is 10.0.0.peer; 0: our own
  record Candidate(
      int peer, int routerId, PeerKind kind, int pathId, boolean stale, RouteAttributes route) {

    PathAttributes attributes() {
      return route.attributes();
    }
  }

  /// What was decided, for comparison.
  record Outcome(Candidate best, Set<Candidate> shared, Map<Candidate, DecisionStep> lost) {}

  private static final Map<IpAddress, Reachability> METRICS =
      Map.of(
          IpAddress.parse("192.0.2.1"), new Reachability.Reachable(0),
          IpAddress.parse("192.0.2.2"), new Reachability.Reachable(10),
          IpAddress.parse("192.0.2.3"), new Reachability.Unreachable());

  private static Candidate path(int peer, PeerKind kind, String hop, PathAttribute... attributes) {
    return new Candidate(
        peer,
        100 + peer,
        kind,
        0,
        false,
        new RouteAttributes(PathAttributes.of(attributes), NextHop.of(IpAddress.parse(hop))));
  }

  private static Candidate path(int peer, PathAttribute... attributes) {
    return path(peer, PeerKind.EBGP, "192.0.2.1", attributes);
  }

  private static PathAttribute as(int... asns) {
    AsPath.Builder path = AsPath.builder().begin(AsPath.Kind.SEQUENCE);
    for (int asn : asns) {
      path.add(asn);
    }
    return new PathAttribute.AsPathAttribute(path.build());
  }

  private static final PathAttribute IGP = new PathAttribute.Origin(PathAttribute.OriginCode.IGP);
  private static final PathAttribute INCOMPLETE =
      new PathAttribute.Origin(PathAttribute.OriginCode.INCOMPLETE);

  private static @Nullable Outcome tryDecide(DecisionRules rules, List<Candidate> candidates) {
    NextHops hops = new NextHops(true);
    AttributeStore store = new AttributeStore(hops, 1);
    Peers peers = new Peers();
    Map<Integer, PeerRibs> known = new HashMap<>();
    PathTable paths = new PathTable();
    Map<Integer, Candidate> bySlot = new HashMap<>();
    int head = 0;
    for (Candidate one : candidates) {
      int number = Peers.OURSELVES;
      if (one.peer() != 0) {
        PeerRibs peer = known.get(one.peer());
        if (peer == null) {
          ScopedAddress address = ScopedAddress.parse("10.0.0." + one.peer());
          peer = peers.add(address, new RibPeer(RibFixtures.BOTH, RibFixtures.ACCEPT_AND_TELL_ALL));
          peer.source =
              new RouteSource(address, new Asn(1), new RouterId(one.routerId()), one.kind());
          known.put(one.peer(), peer);
        }
        number = peer.number;
      }
      int id = store.intern(one.route());
      head = paths.add(number, one.pathId(), id, id, one.stale() ? PathTable.STALE : 0, 0, head);
      bySlot.put(head, one);
    }
    hops.resolve(METRICS);
    Selection selection = new Selection(rules, store, hops, peers);
    int best = selection.choose(paths, head);
    Map<Candidate, DecisionStep> lost = new LinkedHashMap<>();
    Set<Candidate> shared = new TreeSet<>(Comparator.comparing(Candidate::toString));
    for (int i = 0; i < selection.size(); i++) {
      Candidate one = bySlot.get(selection.slot(i));
      DecisionStep step = selection.lostAt(i);
      if (step != null) {
        lost.put(one, step);
      }
      if (selection.shares(i)) {
        shared.add(one);
      }
    }
    Candidate winner = bySlot.get(best);
    return winner == null ? null : new Outcome(winner, shared, lost);
  }

  private static Outcome decide(DecisionRules rules, List<Candidate> candidates) {
    return Objects.requireNonNull(tryDecide(rules, candidates));
  }

  /// The rules once more, in the plainest words: sort out by one after the other.
  private static @Nullable Outcome oracle(DecisionRules rules, List<Candidate> all) {
    return oracle(rules, all, METRICS);
  }

  /// @param metrics of next hops; one that is missing can be reached at no cost
  static @Nullable Outcome oracle(
      DecisionRules rules, List<Candidate> all, Map<IpAddress, Reachability> metrics) {
    List<Candidate> left = new ArrayList<>();
    for (Candidate one : all) {
      if (one.peer() == 0 || metric(one, metrics) != Long.MAX_VALUE) {
        left.add(one);
      }
    }
    if (left.isEmpty()) {
      return null;
    }
    Map<Candidate, DecisionStep> lost = new LinkedHashMap<>();
    keep(left, lost, DecisionStep.LOCAL_ROUTE, one -> one.peer() == 0 ? 0 : 1);
    if (left.getFirst().peer() == 0) {
      return new Outcome(left.getFirst(), Set.of(), lost);
    }
    keep(left, lost, DecisionStep.LOCAL_PREF, one -> -one.attributes().localPref());
    keep(left, lost, DecisionStep.AS_PATH, one -> one.attributes().asPath().hops());
    keep(left, lost, DecisionStep.ORIGIN, one -> one.attributes().origin().wireValue());
    Map<Optional<Asn>, Long> lowest = new HashMap<>();
    for (Candidate one : left) {
      lowest.merge(one.attributes().asPath().first(), one.attributes().med(), Math::min);
    }
    keep(
        left,
        lost,
        DecisionStep.MED,
        one ->
            one.attributes().med() > lowest.getOrDefault(one.attributes().asPath().first(), 0L)
                ? 1
                : 0);
    keep(left, lost, DecisionStep.PEER_TYPE, one -> one.kind() == PeerKind.EBGP ? 0 : 1);
    keep(left, lost, DecisionStep.IGP_METRIC, one -> metric(one, metrics));
    List<Candidate> equal = new ArrayList<>(left);
    Comparator<Candidate> tieBreak =
        Comparator.comparing(Candidate::stale)
            .thenComparing(SelectionTest::originator)
            .thenComparingInt(one -> one.attributes().clusterList().size())
            .thenComparingInt(Candidate::peer)
            .thenComparing(Candidate::pathId, Integer::compareUnsigned);
    equal.sort(tieBreak);
    Candidate best = equal.getFirst();
    Set<Candidate> shared = new TreeSet<>(Comparator.comparing(Candidate::toString));
    for (Candidate one : equal) {
      if (shared.size() < rules.maxPaths()
          && (rules.multipathRelax()
              || one.attributes().asPath().equals(best.attributes().asPath()))) {
        shared.add(one);
      }
    }
    keep(left, lost, DecisionStep.STALE, one -> one.stale() ? 1 : 0, best);
    keep(left, lost, DecisionStep.ROUTER_ID, one -> originator(one).value(), best);
    keep(
        left,
        lost,
        DecisionStep.CLUSTER_LENGTH,
        one -> one.attributes().clusterList().size(),
        best);
    keep(left, lost, DecisionStep.NEIGHBOR_IP, Candidate::peer, best);
    keep(left, lost, DecisionStep.PATH_ID, Candidate::pathId, best);
    return new Outcome(best, shared, lost);
  }

  private static long metric(Candidate one, Map<IpAddress, Reachability> metrics) {
    Reachability known = metrics.get(one.route().nextHop().address());
    return switch (known) {
      case null -> 0;
      case Reachability.Unreachable() -> Long.MAX_VALUE;
      case Reachability.Reachable(long metric) -> metric;
    };
  }

  private static RouterId originator(Candidate one) {
    RouterId id = one.attributes().originatorId();
    return id == null ? new RouterId(one.routerId()) : id;
  }

  private static void keep(
      List<Candidate> left,
      Map<Candidate, DecisionStep> lost,
      DecisionStep step,
      ToLongFunction<Candidate> rank) {
    long lowest = left.stream().mapToLong(rank).min().orElseThrow();
    left.removeIf(
        one -> {
          boolean loses = rank.applyAsLong(one) > lowest;
          if (loses) {
            lost.put(one, step);
          }
          return loses;
        });
  }

  /// Among equals each loses where it first differs from the winner.
  private static void keep(
      List<Candidate> left,
      Map<Candidate, DecisionStep> lost,
      DecisionStep step,
      ToLongFunction<Candidate> rank,
      Candidate best) {
    left.removeIf(
        one -> {
          boolean loses = rank.applyAsLong(one) != rank.applyAsLong(best);
          if (loses) {
            lost.put(one, step);
          }
          return loses;
        });
  }

  /// The second path always has the better router id, so that only the named step can save the
  /// first.
  static Stream<Arguments> pairs() {
    return Stream.of(
        Arguments.of(
            DecisionStep.LOCAL_PREF,
            path(9, IGP, as(1, 2, 3), new PathAttribute.LocalPref(200)),
            path(1, IGP, as(1))),
        Arguments.of(DecisionStep.AS_PATH, path(9, IGP, as(1)), path(1, IGP, as(1, 2))),
        Arguments.of(DecisionStep.ORIGIN, path(9, IGP, as(1)), path(1, INCOMPLETE, as(1))),
        Arguments.of(
            DecisionStep.MED,
            path(9, IGP, as(1)),
            path(1, IGP, as(1), new PathAttribute.MultiExitDisc(1))),
        Arguments.of(
            DecisionStep.PEER_TYPE,
            path(9, IGP, as(1)),
            path(1, PeerKind.IBGP, "192.0.2.1", IGP, as(1))),
        Arguments.of(
            DecisionStep.IGP_METRIC,
            path(9, IGP, as(1)),
            path(1, PeerKind.EBGP, "192.0.2.2", IGP, as(1))),
        Arguments.of(DecisionStep.ROUTER_ID, path(2, IGP, as(1)), path(3, IGP, as(1))),
        // RFC 4271 §9.1.2.2 c: MED says nothing between neighbouring ASes.
        Arguments.of(
            DecisionStep.ROUTER_ID,
            path(2, IGP, as(1), new PathAttribute.MultiExitDisc(7)),
            path(3, IGP, as(2))),
        // RFC 4456 §9: ORIGINATOR_ID in the place of the router id, then the shorter CLUSTER_LIST.
        Arguments.of(
            DecisionStep.ROUTER_ID,
            path(9, IGP, as(1), new PathAttribute.OriginatorId(new RouterId(5))),
            path(1, IGP, as(1))),
        Arguments.of(
            DecisionStep.CLUSTER_LENGTH,
            path(
                9,
                IGP,
                as(1),
                new PathAttribute.OriginatorId(new RouterId(5)),
                PathAttribute.ClusterList.ofValues(1)),
            path(
                1,
                IGP,
                as(1),
                new PathAttribute.OriginatorId(new RouterId(5)),
                PathAttribute.ClusterList.ofValues(1, 2))),
        Arguments.of(
            DecisionStep.NEIGHBOR_IP,
            path(1, IGP, as(1), new PathAttribute.OriginatorId(new RouterId(5))),
            path(9, IGP, as(1), new PathAttribute.OriginatorId(new RouterId(5)))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("pairs")
  void the_first_path_wins_by_the_step(DecisionStep step, Candidate winner, Candidate loser) {
    for (List<Candidate> order : List.of(List.of(winner, loser), List.of(loser, winner))) {
      Outcome outcome = decide(new DecisionRules(false, 8), order);
      assertThat(outcome.best()).isEqualTo(winner);
      assertThat(outcome.lost()).containsExactly(Map.entry(loser, step));
    }
  }

  @Test
  void missing_med_is_the_best_and_med_is_judged_before_anyone_of_the_group_is_gone() {
    // Pairwise comparison would go round in circles here: b beats a by id, c beats b by id, a beats
    // c by MED.
    Candidate a = path(3, IGP, as(1), new PathAttribute.MultiExitDisc(10));
    Candidate b = path(2, IGP, as(2));
    Candidate c = path(1, IGP, as(1), new PathAttribute.MultiExitDisc(20));
    List<Candidate> order = new ArrayList<>(List.of(a, b, c));
    for (int i = 0; i < 6; i++) {
      Collections.shuffle(order, new Random(i));
      Outcome outcome = decide(new DecisionRules(true, 8), order);
      assertThat(outcome.best()).isEqualTo(b);
      assertThat(outcome.lost())
          .containsOnly(Map.entry(a, DecisionStep.ROUTER_ID), Map.entry(c, DecisionStep.MED));
    }
  }

  @Test
  void equal_paths_share_traffic_as_far_as_the_rules_allow() {
    Candidate one = path(1, IGP, as(1));
    Candidate two = path(2, IGP, as(2));
    Candidate three = path(3, IGP, as(1));
    List<Candidate> all = List.of(three, two, one);
    assertThat(decide(new DecisionRules(true, 8), all).shared())
        .containsExactlyInAnyOrder(one, two, three);
    assertThat(decide(new DecisionRules(false, 8), all).shared())
        .containsExactlyInAnyOrder(one, three);
    assertThat(decide(new DecisionRules(true, 2), all).shared())
        .containsExactlyInAnyOrder(one, two);
  }

  @Test
  void random_path_sets_are_decided_as_the_plain_rules_say_in_any_order() {
    for (long seed = 1; seed <= 4_000; seed++) {
      Random random = new Random(seed);
      List<Candidate> candidates = new ArrayList<>();
      Map<Integer, PeerKind> kinds = new HashMap<>();
      Map<Integer, Integer> ids = new HashMap<>();
      int size = 1 + random.nextInt(7);
      for (int i = 0; i < size; i++) {
        candidates.add(randomPath(random, i, kinds, ids));
      }
      DecisionRules rules = new DecisionRules(random.nextBoolean(), 1 + random.nextInt(4));
      Outcome expected = oracle(rules, candidates);
      for (int order = 0; order < 3; order++) {
        assertThat(tryDecide(rules, candidates)).as("seed " + seed).isEqualTo(expected);
        Collections.shuffle(candidates, random);
      }
    }
  }

  private static Candidate randomPath(
      Random random, int number, Map<Integer, PeerKind> kinds, Map<Integer, Integer> ids) {
    int peer = random.nextInt(40) == 0 && number == 0 ? 0 : 1 + random.nextInt(5);
    PeerKind kind =
        kinds.computeIfAbsent(peer, _ -> random.nextBoolean() ? PeerKind.EBGP : PeerKind.IBGP);
    int routerId = ids.computeIfAbsent(peer, _ -> 1 + random.nextInt(2));
    List<PathAttribute> all = new ArrayList<>();
    all.add(random.nextInt(4) == 0 ? INCOMPLETE : IGP);
    all.add(random.nextInt(4) == 0 ? as(1 + random.nextInt(2), 3) : as(1 + random.nextInt(3)));
    if (random.nextInt(3) == 0) {
      all.add(new PathAttribute.MultiExitDisc(random.nextInt(3)));
    }
    if (random.nextInt(5) == 0) {
      all.add(new PathAttribute.LocalPref(random.nextBoolean() ? 100 : -1));
    }
    if (random.nextInt(3) == 0) {
      all.add(new PathAttribute.OriginatorId(new RouterId(1 + random.nextInt(2))));
    }
    if (random.nextInt(3) == 0) {
      all.add(PathAttribute.ClusterList.ofValues(new int[1 + random.nextInt(2)]));
    }
    int hop = random.nextInt(10);
    String nextHop = hop == 0 && peer != 0 ? "192.0.2.3" : hop < 4 ? "192.0.2.2" : "192.0.2.1";
    return new Candidate(
        peer,
        routerId,
        kind,
        number + 1,
        random.nextInt(6) == 0,
        new RouteAttributes(PathAttributes.of(all), NextHop.of(IpAddress.parse(nextHop))));
  }
}
