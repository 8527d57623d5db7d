package io.margay.linux.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.Errno;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What [NextHopGroups] and [GroupedRoutes] rely on, for the kernel and for the fake. Device [#red]
/// has 10.0.1.1/24 and fd00:1::1/64, [#blue] 10.0.2.1/24 and fd00:2::1/64.
abstract class NextHopKernelContract {

  private static final int A = 0x75000001;
  private static final int B = 0x75000002;
  private static final int GROUP = 0x75000003;
  private static final Prefix REMOTE = Prefix.parse("10.3.0.0/26");
  private static final Prefix REMOTE6 = Prefix.parse("fd00:c::/122");

  abstract NextHopKernel objects();

  abstract RouteKernel routes();

  abstract int red();

  abstract int blue();

  abstract void setCarrier(String device, boolean has) throws Exception;

  private NextHop viaRed(boolean isIpv6) {
    return NextHop.via(IpAddress.parse(isIpv6 ? "fd00:1::2" : "10.0.1.2"), red());
  }

  private NextHop viaBlue(boolean isIpv6) {
    return NextHop.via(IpAddress.parse(isIpv6 ? "fd00:2::2" : "10.0.2.2"), blue());
  }

  private static NextHopChange add(int id, NextHop hop) {
    return new NextHopChange.Add(new NextHopObject.Single(id, 117, hop));
  }

  private static NextHopObject.Group group(GroupKind kind, int... members) {
    return new NextHopObject.Group(
        GROUP,
        117,
        kind,
        java.util.Arrays.stream(members).mapToObj(id -> new NextHopObject.Member(id, 1)).toList());
  }

  private void raise(GroupKind kind, boolean isIpv6) throws Exception {
    assertThat(
            objects()
                .applyObjects(
                    List.of(
                        add(A, viaRed(isIpv6)),
                        add(B, viaBlue(isIpv6)),
                        new NextHopChange.Add(group(kind, A, B)))))
        .isEmpty();
  }

  private Route over(Prefix prefix, boolean isIpv6) {
    return RouteSpec.through(List.of(viaRed(isIpv6), viaBlue(isIpv6))).toRoute(prefix).over(GROUP);
  }

  private void put(Route route) throws Exception {
    assertThat(routes().apply(List.of(new RouteChange.Put(route)))).isEmpty();
  }

  private List<Errno> refusals(NextHopChange... changes) throws Exception {
    return objects().applyObjects(List.of(changes)).stream()
        .map(failure -> failure.cause().errno())
        .toList();
  }

  private static List<GroupKind> kinds() {
    return List.of(new GroupKind.Multipath(), GroupKind.Resilient.DEFAULT);
  }

  @Test
  void what_was_added_is_dumped_equal_and_by_protocol() throws Exception {
    for (GroupKind kind : kinds()) {
      NextHop onlink = new NextHop(Optional.of(IpAddress.parse("192.0.2.1")), red(), 1, true);
      List<NextHopObject> all =
          List.of(
              new NextHopObject.Single(A, 117, viaRed(false)),
              new NextHopObject.Single(B, 117, viaBlue(false)),
              new NextHopObject.Single(0x75000009, 117, viaBlue(true)),
              new NextHopObject.Single(0x7500000a, 117, onlink),
              new NextHopObject.Group(
                  GROUP,
                  117,
                  kind,
                  List.of(new NextHopObject.Member(A, 1), new NextHopObject.Member(B, 7))));
      List<NextHopChange> adds = all.stream().<NextHopChange>map(NextHopChange.Add::new).toList();
      assertThat(objects().applyObjects(adds)).isEmpty();
      NextHopObject strange = new NextHopObject.Single(7, 4, viaRed(false));
      assertThat(refusals(new NextHopChange.Add(strange))).isEmpty();
      assertThat(objects().dumpObjects(117)).containsExactlyInAnyOrderElementsOf(all);
      assertThat(objects().dumpObjects(4)).containsExactly(strange);

      List<NextHopChange> deletions =
          List.of(GROUP, A, B, 0x75000009, 0x7500000a, 7).stream()
              .<NextHopChange>map(NextHopChange.Delete::new)
              .toList();
      assertThat(objects().applyObjects(deletions)).isEmpty();
      assertThat(objects().dumpObjects(117)).isEmpty();
      assertThat(objects().applyObjects(deletions)).as("absent is success").isEmpty();
    }
  }

  @Test
  void a_replaced_group_moves_all_its_routes() throws Exception {
    for (GroupKind kind : kinds()) {
      for (boolean isIpv6 : List.of(false, true)) {
        raise(kind, isIpv6);
        Prefix prefix = isIpv6 ? REMOTE6 : REMOTE;
        put(over(prefix, isIpv6));
        assertThat(routes().dumpOurs()).containsExactly(over(prefix, isIpv6));
        assertThat(refusals(new NextHopChange.Replace(group(kind, B)))).isEmpty();
        assertThat(routes().dumpOurs())
            .containsExactly(
                RouteSpec.through(List.of(viaBlue(isIpv6))).toRoute(prefix).over(GROUP));
        assertThat(refusals(new NextHopChange.Replace(group(kind, A, B)))).isEmpty();
        assertThat(routes().dumpOurs()).containsExactly(over(prefix, isIpv6));
        clear();
      }
    }
  }

  private void clear() throws Exception {
    assertThat(
            refusals(
                new NextHopChange.Delete(GROUP),
                new NextHopChange.Delete(A),
                new NextHopChange.Delete(B)))
        .isEmpty();
    assertThat(routes().dumpOurs()).as("routes go with their group").isEmpty();
  }

  @Test
  void an_ipv4_route_can_be_over_ipv6_gateways_but_not_the_other_way() throws Exception {
    raise(new GroupKind.Multipath(), true);
    put(over(REMOTE, true));
    put(over(REMOTE6, true));
    assertThat(routes().dumpOurs())
        .containsExactlyInAnyOrder(over(REMOTE, true), over(REMOTE6, true));
    clear();
  }

  @Test
  void carrier_loss_takes_members_and_with_the_last_the_routes() throws Exception {
    for (boolean isIpv6 : List.of(false, true)) {
      raise(new GroupKind.Multipath(), isIpv6);
      put(over(isIpv6 ? REMOTE6 : REMOTE, isIpv6));
      setCarrier("red", false);
      assertThat(objects().dumpObjects(117))
          .containsExactlyInAnyOrder(
              new NextHopObject.Single(B, 117, viaBlue(isIpv6)),
              group(new GroupKind.Multipath(), B));
      assertThat(routes().dumpOurs())
          .extracting(Route::nextHops)
          .containsExactly(List.of(viaBlue(isIpv6)));
      assertThat(refusals(add(A, viaRed(isIpv6)))).containsExactly(Errno.ENETDOWN);
      setCarrier("red", true);
      assertThat(objects().dumpObjects(117)).as("carrier brings nothing back").hasSize(2);
      assertThat(refusals(add(A, viaRed(isIpv6)))).isEmpty();
      setCarrier("red", false);
      setCarrier("blue", false);
      assertThat(objects().dumpObjects(117)).isEmpty();
      assertThat(routes().dumpOurs()).isEmpty();
      setCarrier("red", true);
      setCarrier("blue", true);
    }
  }

  @Test
  void a_removed_member_leaves_the_group_and_the_last_takes_all() throws Exception {
    for (GroupKind kind : kinds()) {
      raise(kind, false);
      put(over(REMOTE, false));
      assertThat(refusals(new NextHopChange.Delete(A))).isEmpty();
      assertThat(routes().dumpOurs())
          .extracting(Route::nextHops)
          .containsExactly(List.of(viaBlue(false)));
      assertThat(refusals(new NextHopChange.Delete(B))).isEmpty();
      assertThat(objects().dumpObjects(117)).isEmpty();
      assertThat(routes().dumpOurs()).isEmpty();
    }
  }

  @Test
  void what_can_not_be_is_refused_alone() throws Exception {
    raise(new GroupKind.Multipath(), false);
    assertThat(refusals(add(A, viaBlue(false)))).as("taken").containsExactly(Errno.EEXIST);
    assertThat(
            refusals(
                new NextHopChange.Replace(
                    new NextHopObject.Single(0x75000009, 117, viaRed(false)))))
        .containsExactly(Errno.ENOENT);
    NextHop nowhere = NextHop.via(IpAddress.parse("198.51.100.9"), red());
    assertThat(refusals(add(0x75000009, nowhere), add(0x7500000a, viaRed(false))))
        .as("no such network on the device")
        .containsExactly(Errno.ENETUNREACH);
    assertThat(refusals(new NextHopChange.Replace(group(new GroupKind.Multipath(), A, 0x7500ffff))))
        .as("no such member")
        .containsExactly(Errno.EINVAL);
    assertThat(refusals(new NextHopChange.Replace(group(GroupKind.Resilient.DEFAULT, A, B))))
        .as("another kind")
        .containsExactly(Errno.EINVAL);
    assertThat(refusals(add(0x7500000b, NextHop.via(IpAddress.parse("10.0.1.3"), 4711))))
        .as("no such device")
        .containsExactly(Errno.EINVAL);
    Route lost = over(REMOTE, false).over(0x7500ffff);
    List<RouteFailure> failures = routes().apply(List.of(new RouteChange.Add(lost)));
    assertThat(failures).hasSize(1);
    assertThat(failures.getFirst().cause().is(Errno.EINVAL)).isTrue();
  }
}
