package io.margay.linux.route;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The next-hop objects of one origin: one for each gateway on a device, and a group for each set
/// of them that routes need. Made before the first route that refers to them, removed after the
/// last.
///
/// Their numbers have the origin's protocol as their first octet: those of 117 are 1962934272 to
/// 1979711487 (0x75000000 to 0x75ffffff), those of 119 begin at 1996488704. Objects of the origin
/// with other numbers are somebody else's and left alone; where a stranger has one of these
/// numbers, the next is taken.
final class NextHopGroups {

  private static final int PROTOCOL_SHIFT = 24;

  private final NextHopKernel kernel;
  private final int protocol;
  private final Optional<GroupKind> kind;
  private final Map<Integer, Single> singles = new LinkedHashMap<>();
  private final Map<Integer, Group> groups = new LinkedHashMap<>();
  private final Map<List<NextHop>, Group> bySet = new HashMap<>();

  /// Numbers that strangers have.
  private final Set<Integer> taken = new HashSet<>();

  private final Map<Group, Plan> planned = new LinkedHashMap<>();
  private final List<Single> fresh = new ArrayList<>();
  private int last;
  private boolean hasUnused;

  private record Single(int id, NextHop hop) {}

  /// @param before what the group's hops are until then
  private record Plan(NextHopChange change, List<NextHop> before) {}

  /// A group and the routes over it.
  static final class Group {
    private final int id;
    private final GroupKind kind;
    private List<NextHop> hops;
    private int users;

    private Group(int id, GroupKind kind, List<NextHop> hops) {
      this.id = id;
      this.kind = kind;
      this.hops = hops;
    }

    int id() {
      return id;
    }

    GroupKind kind() {
      return kind;
    }

    /// Its members, ascending; empty if some are not ours.
    List<NextHop> hops() {
      return hops;
    }

    /// How many routes of ours refer to it.
    int users() {
      return users;
    }

    void used() {
      users++;
    }
  }

  /// @param kind of the groups made here; empty: none are made
  NextHopGroups(NextHopKernel kernel, int protocol, Optional<GroupKind> kind) {
    this.kernel = kernel;
    this.protocol = protocol;
    this.kind = kind;
  }

  /// Whether an object was made here, for routes of a protocol.
  static boolean isOurs(NextHopObject object, int protocol) {
    return object.protocol() == protocol && object.id() >>> PROTOCOL_SHIFT == protocol;
  }

  /// The group no longer has one of the routes over it.
  void released(Group group) {
    hasUnused |= --group.users == 0;
  }

  /// Takes the kernel's objects for what there is; counts stay.
  void read() throws LinuxException {
    List<NextHopObject> objects = kernel.dumpObjects(protocol);
    singles.clear();
    bySet.clear();
    planned.clear();
    fresh.clear();
    Set<Integer> found = new HashSet<>();
    for (NextHopObject object : objects) {
      if (isOurs(object, protocol)
          && object instanceof NextHopObject.Single(int id, int _, NextHop hop)) {
        singles.put(id, new Single(id, hop));
      }
    }
    for (NextHopObject object : objects) {
      if (isOurs(object, protocol) && object instanceof NextHopObject.Group group) {
        found.add(group.id());
        take(group);
      }
    }
    groups.keySet().retainAll(found);
    hasUnused = true;
  }

  private void take(NextHopObject.Group object) {
    Group group =
        Optional.ofNullable(groups.get(object.id()))
            .filter(known -> known.kind.equals(object.kind()))
            .orElseGet(() -> new Group(object.id(), object.kind(), List.of()));
    groups.put(group.id, group);
    List<NextHop> hops = new ArrayList<>();
    for (NextHopObject.Member member : object.members()) {
      Single single = singles.get(member.id());
      if (single != null) {
        hops.add(single.hop().weighing(member.weight()));
      }
    }
    group.hops =
        hops.size() == object.members().size() ? hops.stream().sorted().toList() : List.of();
    offer(group);
  }

  /// Lets routes of the same next hops share the group.
  private void offer(Group group) {
    if (kind.isPresent() && kind.get().equals(group.kind) && !group.hops.isEmpty()) {
      bySet.putIfAbsent(group.hops, group);
    }
  }

  /// Counts begin anew.
  void forgetUsers() {
    groups.values().forEach(group -> group.users = 0);
    hasUnused = true;
  }

  /// The group of a number, if there is one of ours.
  @Nullable Group byId(int id) {
    return groups.get(id);
  }

  /// Whether a group is still there.
  boolean holds(Group group) {
    return groups.get(group.id) == group;
  }

  /// The group of these members, made by the next [#write] if there is none.
  ///
  /// @param hops ascending, with devices
  Group of(List<NextHop> hops) {
    Group known = bySet.get(hops);
    if (known != null) {
      return known;
    }
    Group group = new Group(next(), kind.orElseThrow(), hops);
    groups.put(group.id, group);
    offer(group);
    planned.put(group, new Plan(new NextHopChange.Add(object(group)), List.of()));
    return group;
  }

  /// Gives all routes over a group other next hops with the next [#write].
  void move(Group group, List<NextHop> hops) {
    List<NextHop> before = group.hops;
    bySet.remove(before, group);
    group.hops = hops;
    offer(group);
    planned.put(group, new Plan(new NextHopChange.Replace(object(group)), before));
    hasUnused = true;
  }

  private NextHopObject.Group object(Group group) {
    List<NextHopObject.Member> members = new ArrayList<>();
    for (NextHop hop : group.hops) {
      members.add(new NextHopObject.Member(single(hop.weighing(1)), hop.weight()));
    }
    return new NextHopObject.Group(group.id, protocol, group.kind, members);
  }

  /// The number of the object for a next hop, which is planned if there is none.
  private int single(NextHop hop) {
    for (Single single : singles.values()) {
      if (single.hop().equals(hop)) {
        return single.id();
      }
    }
    Single single = new Single(next(), hop);
    singles.put(single.id(), single);
    fresh.add(single);
    return single.id();
  }

  private int next() {
    do {
      last = last + 1 & (1 << PROTOCOL_SHIFT) - 1;
    } while (isTaken(protocol << PROTOCOL_SHIFT | last));
    return protocol << PROTOCOL_SHIFT | last;
  }

  private boolean isTaken(int id) {
    return singles.containsKey(id) || groups.containsKey(id) || taken.contains(id);
  }

  /// Makes and changes what was planned.
  ///
  /// @return the groups that are not as planned, with the reason; [#read] tells what they are
  Map<Group, NetlinkException> write() throws LinuxException {
    if (planned.isEmpty()) {
      return Map.of();
    }
    List<NextHopChange> changes = new ArrayList<>();
    for (Single single : fresh) {
      changes.add(
          new NextHopChange.Add(new NextHopObject.Single(single.id(), protocol, single.hop())));
    }
    planned.values().forEach(plan -> changes.add(plan.change()));
    Map<Integer, NetlinkException> refused = new HashMap<>();
    for (NextHopFailure failure : kernel.applyObjects(changes)) {
      refused.put(failure.change().id(), failure.cause());
      if (failure.change() instanceof NextHopChange.Add && failure.cause().is(Errno.EEXIST)) {
        taken.add(failure.change().id());
      }
    }
    Map<Group, NetlinkException> failed = new HashMap<>();
    planned.forEach(
        (group, plan) -> {
          NetlinkException cause = refused.get(group.id);
          if (cause != null) {
            failed.put(group, memberCause(plan.change(), refused).orElse(cause));
            bySet.remove(group.hops, group);
            group.hops = plan.before();
            if (plan.change() instanceof NextHopChange.Add) {
              groups.remove(group.id);
            } else {
              offer(group);
            }
          }
        });
    singles.keySet().removeAll(refused.keySet());
    fresh.clear();
    planned.clear();
    return failed;
  }

  /// Why a member could not be made, which says more than that the group lacks it.
  private static Optional<NetlinkException> memberCause(
      NextHopChange change, Map<Integer, NetlinkException> refused) {
    NextHopObject object =
        switch (change) {
          case NextHopChange.Add(NextHopObject added) -> added;
          case NextHopChange.Replace(NextHopObject replaced) -> replaced;
          case NextHopChange.Delete _ -> null;
        };
    return object instanceof NextHopObject.Group group
        ? group.members().stream()
            .map(member -> refused.get(member.id()))
            .filter(cause -> cause != null)
            .findFirst()
        : Optional.empty();
  }

  /// Removes the groups that no route is over, then the next hops that are in no group.
  void removeUnused() throws LinuxException {
    if (!hasUnused) {
      return;
    }
    hasUnused = false;
    List<NextHopChange> deletions = new ArrayList<>();
    Set<NextHop> needed = new HashSet<>();
    boolean hasUnknown = false;
    for (Group group : List.copyOf(groups.values())) {
      if (group.users == 0) {
        deletions.add(new NextHopChange.Delete(group.id));
        groups.remove(group.id);
      } else {
        group.hops.forEach(hop -> needed.add(hop.weighing(1)));
        hasUnknown |= group.hops.isEmpty();
      }
    }
    bySet.clear();
    groups.values().forEach(this::offer);
    for (Single single : List.copyOf(singles.values())) {
      if (!hasUnknown && !needed.contains(single.hop())) {
        deletions.add(new NextHopChange.Delete(single.id()));
        singles.remove(single.id());
      }
    }
    if (!deletions.isEmpty()) {
      kernel.applyObjects(
          deletions); // what stays is found by the next read, and is in nobody's way
    }
  }
}
