package io.margay.it.bgp;

import static io.margay.it.bgp.BgpdConfig.BLOCK4;
import static io.margay.it.bgp.BgpdConfig.BLOCK6;
import static io.margay.it.bgp.BgpdConfig.neighbor;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// IPv4 routes with IPv6 next hops (RFC 8950), over global and link-local sessions; and what an
/// OPEN may carry.
@Tag("interop")
@ExtendWith(InteropMatrix.class)
@Execution(ExecutionMode.CONCURRENT)
class NextHopInteropTest {

  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR", "GOBGP", "EXABGP"})
  @Feature(
      value = "IPv4 over an IPv6 session (RFC 8950)",
      cannot = {"OPENBGPD: 7.7 is older than its RFC 8950 support (8.8)"})
  void ipv4_routes_travel_with_an_ipv6_next_hop(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, Side.of(1, 65100, Peering.ipv6(1).extendedNextHop()));
      Bgpd ours =
          Bgpd.start(
              lab,
              BgpdConfig.with(neighbor(Lab.theirs6(1), 65100, ", families: [ipv4, ipv6]"))
                  .kernelFib());
      router.awaitRoute(BLOCK4);
      router.awaitRoute(BLOCK6);
      assertThat(router.routes(BLOCK4).getFirst().nextHop()).isIn(Lab.ours6(1), "fe80::1");
      ours.awaitRoute(Side.PREFIX4);
      // GoBGP reads IPv6 next hops of IPv4 routes but sends its own with an IPv4 one.
      String way = daemon == Daemon.GOBGP ? "via " + Lab.theirs(1) : "via inet6 ";
      Waiting.until(
          "the kernel's route", () -> kernel(lab) + ours.log(), () -> kernel(lab).contains(way));

      ours.reload(
          BgpdConfig.with(neighbor(Lab.theirs6(1), 65100, ", families: [ipv6]")).kernelFib());
      Waiting.until(
          "no IPv4 without the family",
          () -> router.neighbour(Lab.ours6(1)),
          () -> !router.has(BLOCK4) && router.has(BLOCK6) && kernel(lab).isEmpty());
    }
  }

  private static String kernel(Lab lab) {
    return Lab.run(lab.node(), "ip", "route", "show", Side.PREFIX4);
  }

  @ParameterizedTest
  @EnumSource(names = {"BIRD", "FRR", "GOBGP"})
  @Feature(
      value = "link-local session, IPv4 and IPv6 over it",
      cannot = {"OPENBGPD: 7.7 has no RFC 8950", "EXABGP: its addresses have no interface"})
  void a_link_local_session_carries_both_families(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router = daemon.started(lab, Side.of(1, 65100, Peering.linkLocal().extendedNextHop()));
      Bgpd ours =
          Bgpd.start(
              lab,
              BgpdConfig.with(neighbor("fe80::2%r1", 65100, ", families: [ipv4, ipv6]"))
                  .kernelFib());
      router.awaitEstablished("fe80::1");
      router.awaitRoute(BLOCK4);
      router.awaitRoute(BLOCK6);
      ours.awaitRoute(Side.PREFIX4);
      // GoBGP sends an IPv4 next hop, FRR its global address beside the link-local one.
      String way =
          switch (daemon) {
            case GOBGP -> "via " + Lab.theirs(1) + " dev r1";
            case FRR -> "via inet6 " + Lab.theirs6(1) + " dev r1";
            case BIRD, OPENBGPD, EXABGP -> "via inet6 fe80::2 dev r1";
          };
      Waiting.until(
          "the kernel's route through the interface",
          () -> kernel(lab) + ours.log(),
          () -> kernel(lab).contains(way));

      ours.reload(BgpdConfig.with().kernelFib());
      Waiting.until(
          "session gone",
          () -> router.neighbour("fe80::1"),
          () -> !router.established("fe80::1") && kernel(lab).isEmpty());
    }
  }

  /// BIRD with a dozen families needs more than 255 octets of capabilities; most are unknown to us.
  @ParameterizedTest
  @EnumSource(names = "BIRD")
  @Feature(
      value = "extended optional parameters (RFC 9072)",
      cannot = {
        "FRR: 8.4 with its knob reads only the extended form, which is for OPENs above 255 octets",
        "GOBGP: has no RFC 9072",
        "OPENBGPD: has too few capabilities to need it",
        "EXABGP: has no RFC 9072"
      })
  void an_open_of_many_capabilities_is_read(Daemon daemon) {
    try (Lab lab = Lab.star(1)) {
      Router router =
          daemon.started(
              lab,
              Side.of(1, 65100, Peering.ipv4(1).families("ipv4").extendedOptionalParameters()));
      Bgpd ours = Bgpd.start(lab, BgpdConfig.with(neighbor(1, 65100, "")));
      router.awaitEstablished(Lab.ours(1));
      router.awaitRoute(BLOCK4);
      ours.awaitRoute(Side.PREFIX4);
      assertThat(router.neighbour(Lab.ours(1))).contains("flow6").contains("Long-lived");
    }
  }
}
