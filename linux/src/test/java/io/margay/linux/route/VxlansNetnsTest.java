package io.margay.linux.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.netns.TestNetns;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class VxlansNetnsTest {

  private static final InterfaceName NAME = new InterfaceName("vxlan.calico");
  private static final MacAddress MAC = MacAddress.parse("66:01:02:03:04:05");
  private static final MacAddress REMOTE_MAC = MacAddress.parse("66:0a:0b:0c:0d:0e");

  private static VxlanSpec spec(String local) {
    return new VxlanSpec(NAME, MAC, 4096, 4789, IpAddress.parse(local), 1450, "margay:overlay");
  }

  @Test
  void a_device_is_born_learning_nothing_and_read_back_as_it_is() throws Exception {
    try (TestNetns host = TestNetns.create();
        Rtnetlink rt = Rtnetlink.inNetns(host.fd())) {
      host.ip("addr add 192.0.2.1/24 dev lo");

      Link link = rt.vxlans().create(spec("192.0.2.1"));

      assertThat(link.alias()).isEqualTo("margay:overlay");
      assertThat(link.mtu()).isEqualTo(1450);
      assertThat(rt.vxlans().find(NAME))
          .contains(
              new Vxlan(link, 4096, 4789, Optional.of(IpAddress.parse("192.0.2.1")), 0, false));
      assertThat(rt.vxlans().find(NAME).orElseThrow().isLike(spec("192.0.2.1"))).isTrue();
      assertThat(rt.vxlans().find(NAME).orElseThrow().isLike(spec("192.0.2.2"))).isFalse();
      assertThat(host.ip("-d link show vxlan.calico"))
          .contains(
              "mtu 1450",
              "66:01:02:03:04:05",
              "vxlan id 4096 local 192.0.2.1",
              "dstport 4789",
              "nolearning",
              "alias margay:overlay");
      rt.links().setMtu(link.index(), 1400);
      assertThat(host.ip("link show vxlan.calico")).contains("mtu 1400");
    }
  }

  @Test
  void both_families_share_a_network_identifier() throws Exception {
    try (TestNetns host = TestNetns.create();
        Rtnetlink rt = Rtnetlink.inNetns(host.fd())) {
      InterfaceName six = new InterfaceName("vxlan-v6.calico");
      Link four = rt.vxlans().create(spec("192.0.2.1"));
      Link other =
          rt.vxlans()
              .create(
                  new VxlanSpec(
                      six,
                      MAC,
                      4096,
                      4789,
                      IpAddress.parse("2001:db8::1"),
                      1430,
                      "margay:overlay"));
      rt.links().setUp(four.index());
      rt.links().setUp(other.index());

      assertThat(rt.vxlans().find(six).orElseThrow().local())
          .contains(IpAddress.parse("2001:db8::1"));
      assertThat(host.ip("-d link show vxlan-v6.calico")).contains("local 2001:db8::1");
    }
  }

  @Test
  void a_device_of_another_kind_is_no_vxlan_device() throws Exception {
    try (TestNetns host = TestNetns.create();
        Rtnetlink rt = Rtnetlink.inNetns(host.fd())) {
      assertThat(rt.vxlans().find(NAME)).isEmpty();
      host.ip("link add vxlan.calico type bridge");
      assertThat(rt.vxlans().find(NAME)).isEmpty();
      assertThatThrownBy(() -> rt.vxlans().create(spec("192.0.2.1")))
          .hasMessageContaining("vxlan.calico");
    }
  }

  @Test
  void a_device_that_others_made_otherwise_is_told_apart() throws Exception {
    try (TestNetns host = TestNetns.create();
        Rtnetlink rt = Rtnetlink.inNetns(host.fd())) {
      host.ip("link set lo up");
      host.ip("link add vxlan.calico type vxlan id 7 dstport 4790 dev lo");
      Vxlan found = rt.vxlans().find(NAME).orElseThrow();
      assertThat(found.vni()).isEqualTo(7);
      assertThat(found.port()).isEqualTo(4790);
      assertThat(found.local()).isEmpty();
      assertThat(found.boundTo()).isEqualTo(1);
      assertThat(found.isLearning()).isTrue();
    }
  }

  @Test
  void forwarding_entries_are_what_bridge_shows() throws Exception {
    for (String machine : new String[] {"192.0.2.2", "2001:db8::2"}) {
      IpAddress remote = IpAddress.parse(machine);
      String local = remote.family() == IpFamily.IPV4 ? "192.0.2.1" : "2001:db8::1";
      try (TestNetns host = TestNetns.create();
          Rtnetlink rt = Rtnetlink.inNetns(host.fd())) {
        Link link = rt.vxlans().create(spec(local));
        host.ip("link add br0 type bridge");
        ForwardingEntry entry = ForwardingEntry.permanent(link.index(), REMOTE_MAC, remote);

        rt.forwarding().replace(entry);
        rt.forwarding().replace(entry);

        assertThat(rt.forwarding().list(link.index())).containsExactly(entry);
        assertThat(host.bridge("fdb show dev vxlan.calico"))
            .contains("66:0a:0b:0c:0d:0e dst " + machine + " self permanent");
        ForwardingEntry moved =
            ForwardingEntry.permanent(
                link.index(), REMOTE_MAC, IpAddress.parse(machine.replaceAll("2$", "3")));
        rt.forwarding().replace(moved);
        assertThat(rt.forwarding().list(link.index())).containsExactly(moved);
        assertThat(rt.forwarding().delete(moved)).isTrue();
        assertThat(rt.forwarding().delete(moved)).isFalse();
        assertThat(rt.forwarding().list(link.index())).isEmpty();
      }
    }
  }

  @Test
  void a_route_through_the_tunnel_needs_no_address_that_covers_its_gateway() throws Exception {
    try (TestNetns host = TestNetns.create();
        Rtnetlink rt = Rtnetlink.inNetns(host.fd())) {
      host.ip("link set lo up");
      Link link = rt.vxlans().create(spec("192.0.2.1"));
      rt.links().setUp(link.index());
      Prefix block = Prefix.parse("10.65.1.0/26");
      RouteTable table = new RouteTable(rt.routes(), _ -> false);
      table.adopt();
      table.update(
          RouteClass.TUNNEL, block, RouteSpec.onlink(IpAddress.parse("10.65.1.1"), link.index()));
      assertThat(table.apply().pending()).isEmpty();
      assertThat(host.ip("route show 10.65.1.0/26"))
          .contains("via 10.65.1.1 dev vxlan.calico proto 117 onlink");
      assertThat(table.resync().writes()).isZero();

      RouteTable next = new RouteTable(rt.routes(), _ -> false);
      next.adopt();
      assertThat(next.holds(RouteClass.TUNNEL)).isTrue();
      assertThat(next.holds(RouteClass.BGP)).isFalse();
      next.allowSweep(RouteClass.TUNNEL);
      next.apply();
      assertThat(host.ip("route show 10.65.1.0/26")).isEmpty();
    }
  }
}
