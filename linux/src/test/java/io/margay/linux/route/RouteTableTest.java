package io.margay.linux.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RouteTableTest extends RouteTableContract {

  private final FakeRoutes fake = new FakeRoutes();

  RouteTableTest() {
    fake.addDevice(2, Prefix.parse("10.0.1.0/24"), Prefix.parse("fd00:1::/64"));
    fake.addDevice(7);
  }

  @Override
  RouteKernel kernel() {
    return fake;
  }

  @Override
  int pod() {
    return 7;
  }

  @Override
  int uplink() {
    return 2;
  }

  @Override
  void tamper(Prefix prefix) {
    assertThat(fake.tamper(prefix)).isTrue();
  }

  @Override
  void plantForeign(Prefix prefix) {
    fake.plant(foreign(prefix));
  }

  @Override
  void plantToPod(Prefix prefix, int protocol) {
    fake.plant(foreign(RouteSpec.toDevice(pod()), prefix, protocol));
  }

  @Override
  void plantBlackhole(Prefix prefix, int protocol) {
    fake.plant(foreign(RouteSpec.blackhole(), prefix, protocol));
  }

  @Override
  void plantVia(Prefix prefix, IpAddress router, int protocol) {
    RouteSpec spec = RouteSpec.through(List.of(NextHop.via(router, uplink())));
    fake.plant(foreign(spec, prefix, protocol));
  }

  private static Route foreign(Prefix prefix) {
    return foreign(RouteSpec.toDevice(2), prefix, 4);
  }

  private static Route foreign(RouteSpec spec, Prefix prefix, int protocol) {
    Route ours = spec.toRoute(prefix);
    return new Route(
        prefix,
        ours.table(),
        protocol,
        ours.type(),
        ours.scope(),
        0,
        ours.nextHops(),
        Optional.empty());
  }

  @Override
  boolean holdsForeign(Prefix prefix) {
    return fake.all().contains(foreign(prefix));
  }

  /// The kernel, but answers get lost when told to.
  private static final class LossyRoutes implements RouteKernel {
    private final FakeRoutes real;
    private boolean isLossy;

    LossyRoutes(FakeRoutes real) {
      this.real = real;
    }

    @Override
    public List<Route> dump(int protocol) {
      return real.dump(protocol);
    }

    @Override
    public Optional<Route> lookup(IpAddress destination) {
      return real.lookup(destination);
    }

    @Override
    public List<RouteFailure> apply(List<RouteChange> changes) throws LinuxException {
      List<RouteFailure> failures = real.apply(changes);
      if (isLossy) {
        throw new NetlinkException("add route", "x", Errno.ENOBUFS, "answers were lost");
      }
      return failures;
    }
  }

  @Test
  void after_lost_answers_the_next_apply_reads_the_kernel_first() throws Exception {
    LossyRoutes lossy = new LossyRoutes(fake);
    RouteTable table = new RouteTable(lossy, index -> index == 7);
    table.adopt();
    table.setRoutes(RouteClass.BGP, Map.of(REMOTE, toTor(2), REMOTE6, toTor6(2)));
    lossy.isLossy = true;
    assertThatThrownBy(table::apply).isInstanceOf(NetlinkException.class);
    lossy.isLossy = false;
    fake.tamper(REMOTE6); // as if only half had arrived
    assertThat(table.apply()).isEqualTo(new RouteApplyResult(1, 0, 0, 0, List.of()));
    table.setRoutes(RouteClass.BGP, Map.of());
    assertThat(table.apply().deleted()).isEqualTo(2);
  }

  @Test
  void a_vanished_device_takes_its_routes_and_the_withdrawal_succeeds() throws Exception {
    RouteTable table = new RouteTable(fake, index -> index == 7);
    table.adopt();
    table.update(RouteClass.LOCAL_WORKLOAD, POD, RouteSpec.toDevice(7));
    table.apply();
    fake.removeDevice(7);
    table.remove(RouteClass.LOCAL_WORKLOAD, POD);
    assertThat(table.apply().isComplete()).isTrue();
    assertThat(table.resync().writes()).isZero();
  }

  @Test
  void several_routes_of_ours_under_one_key_become_the_one_wanted() throws Exception {
    fake.plant(toTor(2).toRoute(REMOTE));
    fake.plant(toTor(3).toRoute(REMOTE));
    RouteTable table = new RouteTable(fake, index -> false);
    table.adopt();
    table.update(RouteClass.BGP, REMOTE, toTor(3));
    assertThat(table.apply().isComplete()).isTrue();
    assertThat(fake.all()).containsExactly(toTor(3).toRoute(REMOTE));
    assertThat(table.resync().writes()).isZero();
  }

  @Test
  void leftovers_in_other_tables_are_swept_as_well() throws Exception {
    Route old =
        new Route(
            REMOTE,
            100,
            Route.OUR_PROTOCOL,
            RouteType.UNICAST,
            Scope.UNIVERSE,
            0,
            toTor(2).nextHops(),
            Optional.empty());
    fake.plant(old);
    RouteTable table = new RouteTable(fake, index -> false);
    table.adopt();
    table.update(RouteClass.BGP, REMOTE, toTor(2));
    table.allowSweep(RouteClass.BGP);
    assertThat(table.apply()).isEqualTo(new RouteApplyResult(1, 0, 1, 0, List.of()));
    assertThat(fake.all()).containsExactly(toTor(2).toRoute(REMOTE));
  }

  @Test
  void a_tunnel_stands_behind_our_own_block_and_before_what_peers_say() throws Exception {
    Prefix block = Prefix.parse("10.65.1.0/26");
    RouteTable table = new RouteTable(fake, _ -> false);
    table.adopt();
    RouteSpec tunnel = RouteSpec.onlink(IpAddress.parse("10.65.1.1"), 7);
    RouteSpec peer = RouteSpec.through(List.of(NextHop.via(IpAddress.parse("10.0.1.1"))));
    table.update(RouteClass.BGP, block, peer);
    table.update(RouteClass.TUNNEL, block, tunnel);
    table.apply();
    assertThat(fake.all()).contains(tunnel.toRoute(block));

    table.update(RouteClass.OWN_BLOCK, block, RouteSpec.blackhole());
    table.apply();
    assertThat(fake.all()).contains(RouteSpec.blackhole().toRoute(block));

    table.remove(RouteClass.OWN_BLOCK, block);
    table.remove(RouteClass.TUNNEL, block);
    table.apply();
    assertThat(fake.all()).noneMatch(route -> route.equals(tunnel.toRoute(block)));
    assertThat(fake.all()).anyMatch(route -> route.prefix().equals(block));
  }
}
