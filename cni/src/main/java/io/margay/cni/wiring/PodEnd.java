package io.margay.cni.wiring;

import io.margay.cni.PodNetwork;
import io.margay.cni.journal.Attachment;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Netns;
import io.margay.linux.netns.Sysctl;
import io.margay.linux.route.Address;
import io.margay.linux.route.Link;
import io.margay.linux.route.Neighbour;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.Rtnetlink;
import io.margay.linux.route.RtnetlinkBatch;
import io.margay.linux.route.Scope;
import io.margay.linux.socket.OwnedFd;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// The pod's side of a wire, done from outside through a socket opened in its namespace.
///
/// The pod's addresses are /32 and /128, so that everything goes through the next hop. That hop is
/// a permanent neighbour with the host end's MAC address: no ARP, no neighbour discovery, and
/// nothing tentative to wait for.
final class PodEnd {

  private static final int LOOPBACK_INDEX = 1;

  /// The interface that gets the pod's default routes; those of further ones stand behind by their
  /// metric.
  private static final InterfaceName FIRST_INTERFACE = new InterfaceName("eth0");

  private static final int FURTHER_METRIC = 2000;

  private PodEnd() {}

  static Set<IpFamily> families(List<IpAddress> addresses) {
    Set<IpFamily> families = new TreeSet<>();
    addresses.forEach(address -> families.add(address.family()));
    return families;
  }

  /// Sets everything up. The interface is there, down and without addresses.
  static void configure(Attachment attachment, List<IpAddress> addresses, OwnedFd netns, int index)
      throws LinuxException {
    try (Rtnetlink rtnetlink =
        Netns.visit(
            netns.number(),
            () -> {
              Rtnetlink inside = Rtnetlink.open();
              try {
                write(sysctls(attachment, families(addresses), isFirst(inside, index)));
                return inside;
              } catch (LinuxException refused) {
                inside.close();
                throw refused;
              }
            })) {
      RtnetlinkBatch batch = rtnetlink.batch().setUp(LOOPBACK_INDEX).setUp(index);
      for (IpAddress address : addresses) {
        batch.add(new Address(index, address, address.family().bits(), Scope.UNIVERSE));
      }
      for (IpFamily family : families(addresses)) {
        IpAddress gateway = PodNetwork.gateway(attachment, addresses, family);
        batch.replace(new Neighbour(index, gateway, PodNetwork.HOST_MAC));
        routes(attachment, gateway, index).forEach(batch::replace);
      }
      batch.sendAll();
    }
  }

  private static void write(Map<Sysctl, String> settings) throws LinuxException {
    for (Map.Entry<Sysctl, String> setting : settings.entrySet()) {
      setting.getKey().write(setting.getValue());
    }
  }

  /// Whether nobody has given the pod another interface yet. Those that the kernel puts into every
  /// namespace (`tunl0` and the like) are down.
  private static boolean isFirst(Rtnetlink inside, int index) throws LinuxException {
    return inside.links().list().stream()
        .noneMatch(link -> link.isUp() && link.index() != LOOPBACK_INDEX && link.index() != index);
  }

  /// A pod is no router, unless its owner makes it one: a namespace inherits the host's IPv4
  /// settings. What an earlier attachment made of it, a further one leaves. IPv6 may be switched
  /// off in it; and a link-local address made by the kernel would be tentative for a second and
  /// needed by nobody.
  private static Map<Sysctl, String> sysctls(
      Attachment attachment, Set<IpFamily> families, boolean isFirst) {
    InterfaceName name = attachment.id().ifName();
    boolean isRouter = attachment.routes().isRouter();
    Map<Sysctl, String> sysctls = new LinkedHashMap<>();
    if (isRouter || isFirst) {
      sysctls.put(Sysctl.of("ipv4/ip_forward"), isRouter ? "1" : "0");
    }
    if (families.contains(IpFamily.IPV6)) {
      if (isRouter) {
        sysctls.put(Sysctl.of("ipv6/conf/all/forwarding"), "1");
      }
      sysctls.put(Sysctl.of("ipv6/conf/lo/disable_ipv6"), "0");
      sysctls.put(Sysctl.ofInterface(IpFamily.IPV6, name, "addr_gen_mode"), "1");
      sysctls.put(Sysctl.ofInterface(IpFamily.IPV6, name, "disable_ipv6"), "0");
      sysctls.put(Sysctl.ofInterface(IpFamily.IPV6, name, "accept_ra"), "0");
    }
    return sysctls;
  }

  private static List<Route> routes(Attachment attachment, IpAddress gateway, int index) {
    int metric = attachment.id().ifName().equals(FIRST_INTERFACE) ? 0 : FURTHER_METRIC + index;
    List<Route> routes = new ArrayList<>();
    // A gateway must be on the link; a link-local IPv6 one is by its nature.
    if (!gateway.equals(PodNetwork.IPV6_GATEWAY)) {
      routes.add(withMetric(RouteSpec.toDevice(index).toRoute(gateway.toHostPrefix()), metric));
    }
    for (Prefix destination : attachment.routes().destinations(gateway.family())) {
      routes.add(
          withMetric(
              RouteSpec.through(List.of(NextHop.via(gateway, index))).toRoute(destination),
              metric));
    }
    return routes;
  }

  private static Route withMetric(Route route, int metric) {
    return new Route(
        route.prefix(),
        route.table(),
        route.protocol(),
        route.type(),
        route.scope(),
        metric,
        route.nextHops(),
        route.preferredSource());
  }

  /// What is not as {@link #configure} left it. The host end's permanent neighbours name the MAC
  /// address ADD gave, so another one is reported: the pod would hear nothing.
  static void verify(
      Attachment attachment,
      List<IpAddress> addresses,
      OwnedFd netns,
      int hostPeerIndex,
      List<String> problems)
      throws LinuxException {
    InterfaceName name = attachment.id().ifName();
    try (Rtnetlink rtnetlink = Rtnetlink.inNetns(netns.number())) {
      Optional<Link> found = rtnetlink.links().find(name);
      if (found.isEmpty() || found.get().index() != hostPeerIndex) {
        problems.add("the pod has no interface " + name + " paired with " + attachment.hostEnd());
        return;
      }
      Link link = found.get();
      if (!link.isUp()) {
        problems.add("interface " + name + " of the pod is down");
      }
      if (!link.mac().equals(Optional.of(attachment.podMac()))) {
        problems.add(
            "interface "
                + name
                + " of the pod has another MAC address than "
                + attachment.podMac());
      }
      // A smaller one is what a plugin behind us may have been told to set.
      if (link.mtu() > attachment.mtu()) {
        problems.add(
            "interface "
                + name
                + " of the pod has MTU "
                + link.mtu()
                + " and not "
                + attachment.mtu());
      }
      List<Address> present = rtnetlink.addresses().list(link.index());
      for (IpAddress address : addresses) {
        if (present.stream()
            .noneMatch(there -> there.address().equals(address) && !there.isTentative())) {
          problems.add("interface " + name + " of the pod lacks address " + address);
        }
      }
      for (IpFamily family : families(addresses)) {
        List<Route> installed = rtnetlink.routes().list(family, 0, Route.MAIN_TABLE);
        IpAddress gateway = PodNetwork.gateway(attachment, addresses, family);
        Neighbour neighbour = new Neighbour(link.index(), gateway, PodNetwork.HOST_MAC);
        if (!rtnetlink.neighbours().listPermanent(family).contains(neighbour)) {
          problems.add(
              "interface "
                  + name
                  + " of the pod lacks the permanent neighbour "
                  + gateway
                  + " with MAC address "
                  + PodNetwork.HOST_MAC);
        }
        for (Route wanted : routes(attachment, gateway, link.index())) {
          if (installed.stream().noneMatch(there -> leadsAlike(wanted, there))) {
            problems.add("the pod lacks route " + wanted.prefix() + " through " + name);
          }
        }
      }
      verifySysctls(attachment, families(addresses), netns, problems);
    }
  }

  /// A pod that has made itself a router is its owner's business.
  private static void verifySysctls(
      Attachment attachment, Set<IpFamily> families, OwnedFd netns, List<String> problems)
      throws LinuxException {
    List<String> found =
        Netns.visit(
            netns.number(),
            () -> {
              List<String> others = new ArrayList<>();
              for (Map.Entry<Sysctl, String> setting :
                  sysctls(attachment, families, false).entrySet()) {
                HostEndSettings.compare(
                    setting.getKey(), setting.getValue(), " of the pod", others);
              }
              return others;
            });
    problems.addAll(found);
  }

  private static boolean leadsAlike(Route wanted, Route there) {
    return there.prefix().equals(wanted.prefix())
        && there.type() == wanted.type()
        && there.nextHops().equals(wanted.nextHops());
  }
}
