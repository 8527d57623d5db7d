package io.margay.bgp.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.codec.DecodeOutcome.Accepted;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Community;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.Octets;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttribute.OriginCode;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.bgp.message.Update;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class UpdateWriterTest {

  private static final Set<AfiSafi> BOTH = Set.of(AfiSafi.IPV4_UNICAST, AfiSafi.IPV6_UNICAST);
  private static final CodecContext PEER = new CodecContext(true, false, BOTH);

  private static final PathAttributes ATTRIBUTES =
      PathAttributes.builder()
          .origin(OriginCode.IGP)
          .asPath(AsPath.of(new Asn(65001)))
          .put(new PathAttribute.Communities(List.of(Community.parse("65001:100"))))
          .build();

  private static final String MARKER = "ff".repeat(16);
  private static final String PATH_AND_ORIGIN = "40010100" + "4002060201" + "0000fde9";

  private static RouteAttributes via(String nextHop) {
    return new RouteAttributes(ATTRIBUTES, NextHop.of(IpAddress.parse(nextHop)));
  }

  private static Nlri nlri(String... prefixes) {
    List<Prefix> list = new ArrayList<>();
    for (String prefix : prefixes) {
      list.add(Prefix.parse(prefix));
    }
    return Nlri.of(list.getFirst().family(), list);
  }

  private static String write(CodecContext context, @Nullable RouteAttributes route, Nlri nlri) {
    ByteBuf to = Unpooled.buffer();
    assertThat(new UpdateWriter(context).write(nlri.family(), route, nlri, to)).isEqualTo(1);
    return ByteBufUtil.hexDump(to);
  }

  private static DecodeOutcome decode(ByteBuf frame, CodecContext context) {
    byte[] octets = ByteBufUtil.getBytes(frame);
    return MessageCodec.decode(octets, octets.length, context);
  }

  private static List<Update> read(ByteBuf stream, CodecContext context) {
    List<Update> updates = new ArrayList<>();
    while (stream.isReadable()) {
      int length = stream.getUnsignedShort(stream.readerIndex() + 16);
      DecodeOutcome outcome = decode(stream.readSlice(length), context);
      assertThat(outcome).isInstanceOf(Accepted.class);
      updates.add((Update) ((Accepted) outcome).message());
    }
    return updates;
  }

  @Test
  void ipv4_stands_in_the_messages_own_fields() {
    assertThat(write(PEER, via("10.201.1.1"), nlri("10.65.0.0/26", "0.0.0.0/0", "10.0.0.0/8")))
        .isEqualTo(
            MARKER
                + "003a02"
                + "0000"
                + "001b"
                + PATH_AND_ORIGIN
                + "4003040ac90101"
                + "c00804fde90064"
                + "1a0a410000"
                + "00"
                + "080a");
    assertThat(write(PEER, null, nlri("10.65.0.0/26")))
        .isEqualTo(MARKER + "001c02" + "0005" + "1a0a410000" + "0000");
  }

  @Test
  void ipv6_stands_in_mp_reach_which_comes_first() {
    assertThat(write(PEER, via("2001:db8::1"), nlri("fd00:10:65::/122")))
        .isEqualTo(
            MARKER
                + "005402"
                + "0000"
                + "003d"
                + "800e26"
                + "000201"
                + "10"
                + "20010db8000000000000000000000001"
                + "00"
                + "7afd000010006500000000000000000000"
                + PATH_AND_ORIGIN
                + "c00804fde90064");
    assertThat(write(PEER, null, nlri("2001:db8::/32")))
        .isEqualTo(MARKER + "002202" + "0000" + "000b" + "800f08" + "000201" + "2020010db8");
  }

  @Test
  void a_link_local_next_hop_follows_the_global_one() {
    RouteAttributes route =
        new RouteAttributes(
            ATTRIBUTES, new NextHop(IpAddress.parse("2001:db8::1"), IpAddress.parse("fe80::1")));
    assertThat(write(PEER, route, nlri("2001:db8::/32")))
        .contains(
            "000201"
                + "20"
                + "20010db8000000000000000000000001"
                + "fe800000000000000000000000000001"
                + "00"
                + "2020010db8");
  }

  @Test
  void ipv4_with_an_ipv6_next_hop_needs_the_capability() {
    ByteBuf to = Unpooled.buffer();
    UpdateWriter without = new UpdateWriter(PEER);
    assertThat(without.write(IpFamily.IPV4, via("fe80::1"), nlri("10.65.0.0/26"), to)).isZero();
    assertThat(without.write(IpFamily.IPV6, via("10.0.0.1"), nlri("2001:db8::/32"), to)).isZero();
    assertThat(to.isReadable()).isFalse();
    CodecContext extended = PEER.withExtendedNextHop(Set.of(AfiSafi.IPV4_UNICAST));
    assertThat(write(extended, via("fe80::1"), nlri("10.65.0.0/26")))
        .contains(
            "800e1a" + "000101" + "10" + "fe800000000000000000000000000001" + "00" + "1a0a410000");
    assertThat(write(extended, via("10.0.0.1"), nlri("10.65.0.0/26"))).contains("4003040a000001");
    assertThat(write(extended, null, nlri("10.65.0.0/26")))
        .endsWith("800f08" + "000101" + "1a0a410000");
  }

  @Test
  void path_identifiers_are_written_where_they_are_agreed() {
    CodecContext addPath = PEER.withAddPath(Set.of(), BOTH);
    Nlri ipv4 = Nlri.builder(IpFamily.IPV4, 2).add(0x0a410000L, 0, 26, 7).add(0, 0, 0, 8).build();
    Nlri ipv6 = Nlri.builder(IpFamily.IPV6, 1).add(0x20010db8_00000000L, 0, 32, 9).build();
    assertThat(write(addPath, via("10.0.0.1"), ipv4)).endsWith("000000071a0a410000" + "0000000800");
    assertThat(write(addPath, null, ipv4))
        .endsWith("000e" + "000000071a0a410000" + "0000000800" + "0000");
    assertThat(write(addPath, null, ipv6))
        .endsWith("800f0c" + "000201" + "00000009" + "2020010db8");
    assertThat(write(PEER, null, ipv4)).endsWith("0006" + "1a0a410000" + "00" + "0000");
  }

  @Test
  void messages_are_filled_to_the_limit_and_lose_nothing() {
    for (IpFamily family : IpFamily.values()) {
      Nlri.Builder many = Nlri.builder(family, 5_000);
      IntStream.range(0, 5_000)
          .forEach(
              i -> {
                switch (family) {
                  case IPV4 -> many.add(0x0a000000L + ((long) i << 8), 0, 24);
                  case IPV6 -> many.add(0x20010db8_00000000L + ((long) i << 8), 0, 56);
                }
              });
      Nlri all = many.build();
      for (RouteAttributes route :
          new RouteAttributes[] {via(family == IpFamily.IPV4 ? "10.0.0.1" : "2001:db8::1"), null}) {
        ByteBuf to = Unpooled.buffer();
        int messages = new UpdateWriter(PEER).write(family, route, all, to);
        int octets = family == IpFamily.IPV4 ? 4 : 8;
        int longest = 0;
        for (int at = 0; at < to.writerIndex(); at += to.getUnsignedShort(at + 16)) {
          int length = to.getUnsignedShort(at + 16);
          if (at + length < to.writerIndex()) {
            assertThat(length).isBetween(4096 - octets, 4096);
          }
          longest = Math.max(longest, length);
        }
        assertThat(longest).isGreaterThan(4000);
        List<Update> updates = read(to, PEER);
        assertThat(updates).hasSize(messages);
        Nlri.Builder again = Nlri.builder(family, all.size());
        for (Update update : updates) {
          Update gone = route == null ? update : update.asWithdrawal();
          PathAttribute.MpUnreach unreach = gone.unreachable();
          again.addAll(unreach == null ? gone.withdrawn() : unreach.nlri());
        }
        assertThat(again.build()).isEqualTo(all);
      }
    }
  }

  @Test
  void attributes_that_leave_no_room_are_refused_and_nothing_is_written() {
    PathAttributes huge =
        ATTRIBUTES.with(PathAttribute.Communities.ofValues(IntStream.range(0, 1_100).toArray()));
    ByteBuf to = Unpooled.buffer();
    UpdateWriter writer = new UpdateWriter(PEER);
    for (String[] route : new String[][] {{"10.0.0.1", "10.0.0.0/8"}, {"2001:db8::1", "::/0"}}) {
      Nlri one = nlri(route[1]);
      assertThat(
              writer.write(
                  one.family(),
                  new RouteAttributes(huge, NextHop.of(IpAddress.parse(route[0]))),
                  one,
                  to))
          .isZero();
    }
    assertThat(to.isReadable()).isFalse();
  }

  @Test
  void the_limit_of_the_peer_is_kept() {
    CodecContext small = PEER.withMaxOctets(64);
    ByteBuf to = Unpooled.buffer();
    Nlri five = nlri("10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24", "10.0.4.0/24");
    int messages = new UpdateWriter(small).write(IpFamily.IPV4, via("10.0.0.1"), five, to);
    assertThat(messages).isEqualTo(2);
    assertThat(to.getUnsignedShort(16)).isLessThanOrEqualTo(64);
    assertThat(read(to, small).stream().flatMap(update -> update.announced().toList().stream()))
        .containsExactlyElementsOf(five);
  }

  @Test
  void everything_ascends_with_exact_flags_and_partial_kept() {
    PathAttributes everything =
        PathAttributes.builder()
            .put(new PathAttribute.Unrecognized(0xe0, 255, Octets.ofHex("01")))
            .put(new PathAttribute.LargeCommunities(List.of()))
            .put(PathAttribute.LargeCommunities.ofValues(1, 2, 3))
            .put(new PathAttribute.Unrecognized(0xe0, 20, Octets.ofHex("02")))
            .put(PathAttribute.ExtendedCommunities.ofValues(4))
            .partial(16)
            .put(new PathAttribute.Unrecognized(0xe0, 11, Octets.ofHex("03")))
            .put(PathAttribute.ClusterList.ofValues(5))
            .put(new PathAttribute.OriginatorId(new RouterId(6)))
            .put(PathAttribute.Communities.ofValues(7))
            .partial(8)
            .put(new PathAttribute.Aggregator(new Asn(8), new Ipv4Address(9)))
            .put(new PathAttribute.AtomicAggregate())
            .localPref(10)
            .med(11)
            .asPath(AsPath.of(new Asn(12)))
            .origin(OriginCode.EGP)
            .build();
    String written =
        write(
            PEER,
            new RouteAttributes(everything, NextHop.of(IpAddress.parse("10.0.0.1"))),
            nlri("10.0.0.0/8"));
    assertThat(written)
        .endsWith(
            "40010101"
                + "40020602010000000c"
                + "4003040a000001"
                + "8004040000000b"
                + "4005040000000a"
                + "400600"
                + "c007080000000800000009"
                + "e0080400000007"
                + "80090400000006"
                + "800a0400000005"
                + "e00b0103"
                + "e010080000000000000004"
                + "e0140102"
                + "c0200c000000010000000200000003"
                + "e0ff0101"
                + "080a");
  }

  @Test
  void a_long_attribute_and_only_that_has_the_extended_length() {
    PathAttributes sixtyFour =
        ATTRIBUTES.with(PathAttribute.Communities.ofValues(IntStream.range(0, 64).toArray()));
    RouteAttributes route = new RouteAttributes(sixtyFour, NextHop.of(IpAddress.parse("10.0.0.1")));
    assertThat(write(PEER, route, nlri("10.0.0.0/8")))
        .contains("d0080100" + "00000000" + "00000001");
  }

  @Test
  void a_route_without_origin_and_path_gets_both() {
    RouteAttributes bare =
        new RouteAttributes(PathAttributes.EMPTY, NextHop.of(IpAddress.parse("10.0.0.1")));
    assertThat(write(PEER, bare, nlri("10.0.0.0/8")))
        .endsWith("40010102" + "400200" + "4003040a000001" + "080a");
  }

  @Test
  void a_two_octet_peer_gets_as_trans_and_the_truth_beside_it() {
    CodecContext old = new CodecContext(false, false, BOTH);
    PathAttributes attributes =
        ATTRIBUTES
            .with(
                new PathAttribute.AsPathAttribute(
                    AsPath.of(new Asn(65001), Asn.of(4_200_000_000L))))
            .with(new PathAttribute.Aggregator(Asn.of(4_200_000_000L), new Ipv4Address(1)));
    RouteAttributes route =
        new RouteAttributes(attributes, NextHop.of(IpAddress.parse("10.0.0.1")));
    assertThat(write(old, route, nlri("10.0.0.0/8")))
        .endsWith(
            "40010100"
                + "4002060202fde95ba0"
                + "4003040a000001"
                + "c007065ba000000001"
                + "c00804fde90064"
                + "c0110a02020000fde9fa56ea00"
                + "c01208fa56ea0000000001"
                + "080a");
    assertThat(write(old, via("10.0.0.1"), nlri("10.0.0.0/8"))).doesNotContain("c011");
  }

  @Test
  void the_end_of_rib_is_an_empty_message_of_its_family() {
    ByteBuf to = Unpooled.buffer();
    UpdateWriter writer = new UpdateWriter(PEER);
    writer.endOfRib(IpFamily.IPV4, to);
    writer.endOfRib(IpFamily.IPV6, to);
    assertThat(ByteBufUtil.hexDump(to))
        .isEqualTo(
            MARKER + "001702" + "00000000" + MARKER + "001d02" + "0000" + "0006" + "800f03000201");
    assertThat(read(to, PEER))
        .containsExactly(Update.endOfRib(IpFamily.IPV4), Update.endOfRib(IpFamily.IPV6));
  }
}
