package io.margay.cli.lab;

import io.margay.cli.lab.LabPlan.Link;
import io.margay.cli.lab.Topology.Tor;
import java.nio.file.Path;
import java.util.List;

/// The configuration files of the routers: each peers with every node it is linked to over the IPv4
/// link addresses, takes IPv4 and IPv6 from it, and passes one node's prefixes on to the others.
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
    text.append(birdStatics(plan, links, 4)).append(birdStatics(plan, links, 6));
    for (Link link : links) {
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
            ipv4 { gateway recursive; import all; export where source = RTS_BGP; next hop self; };
            ipv6 { gateway recursive; import all; export where source = RTS_BGP; next hop self; next hop address %s; };
          }
          """
              .formatted(
                  LabPlan.birdName(link.node().name()),
                  link.tor4(),
                  tor.asn(),
                  link.node4(),
                  link.node().asn(),
                  plan.topology().bgp().holdSeconds(),
                  link.tor6()));
    }
    return text.toString();
  }

  private static String birdStatics(LabPlan plan, List<Link> links, int version) {
    StringBuilder routes = new StringBuilder();
    for (Link link : links) {
      if (plan.isMultihomed(link.node())) {
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
    List<Link> links = plan.linksOf(tor);
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
    for (Link link : links) {
      text.append(" neighbor %s remote-as %s\n".formatted(link.node4(), link.node().asn()));
      text.append(" neighbor %s timers connect 1\n".formatted(link.node4()));
      text.append(" neighbor %s advertisement-interval 0\n".formatted(link.node4()));
    }
    for (String family : List.of("ipv4", "ipv6")) {
      text.append(" address-family %s unicast\n  maximum-paths 8\n".formatted(family));
      for (Link link : links) {
        text.append("  neighbor %s activate\n".formatted(link.node4()));
        text.append("  neighbor %s next-hop-self\n".formatted(link.node4()));
        if (family.equals("ipv6")) {
          text.append(
              "  neighbor %s route-map next6-%s out\n".formatted(link.node4(), link.node().name()));
        }
      }
      text.append(" exit-address-family\n");
    }
    for (Link link : links) {
      text.append(
          "route-map next6-%s permit 10\n set ipv6 next-hop global %s\n"
              .formatted(link.node().name(), link.tor6()));
    }
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
    for (Link link : plan.linksOf(tor)) {
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
                  link.node4(),
                  link.node().asn(),
                  plan.topology().bgp().holdSeconds(),
                  Math.max(1, plan.topology().bgp().holdSeconds() / 3)));
    }
    return text.toString();
  }
}
