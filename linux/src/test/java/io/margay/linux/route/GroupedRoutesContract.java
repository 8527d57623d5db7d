package io.margay.linux.route;

import static io.margay.linux.route.RouteClass.BGP;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.Errno;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// [RouteTable] over [GroupedRoutes], on the fake and on the kernel. [#red] has 10.0.1.1/24 and
/// fd00:1::1/64, [#blue] 10.0.2.1/24 and fd00:2::1/64.
abstract class GroupedRoutesContract {

  static final int MANY = 200;
  static final RouteSpec BOTH = through("10.0.1.2", "10.0.2.2");
  static final RouteSpec BOTH6 = through("fd00:1::2", "fd00:2::2");

  private RouteTable table = new RouteTable(new FakeRoutes(), _ -> false);

  abstract RouteKernel routes();

  abstract NextHopKernel objects();

  abstract int red();

  abstract int blue();

  abstract void setCarrier(String device, boolean has) throws Exception;

  abstract void removeObject(int id) throws Exception;

  static RouteSpec through(String... gateways) {
    return RouteSpec.through(
        Arrays.stream(gateways).map(gateway -> NextHop.via(IpAddress.parse(gateway))).toList());
  }

  static Prefix prefix(int i) {
    return Prefix.parse("10.100." + i + ".0/24");
  }

  static Prefix prefix6(int i) {
    return Prefix.parse("fd00:c:" + Integer.toHexString(i) + "::/64");
  }

  RouteTable table(NextHopLayout layout) {
    return new RouteTable(
        new GroupedRoutes(routes(), objects(), Route.OUR_PROTOCOL, layout), _ -> false);
  }

  void start(NextHopLayout layout) throws Exception {
    table = table(layout);
    table.adopt();
  }

  RouteTable table() {
    return table;
  }

  private void want(int count, RouteSpec four, RouteSpec six) {
    Map<Prefix, RouteSpec> wanted = new HashMap<>();
    for (int i = 0; i < count; i++) {
      wanted.put(prefix(i), four);
      wanted.put(prefix6(i), six);
    }
    table.setRoutes(BGP, wanted);
  }

  private RouteApplyResult apply() throws Exception {
    RouteApplyResult result = table.apply();
    assertThat(result.pending()).isEmpty();
    return result;
  }

  private List<NextHopObject.Group> groups() throws Exception {
    List<NextHopObject.Group> groups = new ArrayList<>();
    for (NextHopObject object : objects().dumpObjects(Route.OUR_PROTOCOL)) {
      if (object instanceof NextHopObject.Group group) {
        groups.add(group);
      }
    }
    return groups;
  }

  /// What the kernel holds leads where it should.
  private void assertLeads(int count, RouteSpec four, RouteSpec six) throws Exception {
    List<Route> all = routes().dumpOurs();
    assertThat(all).hasSize(2 * count);
    assertThat(all)
        .allMatch(
            route ->
                (route.family() == IpFamily.IPV4 ? four : six)
                    .toRoute(route.prefix())
                    .isMetBy(route));
  }

  private void assertGrouped(boolean areGrouped) throws Exception {
    assertThat(routes().dumpOurs()).allMatch(route -> (route.objectId() != 0) == areGrouped);
  }

  @Test
  void routes_with_the_same_next_hops_share_a_group_and_groups_their_members() throws Exception {
    start(NextHopLayout.MULTIPATH);
    want(3, BOTH, BOTH6);
    table.update(BGP, prefix(0), through("10.0.1.2", "10.0.2.3"));
    assertThat(apply().added()).isEqualTo(6);
    assertGrouped(true);
    assertThat(groups()).hasSize(3);
    assertThat(objects().dumpObjects(Route.OUR_PROTOCOL)).hasSize(3 + 5);
    assertThat(objects().dumpObjects(Route.OUR_PROTOCOL))
        .allMatch(object -> object.id() >>> 24 == 117);
    assertThat(table.resync().writes()).isZero();

    table.update(BGP, prefix(0), through("10.0.2.2"));
    table.setRoutes(BGP, Map.of(prefix(0), through("10.0.2.2"), prefix(1), BOTH));
    apply();
    assertThat(groups()).as("what no route needs is removed").hasSize(2);
    want(0, BOTH, BOTH6);
    apply();
    assertThat(objects().dumpObjects(Route.OUR_PROTOCOL)).isEmpty();
  }

  @Test
  void a_lost_next_hop_of_all_routes_is_a_change_of_the_groups() throws Exception {
    for (NextHopLayout layout : List.of(NextHopLayout.MULTIPATH, NextHopLayout.RESILIENT)) {
      start(layout);
      want(MANY, BOTH, BOTH6);
      apply();
      List<NextHopObject.Group> before = groups();
      want(MANY, through("10.0.2.2"), through("fd00:2::2"));
      assertThat(apply().replaced()).isEqualTo(2 * MANY);
      assertLeads(MANY, through("10.0.2.2"), through("fd00:2::2"));
      assertThat(groups())
          .extracting(NextHopObject.Group::id)
          .as("the same groups")
          .containsExactlyInAnyOrderElementsOf(
              before.stream().map(NextHopObject.Group::id).toList());
      assertThat(table.resync().writes()).isZero();
      want(MANY, BOTH, BOTH6);
      apply();
      assertLeads(MANY, BOTH, BOTH6);
      assertThat(groups()).containsExactlyInAnyOrderElementsOf(regrouped(before));
      want(0, BOTH, BOTH6);
      apply();
    }
  }

  /// The groups as they are after a lost member got another number.
  private List<NextHopObject.Group> regrouped(List<NextHopObject.Group> before) throws Exception {
    List<NextHopObject.Group> now = groups();
    assertThat(now).hasSameSizeAs(before);
    return now.stream().filter(group -> group.members().size() == 2).toList();
  }

  @Test
  void routes_that_part_ways_are_written_themselves() throws Exception {
    start(NextHopLayout.MULTIPATH);
    want(4, BOTH, BOTH6);
    apply();
    table.update(BGP, prefix(1), through("10.0.2.2"));
    table.remove(BGP, prefix(2));
    apply();
    assertThat(routes().dumpOurs())
        .filteredOn(route -> route.family() == IpFamily.IPV4)
        .extracting(route -> route.prefix() + " " + route.nextHops().size())
        .containsExactlyInAnyOrder(prefix(0) + " 2", prefix(1) + " 1", prefix(3) + " 2");
    assertThat(table.resync().writes()).isZero();
  }

  @Test
  void ipv4_routes_share_the_group_of_ipv6_gateways() throws Exception {
    start(NextHopLayout.MULTIPATH);
    want(2, BOTH6, BOTH6);
    apply();
    assertGrouped(true);
    assertLeads(2, BOTH6, BOTH6);
    assertThat(groups()).hasSize(1);
    assertThat(table.resync().writes()).isZero();
  }

  @Test
  void a_restart_finds_groups_and_writes_nothing() throws Exception {
    for (NextHopLayout layout : NextHopLayout.values()) {
      start(layout);
      want(5, BOTH, BOTH6);
      apply();
      List<NextHopObject> objects = objects().dumpObjects(Route.OUR_PROTOCOL);
      start(layout);
      want(5, BOTH, BOTH6);
      table.remove(BGP, prefix(0));
      assertThat(apply()).isEqualTo(new RouteApplyResult(0, 0, 0, 1, List.of()));
      assertThat(objects().dumpObjects(Route.OUR_PROTOCOL))
          .containsExactlyInAnyOrderElementsOf(objects);
      want(0, BOTH, BOTH6);
      table.allowSweep(RouteClass.values());
      apply();
      assertThat(objects().dumpObjects(Route.OUR_PROTOCOL)).isEmpty();
    }
  }

  @Test
  void the_groups_of_leftovers_stay_until_the_sweep() throws Exception {
    start(NextHopLayout.MULTIPATH);
    want(5, BOTH, BOTH6);
    apply();
    start(NextHopLayout.MULTIPATH);
    assertThat(apply().kept()).isEqualTo(10);
    assertLeads(5, BOTH, BOTH6);
    table.allowSweep(BGP);
    apply();
    assertThat(routes().dumpOurs()).isEmpty();
    assertThat(objects().dumpObjects(Route.OUR_PROTOCOL)).isEmpty();
  }

  @Test
  void every_layout_becomes_every_other_in_place() throws Exception {
    for (NextHopLayout from : NextHopLayout.values()) {
      for (NextHopLayout to : NextHopLayout.values()) {
        start(from);
        want(5, BOTH, BOTH6);
        apply();
        start(to);
        want(5, BOTH, BOTH6);
        assertThat(apply().replaced()).as("%s → %s", from, to).isEqualTo(from == to ? 0 : 10);
        assertLeads(5, BOTH, BOTH6);
        assertGrouped(to != NextHopLayout.NONE);
        assertThat(groups()).hasSize(to == NextHopLayout.NONE ? 0 : 2);
        assertThat(table.resync().writes()).isZero();
        want(0, BOTH, BOTH6);
        table.allowSweep(BGP);
        apply();
        assertThat(objects().dumpObjects(Route.OUR_PROTOCOL)).isEmpty();
      }
    }
  }

  @Test
  void carrier_loss_of_one_link_leaves_the_others_routes_and_is_mended() throws Exception {
    start(NextHopLayout.MULTIPATH);
    want(5, BOTH, BOTH6);
    apply();
    setCarrier("red", false);
    assertLeads(5, through("10.0.2.2"), through("fd00:2::2"));
    RouteApplyResult result = table.resync();
    assertThat(result.pending()).hasSize(10);
    assertThat(result.pending())
        .allMatch(failure -> failure.cause().is(Errno.ENETUNREACH))
        .allMatch(failure -> failure.cause().extAck().contains("no link with carrier"));
    assertLeads(5, through("10.0.2.2"), through("fd00:2::2"));
    setCarrier("red", true);
    assertThat(apply().replaced()).isEqualTo(10);
    assertLeads(5, BOTH, BOTH6);
    assertThat(groups()).hasSize(2);
  }

  @Test
  void a_flap_that_nobody_heard_of_is_mended_by_the_next_comparison() throws Exception {
    start(NextHopLayout.RESILIENT);
    want(5, BOTH, BOTH6);
    apply();
    setCarrier("blue", false);
    setCarrier("blue", true);
    assertLeads(5, through("10.0.1.2"), through("fd00:1::2"));
    assertThat(table.resync().replaced()).isEqualTo(10);
    assertLeads(5, BOTH, BOTH6);
    assertGrouped(true);
  }

  @Test
  void what_the_kernel_took_with_the_last_member_comes_back() throws Exception {
    start(NextHopLayout.MULTIPATH);
    want(5, BOTH, BOTH6);
    apply();
    setCarrier("red", false);
    setCarrier("blue", false);
    assertThat(routes().dumpOurs()).isEmpty();
    setCarrier("red", true);
    setCarrier("blue", true);
    assertThat(table.resync().added()).isEqualTo(10);
    assertLeads(5, BOTH, BOTH6);
    assertGrouped(true);
  }

  @Test
  void new_routes_over_objects_that_went_unheard_are_written() throws Exception {
    start(NextHopLayout.MULTIPATH);
    want(2, BOTH, BOTH6);
    apply();
    setCarrier("red", false);
    setCarrier("blue", false);
    setCarrier("red", true);
    setCarrier("blue", true);
    table.update(BGP, prefix(7), BOTH);
    table.update(BGP, prefix(8), through("10.0.1.2", "10.0.2.9"));
    assertThat(apply().added()).isEqualTo(2);
    assertThat(table.resync().added()).isEqualTo(4);
    assertThat(routes().dumpOurs()).hasSize(6);
    assertGrouped(true);
  }

  @Test
  void a_removed_object_is_mended_with_what_it_took_along() throws Exception {
    start(NextHopLayout.MULTIPATH);
    want(5, BOTH, BOTH6);
    apply();
    for (NextHopObject object : objects().dumpObjects(Route.OUR_PROTOCOL)) {
      removeObject(object.id());
      table.resync();
      assertLeads(5, BOTH, BOTH6);
      assertGrouped(true);
      assertThat(table.resync().writes()).isZero();
    }
    assertThat(groups()).hasSize(2);
  }

  @Test
  void a_strangers_object_keeps_its_number() throws Exception {
    NextHopObject strange =
        new NextHopObject.Single(0x75000001, 4, NextHop.via(IpAddress.parse("10.0.1.9"), red()));
    assertThat(objects().applyObjects(List.of(new NextHopChange.Add(strange)))).isEmpty();
    start(NextHopLayout.MULTIPATH);
    want(2, BOTH, BOTH6);
    apply();
    assertGrouped(true);
    assertThat(GroupedRoutes.objectsOf(objects(), 4)).as("not a number of ours").isEmpty();
    assertThat(GroupedRoutes.objectsOf(objects(), Route.OUR_PROTOCOL))
        .as("groups first")
        .hasSize(6)
        .first()
        .isInstanceOf(NextHopObject.Group.class);
    want(0, BOTH, BOTH6);
    apply();
    assertThat(objects().dumpObjects(4)).containsExactly(strange);
    assertThat(objects().dumpObjects(Route.OUR_PROTOCOL)).isEmpty();
  }

  @Test
  void a_gateway_on_no_link_is_refused_as_it_is_without_groups() throws Exception {
    start(NextHopLayout.MULTIPATH);
    table.update(BGP, prefix(0), through("10.0.1.2", "198.51.100.9"));
    table.update(BGP, prefix(1), BOTH);
    RouteApplyResult result = table.apply();
    assertThat(result.added()).isOne();
    assertThat(result.pending()).hasSize(1);
    assertThat(result.pending().getFirst().cause().is(Errno.ENETUNREACH)).isTrue();
    assertThat(result.pending().getFirst().change().route().objectId()).isZero();
    table.update(BGP, prefix(0), BOTH);
    assertThat(apply().added()).isOne();
  }

  @Test
  void a_route_that_is_gone_when_its_group_moves_is_found_by_the_comparison() throws Exception {
    start(NextHopLayout.MULTIPATH);
    want(5, BOTH, BOTH6);
    apply();
    Route lost = BOTH.toRoute(prefix(3));
    assertThat(routes().apply(List.of(new RouteChange.Delete(lost)))).isEmpty();
    want(5, through("10.0.2.2"), through("fd00:2::2"));
    apply();
    assertThat(table.resync().writes()).isOne();
    assertLeads(5, through("10.0.2.2"), through("fd00:2::2"));
  }
}
