package io.margay.linux.route;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.NetlinkFailure;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The next-hop objects of one namespace.
public final class NextHopObjects implements NextHopKernel {

  private final NetlinkSocket socket;

  NextHopObjects(NetlinkSocket socket) {
    this.socket = socket;
  }

  @Override
  public List<NextHopObject> dumpObjects(int protocol) throws LinuxException {
    List<NextHopObject> objects = new ArrayList<>();
    for (NextHopObject object : list()) {
      if (object.protocol() == protocol) {
        objects.add(object);
      }
    }
    return objects;
  }

  private List<NextHopObject> list() throws LinuxException {
    List<NetlinkMessage> answers;
    try {
      answers = socket.dump(NextHopCodec.question());
    } catch (NetlinkException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return List.of();
      }
      throw e;
    }
    List<NextHopObject> objects = new ArrayList<>(answers.size());
    for (NetlinkMessage message : answers) {
      NextHopCodec.decode(message).ifPresent(objects::add);
    }
    return objects;
  }

  /// The ways of every object, of whatever origin, by its number.
  Map<Integer, List<NextHop>> ways() throws LinuxException {
    Map<Integer, List<NextHop>> ways = new HashMap<>();
    List<NextHopObject.Group> groups = new ArrayList<>();
    for (NextHopObject object : list()) {
      switch (object) {
        case NextHopObject.Single(int id, int _, NextHop hop) -> ways.put(id, List.of(hop));
        case NextHopObject.Group group -> groups.add(group);
      }
    }
    groups.forEach(group -> ways.put(group.id(), ways(group, ways)));
    return ways;
  }

  private static List<NextHop> ways(
      NextHopObject.Group group, Map<Integer, List<NextHop>> singles) {
    List<NextHop> hops = new ArrayList<>();
    for (NextHopObject.Member member : group.members()) {
      singles
          .getOrDefault(member.id(), List.of())
          .forEach(hop -> hops.add(hop.weighing(member.weight())));
    }
    return hops;
  }

  /// What of a kind of group the kernel of this namespace has.
  ///
  /// @return false also where [RouteFeatures] leave it unused
  public boolean has(GroupKind kind) throws LinuxException {
    if (!RouteFeatures.allowed()) {
      return false;
    }
    return switch (kind) {
      case GroupKind.Multipath _ -> answers(NextHopCodec.question());
      // No group has this number: 0 asks for a free one.
      case GroupKind.Resilient _ -> answers(NextHopCodec.bucketQuestion(0));
    };
  }

  private boolean answers(NetlinkMessage question) throws LinuxException {
    try {
      socket.dump(question);
      return true;
    } catch (NetlinkException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return false;
      }
      if (e.is(Errno.ENOENT) || e.is(Errno.EINVAL)) {
        return true;
      }
      throw e;
    }
  }

  @Override
  public List<NextHopFailure> applyObjects(List<NextHopChange> changes) throws LinuxException {
    List<NetlinkMessage> messages = changes.stream().map(NextHopCodec::encode).toList();
    List<NextHopFailure> failures = new ArrayList<>();
    for (NetlinkFailure failure : socket.batch(messages)) {
      NextHopChange change = changes.get(failure.index());
      if (!(change instanceof NextHopChange.Delete && failure.errno().equals(Errno.ENOENT))) {
        failures.add(new NextHopFailure(change, failure.toException()));
      }
    }
    return failures;
  }
}
