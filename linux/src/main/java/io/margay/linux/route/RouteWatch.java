package io.margay.linux.route;

import io.margay.linux.LinuxException;
import io.margay.linux.netlink.NetlinkListener;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.linux.netlink.NoticeFilter;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Hears what others do to routes of [Route#OUR_PROTOCOL]: somebody removes or changes one, puts
/// his own in its place, or a link comes or goes with all routes over it (of IPv4 the kernel
/// removes those without a word). The same of next-hop objects; those that the kernel removes with
/// a link, or with its carrier, are news of the link alone.
///
/// The kernel itself leaves out what our own socket writes and what others do to their own routes,
/// so neither a full table of ours nor a routing daemon's wakes anybody. What it can't tell apart
/// are routes that replace another: of those the prefix is told, whosever it was.
public final class RouteWatch implements AutoCloseable {

  /// Where news go. Called on the watching thread: hand over to the owner of the routes and return.
  public interface Events {

    /// Somebody wrote a route of ours, or one in the place of another.
    void onRoute(Prefix prefix);

    /// Somebody wrote or removed a next-hop object of ours: any route over it may have changed, and
    /// of IPv4 those over a removed one are gone without a word.
    void onNextHop();

    /// A link can carry packets now, or can't any more, or is gone.
    ///
    /// @param wasDown whether it had been set down
    void onLink(Link link, boolean wasDown);

    /// News were lost, and may be lost from now on: only reading the kernel tells.
    void onLoss(String reason);
  }

  private static List<Integer> groups(boolean hasObjects) {
    List<Integer> groups =
        new ArrayList<>(
            List.of(
                NetlinkListener.RTNLGRP_LINK,
                NetlinkListener.RTNLGRP_IPV4_ROUTE,
                NetlinkListener.RTNLGRP_IPV6_ROUTE));
    if (hasObjects) {
      groups.add(NetlinkListener.RTNLGRP_NEXTHOP);
    }
    return groups;
  }

  private final NetlinkListener listener;

  private RouteWatch(NetlinkListener listener) {
    this.listener = listener;
  }

  /// Watches the calling thread's namespace.
  ///
  /// @param ownPort of the socket whose writes are no news
  /// @param hasObjects whether the kernel has next-hop objects
  static RouteWatch start(int ownPort, boolean hasObjects, Events events) throws LinuxException {
    return new RouteWatch(
        NetlinkListener.start(
            "routes",
            NetlinkSocket.ROUTE,
            filter(ownPort),
            groups(hasObjects),
            new Notifications(events)));
  }

  /// Watches the namespace behind a descriptor.
  static RouteWatch startIn(int netnsFd, int ownPort, boolean hasObjects, Events events)
      throws LinuxException {
    return new RouteWatch(
        NetlinkListener.start(
            "routes",
            netnsFd,
            NetlinkSocket.ROUTE,
            filter(ownPort),
            groups(hasObjects),
            new Notifications(events)));
  }

  private static long[] filter(int ownPort) {
    return NoticeFilter.exceptFrom(
        ownPort,
        NoticeFilter.half(NoticeFilter.TYPE),
        NoticeFilter.ifHalf(Rtnl.NEWLINK, 10, 0),
        NoticeFilter.ifHalf(Rtnl.DELLINK, 9, 0),
        NoticeFilter.ifHalf(Rtnl.NEWNEXTHOP, 1, 0),
        NoticeFilter.ifHalf(Rtnl.DELNEXTHOP, 0, 2),
        NoticeFilter.octet(NoticeFilter.PAYLOAD + Rtnl.NHM_PROTOCOL),
        NoticeFilter.ifOctet(Route.OUR_PROTOCOL, 5, 4),
        NoticeFilter.octet(NoticeFilter.PAYLOAD + Rtnl.RTM_PROTOCOL),
        NoticeFilter.ifOctet(Route.OUR_PROTOCOL, 3, 0),
        NoticeFilter.half(NoticeFilter.FLAGS),
        NoticeFilter.ifHalfHas(NetlinkMessage.REPLACE, 1, 0),
        NoticeFilter.drop(),
        NoticeFilter.keep());
  }

  private static final class Notifications implements NetlinkListener.Events {
    private final Events events;

    private final Map<Integer, Past> links = new HashMap<>();

    /// @param running whether a link could carry packets when it was last heard of
    /// @param down whether it has been set down since it last could
    private record Past(boolean running, boolean down) {}

    Notifications(Events events) {
      this.events = events;
    }

    @Override
    public void onMessage(NetlinkMessage message) {
      try {
        switch (message.type()) {
          case Rtnl.NEWLINK -> {
            Link link = Link.parse(message);
            Past past = links.get(link.index());
            boolean wasDown = past != null && past.down();
            links.put(
                link.index(),
                new Past(link.isRunning(), !link.isUp() || (wasDown && !link.isRunning())));
            if (past == null || past.running() != link.isRunning()) {
              events.onLink(link, wasDown);
            }
          }
          case Rtnl.DELLINK -> {
            Link link = Link.parse(message);
            Past past = links.remove(link.index());
            events.onLink(link, past != null && past.down());
          }
          case Rtnl.NEWNEXTHOP, Rtnl.DELNEXTHOP -> events.onNextHop();
          default -> {
            Optional<Prefix> prefix = RouteCodec.decodeNotice(message);
            prefix.ifPresent(events::onRoute);
          }
        }
      } catch (LinuxException unreadable) {
        events.onLoss(String.valueOf(unreadable.getMessage()));
      }
    }

    @Override
    public void onOverrun() {
      events.onLoss("more was written than could be heard");
    }

    @Override
    public void onFailure(LinuxException cause) {
      events.onLoss("routes are no longer watched: " + cause.getMessage());
    }
  }

  @Override
  public void close() {
    listener.close();
  }
}
