package io.margay.cli.lab;

import io.margay.cli.lab.LabPlan.Link;
import io.margay.cli.lab.LabPlan.Session;
import io.margay.cli.lab.Topology.Tor;
import io.margay.model.net.IpFamily;
import java.nio.file.Path;
import java.util.List;

/// The configuration files of the routers: each has one session with every node and router it is
/// linked to, over the IPv4 link addresses where there are some, takes IPv4 and IPv6 from it, and
/// passes one's prefixes on to the others.
final class RouterConfigs {

  private RouterConfigs() {}

  /// BIRD 2. Next hops are resolved through its own tables, so that a node with two links may
  /// announce the address on its `lo`; equal paths go to the kernel as one multipath route.
  static String bird(LabPlan plan, Tor tor) {
    Path home = plan.torDirectory(tor);
    StringBuilder text = new StringBuilder();
    text.append("log \"%s\" all;\n".formatted(home.resolve("bird.log")));
    text.append("router id %s;\n".formatted(plan.routerId(tor)));
    text.append(
        """
        protocol device {}
        protocol direct { ipv4; ipv6; }
        protocol kernel kernel4 { merge paths on; ipv4 { import none; export where source ~ [RTS_BGP, RTS_STATIC]; }; }
        protocol kernel kernel6 { merge paths on; ipv6 { import none; export where source ~ [RTS_BGP, RTS_STATIC]; }; }
        """);
    List<Link> links = plan.linksOf(tor);
    Topology topology = plan.topology();
    for (IpFamily family : topology.addresses().families()) {
      text.append(birdStatics(plan, links, family.version()));
    }
    topology
        .bgp()
        .bfd()
        .ifPresent(
            bfd ->
                text.append(
                    "protocol bfd { interface \"*\" { interval %d ms; multiplier %d; }; }\n"
                        .formatted(bfd.intervalMillis(), bfd.multiplier())));
    for (Session session : plan.sessions(tor)) {
      text.append(
          """
          protocol bgp %s {
            local %s as %s;
            neighbor %s as %s;
            hold time %d;
            connect delay time 1;
            connect retry time 1;
            error wait time 1, 2;
            graceful restart aware;
            long lived graceful restart off;
          """
              .formatted(
                  LabPlan.birdName(session.peer()),
                  session.local(),
                  tor.asn(),
                  session.remote(),
                  session.peerAsn(),
                  topology.bgp().holdSeconds()));
      if (topology.bgp().bfd().isPresent()) {
        text.append("  bfd graceful;\n");
      }
      for (IpFamily family : topology.addresses().families()) {
        boolean isForeign = family == IpFamily.IPV6 && session.isIpv4();
        text.append(
            "  ipv%d { gateway recursive; import all; export where source = RTS_BGP; next hop self;%s };\n"
                .formatted(
                    family.version(),
                    isForeign ? " next hop address " + session.local6() + ";" : ""));
      }
      text.append("}\n");
    }
    return text.toString();
  }

  private static String birdStatics(LabPlan plan, List<Link> links, int version) {
    StringBuilder routes = new StringBuilder();
    for (Link link : links) {
      if (plan.hasOwnAddress(link.node())) {
        routes.append(
            version == 4
                ? " route %s/32 via %s;".formatted(plan.nodeAddress4(link.node()), link.node4())
                : " route %s/128 via %s;".formatted(plan.nodeAddress6(link.node()), link.node6()));
      }
    }
    return routes.isEmpty()
        ? ""
        : "protocol static nodes%d { ipv%d;%s }\n".formatted(version, version, routes);
  }

  /// FRR's zebra: the kernel side, and the routes to the nodes' own addresses.
  static String zebra(LabPlan plan, Tor tor) {
    StringBuilder text = new StringBuilder("hostname %s\n".formatted(tor.name()));
    text.append(
        "log file %s informational\n".formatted(plan.torDirectory(tor).resolve("zebra.log")));
    return text.toString();
  }

  /// FRR's bgpd.
  static String frr(LabPlan plan, Tor tor) {
    int hold = plan.topology().bgp().holdSeconds();
    List<Session> sessions = plan.sessions(tor);
    StringBuilder text = new StringBuilder("hostname %s\n".formatted(tor.name()));
    text.append(
        "log file %s informational\n".formatted(plan.torDirectory(tor).resolve("bgpd.log")));
    text.append(
        """
        frr defaults datacenter
        router bgp %s
         bgp router-id %s
         no bgp ebgp-requires-policy
         no bgp default ipv4-unicast
         bgp disable-ebgp-connected-route-check
         timers bgp %d %d
        """
            .formatted(tor.asn(), plan.routerId(tor), Math.max(1, hold / 3), hold));
    sessions.forEach(session -> text.append(frrNeighbor(plan, session)));
    for (IpFamily family : plan.topology().addresses().families()) {
      text.append(" address-family ipv%d unicast\n  maximum-paths 8\n".formatted(family.version()));
      for (Session session : sessions) {
        String neighbor = "  neighbor " + session.remote() + " ";
        text.append(neighbor).append("activate\n");
        text.append(neighbor).append("next-hop-self\n");
        if (family == IpFamily.IPV6 && session.isIpv4()) {
          text.append(neighbor).append("route-map next6-%s out\n".formatted(session.peer()));
        }
      }
      text.append(" exit-address-family\n");
    }
    for (Session session : sessions) {
      if (session.isIpv4() && plan.topology().addresses().has(IpFamily.IPV6)) {
        text.append(
            "route-map next6-%s permit 10\n set ipv6 next-hop global %s\n"
                .formatted(session.peer(), session.local6()));
      }
    }
    return text.toString();
  }

  private static String frrNeighbor(LabPlan plan, Session session) {
    String neighbor = " neighbor " + session.remote() + " ";
    StringBuilder text = new StringBuilder();
    text.append(neighbor).append("remote-as ").append(session.peerAsn()).append('\n');
    text.append(neighbor).append("timers connect 1\n");
    text.append(neighbor).append("advertisement-interval 0\n");
    if (plan.isUnnumbered()) {
      text.append(neighbor).append("interface ").append(session.peer()).append('\n');
      text.append(neighbor).append("capability extended-nexthop\n");
    }
    plan.topology()
        .bgp()
        .bfd()
        .ifPresent(
            bfd ->
                text.append(neighbor)
                    .append(
                        "bfd %d %d %d\n"
                            .formatted(
                                bfd.multiplier(), bfd.intervalMillis(), bfd.intervalMillis())));
    return text.toString();
  }

  /// GoBGP: sessions and routes, nothing in the kernel.
  static String gobgp(LabPlan plan, Tor tor) {
    StringBuilder text = new StringBuilder();
    text.append(
        """
        [global.config]
          as = %s
          router-id = "%s"
          port = 179
        """
            .formatted(tor.asn(), plan.routerId(tor)));
    for (Session session : plan.sessions(tor)) {
      text.append(
          """
          [[neighbors]]
            [neighbors.config]
              neighbor-address = "%s"
              peer-as = %s
            [neighbors.timers.config]
              connect-retry = 1
              hold-time = %d
              keepalive-interval = %d
            [neighbors.graceful-restart.config]
              enabled = true
              helper-only = true
            [[neighbors.afi-safis]]
              [neighbors.afi-safis.config]
                afi-safi-name = "ipv4-unicast"
              [neighbors.afi-safis.mp-graceful-restart.config]
                enabled = true
            [[neighbors.afi-safis]]
              [neighbors.afi-safis.config]
                afi-safi-name = "ipv6-unicast"
              [neighbors.afi-safis.mp-graceful-restart.config]
                enabled = true
          """
              .formatted(
                  session.remote(),
                  session.peerAsn(),
                  plan.topology().bgp().holdSeconds(),
                  Math.max(1, plan.topology().bgp().holdSeconds() / 3)));
    }
    return text.toString();
  }
}
