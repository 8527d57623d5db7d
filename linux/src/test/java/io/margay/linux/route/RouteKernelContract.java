package io.margay.linux.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.Errno;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What [RouteTable] relies on, for the kernel and for the fake. Device [#red] has 10.0.1.1/24 and
/// fd00:1::1/64, [#blue] 10.0.2.1/24 and fd00:2::1/64.
abstract class RouteKernelContract {

  abstract RouteKernel kernel();

  abstract int red();

  abstract int blue();

  /// Puts a route of protocol 4 (static) there, to a device.
  abstract void plantForeign(Prefix prefix) throws Exception;

  abstract boolean holds(Prefix prefix, int protocol) throws Exception;

  static Route route(String prefix, NextHop... hops) {
    return (hops.length == 0 ? RouteSpec.blackhole() : RouteSpec.through(List.of(hops)))
        .toRoute(Prefix.parse(prefix));
  }

  static NextHop via(String gateway, int index) {
    return NextHop.via(IpAddress.parse(gateway), index);
  }

  List<Route> everyShape() {
    return List.of(
        route("10.1.0.5/32", NextHop.onDevice(red())),
        route("10.1.0.0/26"),
        route("10.2.0.0/26", via("10.0.1.2", red())),
        route("10.3.0.0/26", via("10.0.1.2", red()), via("10.0.2.2", blue())),
        route(
            "10.4.0.0/26",
            via("10.0.1.2", red()),
            new NextHop(Optional.of(IpAddress.parse("10.0.2.2")), blue(), 7, false)),
        route(
            "10.5.0.0/26", new NextHop(Optional.of(IpAddress.parse("192.0.2.1")), red(), 1, true)),
        route("fd00:a::5/128", NextHop.onDevice(red())),
        route("fd00:a::/122"),
        route("fd00:b::/122", via("fd00:1::2", red())),
        route("fd00:c::/122", via("fd00:1::2", red()), via("fd00:2::2", blue())),
        route("fd00:d::/122", via("fe80::2", blue())));
  }

  @Test
  void what_was_added_is_dumped_equal() throws Exception {
    List<RouteChange> adds = new ArrayList<>();
    everyShape().forEach(route -> adds.add(new RouteChange.Add(route)));
    assertThat(kernel().apply(adds)).isEmpty();
    assertThat(kernel().dumpOurs()).containsExactlyInAnyOrderElementsOf(everyShape());

    List<RouteChange> deletes = new ArrayList<>();
    everyShape().forEach(route -> deletes.add(new RouteChange.Delete(route)));
    assertThat(kernel().apply(deletes)).isEmpty();
    assertThat(kernel().dumpOurs()).isEmpty();
    assertThat(kernel().apply(deletes)).as("absent is success").isEmpty();
  }

  @Test
  void every_shape_can_replace_every_other() throws Exception {
    for (List<Route> family :
        List.of(
            List.of(
                route("10.7.0.0/26"),
                route("10.7.0.0/26", NextHop.onDevice(red())),
                route("10.7.0.0/26", via("10.0.1.2", red())),
                route("10.7.0.0/26", via("10.0.1.2", red()), via("10.0.2.2", blue())),
                route("10.7.0.0/26", via("10.0.1.3", red()), via("10.0.2.3", blue()))),
            List.of(
                route("fd00:7::/122"),
                route("fd00:7::/122", NextHop.onDevice(red())),
                route("fd00:7::/122", via("fd00:1::2", red())),
                route("fd00:7::/122", via("fd00:1::2", red()), via("fd00:2::2", blue())),
                route("fd00:7::/122", via("fd00:1::3", red()), via("fd00:2::3", blue()))))) {
      for (Route from : family) {
        for (Route to : family) {
          assertThat(kernel().apply(List.of(new RouteChange.Add(from)))).isEmpty();
          assertThat(kernel().apply(List.of(new RouteChange.Replace(to)))).isEmpty();
          assertThat(kernel().dumpOurs()).as("%s → %s", from, to).containsExactly(to);
          assertThat(kernel().apply(List.of(new RouteChange.Delete(to)))).isEmpty();
          assertThat(kernel().dumpOurs()).isEmpty();
        }
      }
    }
  }

  @Test
  void a_lookup_finds_the_most_specific_route_and_none_that_drops() throws Exception {
    for (List<Route> family :
        List.of(
            List.of(route("10.1.0.0/26"), route("10.1.0.5/32", NextHop.onDevice(red()))),
            List.of(route("fd00:a::/122"), route("fd00:a::5/128", NextHop.onDevice(red()))))) {
      Route pod = family.getLast();
      assertThat(kernel().lookup(pod.prefix().address())).isEmpty();
      for (Route route : family) {
        assertThat(kernel().apply(List.of(new RouteChange.Add(route)))).isEmpty();
      }
      assertThat(kernel().lookup(pod.prefix().address())).contains(pod);
      assertThat(kernel().apply(List.of(new RouteChange.Delete(pod)))).isEmpty();
      assertThat(kernel().lookup(pod.prefix().address())).as("the blackhole").isEmpty();
    }
  }

  @Test
  void replacing_nothing_is_refused() throws Exception {
    for (Route route : List.of(route("10.1.0.0/26"), route("fd00:a::/122"))) {
      List<RouteFailure> failures = kernel().apply(List.of(new RouteChange.Replace(route)));
      assertThat(failures).hasSize(1);
      assertThat(failures.getFirst().cause().is(Errno.ENOENT)).isTrue();
      assertThat(kernel().apply(List.of(new RouteChange.Put(route)))).isEmpty();
    }
  }

  @Test
  void a_strangers_route_is_neither_taken_over_nor_deleted() throws Exception {
    for (String text : List.of("10.8.0.0/26", "fd00:8::/122")) {
      Route route = route(text);
      plantForeign(route.prefix());
      List<RouteFailure> failures = kernel().apply(List.of(new RouteChange.Add(route)));
      assertThat(failures).hasSize(1);
      assertThat(failures.getFirst().cause().is(Errno.EEXIST)).isTrue();
      assertThat(kernel().apply(List.of(new RouteChange.Delete(route)))).isEmpty();
      assertThat(holds(route.prefix(), 4)).isTrue();
      assertThat(kernel().dumpOurs()).isEmpty();
    }
  }

  @Test
  void one_bad_of_ten_is_refused_alone() throws Exception {
    List<RouteChange> changes = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      changes.add(
          new RouteChange.Add(
              route("10.6." + i + ".0/26", via(i == 4 ? "198.51.100.9" : "10.0.1.2", red()))));
    }
    List<RouteFailure> failures = kernel().apply(changes);
    assertThat(failures).extracting(RouteFailure::change).containsExactly(changes.get(4));
    assertThat(failures.getFirst().cause().is(Errno.ENETUNREACH)).isTrue();
    assertThat(failures.getFirst().cause()).hasMessageContaining("Nexthop has invalid gateway");
    assertThat(kernel().dumpOurs()).hasSize(9);
  }

  @Test
  void a_gateway_without_a_device_finds_its_own() throws Exception {
    Route asked = route("10.2.0.0/26", NextHop.via(IpAddress.parse("10.0.2.9")));
    Route asked6 = route("fd00:2::/122", NextHop.via(IpAddress.parse("fd00:1::9")));
    assertThat(kernel().apply(List.of(new RouteChange.Add(asked), new RouteChange.Add(asked6))))
        .isEmpty();
    assertThat(kernel().dumpOurs())
        .satisfiesExactlyInAnyOrder(
            actual -> {
              assertThat(asked.isMetBy(actual)).isTrue();
              assertThat(actual.nextHops().getFirst().index()).isEqualTo(blue());
            },
            actual -> assertThat(asked6.isMetBy(actual)).isTrue());
  }
}
