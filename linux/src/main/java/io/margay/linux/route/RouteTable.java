package io.margay.linux.route;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The one writer of our routes: takes what each [RouteClass] wants and brings the kernel there.
/// Owned by the dataplane loop.
///
/// Only routes of [Route#OUR_PROTOCOL] are changed or removed. A prefix that a stranger's route
/// holds stays his: our change is reported as pending with EEXIST and tried again. The exception is
/// what a stopped Calico left, which becomes ours in place, so that no packet finds none:
/// - felix's routes to pods that are ours now: the same way to the same device, under the protocols
///   felix gives them;
/// - under all other keys of ours whatever felix put there, and under those of own blocks and
///   tunnels, which the datastore names, what BIRD did. Once: what comes back has a writer that
///   lives, and no route is fought over.
///
/// A fresh process calls [#adopt] first: what an earlier one left is then known and keeps
/// forwarding. Leftovers of a class that nobody wants are removed only once [#allowSweep] was
/// called for it (for BGP: after End-of-RIB or the restart timer; RFC 4724 §4.1).
public final class RouteTable {

  /*
   * `actual` is what we believe the kernel holds. The kernel drops routes by itself when a device goes
   * down or away, so a belief can be wrong; a replace that finds nothing (ENOENT) corrects it at once,
   * a vanished route that nobody touches is found by resync.
   *
   * `installed` are the keys that this process has wanted and seen in the kernel. A route outside it
   * is a leftover: somebody may still come to want it.
   *
   * `kept` are the leftovers that wait for their sweep.
   *
   * `takenOver` are the keys under which a route of Calico's became ours.
   *
   * `hindered` are the wanted routes whose places strangers' are known to hold, so that they are not
   * read at each attempt.
   *
   * `surplus` counts further routes of ours under one key, which only a foreign hand can make (`ip
   * route append`).
   */
  private static final Comparator<RouteKey> MORE_SPECIFIC_FIRST =
      (a, b) -> {
        int byLength = Integer.compare(b.prefix().length(), a.prefix().length());
        return byLength != 0 ? byLength : a.prefix().compareTo(b.prefix());
      };

  /// What felix marks its routes to pods with: RTPROT_BOOT, and the number that later releases took
  /// for themselves (FelixConfiguration deviceRouteProtocol).
  private static final Set<Integer> POD_PROTOCOLS = Set.of(3, 80);

  /// RTPROT_BIRD: anybody's BIRD, Calico's among them.
  private static final int BIRD_PROTOCOL = 12;

  /// Felix's number for blackholes and for what goes through tunnels.
  private static final int FELIX_PROTOCOL = 80;

  private static final List<Integer> CALICO_PROTOCOLS = List.of(3, 12, 80);

  private final RouteKernel kernel;
  private final IntPredicate isWorkloadLink;
  private final Map<RouteClass, Map<Prefix, RouteSpec>> desired = new EnumMap<>(RouteClass.class);
  private final Set<RouteClass> sweepable = EnumSet.noneOf(RouteClass.class);
  private final Map<RouteKey, Route> actual = new HashMap<>();
  private final Map<RouteKey, Integer> surplus = new HashMap<>();
  private final Set<RouteKey> installed = new HashSet<>();
  private final Set<RouteKey> kept = new HashSet<>();
  private final Set<RouteKey> dirty = new HashSet<>();
  private final Set<RouteKey> takenOver = new HashSet<>();
  private final Set<Route> hindered = new HashSet<>();
  private boolean hasAdopted;
  private boolean isUnsure = true;

  /// @param isWorkloadLink whether a device index is a pod's host end, to tell what a leftover was
  public RouteTable(RouteKernel kernel, IntPredicate isWorkloadLink) {
    this.kernel = kernel;
    this.isWorkloadLink = isWorkloadLink;
    for (RouteClass routeClass : RouteClass.values()) {
      desired.put(routeClass, new HashMap<>());
    }
  }

  /// Wants exactly these routes of a class.
  public void setRoutes(RouteClass routeClass, Map<Prefix, RouteSpec> routes) {
    Map<Prefix, RouteSpec> wanted = wantedBy(routeClass);
    for (Prefix prefix : List.copyOf(wanted.keySet())) {
      if (!routes.containsKey(prefix)) {
        remove(routeClass, prefix);
      }
    }
    routes.forEach((prefix, spec) -> update(routeClass, prefix, spec));
  }

  /// Wants this route of a class, instead of whatever it wanted for the prefix before.
  public void update(RouteClass routeClass, Prefix prefix, RouteSpec spec) {
    if (!spec.equals(wantedBy(routeClass).put(prefix, spec))) {
      dirty.add(spec.toRoute(prefix).key());
    }
  }

  /// Wants nothing of this class for the prefix.
  public void remove(RouteClass routeClass, Prefix prefix) {
    RouteSpec was = wantedBy(routeClass).remove(prefix);
    if (was != null) {
      dirty.add(was.toRoute(prefix).key());
    }
  }

  /// From the next apply on, leftovers of these classes that nobody wants are removed.
  public void allowSweep(RouteClass... classes) {
    for (RouteClass routeClass : classes) {
      if (sweepable.add(routeClass)) {
        dirty.addAll(kept);
      }
    }
  }

  /// Reads what the kernel holds of ours, writing nothing. Needed once before the first [#apply].
  ///
  /// @return how many routes were not as believed
  public int adopt() throws LinuxException {
    List<Route> routes = kernel.dumpOurs();
    if (isUnsure) {
      doubtAll();
    }
    int differences = 0;
    surplus.clear();
    Set<RouteKey> found = HashSet.newHashSet(routes.size());
    for (Route route : routes) {
      RouteKey key = route.key();
      if (!found.add(key)) {
        surplus.merge(key, 1, Integer::sum);
        differences++;
        dirty.add(key);
        continue;
      }
      Route before = actual.get(key);
      if (before == null || !before.isMetBy(route)) {
        actual.put(key, route);
        dirty.add(key);
        differences++;
      }
    }
    if (found.size() < actual.size()) {
      for (RouteKey key : List.copyOf(actual.keySet())) {
        if (!found.contains(key)) {
          forget(key);
          dirty.add(key);
          differences++;
        }
      }
    }
    hasAdopted = true;
    isUnsure = false;
    return differences;
  }

  /// Nothing is believed: every route that is wanted or was known is compared.
  private void doubtAll() {
    dirty.addAll(actual.keySet());
    for (Map<Prefix, RouteSpec> wanted : desired.values()) {
      wanted.forEach((prefix, spec) -> dirty.add(spec.toRoute(prefix).key()));
    }
  }

  /// Whether a route to the prefix is wanted or known to be in the kernel.
  public boolean concerns(Prefix prefix) {
    return actual.containsKey(RouteSpec.blackhole().toRoute(prefix).key())
        || desired.values().stream().anyMatch(wanted -> wanted.containsKey(prefix));
  }

  /// Whether the kernel holds, as far as is known, a route whose shape is of this class.
  public boolean holds(RouteClass routeClass) {
    return actual.values().stream()
        .anyMatch(route -> RouteClass.ofShape(route, isWorkloadLink) == routeClass);
  }

  /// Whether packets to an address take the route that is wanted for it alone. Asks the kernel, and
  /// writes nothing. What is still to be written is no fault.
  ///
  /// @return what they take instead; empty when all is well, or when no such route is wanted
  public Optional<String> fault(IpAddress address) throws LinuxException {
    Prefix prefix = address.toHostPrefix();
    Optional<Route> want =
        desired.values().stream()
            .map(wanted -> wanted.get(prefix))
            .filter(Objects::nonNull)
            .map(spec -> spec.toRoute(prefix))
            .findFirst();
    if (want.isEmpty() || dirty.contains(want.get().key())) {
      return Optional.empty();
    }
    Optional<Route> taken = kernel.lookup(address);
    if (taken.isPresent() && want.get().isMetBy(taken.get())) {
      return Optional.empty();
    }
    return Optional.of(
        "packets to "
            + address
            + " do not take the route "
            + want.get()
            + " but "
            + taken.map(Route::toString).orElse("none"));
  }

  /// Believes nothing any more: the next [#apply] reads the kernel first, as after lost answers.
  public void doubt() {
    isUnsure = true;
  }

  /// Compares everything with the kernel and repairs what differs; writes nothing when nothing
  /// does.
  public RouteApplyResult resync() throws LinuxException {
    adopt();
    return apply();
  }

  /// Brings the kernel to what is wanted, as far as it lets us.
  ///
  /// @throws LinuxException when it is unknown what took effect; the next apply reads the kernel
  ///   first
  /// @throws IllegalStateException before [#adopt]
  public RouteApplyResult apply() throws LinuxException {
    if (!hasAdopted) {
      throw new IllegalStateException("adopt() comes before the first apply()");
    }
    if (isUnsure) {
      adopt();
    }
    isUnsure = true; // until the answers are in
    Tally tally = new Tally();
    List<RouteKey> keys = List.copyOf(dirty);
    dirty.clear();
    List<RouteFailure> refused = write(plan(keys), tally);
    // What was to be replaced had gone: one more round creates it.
    List<RouteKey> mistaken = new ArrayList<>();
    List<RouteFailure> pending = new ArrayList<>();
    for (RouteFailure failure : refused) {
      if (failure.change() instanceof RouteChange.Replace && failure.cause().is(Errno.ENOENT)) {
        forget(failure.change().route().key());
        mistaken.add(failure.change().route().key());
      } else {
        pending.add(failure);
      }
    }
    pending.addAll(write(plan(mistaken), tally));
    takeOver(pending, tally);
    for (RouteFailure failure : pending) {
      dirty.add(failure.change().route().key());
    }
    isUnsure = false;
    return new RouteApplyResult(tally.added, tally.replaced, tally.deleted, kept.size(), pending);
  }

  /// Makes our own what a stopped Calico left under keys of ours; what remains refused stays in
  /// `pending`.
  private void takeOver(List<RouteFailure> pending, Tally tally) throws LinuxException {
    List<RouteFailure> blocked =
        pending.stream()
            .filter(failure -> failure.change() instanceof RouteChange.Add)
            .filter(failure -> failure.cause().is(Errno.EEXIST))
            .toList();
    hindered.retainAll(
        blocked.stream().map(failure -> failure.change().route()).collect(Collectors.toSet()));
    if (hindered.size() == blocked.size()) {
      return;
    }
    Map<RouteKey, Route> strangers = new HashMap<>();
    for (int protocol : CALICO_PROTOCOLS) {
      kernel.dump(protocol).forEach(route -> strangers.put(route.key(), route));
    }
    List<RouteChange> claims = new ArrayList<>();
    for (RouteFailure failure : blocked) {
      Route want = failure.change().route();
      Route stranger = strangers.get(want.key());
      if (stranger != null && isCalicos(stranger, want)) {
        claims.add(new RouteChange.Replace(want));
        pending.remove(failure);
      } else {
        hindered.add(want);
      }
    }
    List<RouteFailure> refused = write(claims, tally);
    claims.forEach(claim -> takenOver.add(claim.route().key()));
    refused.forEach(failure -> takenOver.remove(failure.change().route().key()));
    pending.addAll(refused);
  }

  private boolean isCalicos(Route stranger, Route want) {
    if (isToPod(want)) {
      return POD_PROTOCOLS.contains(stranger.protocol())
          && stranger.type() == want.type()
          && stranger.nextHops().equals(want.nextHops());
    }
    if (takenOver.contains(want.key())) {
      return false;
    }
    return stranger.protocol() == FELIX_PROTOCOL
        || stranger.protocol() == BIRD_PROTOCOL && isNamedByDatastore(want);
  }

  /// Peers may announce what a BIRD of the host's own has learned, a default route say: that one is
  /// no business of ours.
  private boolean isNamedByDatastore(Route want) {
    return wantedBy(RouteClass.OWN_BLOCK).containsKey(want.prefix())
        || wantedBy(RouteClass.TUNNEL).containsKey(want.prefix());
  }

  private boolean isToPod(Route route) {
    RouteSpec spec = wantedBy(RouteClass.LOCAL_WORKLOAD).get(route.prefix());
    return spec != null && spec.toRoute(route.prefix()).equals(route);
  }

  /// Whose routes stand where ours were refused. Reads all of the kernel's routes.
  ///
  /// @param refused of the last apply
  /// @return by the key of the refused one; nothing where nobody's stands any more
  public Map<RouteKey, Route> holders(Collection<RouteFailure> refused) throws LinuxException {
    Set<RouteKey> asked = new HashSet<>();
    refused.forEach(failure -> asked.add(failure.change().route().key()));
    Map<RouteKey, Route> holders = new HashMap<>();
    for (Route route : kernel.dump(RouteKernel.ANYBODY)) {
      if (route.protocol() != Route.OUR_PROTOCOL && asked.contains(route.key())) {
        holders.put(route.key(), route);
      }
    }
    return holders;
  }

  private List<RouteChange> plan(List<RouteKey> keys) throws LinuxException {
    List<RouteKey> ordered = new ArrayList<>(keys);
    ordered.sort(MORE_SPECIFIC_FIRST);
    List<RouteChange> writes = new ArrayList<>();
    List<RouteChange> removals = new ArrayList<>();
    for (RouteKey key : ordered) {
      Route have = actual.get(key);
      Optional<Route> want = wanted(key);
      if (want.isPresent()) {
        kept.remove(key);
        planWanted(want.get(), have, writes);
      } else if (have != null) {
        planUnwanted(have, removals);
      }
    }
    writes.addAll(removals);
    return writes;
  }

  private void planWanted(Route want, @Nullable Route have, List<RouteChange> writes)
      throws LinuxException {
    RouteKey key = want.key();
    if (have == null) {
      writes.add(new RouteChange.Add(want));
    } else if (surplus.containsKey(key)) {
      // Which of several a replace would hit is not defined.
      removeAll(have, writes);
      writes.add(new RouteChange.Add(want));
    } else if (want.isMetBy(have) && kernel.isLaidOut(want)) {
      installed.add(key);
    } else {
      writes.add(new RouteChange.Replace(want));
    }
  }

  private void planUnwanted(Route have, List<RouteChange> removals) {
    boolean isLeftover = !installed.contains(have.key());
    if (isLeftover && !sweepable.contains(RouteClass.ofShape(have, isWorkloadLink))) {
      kept.add(have.key());
    } else {
      removeAll(have, removals);
    }
  }

  private void removeAll(Route have, List<RouteChange> changes) {
    for (int i = surplus.getOrDefault(have.key(), 0); i >= 0; i--) {
      changes.add(new RouteChange.Delete(have));
    }
  }

  private Optional<Route> wanted(RouteKey key) {
    for (RouteClass routeClass : RouteClass.values()) {
      RouteSpec spec = wantedBy(routeClass).get(key.prefix());
      if (spec != null) {
        return Optional.of(spec.toRoute(key.prefix())).filter(route -> route.key().equals(key));
      }
    }
    return Optional.empty();
  }

  private List<RouteFailure> write(List<RouteChange> changes, Tally tally) throws LinuxException {
    if (changes.isEmpty()) {
      return List.of();
    }
    List<RouteFailure> refused = kernel.apply(changes);
    int next = 0;
    for (RouteChange change : changes) {
      if (next < refused.size() && refused.get(next).change().equals(change)) {
        next++;
      } else {
        believe(change, tally);
      }
    }
    return refused;
  }

  private void believe(RouteChange change, Tally tally) {
    Route route = change.route();
    switch (change) {
      case RouteChange.Add _ -> tally.added++;
      case RouteChange.Replace _, RouteChange.Put _ -> tally.replaced++;
      case RouteChange.Delete _ -> tally.deleted++;
    }
    switch (change) {
      case RouteChange.Add _, RouteChange.Replace _, RouteChange.Put _ -> {
        actual.put(route.key(), route);
        installed.add(route.key());
      }
      case RouteChange.Delete _ -> {
        if (surplus.computeIfPresent(route.key(), (_, n) -> n > 1 ? n - 1 : 0) == null) {
          forget(route.key());
        } else {
          surplus.remove(route.key(), 0);
        }
      }
    }
  }

  private void forget(RouteKey key) {
    actual.remove(key);
    installed.remove(key);
    kept.remove(key);
  }

  private Map<Prefix, RouteSpec> wantedBy(RouteClass routeClass) {
    return Objects.requireNonNull(desired.get(routeClass));
  }

  private static final class Tally {
    private int added;
    private int replaced;
    private int deleted;
  }
}
