package io.margay.linux.route;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.route.NextHopGroups.Group;
import io.margay.model.net.IpAddress;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Writes routes of one origin that have several next hops over groups that they share, so that
/// what happens to a next hop is one message to the kernel for each group and not one for each
/// route. To its caller a route has its next hops itself, however it is written.
///
/// When one batch gives all routes over a group the same other next hops, the group is changed
/// instead of them; it then may have a single member, or those of another group.
///
/// Groups need a device for each gateway, and objects are refused without carrier: what can't be
/// had so is written with its own next hops, and a route that is over a group already stays there
/// and is reported as refused.
///
/// In another layout than asked for, routes are changed in place, one by one.
public final class GroupedRoutes implements RouteKernel {

  /// One with objects as believed, one with objects as they are.
  private static final int ATTEMPTS = 2;

  private final RouteKernel routes;
  private final int protocol;
  private final NextHopLayout layout;
  private final Optional<GroupKind> kind;
  private final NextHopGroups groups;
  private final Map<RouteKey, Group> users = new HashMap<>();

  /// What was found of next hops since the last write.
  private final Map<List<NextHop>, Ways> known = new HashMap<>();

  private List<NextHop> lastHops = List.of();
  private Ways lastWays = Ways.NONE;

  /// A group that is given other members.
  private static final class Move {
    private List<NextHop> hops = List.of();
    private int routes;
    private boolean isSplit;

    /// @param to where one of its routes is to lead; empty: elsewhere than a group can
    void add(List<NextHop> to) {
      isSplit |= to.isEmpty() || !(hops.isEmpty() || hops.equals(to));
      hops = to;
    }
  }

  /// Next hops as a group would have them: ascending, with devices.
  ///
  /// @param hops empty: not for groups
  /// @param missing the next hop that no link leads to now
  private record Ways(List<NextHop> hops, Optional<NextHop> missing) {
    static final Ways NONE = new Ways(List.of(), Optional.empty());
  }

  /// @param protocol whose routes are written here, and nowhere else
  /// @param layout a layout that the kernel has
  public GroupedRoutes(
      RouteKernel routes, NextHopKernel objects, int protocol, NextHopLayout layout) {
    this.routes = routes;
    this.protocol = protocol;
    this.layout = layout;
    kind = layout.kind();
    groups = new NextHopGroups(objects, protocol, kind);
  }

  /// For the namespace of a connection: as asked for, as far as its kernel has it.
  public static GroupedRoutes of(Rtnetlink netlink, int protocol, NextHopLayout layout)
      throws LinuxException {
    NextHopLayout possible = layout;
    if (possible == NextHopLayout.RESILIENT
        && !netlink.nextHopObjects().has(GroupKind.Resilient.DEFAULT)) {
      possible = NextHopLayout.MULTIPATH;
    }
    if (possible == NextHopLayout.MULTIPATH
        && !netlink.nextHopObjects().has(new GroupKind.Multipath())) {
      possible = NextHopLayout.NONE;
    }
    return new GroupedRoutes(netlink.routes(), netlink.nextHopObjects(), protocol, possible);
  }

  /// How routes are written.
  public NextHopLayout layout() {
    return layout;
  }

  /// What is ours of the kernel's objects, groups first.
  ///
  /// @param protocol whose routes are written over them
  public static List<NextHopObject> objectsOf(NextHopKernel objects, int protocol)
      throws LinuxException {
    return objects.dumpObjects(protocol).stream()
        .filter(object -> NextHopGroups.isOurs(object, protocol))
        .sorted(Comparator.comparing(object -> object instanceof NextHopObject.Single))
        .toList();
  }

  @Override
  public List<Route> dump(int whose) throws LinuxException {
    List<Route> found = routes.dump(whose);
    if (whose == protocol) {
      groups.read();
      groups.forgetUsers();
      users.clear();
      forgetWays();
      for (Route route : found) {
        Group group = route.objectId() == 0 ? null : groups.byId(route.objectId());
        if (group != null) {
          group.used();
          users.put(route.key(), group);
        }
      }
    }
    return found.stream().map(route -> route.over(0)).toList();
  }

  @Override
  public Optional<Route> lookup(IpAddress destination) throws LinuxException {
    return routes.lookup(destination).map(route -> route.over(0));
  }

  @Override
  public boolean isLaidOut(Route wanted) throws LinuxException {
    Group group = users.get(wanted.key());
    if (group == null) {
      return ways(wanted).hops().size() < 2;
    }
    return kind.isPresent() && group.kind().equals(kind.get());
  }

  private void forgetWays() {
    known.clear();
    lastHops = List.of();
    lastWays = Ways.NONE;
  }

  private Ways ways(Route route) throws LinuxException {
    if (kind.isEmpty()
        || route.type() != RouteType.UNICAST
        || route.preferredSource().isPresent()
        || route.nextHops().isEmpty()) {
      return Ways.NONE;
    }
    if (route.nextHops().equals(lastHops)) { // as most routes of a batch do
      return lastWays;
    }
    lastHops = route.nextHops();
    Ways before = known.get(lastHops);
    lastWays = before == null ? resolve(route) : before;
    known.put(lastHops, lastWays);
    return lastWays;
  }

  private Ways resolve(Route route) throws LinuxException {
    if (route.nextHops().stream().anyMatch(hop -> hop.gateway().isEmpty())) {
      return Ways.NONE;
    }
    List<NextHop> hops = new ArrayList<>();
    Optional<NextHop> missing = Optional.empty();
    for (NextHop hop : route.nextHops()) {
      int index = hop.index() == 0 ? device(hop.gateway().orElseThrow()) : hop.index();
      if (index == 0) {
        missing = Optional.of(hop);
      } else {
        hops.add(new NextHop(hop.gateway(), index, hop.weight(), hop.isOnlink()));
      }
    }
    return missing.isPresent()
        ? new Ways(List.of(), missing)
        : new Ways(hops.stream().distinct().sorted().toList(), missing);
  }

  /// The device that a gateway is on, or 0.
  private int device(IpAddress gateway) throws LinuxException {
    List<NextHop> hops = routes.lookup(gateway).map(Route::nextHops).orElse(List.of());
    return hops.size() == 1 && hops.getFirst().gateway().isEmpty() ? hops.getFirst().index() : 0;
  }

  @Override
  public List<RouteFailure> apply(List<RouteChange> changes) throws LinuxException {
    if (kind.isEmpty() && users.isEmpty()) {
      groups.removeUnused();
      return routes.apply(changes);
    }
    @Nullable NetlinkException[] refused = new NetlinkException[changes.size()];
    int[] which = IntStream.range(0, changes.size()).toArray();
    for (int attempt = 1; attempt <= ATTEMPTS && which.length > 0; attempt++) {
      which = attempt(changes, which, refused, attempt == ATTEMPTS);
      if (which.length > 0) {
        groups.read();
        users.values().removeIf(group -> !groups.holds(group));
      }
    }
    groups.removeUnused();
    forgetWays();
    List<RouteFailure> failures = new ArrayList<>();
    for (int i = 0; i < refused.length; i++) {
      NetlinkException cause = refused[i];
      if (cause != null) {
        failures.add(new RouteFailure(changes.get(i), cause));
      }
    }
    return failures;
  }

  /// Makes some of the changes.
  ///
  /// @param which of the changes, ascending
  /// @param refused takes why a change was refused, or nothing
  /// @param isLast whether what fails now has failed
  /// @return which may succeed once the objects were read, since they are not as believed
  private int[] attempt(
      List<RouteChange> changes, int[] which, @Nullable NetlinkException[] refused, boolean isLast)
      throws LinuxException {
    @Nullable Group[] over = new Group[changes.size()];
    if (!users.isEmpty()) {
      for (int i : which) {
        over[i] = users.get(changes.get(i).route().key());
      }
    }
    Set<Group> moved = move(changes, which, over);
    @Nullable Group[] wanted = new Group[changes.size()];
    for (int i : which) {
      RouteChange change = changes.get(i);
      if (!(change instanceof RouteChange.Delete) && !isElided(change, over[i], moved)) {
        wanted[i] = group(change.route());
      }
    }
    Map<Group, NetlinkException> failed = groups.write();
    if (!isLast && failed.values().stream().anyMatch(GroupedRoutes::isOutdated)) {
      return which;
    }
    List<RouteChange> writes = new ArrayList<>();
    int[] origins = new int[which.length];
    for (int i : which) {
      RouteChange change = changes.get(i);
      if (isElided(change, over[i], moved)) {
        refused[i] = failed.get(over[i]);
        continue;
      }
      refused[i] = over[i] == null ? null : stays(change, wanted[i], failed);
      if (refused[i] == null) {
        Group group = wanted[i];
        if (group != null && failed.containsKey(group)) {
          group = null;
        }
        wanted[i] = group;
        origins[writes.size()] = i;
        writes.add(group == null ? change : over(change, group.id()));
      }
    }
    BitSet outdated = new BitSet();
    List<RouteFailure> failures = writes.isEmpty() ? List.of() : routes.apply(writes);
    int next = 0;
    for (int at = 0; at < writes.size(); at++) {
      int i = origins[at];
      if (next < failures.size() && failures.get(next).change().equals(writes.get(at))) {
        NetlinkException cause = failures.get(next++).cause();
        refused[i] = cause;
        outdated.set(i, wanted[i] != null && cause.is(Errno.EINVAL));
        if (cause.is(Errno.ENOENT)) {
          file(changes.get(i).route().key(), null); // what was to be replaced had gone
        }
      } else {
        file(changes.get(i).route().key(), wanted[i]);
      }
    }
    return isLast ? new int[0] : outdated.stream().toArray();
  }

  /// Why a route that is over a group stays there; nothing if it is written.
  private @Nullable NetlinkException stays(
      RouteChange change, @Nullable Group wanted, Map<Group, NetlinkException> failed)
      throws LinuxException {
    if (!(change instanceof RouteChange.Replace)) {
      return null;
    }
    return wanted == null ? missing(change.route()) : failed.get(wanted);
  }

  /// Plans other members for the groups all routes over which are given the same next hops.
  private Set<Group> move(List<RouteChange> changes, int[] which, @Nullable Group[] over)
      throws LinuxException {
    if (kind.isEmpty() || users.isEmpty()) {
      return Set.of();
    }
    Map<Group, Move> moves = new HashMap<>();
    for (int i : which) {
      RouteChange change = changes.get(i);
      Group group = over[i];
      if (group != null && group.kind().equals(kind.get())) {
        Move move = moves.computeIfAbsent(group, _ -> new Move());
        move.routes++;
        switch (change) {
          case RouteChange.Replace(Route route) -> move.add(ways(route).hops());
          case RouteChange.Delete _ -> {}
          case RouteChange.Add _, RouteChange.Put _ -> move.isSplit = true;
        }
      }
    }
    Set<Group> moved = new HashSet<>();
    moves.forEach(
        (group, move) -> {
          if (!move.isSplit
              && !move.hops.isEmpty()
              && move.routes == group.users()
              && !move.hops.equals(group.hops())) {
            groups.move(group, move.hops);
            moved.add(group);
          }
        });
    return moved;
  }

  private static boolean isElided(RouteChange change, @Nullable Group over, Set<Group> moved) {
    return over != null && change instanceof RouteChange.Replace && moved.contains(over);
  }

  private @Nullable Group group(Route route) throws LinuxException {
    List<NextHop> hops = ways(route).hops();
    return hops.size() > 1 ? groups.of(hops) : null;
  }

  /// Why a route can't be over the group that it should be over.
  private @Nullable NetlinkException missing(Route route) throws LinuxException {
    Optional<NextHop> missing =
        route.nextHops().size() > 1 ? ways(route).missing() : Optional.empty();
    return missing
        .map(
            hop ->
                new NetlinkException(
                    "put over a group of next hops",
                    route.toString(),
                    Errno.ENETUNREACH,
                    "no link with carrier leads to " + hop))
        .orElse(null);
  }

  private static RouteChange over(RouteChange change, int id) {
    Route route = change.route().over(id);
    return switch (change) {
      case RouteChange.Add _ -> new RouteChange.Add(route);
      case RouteChange.Replace _ -> new RouteChange.Replace(route);
      case RouteChange.Put _ -> new RouteChange.Put(route);
      case RouteChange.Delete _ -> new RouteChange.Delete(route);
    };
  }

  /// A refusal of objects that refer to others that are gone, or whose number somebody else has.
  private static boolean isOutdated(NetlinkException cause) {
    return cause.is(Errno.EINVAL) || cause.is(Errno.ENOENT) || cause.is(Errno.EEXIST);
  }

  private void file(RouteKey key, @Nullable Group group) {
    Group before = group == null ? users.remove(key) : users.put(key, group);
    if (group != null) {
      group.used();
    }
    if (before != null) {
      groups.released(before);
    }
  }
}
