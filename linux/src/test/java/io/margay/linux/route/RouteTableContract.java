package io.margay.linux.route;

import static io.margay.linux.route.RouteClass.BGP;
import static io.margay.linux.route.RouteClass.LOCAL_WORKLOAD;
import static io.margay.linux.route.RouteClass.OWN_BLOCK;
import static io.margay.linux.route.RouteClass.TUNNEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.Errno;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// [RouteTable] on the fake and on the kernel. [#pod] is a workload's device, [#uplink] has
/// 10.0.1.1/24 and fd00:1::1/64.
abstract class RouteTableContract {

  static final Prefix POD = Prefix.parse("10.1.0.5/32");
  static final Prefix POD6 = Prefix.parse("fd00:a::5/128");
  static final Prefix BLOCK = Prefix.parse("10.1.0.0/26");
  static final Prefix BLOCK6 = Prefix.parse("fd00:a::/122");
  static final Prefix REMOTE = Prefix.parse("10.2.0.0/26");
  static final Prefix REMOTE6 = Prefix.parse("fd00:b::/122");
  static final Prefix WRAPPED = Prefix.parse("10.3.0.0/26");

  private RouteTable table;

  abstract RouteKernel kernel();

  abstract int pod();

  abstract int uplink();

  /// Deletes a route of ours from outside.
  abstract void tamper(Prefix prefix) throws Exception;

  /// Puts a route of protocol 4 there.
  abstract void plantForeign(Prefix prefix) throws Exception;

  /// Puts a route of another protocol to the workload's device there.
  abstract void plantToPod(Prefix prefix, int protocol) throws Exception;

  /// Puts a blackhole of another protocol there.
  abstract void plantBlackhole(Prefix prefix, int protocol) throws Exception;

  /// Puts a route of another protocol through a router on the uplink there.
  abstract void plantVia(Prefix prefix, IpAddress router, int protocol) throws Exception;

  abstract boolean holdsForeign(Prefix prefix) throws Exception;

  @BeforeEach
  void fresh() throws Exception {
    table = restarted();
  }

  /// A table without memory, as after a crash.
  private RouteTable restarted() throws Exception {
    RouteTable fresh = new RouteTable(kernel(), index -> index == pod());
    fresh.adopt();
    return fresh;
  }

  RouteSpec toTor(int last) {
    return RouteSpec.through(List.of(NextHop.via(IpAddress.parse("10.0.1." + last), uplink())));
  }

  RouteSpec toTor6(int last) {
    return RouteSpec.through(List.of(NextHop.via(IpAddress.parse("fd00:1::" + last), uplink())));
  }

  private void wantEverything(RouteTable onto) {
    onto.setRoutes(
        LOCAL_WORKLOAD, Map.of(POD, RouteSpec.toDevice(pod()), POD6, RouteSpec.toDevice(pod())));
    onto.setRoutes(OWN_BLOCK, Map.of(BLOCK, RouteSpec.blackhole(), BLOCK6, RouteSpec.blackhole()));
    onto.setRoutes(BGP, Map.of(REMOTE, toTor(2), REMOTE6, toTor6(2)));
  }

  private List<Prefix> prefixes() throws Exception {
    return kernel().dumpOurs().stream().map(Route::prefix).toList();
  }

  @Test
  void a_pods_route_that_is_gone_or_another_is_a_fault_that_doubt_repairs() throws Exception {
    wantEverything(table);
    assertThat(table.fault(POD.address())).as("still to be written").isEmpty();
    table.apply();
    for (Prefix pod : List.of(POD, POD6)) {
      assertThat(table.fault(pod.address())).isEmpty();
      tamper(pod);
      assertThat(table.fault(pod.address())).get().asString().contains(pod + " ", "but none");
      assertThat(table.apply().writes()).as("a look changes nothing").isZero();
      table.doubt();
      assertThat(table.apply().added()).isOne();
      assertThat(table.fault(pod.address())).isEmpty();
    }
    Route elsewhere = RouteSpec.toDevice(uplink()).toRoute(POD);
    kernel().apply(List.of(new RouteChange.Replace(elsewhere)));
    assertThat(table.fault(POD.address())).get().asString().endsWith("but " + elsewhere);
    assertThat(table.fault(REMOTE.address())).as("no route of its own is wanted").isEmpty();
  }

  @Test
  void the_kernel_comes_to_hold_what_is_wanted_and_no_more() throws Exception {
    wantEverything(table);
    RouteApplyResult result = table.apply();
    assertThat(result).isEqualTo(new RouteApplyResult(6, 0, 0, 0, List.of()));
    assertThat(kernel().dumpOurs())
        .containsExactlyInAnyOrder(
            RouteSpec.toDevice(pod()).toRoute(POD),
            RouteSpec.toDevice(pod()).toRoute(POD6),
            RouteSpec.blackhole().toRoute(BLOCK),
            RouteSpec.blackhole().toRoute(BLOCK6),
            toTor(2).toRoute(REMOTE),
            toTor6(2).toRoute(REMOTE6));
    assertThat(table.apply().writes()).isZero();

    table.setRoutes(BGP, Map.of(REMOTE, toTor(3)));
    table.remove(LOCAL_WORKLOAD, POD);
    assertThat(table.apply()).isEqualTo(new RouteApplyResult(0, 1, 2, 0, List.of()));
    assertThat(prefixes()).containsExactlyInAnyOrder(POD6, BLOCK, BLOCK6, REMOTE);
  }

  @Test
  void resync_without_drift_writes_nothing() throws Exception {
    wantEverything(table);
    table.update(
        BGP, REMOTE6, RouteSpec.through(List.of(NextHop.via(IpAddress.parse("fd00:1::2")))));
    table.apply();
    assertThat(table.resync().writes()).isZero();
    assertThat(table.resync().writes()).isZero();
  }

  @Test
  void resync_repairs_what_somebody_deleted() throws Exception {
    wantEverything(table);
    table.apply();
    List<Route> before = kernel().dumpOurs();
    tamper(REMOTE);
    tamper(BLOCK6);
    assertThat(table.resync()).isEqualTo(new RouteApplyResult(2, 0, 0, 0, List.of()));
    assertThat(kernel().dumpOurs()).containsExactlyInAnyOrderElementsOf(before);
  }

  @Test
  void a_replace_of_what_has_vanished_becomes_an_add_at_once() throws Exception {
    wantEverything(table);
    table.apply();
    tamper(REMOTE);
    tamper(REMOTE6);
    table.setRoutes(BGP, Map.of(REMOTE, toTor(3), REMOTE6, toTor6(3)));
    assertThat(table.apply()).isEqualTo(new RouteApplyResult(2, 0, 0, 0, List.of()));
    assertThat(prefixes()).contains(REMOTE, REMOTE6);
  }

  @Test
  void a_restart_keeps_leftovers_until_their_class_may_be_swept() throws Exception {
    wantEverything(table);
    table.apply();

    RouteTable next = restarted();
    next.setRoutes(LOCAL_WORKLOAD, Map.of(POD, RouteSpec.toDevice(pod())));
    next.setRoutes(BGP, Map.of(REMOTE, toTor(2)));
    assertThat(next.apply()).isEqualTo(new RouteApplyResult(0, 0, 0, 4, List.of()));
    assertThat(prefixes()).hasSize(6);

    next.allowSweep(LOCAL_WORKLOAD, OWN_BLOCK);
    assertThat(next.apply()).isEqualTo(new RouteApplyResult(0, 0, 3, 1, List.of()));
    assertThat(prefixes()).containsExactlyInAnyOrder(POD, REMOTE, REMOTE6);

    assertThat(next.resync().kept()).isEqualTo(1);
    next.allowSweep(BGP);
    assertThat(next.apply()).isEqualTo(new RouteApplyResult(0, 0, 1, 0, List.of()));
    assertThat(prefixes()).containsExactlyInAnyOrder(POD, REMOTE);
  }

  @Test
  void a_leftover_that_was_wanted_again_goes_with_its_withdrawal() throws Exception {
    wantEverything(table);
    table.apply();
    RouteTable next = restarted();
    next.update(BGP, REMOTE, toTor(2));
    assertThat(next.apply().writes()).isZero();
    next.remove(BGP, REMOTE);
    assertThat(next.apply().deleted()).isEqualTo(1);
    assertThat(prefixes()).doesNotContain(REMOTE).contains(REMOTE6);
  }

  @Test
  void the_earlier_class_has_the_prefix() throws Exception {
    table.update(BGP, BLOCK, toTor(2));
    table.apply();
    table.update(OWN_BLOCK, BLOCK, RouteSpec.blackhole());
    assertThat(table.apply().replaced()).isEqualTo(1);
    assertThat(kernel().dumpOurs()).containsExactly(RouteSpec.blackhole().toRoute(BLOCK));
    table.remove(OWN_BLOCK, BLOCK);
    assertThat(table.apply().replaced()).isEqualTo(1);
    assertThat(kernel().dumpOurs()).containsExactly(toTor(2).toRoute(BLOCK));
  }

  @Test
  void a_refused_change_stays_pending_and_the_others_take_effect() throws Exception {
    Prefix bad = Prefix.parse("10.3.0.0/26");
    table.update(
        BGP,
        bad,
        RouteSpec.through(List.of(NextHop.via(IpAddress.parse("198.51.100.1"), uplink()))));
    table.update(BGP, REMOTE, toTor(2));
    for (int i = 0; i < 2; i++) {
      RouteApplyResult result = table.apply();
      assertThat(result.added()).isEqualTo(i == 0 ? 1 : 0);
      assertThat(result.pending()).hasSize(1);
      assertThat(result.pending().getFirst().change().route().prefix()).isEqualTo(bad);
      assertThat(result.pending().getFirst().cause().is(Errno.ENETUNREACH)).isTrue();
    }
    table.update(BGP, bad, toTor(2));
    assertThat(table.apply()).isEqualTo(new RouteApplyResult(1, 0, 0, 0, List.of()));
  }

  @Test
  void strangers_keep_their_routes() throws Exception {
    plantForeign(REMOTE);
    plantForeign(REMOTE6);
    table.allowSweep(RouteClass.values());
    wantEverything(table);
    RouteApplyResult result = table.apply();
    assertThat(result.pending())
        .extracting(failure -> failure.change().route().prefix())
        .containsExactlyInAnyOrder(REMOTE, REMOTE6);
    assertThat(result.pending()).allMatch(failure -> failure.cause().is(Errno.EEXIST));
    table.resync();
    table.setRoutes(BGP, Map.of());
    table.resync();
    assertThat(holdsForeign(REMOTE)).isTrue();
    assertThat(holdsForeign(REMOTE6)).isTrue();
  }

  @Test
  void felixs_way_to_a_pod_of_ours_becomes_ours_in_place() throws Exception {
    for (int protocol : List.of(3, 80)) {
      plantToPod(POD, protocol);
      plantToPod(POD6, protocol);
      table.update(LOCAL_WORKLOAD, POD, RouteSpec.toDevice(pod()));
      table.update(LOCAL_WORKLOAD, POD6, RouteSpec.toDevice(pod()));
      assertThat(table.apply().pending()).isEmpty();
      assertThat(kernel().dump(protocol)).extracting(Route::prefix).doesNotContain(POD, POD6);
      assertThat(kernel().dumpOurs()).extracting(Route::prefix).contains(POD, POD6);
      assertThat(table.resync().writes()).isZero();
      table.setRoutes(LOCAL_WORKLOAD, Map.of());
      table.apply();
      assertThat(kernel().dumpOurs()).isEmpty();
    }
  }

  @Test
  void other_ways_and_other_protocols_to_a_pod_stay_strangers() throws Exception {
    plantToPod(POD, 4);
    table.update(LOCAL_WORKLOAD, POD, RouteSpec.toDevice(pod()));
    plantToPod(POD6, 80);
    table.update(LOCAL_WORKLOAD, POD6, RouteSpec.toDevice(uplink()));
    assertThat(table.apply().pending())
        .extracting(failure -> failure.change().route().prefix())
        .containsExactlyInAnyOrder(POD, POD6);
    assertThat(kernel().dumpOurs()).isEmpty();
  }

  @Test
  void what_a_stopped_calico_left_of_blocks_becomes_ours_in_place() throws Exception {
    for (int protocol : List.of(12, 80)) {
      plantBlackhole(BLOCK, protocol);
      plantBlackhole(BLOCK6, protocol);
      if (protocol == 80) {
        plantVia(REMOTE, IpAddress.parse("10.0.1.9"), protocol);
        plantVia(REMOTE6, IpAddress.parse("fd00:1::9"), protocol);
      }
      plantVia(WRAPPED, IpAddress.parse("10.0.1.9"), protocol);
      RouteTable fresh = restarted();
      wantEverything(fresh);
      fresh.update(TUNNEL, WRAPPED, RouteSpec.onlink(IpAddress.parse("10.3.0.0"), uplink()));
      assertThat(fresh.apply().pending()).isEmpty();
      assertThat(kernel().dump(protocol)).isEmpty();
      assertThat(kernel().dumpOurs())
          .contains(
              RouteSpec.blackhole().toRoute(BLOCK),
              RouteSpec.blackhole().toRoute(BLOCK6),
              toTor(2).toRoute(REMOTE),
              toTor6(2).toRoute(REMOTE6))
          .anyMatch(route -> route.prefix().equals(WRAPPED));
      assertThat(fresh.resync().writes()).isZero();
      for (RouteClass each : RouteClass.values()) {
        fresh.setRoutes(each, Map.of());
      }
      fresh.apply();
      assertThat(kernel().dumpOurs()).isEmpty();
    }
  }

  @Test
  void what_peers_say_leaves_a_bird_of_the_hosts_own_alone() throws Exception {
    plantVia(REMOTE, IpAddress.parse("10.0.1.9"), 12);
    table.update(BGP, REMOTE, toTor(2));
    assertThat(table.apply().pending()).hasSize(1);
    assertThat(kernel().dump(12)).extracting(Route::prefix).containsExactly(REMOTE);
  }

  @Test
  void what_comes_back_after_it_was_taken_over_is_a_strangers_and_stays() throws Exception {
    plantBlackhole(BLOCK, 12);
    table.update(OWN_BLOCK, BLOCK, RouteSpec.blackhole());
    assertThat(table.apply().pending()).isEmpty();
    tamper(BLOCK);
    plantVia(BLOCK, IpAddress.parse("10.0.1.9"), 12);
    assertThat(table.resync().pending()).hasSize(1);
    assertThat(kernel().dump(12)).extracting(Route::prefix).containsExactly(BLOCK);
  }

  @Test
  void whose_routes_are_in_the_way_can_be_asked() throws Exception {
    plantForeign(REMOTE);
    plantForeign(REMOTE6);
    wantEverything(table);
    Map<RouteKey, Route> holders = table.holders(table.apply().pending());
    assertThat(holders.values())
        .allMatch(route -> route.protocol() == 4)
        .extracting(Route::prefix)
        .containsExactlyInAnyOrder(REMOTE, REMOTE6);
  }

  @Test
  void the_end_state_does_not_depend_on_the_road() throws Exception {
    List<Prefix> order = new ArrayList<>(List.of(POD, BLOCK, REMOTE));
    for (int i = 0; i < order.size(); i++) {
      java.util.Collections.rotate(order, 1);
      RouteTable one = restarted();
      one.allowSweep(RouteClass.values());
      for (Prefix prefix : order) {
        one.update(BGP, prefix, toTor(3));
        one.apply();
        one.update(OWN_BLOCK, prefix, RouteSpec.blackhole());
        one.apply();
        one.remove(BGP, prefix);
        one.remove(OWN_BLOCK, prefix);
      }
      wantEverything(one);
      one.apply();
      assertThat(prefixes()).containsExactlyInAnyOrder(POD, POD6, BLOCK, BLOCK6, REMOTE, REMOTE6);
      assertThat(one.resync().writes()).isZero();
    }
  }

  @Test
  void nothing_is_written_before_the_kernel_was_read() {
    RouteTable blind = new RouteTable(kernel(), index -> false);
    assertThatThrownBy(blind::apply).isInstanceOf(IllegalStateException.class);
  }
}
