package io.margay.linux.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Octets as the kernel takes them (little-endian machines); the netns tests prove that it does.
class RouteCodecTest {

  private static String hex(NetlinkMessage message) {
    return HexFormat.of().formatHex(message.payload());
  }

  private static NextHop via(String gateway, int index, int weight) {
    return new NextHop(Optional.of(IpAddress.parse(gateway)), index, weight, false);
  }

  @Test
  void a_blackhole() {
    Route route = RouteSpec.blackhole().toRoute(Prefix.parse("10.1.0.0/26"));
    assertThat(hex(RouteCodec.encode(new RouteChange.Add(route))))
        .isEqualTo("021a0000fe750006" + "00000000" + "080001000a010000" + "08000f00fe000000");
  }

  @Test
  void a_pod_route() {
    Route route = RouteSpec.toDevice(7).toRoute(Prefix.parse("10.1.0.5/32"));
    assertThat(hex(RouteCodec.encode(new RouteChange.Add(route))))
        .isEqualTo(
            "02200000fe75fd01"
                + "00000000"
                + "080001000a010005"
                + "08000f00fe000000"
                + "0800040007000000");
  }

  @Test
  void an_ecmp_route_of_each_family() {
    Route route =
        RouteSpec.through(List.of(via("10.0.2.2", 3, 7), via("10.0.1.2", 2, 1)))
            .toRoute(Prefix.parse("10.3.0.0/26"));
    assertThat(hex(RouteCodec.encode(new RouteChange.Put(route))))
        .isEqualTo(
            "021a0000fe750001"
                + "00000000"
                + "080001000a030000"
                + "08000f00fe000000"
                + "24000900"
                + "1000000002000000"
                + "080005000a000102"
                + "1000000603000000"
                + "080005000a000202");
    Route route6 =
        RouteSpec.through(List.of(via("fd00:1::2", 2, 1), via("fd00:2::2", 3, 1)))
            .toRoute(Prefix.parse("fd00:c::/122"));
    assertThat(hex(RouteCodec.encode(new RouteChange.Replace(route6))))
        .isEqualTo(
            "0a7a0000fe750001"
                + "00000000"
                + "14000100fd00000c000000000000000000000000"
                + "08000f00fe000000"
                + "0800060000040000"
                + "3c000900"
                + "1c00000002000000"
                + "14000500fd000001000000000000000000000002"
                + "1c00000003000000"
                + "14000500fd000002000000000000000000000002");
  }

  @Test
  void a_deletion_names_key_and_protocol_and_no_next_hop() {
    Route route =
        RouteSpec.through(List.of(via("10.0.1.2", 2, 1))).toRoute(Prefix.parse("10.3.0.0/26"));
    assertThat(hex(RouteCodec.encode(new RouteChange.Delete(route))))
        .isEqualTo("021a0000fe75ff00" + "00000000" + "080001000a030000" + "08000f00fe000000");
  }

  @Test
  void a_veth_pair() {
    VethSpec veth =
        new VethSpec(
            new InterfaceName("cali1"),
            MacAddress.parse("ee:ee:ee:ee:ee:ee"),
            new InterfaceName("eth0"),
            MacAddress.parse("02:00:00:00:00:07"),
            9,
            1500,
            "margay:a/eth0");
    String end = "00000000" + "00000000";
    String queues = "08001f0001000000" + "0800200001000000";
    assertThat(hex(Links.newVeth(veth)))
        .isEqualTo(
            end
                + "0100000001000000"
                + "0a00030063616c6931000000"
                + "0a000100eeeeeeeeeeee0000"
                + "08000400dc050000"
                + "08001b006e79676d"
                + queues
                + "60001280"
                + "090001007665746800000000"
                + "50000280"
                + "4c000100"
                + end
                + "0000000000000000"
                + "090003006574683000000000"
                + "0a0001000200000000070000"
                + "08000400dc050000"
                + queues
                + "08001c0009000000");
  }

  @Test
  void every_shape_survives_the_round() throws Exception {
    for (Route route :
        List.of(
            RouteSpec.toDevice(7).toRoute(Prefix.parse("10.1.0.5/32")),
            RouteSpec.through(List.of(via("10.0.2.2", 3, 7), via("10.0.1.2", 2, 256)))
                .toRoute(Prefix.parse("0.0.0.0/0")),
            RouteSpec.through(List.of(via("fe80::1", 3, 1))).toRoute(Prefix.parse("10.9.0.0/24")),
            RouteSpec.blackhole().toRoute(Prefix.parse("fd00::/122")))) {
      assertThat(RouteCodec.decode(RouteCodec.encode(new RouteChange.Add(route)))).contains(route);
    }
  }

  @Test
  void a_broken_route_of_the_kernel_is_a_netlink_exception() {
    NetlinkMessage shortHeader = new MessageBuilder(24, 0, "list", "routes").u8(2).build();
    assertThatThrownBy(() -> RouteCodec.decode(shortHeader)).isInstanceOf(NetlinkException.class);
    NetlinkMessage emptyHop =
        new MessageBuilder(24, 0, "list", "routes")
            .u8(2)
            .u8(24)
            .u16(0)
            .u8(254)
            .u8(117)
            .u8(0)
            .u8(1)
            .u32(0)
            .attr(Rtnl.RTA_DST, new byte[] {10, 1, 1, 0})
            .attr(Rtnl.RTA_MULTIPATH, new byte[16])
            .build();
    assertThatThrownBy(() -> RouteCodec.decode(emptyHop)).isInstanceOf(NetlinkException.class);
  }
}
