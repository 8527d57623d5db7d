package io.margay.agent.overlay;

import io.margay.agent.dataplane.Overlay;
import io.margay.agent.loop.Loop;
import io.margay.agent.overlay.OverlayPlan.Tunnel;
import io.margay.agent.overlay.OverlayPlan.Way;
import io.margay.agent.overlay.OverlayPlan.Wrapping;
import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Address;
import io.margay.linux.route.Link;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.RouteClass;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteTable;
import io.margay.linux.route.Rtnetlink;
import io.margay.linux.route.Scope;
import io.margay.linux.route.VethSpec;
import io.margay.linux.route.Vxlan;
import io.margay.linux.route.VxlanSpec;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the kernel to an [OverlayPlan]: devices, their addresses, neighbours and forwarding
/// entries, and the routes of [RouteClass#TUNNEL]. Belongs to the dataplane loop; what says so may
/// be called from other threads.
///
/// The kernel is read whole each time there is a reason to: a plan that differs, a resync. What is
/// as it should be is not written.
public final class OverlayDriver implements Overlay {

  /// The mark of our devices.
  public static final String ALIAS = "margay:overlay";

  /// RFC 3704: a source needs a route, but not by the device it came from. Answers of a node itself
  /// come wrapped and under an address that lies elsewhere.
  private static final int LOOSE_REVERSE_PATH = 2;

  private static final Logger LOG = LoggerFactory.getLogger(OverlayDriver.class);

  private final Loop loop;
  private final Rtnetlink netlink;
  private final LinkMtu links;
  private final PeerEntries entries;
  private OverlayPlan plan = OverlayPlan.NONE;
  private boolean isDue = true;
  private boolean hasNews;
  private Optional<String> obstacle = Optional.empty();
  private PodMtuListener mtuListener = (_, _) -> {};
  private final int mtuAtStart;
  private final Map<Optional<IpAddress>, Integer> lastLinkMtu = new HashMap<>();
  private volatile int podMtu;

  /// Hears what fits, on the dataplane loop.
  public interface PodMtuListener {
    /// @param before octets that fitted so far
    /// @param now octets that fit from now on
    void onPodMtu(int before, int now);
  }

  /// What the links of the node carry.
  public interface LinkMtu {
    /// The octets of a packet that this node sends under an address of its own.
    ///
    /// @param machine empty: the one it is known by
    /// @return empty while no link has the address
    OptionalInt of(Optional<IpAddress> machine) throws LinuxException;
  }

  /// @param loop the dataplane's
  /// @param netlink used on the loop only
  /// @param podMtu of pods before there is a plan
  public OverlayDriver(Loop loop, Rtnetlink netlink, LinkMtu links, int podMtu) {
    this.loop = loop;
    this.netlink = netlink;
    this.links = links;
    this.entries = new PeerEntries(netlink);
    this.mtuAtStart = podMtu;
    this.podMtu = podMtu;
  }

  /// Tells from now on when something else fits, and at once if that is so since the start. From
  /// any thread.
  public void tellPodMtu(PodMtuListener listener) {
    loop.post(
        () -> {
          mtuListener = listener;
          if (podMtu != mtuAtStart) {
            listener.onPodMtu(mtuAtStart, podMtu);
          }
        });
  }

  /// The device of a family, by Calico's names.
  public static InterfaceName device(IpFamily family) {
    return switch (family) {
      case IPV4 -> new InterfaceName("vxlan.calico");
      case IPV6 -> new InterfaceName("vxlan-v6.calico");
    };
  }

  /// Octets that wrapping adds: outer IP header, UDP, VXLAN, inner Ethernet header.
  static int overhead(IpFamily family) {
    return switch (family) {
      case IPV4 -> 20 + 8 + 8 + 14;
      case IPV6 -> 40 + 8 + 8 + 14;
    };
  }

  /// Takes the whole plan. From any thread.
  public void setPlan(OverlayPlan wanted) {
    loop.post(
        () -> {
          hasNews |= !wanted.equals(plan);
          isDue |= hasNews;
          plan = wanted;
        });
  }

  /// Octets of a packet that a new pod may send, so that it fits into whatever carries it. From any
  /// thread.
  public int podMtu() {
    return podMtu;
  }

  @Override
  public boolean hasNews() {
    return hasNews;
  }

  @Override
  public void doubt() {
    isDue = true;
  }

  @Override
  public Optional<String> settle(RouteTable routes) throws LinuxException {
    hasNews = false;
    if (!isDue) {
      return obstacle;
    }
    int most = linkMtu(Optional.empty());
    Map<Prefix, RouteSpec> wanted = new HashMap<>();
    List<String> obstacles = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      Wrapping wrapping = plan.wrappings().get(family);
      if (wrapping == null) {
        remove(family);
        continue;
      }
      int mtu = mtu(family, wrapping);
      most = Math.min(most, mtu);
      OptionalInt index = OptionalInt.empty();
      if (wrapping.tunnel().isPresent()) {
        try {
          index = OptionalInt.of(keep(family, wrapping, wrapping.tunnel().get(), mtu, routes));
        } catch (ObstacleException taken) {
          obstacles.add(taken.getMessage());
        }
      }
      addRoutes(wrapping, index, wanted);
    }
    int before = podMtu;
    podMtu = most;
    if (most != before) {
      mtuListener.onPodMtu(before, most);
    }
    routes.setRoutes(RouteClass.TUNNEL, wanted);
    // Only now it is known which of those that an earlier process left are still wanted.
    routes.allowSweep(RouteClass.TUNNEL);
    tell(obstacles);
    isDue = false;
    return obstacle;
  }

  private void tell(List<String> obstacles) {
    Optional<String> now = obstacles.stream().reduce((a, b) -> a + "; " + b);
    if (!now.equals(obstacle)) {
      now.ifPresent(
          reason ->
              LOG.atError()
                  .addKeyValue("reason", reason)
                  .log("packets to other nodes' pods can't be wrapped"));
    }
    obstacle = now;
  }

  private int mtu(IpFamily family, Wrapping wrapping) throws LinuxException {
    return wrapping.mtu().isPresent()
        ? wrapping.mtu().getAsInt()
        : Math.max(leastMtu(family), linkMtu(wrapping.machine()) - overhead(family));
  }

  /// Below it a family does not work; where the links carry too little for that, what is wrapped is
  /// sent in fragments.
  private static int leastMtu(IpFamily family) {
    return switch (family) {
      case IPV4 -> VethSpec.MIN_MTU;
      case IPV6 -> 1280; // RFC 8200 §5
    };
  }

  /// An address that is on no link for a moment changes nobody's MTU.
  private int linkMtu(Optional<IpAddress> machine) throws LinuxException {
    OptionalInt now = links.of(machine);
    now.ifPresent(mtu -> lastLinkMtu.put(machine, mtu));
    return lastLinkMtu.getOrDefault(machine, mtuAtStart);
  }

  private static void addRoutes(
      Wrapping wrapping, OptionalInt index, Map<Prefix, RouteSpec> wanted) {
    Set<IpAddress> ends = new HashSet<>();
    wrapping
        .routes()
        .forEach(
            (prefix, way) -> {
              switch (way) {
                case Way.Plain(IpAddress machine) ->
                    wanted.put(prefix, RouteSpec.through(List.of(NextHop.via(machine))));
                case Way.Tunnelled(IpAddress end) -> {
                  if (index.isPresent()) {
                    wanted.put(prefix, RouteSpec.onlink(end, index.getAsInt()));
                    ends.add(end);
                  }
                }
              }
            });
    // Of two ways to a gateway IPv6 believes its table and not us: a route of the fabric around the
    // pool would have ours refused. To itself, borrowed from another's block, an end has no other.
    ends.forEach(end -> wanted.put(end.toHostPrefix(), RouteSpec.toDevice(index.orElseThrow())));
  }

  /// No pool needs it any more: a device of ours goes, with all that hangs on it.
  private void remove(IpFamily family) throws LinuxException {
    Optional<Link> link = netlink.links().find(device(family));
    if (link.isPresent() && link.get().alias().equals(ALIAS)) {
      netlink.links().delete(link.get().index());
      LOG.atInfo()
          .addKeyValue("device", device(family))
          .log("no pool has its packets wrapped any more; the device is removed");
    }
  }

  /// Something of somebody else's is in the way, and trying again at once would not help.
  private static final class ObstacleException extends Exception {
    private static final long serialVersionUID = 1L;

    ObstacleException(String what) {
      super(what + "; it is looked at again every " + RESYNC.toSeconds() + " s");
    }

    static ObstacleException foreign(Link link) {
      return new ObstacleException(
          "device "
              + link.name()
              + " is neither ours nor Calico's ("
              + (link.kind().isEmpty() ? "no virtual device" : "kind " + link.kind())
              + (link.alias().isEmpty() ? "" : ", alias \"" + link.alias() + "\"")
              + ") and stays as it is; remove or rename it");
    }

    static ObstacleException taken(VxlanSpec spec) {
      return new ObstacleException(
          "device "
              + spec.name()
              + " can't be made: another VXLAN device has VNI "
              + spec.vni()
              + " and port "
              + spec.port()
              + ", or another program the port; remove it, or set vxlanVNI or vxlanPort of"
              + " FelixConfiguration default, on all nodes");
    }
  }

  /// @return the device's number
  private int keep(IpFamily family, Wrapping wrapping, Tunnel tunnel, int mtu, RouteTable routes)
      throws LinuxException, ObstacleException {
    VxlanSpec spec =
        new VxlanSpec(
            device(family),
            tunnel.mac(),
            wrapping.vni(),
            wrapping.port(),
            tunnel.machine(),
            mtu,
            ALIAS);
    Optional<Link> found = netlink.links().find(spec.name());
    if (found.isPresent() && !mayTouch(found.get())) {
      throw ObstacleException.foreign(found.get());
    }
    Link link = fit(spec, found);
    int index = link.index();
    if (!link.isUp()) {
      netlink.links().setIpv4(index, true, LOOSE_REVERSE_PATH);
      unlessTaken(spec, () -> netlink.links().setUp(index));
      // What was routed by it went when it went down.
      routes.doubt();
    }
    keepAddress(family, index, tunnel.address());
    entries.keepNeighbours(family, index, wrapping);
    entries.keepForwarding(index, wrapping);
    return index;
  }

  /// Calico marks nothing; its device is known by name and kind.
  private static boolean mayTouch(Link link) {
    return link.kind().equals(Vxlan.KIND) && (link.alias().isEmpty() || link.alias().equals(ALIAS));
  }

  /// The kernel says either when a device is made or when it is set up that the port is not free.
  private static void unlessTaken(VxlanSpec spec, Change change)
      throws LinuxException, ObstacleException {
    try {
      change.make();
    } catch (LinuxException refused) {
      if (refused.is(Errno.EEXIST) || refused.is(Errno.EADDRINUSE)) {
        throw ObstacleException.taken(spec);
      }
      throw refused;
    }
  }

  private interface Change {
    void make() throws LinuxException;
  }

  private Link fit(VxlanSpec spec, Optional<Link> found) throws LinuxException, ObstacleException {
    if (found.isPresent()) {
      Optional<Vxlan> is = netlink.vxlans().find(spec.name());
      if (is.isPresent() && is.get().isLike(spec)) {
        adjust(spec, is.get().link());
        return is.get().link();
      }
      netlink.links().delete(found.get().index());
      LOG.atWarn()
          .addKeyValue("device", spec.name())
          .addKeyValue("found", is.map(Vxlan::toString).orElse("none"))
          .addKeyValue("wanted", spec)
          .log("a device is not as it should be and can't be changed; it is made anew");
    }
    unlessTaken(spec, () -> netlink.vxlans().create(spec));
    LOG.atInfo().addKeyValue("device", spec).log("a device that wraps packets is made");
    return netlink.links().find(spec.name()).orElseThrow();
  }

  private void adjust(VxlanSpec spec, Link link) throws LinuxException {
    if (!link.alias().equals(spec.alias())) {
      netlink.links().setIpv4(link.index(), true, LOOSE_REVERSE_PATH);
      netlink.links().setAlias(link.index(), spec.alias());
      LOG.atInfo()
          .addKeyValue("device", spec.name())
          .log("a device of Calico's is ours from now on");
    }
    if (link.mtu() != spec.mtu()) {
      netlink.links().setMtu(link.index(), spec.mtu());
      LOG.atInfo()
          .addKeyValue("device", spec.name())
          .addKeyValue("from", link.mtu())
          .addKeyValue("to", spec.mtu())
          .log("a device's MTU is changed");
    }
  }

  private void keepAddress(IpFamily family, int index, IpAddress wanted) throws LinuxException {
    boolean isThere = false;
    for (Address address : netlink.addresses().list(index)) {
      if (address.address().family() != family || address.address().isLinkLocal()) {
        continue;
      }
      if (address.address().equals(wanted) && address.prefixLength() == family.bits()) {
        isThere = true;
      } else {
        netlink.addresses().delete(address);
      }
    }
    if (!isThere) {
      netlink.addresses().add(new Address(index, wanted, family.bits(), Scope.UNIVERSE));
    }
  }
}
