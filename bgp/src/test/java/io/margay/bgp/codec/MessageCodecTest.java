package io.margay.bgp.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.codec.DecodeOutcome.Accepted;
import io.margay.bgp.codec.DecodeOutcome.SessionReset;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Community;
import io.margay.bgp.message.Keepalive;
import io.margay.bgp.message.LargeCommunity;
import io.margay.bgp.message.Message;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Octets;
import io.margay.bgp.message.Open;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteRefresh;
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
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class MessageCodecTest {

  private static final CodecContext EXTERNAL =
      new CodecContext(true, false, Set.of(AfiSafi.IPV4_UNICAST, AfiSafi.IPV6_UNICAST));
  private static final CodecContext INTERNAL = new CodecContext(true, true, EXTERNAL.families());
  private static final CodecContext TWO_OCTET = new CodecContext(false, false, EXTERNAL.families());

  private static final String ORIGIN = "400101 00";
  private static final String AS_PATH = "400206 0201 0000fde9";
  private static final String NEXT_HOP = "400304 0ac90101";
  private static final String MANDATORY = ORIGIN + AS_PATH + NEXT_HOP;
  private static final String NLRI = "1a 0a410000";

  private static byte[] hex(String hex) {
    return Octets.ofHex(hex.replace(" ", "")).toBytes();
  }

  private static ByteBuf frame(int type, String bodyHex) {
    byte[] body = hex(bodyHex);
    ByteBuf frame = Unpooled.buffer();
    for (int i = 0; i < 16; i++) {
      frame.writeByte(0xff);
    }
    return frame.writeShort(19 + body.length).writeByte(type).writeBytes(body);
  }

  /// An UPDATE with attributes and IPv4 NLRI, all as hex.
  private static DecodeOutcome update(String attributes, String nlri, CodecContext context) {
    int length = hex(attributes).length;
    return decode(frame(2, "0000" + String.format("%04x", length) + attributes + nlri), context);
  }

  private static DecodeOutcome decode(ByteBuf frame, CodecContext context) {
    byte[] octets = ByteBufUtil.getBytes(frame);
    return MessageCodec.decode(octets, octets.length, context);
  }

  private static String encode(Message message, CodecContext context) {
    ByteBuf to = Unpooled.buffer();
    MessageCodec.encode(message, to, context);
    return ByteBufUtil.hexDump(to);
  }

  @Test
  void every_attribute_type_has_exactly_one_row() {
    List<Class<?>> withoutRow =
        Stream.of(PathAttribute.class.getPermittedSubclasses())
            .filter(
                type ->
                    Stream.of(AttributeType.values()).filter(row -> row.holder() == type).count()
                        != 1)
            .<Class<?>>map(type -> type)
            .toList();
    assertThat(withoutRow).isEmpty();
    assertThat(AttributeType.values())
        .isSortedAccordingTo(Comparator.comparingInt(AttributeType::code));
  }

  static Stream<Arguments> messages() {
    PathAttributes all =
        PathAttributes.of(
            new PathAttribute.Origin(PathAttribute.OriginCode.INCOMPLETE),
            new PathAttribute.AsPathAttribute(AsPath.of(new Asn(65001), Asn.of(4200000000L))),
            new PathAttribute.MultiExitDisc(-1),
            new PathAttribute.LocalPref(200),
            new PathAttribute.AtomicAggregate(),
            new PathAttribute.Aggregator(Asn.of(4200000000L), Ipv4Address.parse("1.2.3.4")),
            new PathAttribute.Communities(List.of(Community.parse("65001:100"))),
            new PathAttribute.OriginatorId(RouterId.parse("1.1.1.1")),
            new PathAttribute.ClusterList(List.of(7, 8)),
            new PathAttribute.ExtendedCommunities(List.of(0x0002_fde9_0000_0001L)),
            new PathAttribute.LargeCommunities(List.of(new LargeCommunity(65001, 1, -1))),
            new PathAttribute.Unrecognized(0xe0, 99, Octets.ofHex("00ff")));
    return Stream.of(
        Arguments.of("KEEPALIVE", new Keepalive()),
        Arguments.of("ROUTE-REFRESH", new RouteRefresh(AfiSafi.IPV6_UNICAST)),
        Arguments.of("NOTIFICATION", new Notification(6, 2, Octets.ofHex("0562796521"))),
        Arguments.of(
            "OPEN",
            new Open(
                Asn.of(4200000000L),
                Duration.ofSeconds(90),
                RouterId.parse("10.0.0.1"),
                List.of(
                    new Capability.MultiProtocol(AfiSafi.IPV4_UNICAST),
                    new Capability.RouteRefreshing(),
                    new Capability.GracefulRestart(
                        true,
                        Duration.ofSeconds(120),
                        List.of(new Capability.GracefulRestart.Kept(AfiSafi.IPV6_UNICAST, true))),
                    new Capability.FourOctetAs(Asn.of(4200000000L)),
                    new Capability.Unknown(73, Octets.ofHex("0102"))))),
        Arguments.of("IPv4 End-of-RIB", Update.endOfRib(IpFamily.IPV4)),
        Arguments.of("IPv6 End-of-RIB", Update.endOfRib(IpFamily.IPV6)),
        Arguments.of(
            "UPDATE of everything",
            new Update(
                ipv4("10.1.0.0/16", "0.0.0.0/0"),
                new PathAttribute.MpUnreach(AfiSafi.IPV6_UNICAST, ipv6("2001:db8::/32")),
                all,
                Ipv4Address.parse("10.201.1.1"),
                ipv4("10.65.0.0/26"),
                new PathAttribute.MpReach(
                    AfiSafi.IPV6_UNICAST,
                    IpAddress.parse("2001:db8::1"),
                    IpAddress.parse("fe80::1"),
                    ipv6("fd00:10:65::/122", "::/0")))));
  }

  private static Nlri ipv4(String... prefixes) {
    return Nlri.of(IpFamily.IPV4, Stream.of(prefixes).map(Prefix::parse).toList());
  }

  private static Nlri ipv6(String... prefixes) {
    return Nlri.of(IpFamily.IPV6, Stream.of(prefixes).map(Prefix::parse).toList());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("messages")
  void what_is_written_is_read_again(String name, Message message) {
    ByteBuf to = Unpooled.buffer();
    MessageCodec.encode(message, to, INTERNAL);
    assertThat(decode(to, INTERNAL)).isEqualTo(new Accepted(message));
  }

  @Test
  void an_update_is_written_ascending_with_exact_flags() {
    Update update =
        Update.ofIpv4(
            List.of(),
            PathAttributes.of(
                new PathAttribute.Communities(List.of(Community.parse("65001:100"))),
                new PathAttribute.Origin(PathAttribute.OriginCode.IGP),
                new PathAttribute.AsPathAttribute(AsPath.of(new Asn(65001)))),
            Ipv4Address.parse("10.201.1.1"),
            List.of(Prefix.parse("10.65.0.0/26")));
    assertThat(encode(update, EXTERNAL))
        .isEqualTo(
            "ff".repeat(16)
                + "0037 02 0000 001b".replace(" ", "")
                + (MANDATORY + "c00804 fde90064" + NLRI).replace(" ", ""));
  }

  static Stream<Arguments> resets() {
    return Stream.of(
        Arguments.of("withdrawn length overruns", 2, "ffff0000", 3, 1),
        Arguments.of("attribute length overruns", 2, "0000ffff", 3, 1),
        Arguments.of("NLRI of 33 bits", 2, "00000000 21 0000000000", 3, 10),
        Arguments.of("NLRI runs over the end", 2, "00000000 1a 0a41", 3, 10),
        Arguments.of("no NLRI and a malformed attribute", 2, "0000 0004 40010103", 3, 1),
        Arguments.of("OPEN version 3", 1, "03 fde9 005a 0a000001 00", 2, 1),
        Arguments.of("OPEN AS 0", 1, "04 0000 005a 0a000001 00", 2, 2),
        Arguments.of("OPEN identifier 0", 1, "04 fde9 005a 00000000 00", 2, 3),
        Arguments.of("OPEN unknown parameter", 1, "04 fde9 005a 0a000001 02 0100", 2, 4),
        Arguments.of("OPEN parameters overrun", 1, "04 fde9 005a 0a000001 05 0200", 2, 0),
        Arguments.of("OPEN capability overruns", 1, "04 fde9 005a 0a000001 04 02024104", 2, 0),
        Arguments.of("OPEN 255 and nothing after", 1, "04 fde9 005a 0a000001 ff", 2, 0),
        Arguments.of("OPEN extended header cut short", 1, "04 fde9 005a 0a000001 ff ff 00", 2, 0),
        Arguments.of("KEEPALIVE with a body", 4, "00", 1, 2),
        Arguments.of("OPEN without a parameter length", 1, "04 fde9 005a 0a000001", 1, 2),
        Arguments.of("UPDATE of 22 octets", 2, "000000", 1, 2),
        Arguments.of("ROUTE-REFRESH of 3 octets", 5, "000100", 7, 1),
        Arguments.of("message type 9", 9, "", 1, 3));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("resets")
  void what_cannot_be_read_resets_with_its_code(
      String name, int type, String body, int code, int subcode) {
    assertThat(decode(frame(type, body), EXTERNAL))
        .isInstanceOfSatisfying(
            SessionReset.class,
            reset -> {
              assertThat(reset.notification().code()).isEqualTo(code);
              assertThat(reset.notification().subcode()).isEqualTo(subcode);
            });
  }

  @Test
  void an_unknown_optional_transitive_attribute_survives_with_partial_set() {
    assertThat(update(MANDATORY + "c06303 0a0b0c", NLRI, EXTERNAL))
        .isInstanceOfSatisfying(
            Accepted.class,
            accepted ->
                assertThat(((Update) accepted.message()).attributes().all())
                    .contains(new PathAttribute.Unrecognized(0xe0, 99, Octets.ofHex("0a0b0c"))));
  }

  @Test
  void host_bits_are_masked() {
    assertThat(update(MANDATORY, "1a 0a41003f", EXTERNAL))
        .isInstanceOfSatisfying(
            Accepted.class,
            accepted ->
                assertThat(((Update) accepted.message()).announced())
                    .containsExactly(Prefix.parse("10.65.0.0/26")));
  }

  @Test
  void a_two_octet_peer_gets_as_trans_and_as4_path_and_they_merge_again() {
    AsPath path = AsPath.of(new Asn(65001), Asn.of(4200000000L));
    Update update =
        Update.ofIpv4(
            List.of(),
            PathAttributes.of(
                new PathAttribute.Origin(PathAttribute.OriginCode.IGP),
                new PathAttribute.AsPathAttribute(path)),
            Ipv4Address.parse("10.201.1.1"),
            List.of(Prefix.parse("10.65.0.0/26")));
    ByteBuf to = Unpooled.buffer();
    MessageCodec.encode(update, to, TWO_OCTET);
    assertThat(ByteBufUtil.hexDump(to)).contains("400206" + "0202fde95ba0").contains("c0110a");
    assertThat(decode(to, TWO_OCTET)).isEqualTo(new Accepted(update));
  }

  static Stream<Arguments> twoOctetPaths() {
    String origin = ORIGIN + NEXT_HOP;
    String old = "400206 0202 fde95ba0";
    String as4 = "c01106 0201 fa56ea00";
    return Stream.of(
        Arguments.of("AS4_PATH fills in", origin + old + as4, "65001 4200000000", null),
        Arguments.of("AS4_PATH first", as4 + origin + old, "65001 4200000000", null),
        Arguments.of(
            "its confederation segments go",
            origin + old + "c0110c 0301 00000007 0201 fa56ea00",
            "65001 4200000000",
            null),
        Arguments.of(
            "a 2-octet speaker aggregated: both are ignored",
            origin + old + "c00706 fdea 01020304" + as4 + "c01208 fa56ea00 01020304",
            "65001 23456",
            "65002"),
        Arguments.of(
            "a 4-octet speaker aggregated",
            origin + old + "c00706 5ba0 01020304" + as4 + "c01208 fa56ea00 01020304",
            "65001 4200000000",
            "4200000000"),
        Arguments.of(
            "AS4_PATH alone beside a 2-octet aggregator",
            origin + old + "c00706 fdea 01020304" + as4,
            "65001 4200000000",
            "65002"),
        Arguments.of(
            "AS4_AGGREGATOR without AGGREGATOR",
            origin + old + "c01208 fa56ea00 01020304",
            "65001 23456",
            null));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("twoOctetPaths")
  void what_a_two_octet_peer_sends_is_made_whole(
      String name, String attributes, String path, @Nullable String aggregator) {
    assertThat(update(attributes, NLRI, TWO_OCTET))
        .isInstanceOfSatisfying(
            Accepted.class,
            accepted -> {
              PathAttributes read = ((Update) accepted.message()).attributes();
              assertThat(read.asPath()).hasToString(path);
              PathAttribute.Aggregator by = read.aggregator();
              assertThat(by == null ? null : by.asn().toString()).isEqualTo(aggregator);
            });
  }

  @Test
  void only_an_end_of_rib_passes_for_one() {
    assertThat(update("", "", EXTERNAL)).isEqualTo(new Accepted(Update.endOfRib(IpFamily.IPV4)));
    assertThat(update("800f03 000201", "", EXTERNAL))
        .isEqualTo(new Accepted(Update.endOfRib(IpFamily.IPV6)));
    for (String attributes :
        List.of(
            ORIGIN,
            NEXT_HOP,
            "806301 00",
            "c01106 0201 0000fde9",
            "800e0b 00194104 00000000 00 ffff" + ORIGIN + AS_PATH,
            "800e15 00020110" + "20".repeat(16) + "00")) {
      assertThat(update(attributes, "", EXTERNAL))
          .as(attributes)
          .isInstanceOfSatisfying(
              Accepted.class,
              accepted -> assertThat(((Update) accepted.message()).endOfRib()).isEmpty());
    }
  }

  @Test
  void a_longer_as4_path_is_ignored() {
    AsPath path = AsPath.of(Asn.TRANS);
    assertThat(AsPathCodec.merge(path, AsPath.of(new Asn(1), new Asn(2)))).isEqualTo(path);
    assertThat(AsPathCodec.merge(AsPath.of(new Asn(7), Asn.TRANS), AsPath.of(Asn.of(70000))))
        .isEqualTo(AsPath.of(new Asn(7), Asn.of(70000)));
  }

  @Test
  void a_stream_is_cut_into_messages_wherever_it_is_split() {
    ByteBuf stream = Unpooled.buffer();
    MessageCodec.encode(new Keepalive(), stream, EXTERNAL);
    MessageCodec.encode(new RouteRefresh(AfiSafi.IPV4_UNICAST), stream, EXTERNAL);
    byte[] octets = ByteBufUtil.getBytes(stream);
    for (int split = 0; split <= octets.length; split++) {
      EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder());
      channel.writeInbound(Unpooled.copiedBuffer(Arrays.copyOfRange(octets, 0, split)));
      channel.writeInbound(Unpooled.copiedBuffer(Arrays.copyOfRange(octets, split, octets.length)));
      assertThat(channel.<Object>readInbound()).isEqualTo(new Accepted(new Keepalive()));
      assertThat(channel.<Object>readInbound())
          .isEqualTo(new Accepted(new RouteRefresh(AfiSafi.IPV4_UNICAST)));
      channel.finishAndReleaseAll();
    }
  }

  static Stream<Arguments> linkLocalHops() {
    String global = "20010db8" + "00".repeat(11) + "01";
    String local = "fe80" + "00".repeat(13) + "01";
    String none = "00".repeat(16);
    return Stream.of(
        Arguments.of("global", global, "2001:db8::1", null),
        Arguments.of("link-local alone", local, "fe80::1", null),
        Arguments.of("link-local twice", local + local, "fe80::1", null),
        Arguments.of("none and link-local", none + local, "fe80::1", null),
        Arguments.of("global and link-local", global + local, "2001:db8::1", "fe80::1"),
        Arguments.of("two globals", global + global, "2001:db8::1", null));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("linkLocalHops")
  void an_ipv6_next_hop_is_read_in_every_shape(
      String name, String hop, String address, @Nullable String linkLocal) {
    int octets = hop.length() / 2;
    String reach =
        String.format("800e%02x000201%02x", octets + 10, octets) + hop + "00" + "2020010db8";
    PathAttribute.MpReach expected =
        new PathAttribute.MpReach(
            AfiSafi.IPV6_UNICAST,
            IpAddress.parse(address),
            linkLocal == null ? null : IpAddress.parse(linkLocal),
            ipv6("2001:db8::/32"));
    assertThat(update(ORIGIN + AS_PATH + reach, "", EXTERNAL))
        .isInstanceOfSatisfying(
            Accepted.class,
            accepted -> assertThat(((Update) accepted.message()).reachable()).isEqualTo(expected));
  }

  @Test
  void path_identifiers_and_ipv6_next_hops_of_ipv4_are_read_as_they_were_written() {
    CodecContext both =
        EXTERNAL
            .withAddPath(EXTERNAL.families(), EXTERNAL.families())
            .withExtendedNextHop(Set.of(AfiSafi.IPV4_UNICAST));
    Update update =
        Update.ofReachable(
            PathAttributes.of(
                new PathAttribute.Origin(PathAttribute.OriginCode.IGP),
                new PathAttribute.AsPathAttribute(AsPath.of(new Asn(65001)))),
            new PathAttribute.MpReach(
                AfiSafi.IPV4_UNICAST,
                IpAddress.parse("2001:db8::1"),
                IpAddress.parse("fe80::1"),
                Nlri.builder(IpFamily.IPV4, 2)
                    .add(0x0a410000L, 0, 26, 7)
                    .add(0x0a410000L, 0, 26, -1)
                    .build()));
    ByteBuf to = Unpooled.buffer();
    MessageCodec.encode(update, to, both);
    assertThat(decode(to, both)).isEqualTo(new Accepted(update));
  }

  @Test
  void the_partial_bit_of_a_known_attribute_stays_set() {
    assertThat(update(MANDATORY + "e00804 fde90064", NLRI, EXTERNAL))
        .isInstanceOfSatisfying(
            Accepted.class,
            accepted -> {
              Update read = (Update) accepted.message();
              assertThat(read.attributes().isPartial(8)).isTrue();
              assertThat(encode(read, EXTERNAL)).contains("e00804fde90064");
              PathAttributes tagged =
                  read.attributes()
                      .with(new PathAttribute.Communities(List.of(Community.parse("1:2"))));
              assertThat(tagged.isPartial(8)).isTrue();
              assertThat(tagged.with(PathAttribute.Communities.NONE).isPartial(8)).isFalse();
            });
  }

  @Test
  void a_notification_is_read_however_short_because_none_may_answer_it() {
    assertThat(decode(frame(3, "0602"), EXTERNAL)).isEqualTo(new Accepted(Notification.of(6, 2)));
    assertThat(decode(frame(3, "06"), EXTERNAL)).isEqualTo(new Accepted(Notification.of(6, 0)));
    assertThat(decode(frame(3, ""), EXTERNAL)).isEqualTo(new Accepted(Notification.of(0, 0)));
  }

  @Test
  void only_subtype_0_of_route_refresh_asks_for_routes() {
    assertThat(decode(frame(5, "00010001"), EXTERNAL))
        .isEqualTo(new Accepted(new RouteRefresh(AfiSafi.IPV4_UNICAST)));
    for (String subtype : List.of("01", "02", "ff")) {
      assertThat(decode(frame(5, "0001" + subtype + "01"), EXTERNAL))
          .isInstanceOfSatisfying(
              Accepted.class,
              accepted -> assertThat(((RouteRefresh) accepted.message()).isRequest()).isFalse());
    }
  }

  static Stream<Arguments> frames() {
    return Stream.of(
        Arguments.of("marker with a zero", "ff".repeat(15) + "00" + "001304", 1),
        Arguments.of("length 18", "ff".repeat(16) + "001204", 2),
        Arguments.of("length 4097", "ff".repeat(16) + "100102", 2));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("frames")
  void a_bad_header_resets_and_nothing_more_is_read(String name, String stream, int subcode) {
    EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder());
    channel.writeInbound(Unpooled.wrappedBuffer(hex(stream + "ff".repeat(16) + "001304")));
    Object first = channel.readInbound();
    assertThat(first)
        .isInstanceOfSatisfying(
            SessionReset.class,
            reset -> {
              assertThat(reset.notification().code()).isEqualTo(1);
              assertThat(reset.notification().subcode()).isEqualTo(subcode);
            });
    assertThat(channel.<Object>readInbound()).isNull();
    channel.finishAndReleaseAll();
  }
}
