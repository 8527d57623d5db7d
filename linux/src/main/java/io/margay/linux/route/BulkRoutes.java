package io.margay.linux.route;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The one writer of all routes of one origin in the main table, made for a full Internet table:
/// arrays instead of objects, and changes written some thousand at a time. Owned by one thread.
///
/// Only routes of that origin are read, changed or removed. Where a stranger's route has the same
/// prefix and metric, it stays; ours is reported as refused and tried again.
///
/// A fresh process calls [#adopt] first: what an earlier one left goes on forwarding, is taken over
/// without a write where it is wanted as it is, and is removed only after [#allowSweep].
///
/// @param <H> next hops as the owner names them
public final class BulkRoutes<H> {

  /*
   * A prefix is in state NOTHING, or refers to a set of next hops; `wanted` is what it should be,
   * `believed` what the kernel holds: a set that was wanted, or one that was only found. OTHER is a
   * route of ours that has no next hops (a blackhole somebody made): to be replaced or swept.
   *
   * Every id whose states differ is in the dirty queue once (its bit in `queued` says so), but for
   * leftovers that wait for their sweep, and for refused ones, which wait for retry().
   */
  private static final int NOTHING = 0;
  private static final int OTHER = 1;
  private static final int FIRST_SET = 2;

  private final RouteKernel kernel;
  private final int protocol;
  private final int metric;
  private final Function<H, List<NextHop>> resolver;
  private final Map<H, Integer> setIds = new HashMap<>();
  private final Map<List<NextHop>, Integer> foundIds = new HashMap<>();
  private final List<@Nullable HopSet<H>> sets = new ArrayList<>(Arrays.asList(null, null));
  private final List<Integer> freeSets = new ArrayList<>();
  private final Map<IpFamily, FamilyRoutes> families = new EnumMap<>(IpFamily.class);
  private final Set<IpFamily> sweepable = EnumSet.noneOf(IpFamily.class);

  /// Routes of our origin where we never put one: another metric, another table.
  private final List<Route> strays = new ArrayList<>();

  private boolean isUnsure = true;

  /// Next hops that some routes share; without a name if they were only found in the kernel.
  private static final class HopSet<H> {
    private final @Nullable H hops;
    private List<NextHop> resolved;
    private int users;

    HopSet(@Nullable H hops, List<NextHop> resolved) {
      this.hops = hops;
      this.resolved = resolved;
    }
  }

  /// @param kernel read and written by nobody else's thread
  /// @param protocol the origin all routes carry; see `rtnetlink.h` for the numbers others have
  /// @param metric of all routes; anybody's route of a smaller one wins over ours
  /// @param resolver the next hops as the kernel takes them; empty while an interface is not there
  public BulkRoutes(
      RouteKernel kernel, int protocol, int metric, Function<H, List<NextHop>> resolver) {
    this.kernel = kernel;
    this.protocol = protocol;
    this.metric = metric;
    this.resolver = resolver;
    for (IpFamily family : IpFamily.values()) {
      families.put(family, new FamilyRoutes(family));
    }
  }

  /// Wants the prefix to be reached over these next hops and no others.
  public void want(Prefix prefix, H hops) {
    FamilyRoutes family = of(prefix.family());
    int id = family.ids.add(prefix);
    family.reach(id);
    int set = setOf(hops);
    if (family.wanted[id] == NOTHING) {
      family.wantedCount++;
      if (family.believed[id] != NOTHING && !family.queued.get(id) && !family.refused.get(id)) {
        family.leftovers--;
      }
    }
    release(family.wanted[id]);
    family.wanted[id] = set;
    family.refused.clear(id);
    settleOrQueue(family, id);
  }

  /// Wants no route to the prefix.
  public void unwant(Prefix prefix) {
    FamilyRoutes family = of(prefix.family());
    int id = family.ids.find(prefix);
    if (id == PrefixIds.ABSENT || family.wanted[id] == NOTHING) {
      return;
    }
    release(family.wanted[id]);
    family.wanted[id] = NOTHING;
    family.wantedCount--;
    family.refused.clear(id);
    settleOrQueue(family, id);
  }

  /// The next hops a prefix should be reached over; empty if no route to it is wanted.
  public Optional<H> wantedHops(Prefix prefix) {
    FamilyRoutes family = of(prefix.family());
    int id = family.ids.find(prefix);
    return id == PrefixIds.ABSENT || family.wanted[id] == NOTHING
        ? Optional.empty()
        : Optional.ofNullable(set(family.wanted[id]).hops);
  }

  private void settleOrQueue(FamilyRoutes family, int id) {
    if (family.wanted[id] != family.believed[id]) {
      family.enqueue(id);
    } else if (family.wanted[id] == NOTHING && !family.queued.get(id)) {
      forget(family, id);
    }
  }

  private static void forget(FamilyRoutes family, int id) {
    family.refused.clear(id);
    family.ids.remove(id);
  }

  private int setOf(H hops) {
    Integer known = setIds.get(hops);
    int id = known == null ? fileSet(new HopSet<>(hops, resolver.apply(hops))) : known;
    setIds.put(hops, id);
    return retained(id);
  }

  /// The set of a route that the kernel holds, without a user yet.
  private int foundSet(Route route) {
    List<NextHop> hops = route.nextHops();
    if (route.type() != RouteType.UNICAST) {
      return OTHER;
    }
    Integer known = foundIds.get(hops);
    if (known != null) {
      return known;
    }
    int id = fileSet(new HopSet<>(null, hops));
    foundIds.put(hops, id);
    return id;
  }

  private int fileSet(HopSet<H> set) {
    if (freeSets.isEmpty()) {
      sets.add(set);
      return sets.size() - 1;
    }
    int id = freeSets.removeLast();
    sets.set(id, set);
    return id;
  }

  private HopSet<H> set(int id) {
    return Objects.requireNonNull(sets.get(id));
  }

  private void release(int id) {
    if (id < FIRST_SET) {
      return;
    }
    HopSet<H> set = set(id);
    if (--set.users == 0) {
      if (set.hops == null) {
        foundIds.remove(set.resolved);
      } else {
        setIds.remove(set.hops);
      }
      sets.set(id, null);
      freeSets.add(id);
    }
  }

  private int retained(int id) {
    if (id >= FIRST_SET) {
      set(id).users++;
    }
    return id;
  }

  private void believe(FamilyRoutes family, int id, int state) {
    int old = family.believed[id];
    family.believed[id] = retained(state);
    release(old);
  }

  /// Resolves all next hops again, because links or other routes changed, and queues the routes
  /// whose way changed.
  public void linksChanged() {
    BitSet moved = new BitSet();
    for (int id = FIRST_SET; id < sets.size(); id++) {
      HopSet<H> set = sets.get(id);
      if (set == null || set.hops == null) {
        continue;
      }
      List<NextHop> now = resolver.apply(set.hops);
      if (!now.equals(set.resolved)) {
        set.resolved = now;
        moved.set(id);
      }
    }
    if (moved.isEmpty()) {
      return;
    }
    for (FamilyRoutes family : families.values()) {
      for (int id = 0; id < family.ids.limit(); id++) {
        if (moved.get(family.believed[id])) {
          believe(family, id, OTHER);
        }
        if (moved.get(family.wanted[id])) {
          family.refused.clear(id);
          family.enqueue(id);
        }
      }
    }
  }

  /// From the next [#apply] on, leftovers of the family that nobody wants are removed.
  public void allowSweep(IpFamily which) {
    if (sweepable.add(which)) {
      FamilyRoutes family = of(which);
      family.leftovers = 0;
      for (int id = 0; id < family.ids.limit() && id < family.wanted.length; id++) {
        if (family.wanted[id] == NOTHING && family.believed[id] != NOTHING) {
          family.enqueue(id);
        }
      }
    }
  }

  /// Reads what the kernel holds of ours, and queues what differs from what is wanted. Writes
  /// nothing.
  public void adopt() throws LinuxException {
    List<Route> routes = kernel.dump(protocol);
    Map<IpFamily, BitSet> seen = new EnumMap<>(IpFamily.class);
    for (IpFamily family : IpFamily.values()) {
      seen.put(family, new BitSet(of(family).ids.limit()));
    }
    strays.clear();
    for (Route route : routes) {
      if (route.table() != Route.MAIN_TABLE || route.metric() != metric) {
        strays.add(route);
        continue;
      }
      FamilyRoutes family = of(route.family());
      int id = family.ids.add(route.prefix());
      family.reach(id);
      boolean met = family.wanted[id] >= FIRST_SET && isMet(family, id, route);
      believe(family, id, met ? family.wanted[id] : foundSet(route));
      Objects.requireNonNull(seen.get(route.family())).set(id);
    }
    for (IpFamily which : IpFamily.values()) {
      settle(of(which), Objects.requireNonNull(seen.get(which)), sweepable.contains(which));
    }
    isUnsure = false;
  }

  private boolean isMet(FamilyRoutes family, int id, Route actual) {
    Optional<Route> route = route(family, id);
    return route.isPresent() && route.get().isMetBy(actual);
  }

  private void settle(FamilyRoutes family, BitSet seen, boolean sweeps) {
    family.leftovers = 0;
    for (int id = 0; id < family.ids.limit(); id++) {
      if (id >= family.wanted.length) {
        break;
      }
      if (!seen.get(id) && family.believed[id] != NOTHING) {
        believe(family, id, NOTHING);
      }
      if (family.wanted[id] == family.believed[id]) {
        continue;
      }
      if (family.wanted[id] == NOTHING && !sweeps && !family.queued.get(id)) {
        family.leftovers++;
      } else if (!family.refused.get(id)) {
        family.enqueue(id);
      }
    }
  }

  /// Empty while an interface of the wanted next hops is not there.
  private Optional<Route> route(FamilyRoutes family, int id) {
    List<NextHop> hops = set(family.wanted[id]).resolved;
    return hops.isEmpty()
        ? Optional.empty()
        : Optional.of(route(family.ids.prefix(id), RouteType.UNICAST, hops));
  }

  private Route route(Prefix prefix, RouteType type, List<NextHop> hops) {
    return new Route(
        prefix, Route.MAIN_TABLE, protocol, type, Scope.UNIVERSE, metric, hops, Optional.empty());
  }

  /// Writes the next changes, as far as there are any.
  ///
  /// @param atMost how many, so that the owner can look after other things in between
  /// @return the refused ones; they wait for [#retry]
  /// @throws LinuxException when it is unknown what took effect; the next call reads the kernel
  ///   first
  public List<RouteFailure> apply(int atMost) throws LinuxException {
    if (isUnsure) {
      adopt();
    }
    isUnsure = true; // until the answers are in
    List<Pending> pending = new ArrayList<>();
    List<RouteChange> changes = new ArrayList<>();
    for (FamilyRoutes family : families.values()) {
      while (family.backlog() > 0 && changes.size() < atMost) {
        int id = family.dequeue();
        change(family, id)
            .ifPresent(
                change -> {
                  pending.add(new Pending(family, id));
                  changes.add(change);
                });
      }
    }
    int ours = changes.size();
    for (Route stray : List.copyOf(strays)) {
      if (sweepable.contains(stray.family())) {
        changes.add(new RouteChange.Delete(stray));
        strays.remove(stray);
      }
    }
    List<RouteFailure> refused = changes.isEmpty() ? List.of() : kernel.apply(changes);
    List<RouteFailure> reported = new ArrayList<>();
    int next = 0;
    for (int i = 0; i < ours; i++) {
      RouteChange change = changes.get(i);
      Pending at = pending.get(i);
      if (next < refused.size() && refused.get(next).change().equals(change)) {
        RouteFailure failure = refused.get(next++);
        if (change instanceof RouteChange.Replace && failure.cause().is(Errno.ENOENT)) {
          believe(at.family(), at.id(), NOTHING); // it had gone: the next call creates it
          at.family().enqueue(at.id());
        } else {
          at.family().refused.set(at.id());
          reported.add(failure);
        }
      } else {
        believed(at.family(), at.id(), change);
      }
    }
    isUnsure = false;
    return reported;
  }

  private record Pending(FamilyRoutes family, int id) {}

  private Optional<RouteChange> change(FamilyRoutes family, int id) {
    int wanted = family.wanted[id];
    int believed = family.believed[id];
    if (wanted == believed) {
      if (wanted == NOTHING) {
        forget(family, id);
      }
      return Optional.empty();
    }
    if (wanted == NOTHING) {
      // Which type and next hops a route has does not matter to its removal.
      return Optional.of(
          new RouteChange.Delete(route(family.ids.prefix(id), RouteType.BLACKHOLE, List.of())));
    }
    Optional<Route> route = route(family, id);
    if (route.isEmpty()) {
      family.refused.set(id);
      return Optional.empty();
    }
    if (believed >= FIRST_SET
        && route
            .get()
            .isMetBy(route(route.get().prefix(), RouteType.UNICAST, set(believed).resolved))) {
      believe(family, id, wanted);
      return Optional.empty();
    }
    return Optional.of(
        believed == NOTHING
            ? new RouteChange.Add(route.get())
            : new RouteChange.Replace(route.get()));
  }

  private void believed(FamilyRoutes family, int id, RouteChange change) {
    switch (change) {
      case RouteChange.Add _, RouteChange.Replace _, RouteChange.Put _ ->
          believe(family, id, family.wanted[id]);
      case RouteChange.Delete _ -> {
        believe(family, id, NOTHING);
        forget(family, id);
      }
    }
  }

  /// Tries the refused changes again with the next [#apply].
  public void retry() {
    for (FamilyRoutes family : families.values()) {
      for (int id = family.refused.nextSetBit(0); id >= 0; id = family.refused.nextSetBit(id + 1)) {
        family.enqueue(id);
      }
      family.refused.clear();
    }
  }

  /// The next [#apply] reads the kernel first, and repairs what differs.
  public void distrust() {
    isUnsure = true;
  }

  /// Whether the next [#apply] has something to do.
  public boolean hasWork() {
    return isUnsure
        || strays.stream().anyMatch(stray -> sweepable.contains(stray.family()))
        || families.values().stream().anyMatch(family -> family.backlog() > 0);
  }

  /// Wants nothing at all, leftovers included.
  public void clear() {
    for (IpFamily which : IpFamily.values()) {
      FamilyRoutes family = of(which);
      for (int id = 0; id < family.ids.limit(); id++) {
        if (family.wanted[id] != NOTHING) {
          release(family.wanted[id]);
          family.wanted[id] = NOTHING;
          family.wantedCount--;
          family.refused.clear(id);
          if (family.believed[id] != NOTHING) {
            family.enqueue(id);
          } else if (!family.queued.get(id)) {
            forget(family, id);
          }
        }
      }
      allowSweep(which);
    }
  }

  /// How many routes of the family are wanted.
  public int wanted(IpFamily family) {
    return of(family).wantedCount;
  }

  /// How many routes of an earlier process nobody has wanted yet.
  public int leftovers(IpFamily family) {
    return of(family).leftovers;
  }

  /// How many changes of the family wait to be written.
  public int backlog(IpFamily family) {
    return of(family).backlog();
  }

  /// How many routes the kernel refuses.
  public int refused(IpFamily family) {
    return of(family).refused.cardinality();
  }

  private FamilyRoutes of(IpFamily family) {
    return Objects.requireNonNull(families.get(family));
  }
}
