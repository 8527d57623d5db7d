package io.margay.linux.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Octets as the kernel takes them (little-endian machines); the netns tests prove that it does.
class NextHopCodecTest {

  private static final NextHopObject.Member ONE = new NextHopObject.Member(0x75000001, 1);
  private static final NextHopObject.Member TWO = new NextHopObject.Member(0x75000002, 7);

  private static String hex(NextHopChange change) {
    return HexFormat.of().formatHex(NextHopCodec.encode(change).payload());
  }

  private static NextHopObject single(String gateway, boolean isOnlink) {
    return new NextHopObject.Single(
        0x75000001, 117, new NextHop(Optional.of(IpAddress.parse(gateway)), 3, 1, isOnlink));
  }

  @Test
  void a_gateway_of_each_family() {
    assertThat(hex(new NextHopChange.Add(single("10.0.1.2", false))))
        .isEqualTo(
            "02007500" + "00000000" + "0800010001000075" + "0800050003000000" + "080006000a000102");
    assertThat(hex(new NextHopChange.Replace(single("fe80::2", true))))
        .isEqualTo(
            "0a007500"
                + "04000000"
                + "0800010001000075"
                + "0800050003000000"
                + "14000600fe800000000000000000000000000002");
  }

  @Test
  void a_group_of_each_kind() {
    assertThat(
            hex(
                new NextHopChange.Add(
                    new NextHopObject.Group(
                        0x75000003, 117, new GroupKind.Multipath(), List.of(ONE, TWO)))))
        .isEqualTo(
            "00007500"
                + "00000000"
                + "0800010003000075"
                + "14000200"
                + "0100007500000000"
                + "0200007506000000"
                + "0600030000000000");
    assertThat(
            hex(
                new NextHopChange.Replace(
                    new NextHopObject.Group(
                        0x75000003,
                        117,
                        new GroupKind.Resilient(128, Duration.ofMinutes(2), Duration.ofSeconds(5)),
                        List.of(ONE)))))
        .isEqualTo(
            "00007500"
                + "00000000"
                + "0800010003000075"
                + "0c000200"
                + "0100007500000000"
                + "0600030001000000"
                + "1c000c80"
                + "0600010080000000"
                + "08000200e02e0000"
                + "08000300f4010000");
  }

  @Test
  void a_deletion_names_the_number_alone() {
    assertThat(hex(new NextHopChange.Delete(0x75000003)))
        .isEqualTo("0000000000000000" + "0800010003000075");
  }

  @Test
  void a_route_over_an_object_has_no_next_hops_of_its_own() {
    Route route =
        RouteSpec.through(List.of(NextHop.via(IpAddress.parse("10.0.1.2"), 3)))
            .toRoute(Prefix.parse("10.3.0.0/26"))
            .over(0x75000003);
    assertThat(
            HexFormat.of().formatHex(RouteCodec.encode(new RouteChange.Replace(route)).payload()))
        .isEqualTo(
            "021a0000fe750001"
                + "00000000"
                + "080001000a030000"
                + "08000f00fe000000"
                + "08001e0003000075");
  }

  @Test
  void every_shape_survives_the_round() throws Exception {
    for (NextHopObject object :
        List.of(
            single("10.0.1.2", true),
            single("fe80::2", false),
            new NextHopObject.Group(0x77ffffff, 119, new GroupKind.Multipath(), List.of(ONE, TWO)),
            new NextHopObject.Group(
                0x77000009, 119, GroupKind.Resilient.DEFAULT, List.of(TWO, ONE)))) {
      assertThat(NextHopCodec.decode(NextHopCodec.encode(new NextHopChange.Add(object))))
          .contains(object);
    }
  }

  @Test
  void a_broken_object_of_the_kernel_is_a_netlink_exception() {
    NetlinkMessage shortHeader = new MessageBuilder(104, 0, "list", "objects").u8(2).build();
    assertThatThrownBy(() -> NextHopCodec.decode(shortHeader)).isInstanceOf(NetlinkException.class);
    NetlinkMessage noBuckets =
        new MessageBuilder(104, 0, "list", "objects")
            .u32(0)
            .u32(0)
            .attrU32(Rtnl.NHA_ID, 7)
            .attr(Rtnl.NHA_GROUP, new byte[8])
            .attrU16(Rtnl.NHA_GROUP_TYPE, 1)
            .nest(Rtnl.NHA_RES_GROUP, _ -> {})
            .build();
    assertThatThrownBy(() -> NextHopCodec.decode(noBuckets))
        .isInstanceOf(NetlinkException.class)
        .hasMessageContaining("next-hop object 7");
  }

  @Test
  void shapes_that_are_never_ours_are_left_out() throws Exception {
    NetlinkMessage blackhole =
        new MessageBuilder(104, 0, "list", "objects")
            .u8(2)
            .u8(0)
            .u8(4)
            .u8(0)
            .u32(0)
            .attrU32(Rtnl.NHA_ID, 7)
            .attrFlag(4)
            .build();
    assertThat(NextHopCodec.decode(blackhole)).isEmpty();
  }
}
