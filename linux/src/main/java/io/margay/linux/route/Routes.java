package io.margay.linux.route;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.NetlinkFailure;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The routes of one namespace. Those over a [NextHopObject] have its ways as their next hops.
public final class Routes implements RouteKernel {

  /// No route, and what unreachable, blackhole and prohibit routes answer.
  private static final Set<Errno> NO_WAY =
      Set.of(Errno.ENETUNREACH, Errno.EHOSTUNREACH, Errno.EINVAL, Errno.EACCES);

  private final NetlinkSocket socket;
  private final NextHopObjects objects;

  Routes(NetlinkSocket socket, NextHopObjects objects) {
    this.socket = socket;
    this.objects = objects;
  }

  @Override
  public List<Route> dump(int protocol) throws LinuxException {
    List<Route> routes = new ArrayList<>(list(IpFamily.IPV4, protocol, 0));
    routes.addAll(list(IpFamily.IPV6, protocol, 0));
    return routes;
  }

  /// The routes of a family.
  ///
  /// @param protocol only those of one origin; 0 for any
  /// @param table only those of one table; 0 for any
  public List<Route> list(IpFamily family, int protocol, int table) throws LinuxException {
    List<NetlinkMessage> answers;
    try {
      answers = socket.dump(RouteCodec.question(family, protocol, table));
    } catch (NetlinkException e) {
      if (e.is(Errno.ENOENT) && table != 0) {
        return List.of(); // a table exists from its first route to its last
      }
      throw e;
    }
    List<Route> routes = new ArrayList<>(answers.size());
    RouteCodec.Objects objects = objects();
    for (NetlinkMessage message : answers) {
      RouteCodec.decode(message, objects)
          // Asked for a family that it does not speak, a kernel answers with all others'
          // (rtnl_dump_all).
          .filter(route -> route.prefix().family() == family)
          .filter(route -> protocol == 0 || route.protocol() == protocol)
          .filter(route -> table == 0 || route.table() == table)
          .ifPresent(routes::add);
    }
    return routes;
  }

  @Override
  public Optional<Route> lookup(IpAddress destination) throws LinuxException {
    return lookup(destination, 0);
  }

  /// The best route for packets that somebody marked.
  ///
  /// @param mark one of [#marks]; 0 = none
  public Optional<Route> lookup(IpAddress destination, int mark) throws LinuxException {
    NetlinkMessage answer;
    try {
      answer = socket.get(RouteCodec.lookup(destination, mark));
    } catch (NetlinkException e) {
      if (NO_WAY.contains(e.errno())) {
        return Optional.empty();
      }
      throw e;
    }
    return RouteCodec.isDown(answer)
        ? Optional.empty()
        : RouteCodec.decode(answer, objects()).filter(route -> !route.nextHops().isEmpty());
  }

  /// The marks by which routing rules of a family tell packets (`ip rule … fwmark`).
  public Set<Integer> marks(IpFamily family) throws LinuxException {
    Set<Integer> marks = new HashSet<>();
    for (NetlinkMessage rule : socket.dump(RouteCodec.ruleQuestion(family))) {
      marks.add(RouteCodec.mark(rule));
    }
    marks.remove(0);
    return marks;
  }

  /// Reads the kernel's objects at the first question.
  private RouteCodec.Objects objects() {
    Map<Integer, List<NextHop>> ways = new HashMap<>();
    return id -> {
      if (ways.isEmpty()) {
        ways.putAll(objects.ways());
      }
      return ways.getOrDefault(id, List.of());
    };
  }

  /// The address of ours that packets to `destination` are sent from, if there is a way to it.
  public Optional<IpAddress> sourceTowards(IpAddress destination) throws LinuxException {
    try {
      return RouteCodec.source(socket.get(RouteCodec.sourceLookup(destination)));
    } catch (NetlinkException e) {
      if (NO_WAY.contains(e.errno())) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /// Creates the route or changes the one of its key. For a namespace that is ours alone (a pod's);
  /// on a host use [RouteTable], which cannot take over a stranger's route.
  public void replace(Route route) throws LinuxException {
    socket.request(RouteCodec.encode(new RouteChange.Put(route)));
  }

  /// Removes the route of this key and protocol; an absent one is success.
  public void delete(Route route) throws LinuxException {
    List<RouteFailure> failures = apply(List.of(new RouteChange.Delete(route)));
    if (!failures.isEmpty()) {
      throw failures.getFirst().cause();
    }
  }

  @Override
  public List<RouteFailure> apply(List<RouteChange> changes) throws LinuxException {
    List<NetlinkMessage> messages = changes.stream().map(RouteCodec::encode).toList();
    List<RouteFailure> failures = new ArrayList<>();
    for (NetlinkFailure failure : socket.batch(messages)) {
      RouteChange change = changes.get(failure.index());
      if (!(change instanceof RouteChange.Delete && failure.errno().equals(Errno.ESRCH))) {
        failures.add(new RouteFailure(change, failure.toException()));
      }
    }
    return failures;
  }
}
