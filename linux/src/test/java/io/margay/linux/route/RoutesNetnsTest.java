package io.margay.linux.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.netns.TestNetns;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class RoutesNetnsTest extends RouteKernelContract {

  private TestNetns netns;
  private Rtnetlink rt;

  @BeforeEach
  void raise() throws Exception {
    netns = TestNetns.create();
    raiseDevices(netns);
    rt = Rtnetlink.inNetns(netns.fd());
  }

  static void raiseDevices(TestNetns netns) throws Exception {
    netns.ip("link set lo up");
    netns.ip("link add red type veth peer name redpeer");
    netns.ip("link add blue type veth peer name bluepeer");
    netns.ip("addr add 10.0.1.1/24 dev red");
    netns.ip("addr add 10.0.2.1/24 dev blue");
    netns.ip("addr add fd00:1::1/64 dev red nodad");
    netns.ip("addr add fd00:2::1/64 dev blue nodad");
    for (String name : List.of("red", "redpeer", "blue", "bluepeer")) {
      netns.ip("link set " + name + " up");
    }
  }

  /// Sets a device's peer up or down, and waits until the kernel's routes know.
  ///
  /// @param neighbour an address in the device's network
  static void setCarrier(
      TestNetns netns, Routes routes, String device, String neighbour, boolean has)
      throws Exception {
    netns.ip("link set " + device + "peer " + (has ? "up" : "down"));
    awaitCarrier(routes, neighbour, has);
  }

  /// The kernel looks at carriers now and then, not at once.
  static void awaitCarrier(Routes routes, String neighbour, boolean has) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (routes.lookup(IpAddress.parse(neighbour)).isPresent() != has) {
      assertThat(System.nanoTime()).as("carrier towards " + neighbour).isLessThan(end);
      Thread.onSpinWait();
    }
  }

  @AfterEach
  void tearDown() throws Exception {
    rt.close();
    netns.close();
  }

  @Override
  RouteKernel kernel() {
    return rt.routes();
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
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void the_source_of_packets_is_the_kernels_choice() throws Exception {
    netns.ip("route add 10.9.0.0/16 via 10.0.2.7");
    netns.ip("route add blackhole 10.10.0.0/16");
    Routes routes = rt.routes();
    assertThat(routes.sourceTowards(IpAddress.parse("10.9.1.1")))
        .contains(IpAddress.parse("10.0.2.1"));
    assertThat(routes.sourceTowards(IpAddress.parse("10.0.1.1")))
        .as("an own address")
        .contains(IpAddress.parse("10.0.1.1"));
    assertThat(routes.sourceTowards(IpAddress.parse("fd00:2::9")))
        .contains(IpAddress.parse("fd00:2::1"));
    assertThat(routes.sourceTowards(IpAddress.parse("10.10.0.1"))).isEmpty();
    assertThat(routes.sourceTowards(IpAddress.parse("172.16.0.1"))).isEmpty();
  }

  @Override
  void plantForeign(Prefix prefix) throws Exception {
    netns.ip("-" + prefix.family().version() + " route add " + prefix + " dev red proto static");
  }

  @Override
  boolean holds(Prefix prefix, int protocol) throws Exception {
    return !netns
        .ip("-" + prefix.family().version() + " route show " + prefix + " proto " + protocol)
        .isBlank();
  }

  @Test
  void the_ip_tool_reads_what_we_wrote() throws Exception {
    List<RouteChange> adds = new ArrayList<>();
    everyShape().forEach(route -> adds.add(new RouteChange.Add(route)));
    assertThat(rt.routes().apply(adds)).isEmpty();

    assertThat(netns.ip("-4 route show proto 117").lines().map(String::strip))
        .contains(
            "10.1.0.5 dev red scope link",
            "blackhole 10.1.0.0/26",
            "10.2.0.0/26 via 10.0.1.2 dev red",
            "nexthop via 10.0.1.2 dev red weight 1",
            "nexthop via 10.0.2.2 dev blue weight 7",
            "10.5.0.0/26 via 192.0.2.1 dev red onlink");
    assertThat(netns.ip("-6 route show proto 117"))
        .contains(
            "fd00:a::5 dev red metric 1024",
            "blackhole fd00:a::/122",
            "fd00:b::/122 via fd00:1::2 dev red metric 1024",
            "nexthop via fd00:2::2 dev blue weight 1",
            "fd00:d::/122 via fe80::2 dev blue");
  }

  @Test
  void a_list_is_filtered_by_protocol_and_table() throws Exception {
    netns.ip("route add 10.9.0.0/24 dev red proto 117 table 4000");
    netns.ip("route add 10.9.1.0/24 dev red proto 117");
    netns.ip("route add 10.9.2.0/24 dev red proto static");
    Routes routes = rt.routes();
    assertThat(routes.list(IpFamily.IPV4, 117, 4000))
        .extracting(Route::prefix)
        .containsExactly(Prefix.parse("10.9.0.0/24"));
    assertThat(routes.list(IpFamily.IPV4, 117, 0)).hasSize(2);
    assertThat(routes.list(IpFamily.IPV4, 117, 4001)).isEmpty();
    assertThat(routes.list(IpFamily.IPV6, 117, 4001)).isEmpty();
    assertThat(routes.list(IpFamily.IPV4, 0, 0)).hasSizeGreaterThan(5); // connected and local too
    assertThat(routes.list(IpFamily.IPV6, 0, 0)).hasSizeGreaterThan(5);
  }

  @Test
  void ten_thousand_routes_take_this_long() throws Exception {
    List<RouteChange> adds = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      adds.add(
          new RouteChange.Add(
              route("10." + (100 + i / 256) + "." + i % 256 + ".0/26", via("10.0.1.2", red()))));
      if (i == 0) {
        assertThat(rt.routes().apply(adds)).isEmpty(); // warm
        adds.clear();
      }
    }
    long start = System.nanoTime();
    assertThat(rt.routes().apply(adds)).isEmpty();
    long added = System.nanoTime();
    assertThat(rt.routes().dumpOurs()).hasSize(10_000);
    System.out.printf(
        "10,000 routes added in %d ms, dumped in %d ms%n",
        (added - start) / 1_000_000, (System.nanoTime() - added) / 1_000_000);
  }
}
