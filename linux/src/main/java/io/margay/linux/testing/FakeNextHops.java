package io.margay.linux.testing;

import io.margay.linux.Errno;
import io.margay.linux.NetlinkException;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.NextHopChange;
import io.margay.linux.route.NextHopFailure;
import io.margay.linux.route.NextHopObject;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/// The next-hop objects of [FakeRoutes].
final class FakeNextHops {

  /// What keeps the kernel from a next hop of its own.
  private final Function<NextHop, Optional<Errno>> obstacle;

  private final Map<Integer, NextHopObject> objects = new TreeMap<>();
  private final List<Integer> written = new ArrayList<>();

  FakeNextHops(Function<NextHop, Optional<Errno>> obstacle) {
    this.obstacle = obstacle;
  }

  List<NextHopObject> all() {
    return List.copyOf(objects.values());
  }

  /// Numbers of what was added or replaced, in order.
  List<Integer> written() {
    return written;
  }

  /// The ways of an object; empty: there is none.
  List<NextHop> ways(int id) {
    return switch (objects.get(id)) {
      case null -> List.of();
      case NextHopObject.Single(int _, int _, NextHop hop) -> List.of(hop);
      case NextHopObject.Group group -> {
        List<NextHop> hops = new ArrayList<>();
        for (NextHopObject.Member member : group.members()) {
          for (NextHop hop : ways(member.id())) {
            hops.add(new NextHop(hop.gateway(), hop.index(), member.weight(), hop.isOnlink()));
          }
        }
        yield hops;
      }
    };
  }

  List<NextHopFailure> apply(List<NextHopChange> changes) {
    List<NextHopFailure> failures = new ArrayList<>();
    for (NextHopChange change : changes) {
      Optional<Errno> refusal =
          switch (change) {
            case NextHopChange.Add(NextHopObject object) -> add(object);
            case NextHopChange.Replace(NextHopObject object) -> replace(object);
            case NextHopChange.Delete(int id) -> delete(Set.of(id));
          };
      refusal.ifPresent(
          errno ->
              failures.add(
                  new NextHopFailure(
                      change,
                      new NetlinkException(
                          "write next-hop object", change.toString(), errno, ""))));
    }
    return failures;
  }

  private Optional<Errno> add(NextHopObject object) {
    Optional<Errno> fault = fault(object);
    if (fault.isEmpty() && objects.containsKey(object.id())) {
      return Optional.of(Errno.EEXIST);
    }
    fault.ifPresentOrElse(_ -> {}, () -> put(object));
    return fault;
  }

  private Optional<Errno> replace(NextHopObject object) {
    Optional<Errno> fault = fault(object);
    if (fault.isPresent()) {
      return fault;
    }
    NextHopObject before = objects.get(object.id());
    if (before == null) {
      return Optional.of(Errno.ENOENT);
    }
    if (before instanceof NextHopObject.Group old
        && !(object instanceof NextHopObject.Group fresh && fresh.kind().equals(old.kind()))) {
      return Optional.of(Errno.EINVAL);
    }
    put(object);
    return Optional.empty();
  }

  private void put(NextHopObject object) {
    objects.put(object.id(), object);
    written.add(object.id());
  }

  private Optional<Errno> fault(NextHopObject object) {
    return switch (object) {
      case NextHopObject.Single(int _, int _, NextHop hop) -> obstacle.apply(hop);
      case NextHopObject.Group group ->
          group.members().stream()
                  .allMatch(member -> objects.get(member.id()) instanceof NextHopObject.Single)
              ? Optional.empty()
              : Optional.of(Errno.EINVAL);
    };
  }

  /// Groups lose these members, and go with their last.
  Optional<Errno> delete(Set<Integer> ids) {
    objects.keySet().removeAll(ids);
    for (NextHopObject object : all()) {
      if (object instanceof NextHopObject.Group group) {
        List<NextHopObject.Member> left =
            group.members().stream().filter(member -> !ids.contains(member.id())).toList();
        if (left.isEmpty()) {
          objects.remove(group.id());
        } else {
          objects.put(
              group.id(),
              new NextHopObject.Group(group.id(), group.protocol(), group.kind(), left));
        }
      }
    }
    return Optional.empty();
  }

  /// A device went, or its carrier did.
  void deviceGone(int index) {
    Set<Integer> gone = new HashSet<>();
    for (NextHopObject object : objects.values()) {
      if (object instanceof NextHopObject.Single single && single.hop().index() == index) {
        gone.add(single.id());
      }
    }
    delete(gone);
  }
}
