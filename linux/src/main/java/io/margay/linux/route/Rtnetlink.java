package io.margay.linux.route;

import io.margay.linux.LinuxException;
import io.margay.linux.netlink.NetlinkSocket;

/// Links, addresses, routes and neighbours of one network namespace, over one socket. One thread at
/// a time.
public final class Rtnetlink implements AutoCloseable {

  private final NetlinkSocket socket;
  private final Links links;
  private final Addresses addresses;
  private final NextHopObjects objects;
  private final Routes routes;
  private final Neighbours neighbours;
  private final Vxlans vxlans;
  private final ForwardingDatabase forwarding;

  private Rtnetlink(NetlinkSocket socket) {
    this.socket = socket;
    links = new Links(socket);
    addresses = new Addresses(socket);
    objects = new NextHopObjects(socket);
    routes = new Routes(socket, objects);
    neighbours = new Neighbours(socket);
    vxlans = new Vxlans(socket, links);
    forwarding = new ForwardingDatabase(socket);
  }

  /// For the calling thread's namespace.
  public static Rtnetlink open() throws LinuxException {
    return new Rtnetlink(NetlinkSocket.open(NetlinkSocket.ROUTE));
  }

  /// For the namespace behind a descriptor, which may be closed afterwards.
  public static Rtnetlink inNetns(int netnsFd) throws LinuxException {
    return new Rtnetlink(NetlinkSocket.openIn(netnsFd, NetlinkSocket.ROUTE));
  }

  public Links links() {
    return links;
  }

  public Addresses addresses() {
    return addresses;
  }

  public Routes routes() {
    return routes;
  }

  public NextHopObjects nextHopObjects() {
    return objects;
  }

  public Neighbours neighbours() {
    return neighbours;
  }

  public Vxlans vxlans() {
    return vxlans;
  }

  public ForwardingDatabase forwarding() {
    return forwarding;
  }

  /// Starts a group of changes that goes to the kernel in one system call.
  public RtnetlinkBatch batch() {
    return new RtnetlinkBatch(socket);
  }

  /// Hears from now on what others do to the routes that this socket wrote, on a thread of its own.
  /// In the calling thread's namespace, which must be the socket's.
  public RouteWatch watchRoutes(RouteWatch.Events events) throws LinuxException {
    return RouteWatch.start(socket.port(), objects.has(new GroupKind.Multipath()), events);
  }

  /// The same in the namespace behind a descriptor, which must be the socket's.
  RouteWatch watchRoutesIn(int netnsFd, RouteWatch.Events events) throws LinuxException {
    return RouteWatch.startIn(
        netnsFd, socket.port(), objects.has(new GroupKind.Multipath()), events);
  }

  @Override
  public void close() {
    socket.close();
  }
}
