package io.margay.linux.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BulkRoutesTest {

  private static final int PROTOCOL = 119;
  private static final int METRIC = 1024;
  private static final Prefix A = Prefix.parse("10.1.0.0/24");
  private static final Prefix B = Prefix.parse("10.2.0.0/24");
  private static final Prefix SIX = Prefix.parse("fd00:1::/64");
  private static final List<String> VIA_1 = List.of("192.0.2.1");
  private static final List<String> VIA_2 = List.of("192.0.2.2");
  private static final List<String> BOTH = List.of("192.0.2.1", "192.0.2.2");
  private static final List<String> SIX_VIA = List.of("fd00:2::1");

  private final FakeRoutes kernel = new FakeRoutes();
  private final Map<String, Integer> links = new HashMap<>();
  private BulkRoutes<List<String>> routes = routes(kernel);

  @BeforeEach
  void links() {
    kernel.addDevice(7, Prefix.parse("192.0.2.0/24"), Prefix.parse("fd00:2::/64"));
  }

  private BulkRoutes<List<String>> routes(RouteKernel over) {
    return new BulkRoutes<>(over, PROTOCOL, METRIC, this::resolve);
  }

  /// `ADDRESS`, or `ADDRESS%LINK`, which nothing is without its link.
  private List<NextHop> resolve(List<String> hops) {
    List<NextHop> resolved = new ArrayList<>();
    for (String hop : hops) {
      String[] parts = hop.split("%", -1);
      IpAddress gateway = IpAddress.parse(parts[0]);
      if (parts.length == 1) {
        resolved.add(NextHop.via(gateway));
      } else if (links.containsKey(parts[1])) {
        resolved.add(NextHop.via(gateway, links.get(parts[1])));
      }
    }
    return resolved;
  }

  private static Route route(Prefix prefix, String gateway, int protocol) {
    return new Route(
        prefix,
        Route.MAIN_TABLE,
        protocol,
        RouteType.UNICAST,
        Scope.UNIVERSE,
        METRIC,
        List.of(NextHop.via(IpAddress.parse(gateway), 7)),
        Optional.empty());
  }

  private List<RouteFailure> settle() throws LinuxException {
    List<RouteFailure> refused = new ArrayList<>();
    while (routes.hasWork()) {
      refused.addAll(routes.apply(3));
    }
    return refused;
  }

  private Map<String, String> held() {
    Map<String, String> held = new TreeMap<>();
    for (Route route : kernel.dump(PROTOCOL)) {
      held.put(
          route.prefix().toString(),
          String.join(
              ",",
              route.nextHops().stream().map(hop -> hop.gateway().orElseThrow() + "").toList()));
    }
    return held;
  }

  @Test
  void wanted_routes_are_written_changed_and_removed() throws LinuxException {
    routes.want(A, VIA_1);
    routes.want(B, BOTH);
    routes.want(SIX, SIX_VIA);
    assertThat(settle()).isEmpty();
    assertThat(held())
        .containsExactly(
            Map.entry("10.1.0.0/24", "192.0.2.1"),
            Map.entry("10.2.0.0/24", "192.0.2.1,192.0.2.2"),
            Map.entry("fd00:1::/64", "fd00:2::1"));
    routes.want(A, VIA_2);
    routes.unwant(B);
    settle();
    assertThat(held())
        .containsExactly(
            Map.entry("10.1.0.0/24", "192.0.2.2"), Map.entry("fd00:1::/64", "fd00:2::1"));
    assertThat(routes.wanted(IpFamily.IPV4)).isEqualTo(1);
  }

  @Test
  void what_changes_back_before_it_is_written_is_not_written() throws LinuxException {
    routes.want(A, VIA_1);
    settle();
    int writes = kernel.writes();
    routes.want(A, VIA_2);
    routes.want(A, VIA_1);
    routes.want(B, VIA_1);
    routes.unwant(B);
    settle();
    assertThat(kernel.writes()).isEqualTo(writes);
    assertThat(held()).containsOnlyKeys("10.1.0.0/24");
  }

  @Test
  void a_fresh_process_keeps_leftovers_until_the_sweep() throws LinuxException {
    routes.want(A, VIA_1);
    routes.want(B, VIA_1);
    settle();
    int writes = kernel.writes();
    routes = routes(kernel);
    routes.adopt();
    assertThat(routes.leftovers(IpFamily.IPV4)).isEqualTo(2);
    routes.want(A, VIA_1);
    settle();
    assertThat(kernel.writes())
        .as("what is there as wanted is taken over unwritten")
        .isEqualTo(writes);
    assertThat(routes.leftovers(IpFamily.IPV4)).isEqualTo(1);
    assertThat(held()).containsOnlyKeys("10.1.0.0/24", "10.2.0.0/24");
  }

  @Test
  void the_sweep_removes_what_nobody_wanted() throws LinuxException {
    kernel.plant(route(A, "192.0.2.1", PROTOCOL));
    kernel.plant(route(B, "192.0.2.1", PROTOCOL));
    kernel.plant(route(Prefix.parse("10.3.0.0/24"), "192.0.2.1", 12));
    routes.adopt();
    routes.want(A, VIA_1);
    settle();
    assertThat(held()).containsOnlyKeys("10.1.0.0/24", "10.2.0.0/24");
    routes.allowSweep(IpFamily.IPV6);
    settle();
    assertThat(held()).containsOnlyKeys("10.1.0.0/24", "10.2.0.0/24");
    routes.allowSweep(IpFamily.IPV4);
    settle();
    assertThat(held()).containsOnlyKeys("10.1.0.0/24");
    assertThat(kernel.all()).as("the stranger's route stays").hasSize(2);
  }

  @Test
  void a_strangers_route_stays_and_ours_follows_when_it_goes() throws LinuxException {
    kernel.plant(route(A, "192.0.2.2", 4));
    routes.want(A, VIA_1);
    routes.want(B, VIA_1);
    List<RouteFailure> refused = settle();
    assertThat(refused).hasSize(1);
    assertThat(refused.getFirst().cause().errno()).isEqualTo(Errno.EEXIST);
    assertThat(routes.refused(IpFamily.IPV4)).isEqualTo(1);
    assertThat(held()).containsOnlyKeys("10.2.0.0/24");
    kernel.tamper(A);
    routes.retry();
    assertThat(settle()).isEmpty();
    assertThat(held()).containsOnlyKeys("10.1.0.0/24", "10.2.0.0/24");
    assertThat(routes.refused(IpFamily.IPV4)).isZero();
  }

  @Test
  void tampering_is_repaired_once_the_kernel_is_read_again() throws LinuxException {
    routes.allowSweep(IpFamily.IPV4);
    routes.want(A, VIA_1);
    routes.want(B, VIA_1);
    settle();
    kernel.tamper(A);
    kernel.tamper(B);
    kernel.plant(route(B, "192.0.2.9", PROTOCOL));
    kernel.plant(route(Prefix.parse("10.9.0.0/24"), "192.0.2.9", PROTOCOL));
    kernel.plant(
        new Route(
            A,
            Route.MAIN_TABLE,
            PROTOCOL,
            RouteType.UNICAST,
            Scope.UNIVERSE,
            5,
            List.of(NextHop.via(IpAddress.parse("192.0.2.9"), 7)),
            Optional.empty()));
    routes.distrust();
    settle();
    assertThat(held())
        .containsExactly(
            Map.entry("10.1.0.0/24", "192.0.2.1"), Map.entry("10.2.0.0/24", "192.0.2.1"));
    assertThat(kernel.all()).hasSize(2);
  }

  @Test
  void a_route_that_went_by_itself_is_created_when_it_is_next_changed() throws LinuxException {
    routes.want(A, VIA_1);
    settle();
    kernel.tamper(A);
    routes.want(A, VIA_2);
    assertThat(settle()).isEmpty();
    assertThat(held()).containsEntry("10.1.0.0/24", "192.0.2.2");
  }

  @Test
  void a_link_local_next_hop_follows_its_interface() throws LinuxException {
    kernel.addDevice(8, Prefix.parse("fe80::/64"));
    List<String> hops = List.of("fe80::1%eth0");
    routes.want(A, hops);
    settle();
    assertThat(held()).isEmpty();
    assertThat(routes.refused(IpFamily.IPV4)).isEqualTo(1);
    links.put("eth0", 8);
    routes.linksChanged();
    settle();
    assertThat(held()).containsEntry("10.1.0.0/24", "fe80::1");
    kernel.removeDevice(8);
    kernel.addDevice(9, Prefix.parse("fe80::/64"));
    links.put("eth0", 9);
    routes.linksChanged();
    settle();
    assertThat(kernel.dump(PROTOCOL).getFirst().nextHops().getFirst().index()).isEqualTo(9);
  }

  @Test
  void lost_answers_make_it_read_the_kernel_again() throws LinuxException {
    boolean[] loses = {true};
    RouteKernel lossy =
        new RouteKernel() {
          @Override
          public List<Route> dump(int protocol) {
            return kernel.dump(protocol);
          }

          @Override
          public Optional<Route> lookup(IpAddress destination) {
            return kernel.lookup(destination);
          }

          @Override
          public List<RouteFailure> apply(List<RouteChange> changes) throws LinuxException {
            List<RouteFailure> failures = kernel.apply(changes);
            if (loses[0]) {
              throw new NetlinkException("add route", "x", Errno.ENOBUFS, "answers were lost");
            }
            return failures;
          }
        };
    routes = routes(lossy);
    routes.want(A, VIA_1);
    assertThatThrownBy(() -> routes.apply(10)).isInstanceOf(NetlinkException.class);
    assertThat(routes.hasWork()).isTrue();
    loses[0] = false;
    assertThat(settle()).isEmpty();
    assertThat(held()).containsOnlyKeys("10.1.0.0/24");
  }

  @Test
  void clearing_removes_all_of_ours_and_nothing_else() throws LinuxException {
    kernel.plant(route(Prefix.parse("10.8.0.0/24"), "192.0.2.1", PROTOCOL));
    kernel.plant(route(Prefix.parse("10.9.0.0/24"), "192.0.2.1", 12));
    routes.want(A, VIA_1);
    routes.want(SIX, SIX_VIA);
    settle();
    routes.clear();
    settle();
    assertThat(kernel.all()).extracting(Route::protocol).containsExactly(12);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void after_any_changes_the_kernel_holds_what_is_wanted(long seed) throws LinuxException {
    Random random = new Random(seed);
    Map<Prefix, List<String>> model = new HashMap<>();
    routes.allowSweep(IpFamily.IPV4);
    routes.allowSweep(IpFamily.IPV6);
    List<List<String>> fours = List.of(VIA_1, VIA_2, BOTH);
    for (int i = 0; i < 3_000; i++) {
      boolean four = random.nextBoolean();
      Prefix prefix =
          four
              ? new Prefix(new Ipv4Address(0x0a00_0000 | random.nextInt(120) << 8), 24)
              : new Prefix(new Ipv6Address(0xfd00_0000_0000_0000L | random.nextInt(120), 0), 64);
      if (random.nextInt(3) == 0) {
        routes.unwant(prefix);
        model.remove(prefix);
      } else {
        List<String> hops = four ? fours.get(random.nextInt(3)) : SIX_VIA;
        routes.want(prefix, hops);
        model.put(prefix, hops);
      }
      if (random.nextInt(20) == 0) {
        routes.apply(1 + random.nextInt(40));
      }
      if (random.nextInt(50) == 0) {
        kernel.tamper(prefix);
        routes.distrust();
      }
    }
    assertThat(settle()).isEmpty();
    Map<String, String> wanted = new TreeMap<>();
    model.forEach((prefix, hops) -> wanted.put(prefix.toString(), String.join(",", hops)));
    assertThat(held()).isEqualTo(wanted);
    assertThat(routes.wanted(IpFamily.IPV4) + routes.wanted(IpFamily.IPV6)).isEqualTo(model.size());
  }
}
