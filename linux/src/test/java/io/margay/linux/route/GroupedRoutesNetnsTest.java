package io.margay.linux.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.LinuxException;
import io.margay.linux.netns.TestNetns;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class GroupedRoutesNetnsTest extends GroupedRoutesContract {

  private TestNetns netns;
  private Rtnetlink rt;

  @BeforeEach
  void raise() throws Exception {
    netns = TestNetns.create();
    RoutesNetnsTest.raiseDevices(netns);
    rt = Rtnetlink.inNetns(netns.fd());
    RoutesNetnsTest.awaitCarrier(rt.routes(), "10.0.1.2", true);
    RoutesNetnsTest.awaitCarrier(rt.routes(), "10.0.2.2", true);
  }

  @AfterEach
  void tearDown() throws Exception {
    rt.close();
    netns.close();
  }

  @Test
  void readers_find_the_next_hops_also_where_routes_name_but_their_objects() throws Exception {
    start(NextHopLayout.MULTIPATH);
    table().update(RouteClass.BGP, prefix(0), BOTH);
    table().update(RouteClass.BGP, prefix6(0), BOTH6);
    table().apply();
    for (String mode : List.of("0", "1")) {
      netns.exec("sysctl", "-qw", "net.ipv4.nexthop_compat_mode=" + mode);
      assertThat(netns.ip("route show " + prefix(0)).contains("via")).isEqualTo(mode.equals("1"));
      List<Route> all = new ArrayList<>(rt.routes().list(IpFamily.IPV4, 117, 0));
      all.addAll(rt.routes().list(IpFamily.IPV6, 0, 0));
      for (Route route : all) {
        if (route.protocol() == Route.OUR_PROTOCOL) {
          RouteSpec spec = route.family() == IpFamily.IPV4 ? BOTH : BOTH6;
          assertThat(spec.toRoute(route.prefix()).isMetBy(route)).as("%s", route).isTrue();
        }
      }
      assertThat(rt.routes().lookup(prefix(0).address()))
          .get()
          .matches(r -> r.nextHops().size() == 2);
      assertThat(rt.routes().lookup(prefix6(0).address()))
          .get()
          .matches(r -> r.nextHops().size() == 2);
      assertThat(table().resync().writes()).isZero();
    }
  }

  @Test
  void no_packet_is_lost_while_layouts_change_and_groups_move() throws Exception {
    start(NextHopLayout.NONE);
    Prefix four = prefix(0);
    Prefix six = prefix6(0);
    table().setRoutes(RouteClass.BGP, Map.of(four, BOTH, six, BOTH6));
    table().apply();
    try (PacketProbe probe = PacketProbe.start(netns, four.address(), six.address())) {
      for (int round = 0; round < 20; round++) {
        for (NextHopLayout layout :
            List.of(
                NextHopLayout.MULTIPATH,
                NextHopLayout.NONE,
                NextHopLayout.RESILIENT,
                NextHopLayout.MULTIPATH,
                NextHopLayout.RESILIENT,
                NextHopLayout.NONE)) {
          start(layout);
          table().setRoutes(RouteClass.BGP, Map.of(four, BOTH, six, BOTH6));
          assertThat(table().apply().replaced()).isEqualTo(2);
          table()
              .setRoutes(
                  RouteClass.BGP, Map.of(four, through("10.0.2.2"), six, through("fd00:2::2")));
          table().apply();
          table().setRoutes(RouteClass.BGP, Map.of(four, BOTH, six, BOTH6));
          table().apply();
        }
      }
      assertThat(probe.refused()).isEmpty();
      assertThat(probe.sent()).isGreaterThan(100);
      table().setRoutes(RouteClass.BGP, Map.of());
      table().apply();
      while (probe.refused().isEmpty()) {
        Thread.onSpinWait(); // the probe sees a missing route
      }
    }
  }

  @Override
  RouteKernel routes() {
    return rt.routes();
  }

  @Override
  NextHopKernel objects() {
    return rt.nextHopObjects();
  }

  @Override
  int red() {
    return index("red");
  }

  @Override
  int blue() {
    return index("blue");
  }

  private int index(String name) {
    try {
      return rt.links().find(new InterfaceName(name)).orElseThrow().index();
    } catch (LinuxException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  void setCarrier(String device, boolean has) throws Exception {
    String neighbour = device.equals("red") ? "10.0.1.2" : "10.0.2.2";
    RoutesNetnsTest.setCarrier(netns, rt.routes(), device, neighbour, has);
  }

  @Override
  void removeObject(int id) throws Exception {
    netns.ip("nexthop del id " + NextHopObject.text(id));
  }
}
