package io.margay.linux.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.LinuxException;
import io.margay.linux.netlink.NetlinkListener;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.linux.netns.TestNetns;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class RouteTableNetnsTest extends RouteTableContract {

  private TestNetns netns;
  private Rtnetlink rt;

  @BeforeEach
  @Override
  void fresh() throws Exception {
    netns = TestNetns.create();
    RoutesNetnsTest.raiseDevices(netns);
    rt = Rtnetlink.inNetns(netns.fd());
    super.fresh();
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
  int pod() {
    return index("blue");
  }

  @Override
  int uplink() {
    return index("red");
  }

  private int index(String name) {
    try {
      return rt.links().find(new InterfaceName(name)).orElseThrow().index();
    } catch (LinuxException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  void tamper(Prefix prefix) throws Exception {
    netns.ip("-" + prefix.family().version() + " route del " + prefix + " proto 117");
  }

  @Override
  void plantForeign(Prefix prefix) throws Exception {
    netns.ip("-" + prefix.family().version() + " route add " + prefix + " dev red proto static");
  }

  @Override
  void plantToPod(Prefix prefix, int protocol) throws Exception {
    netns.ip(
        "-" + prefix.family().version() + " route add " + prefix + " dev blue proto " + protocol);
  }

  @Override
  void plantBlackhole(Prefix prefix, int protocol) throws Exception {
    netns.ip(
        "-" + prefix.family().version() + " route add blackhole " + prefix + " proto " + protocol);
  }

  @Override
  void plantVia(Prefix prefix, IpAddress router, int protocol) throws Exception {
    netns.ip(
        "-%d route add %s via %s dev red proto %d"
            .formatted(prefix.family().version(), prefix, router, protocol));
  }

  @Override
  boolean holdsForeign(Prefix prefix) throws Exception {
    return !netns
        .ip("-" + prefix.family().version() + " route show " + prefix + " proto static")
        .isBlank();
  }

  /// Counts what the kernel says changed, not what we believe we wrote.
  private static final class Changes implements NetlinkListener.Events {
    private final LinkedBlockingQueue<Prefix> seen = new LinkedBlockingQueue<>();

    @Override
    public void onMessage(NetlinkMessage message) {
      try {
        RouteCodec.decode(message).map(Route::prefix).ifPresent(seen::add);
      } catch (LinuxException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void onOverrun() {
      throw new IllegalStateException("overrun");
    }

    @Override
    public void onFailure(LinuxException cause) {
      throw new IllegalStateException(cause);
    }
  }

  @Test
  void the_kernel_announces_no_change_during_a_resync_without_drift() throws Exception {
    RouteTable table = new RouteTable(rt.routes(), index -> index == pod());
    table.adopt();
    table.update(RouteClass.BGP, REMOTE, toTor(2));
    table.update(RouteClass.OWN_BLOCK, BLOCK6, RouteSpec.blackhole());
    table.apply();
    Changes changes = new Changes();
    try (NetlinkListener _ =
        NetlinkListener.start(
            "test",
            netns.fd(),
            NetlinkSocket.ROUTE,
            List.of(NetlinkListener.RTNLGRP_IPV4_ROUTE, NetlinkListener.RTNLGRP_IPV6_ROUTE),
            changes)) {
      assertThat(table.resync().writes()).isZero();
      Prefix marker = Prefix.parse("10.200.0.0/24");
      plantForeign(marker);
      // Notifications keep their order: had the resync written, the marker would not be first.
      assertThat(changes.seen.poll(20, TimeUnit.SECONDS)).isEqualTo(marker);
      tamper(REMOTE);
      assertThat(table.resync().writes()).isEqualTo(1);
      assertThat(changes.seen.poll(20, TimeUnit.SECONDS)).isEqualTo(REMOTE);
    }
  }

  @Test
  void routes_the_kernel_dropped_with_a_device_come_back_after_it() throws Exception {
    RouteTable table = new RouteTable(rt.routes(), index -> index == pod());
    table.adopt();
    table.setRoutes(RouteClass.BGP, Map.of(REMOTE, toTor(2)));
    table.apply();
    netns.ip("link set red down");
    assertThat(rt.routes().dumpOurs()).isEmpty();
    assertThat(table.resync().pending()).hasSize(1);
    netns.ip("link set red up");
    assertThat(table.apply()).isEqualTo(new RouteApplyResult(1, 0, 0, 0, List.of()));
  }
}
