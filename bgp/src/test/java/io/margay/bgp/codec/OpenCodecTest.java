package io.margay.bgp.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.codec.DecodeOutcome.Accepted;
import io.margay.bgp.codec.DecodeOutcome.SessionReset;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Octets;
import io.margay.bgp.message.Open;
import io.margay.model.net.Asn;
import io.margay.model.net.RouterId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class OpenCodecTest {

  private static final String FIXED = "04" + "fde9" + "005a" + "0a000001";

  private static DecodeOutcome read(String parameters) {
    String body = FIXED + parameters.replace(" ", "");
    byte[] message =
        HexFormat.of()
            .parseHex(
                "ff".repeat(16) + String.format("%04x", 19 + body.length() / 2) + "01" + body);
    return MessageCodec.decode(message, message.length, CodecContext.INITIAL);
  }

  private static Open open(Capability... capabilities) {
    return new Open(
        new Asn(65001), Duration.ofSeconds(90), RouterId.parse("10.0.0.1"), List.of(capabilities));
  }

  private static byte[] write(Open open) {
    ByteBuf to = Unpooled.buffer();
    MessageCodec.encode(open, to, CodecContext.INITIAL);
    return ByteBufUtil.getBytes(to);
  }

  static Stream<Arguments> wellFormed() {
    Capability refresh = new Capability.RouteRefreshing();
    Capability ipv4 = new Capability.MultiProtocol(AfiSafi.IPV4_UNICAST);
    return Stream.of(
        Arguments.of("no parameters", "00", open()),
        Arguments.of("a parameter without capabilities", "02 0200", open()),
        Arguments.of(
            "one parameter, two capabilities", "0a 0208 0104 00010001 0200", open(ipv4, refresh)),
        Arguments.of("two parameters", "0c 0206 0104 00010001 0202 0200", open(ipv4, refresh)),
        Arguments.of("a capability repeated", "06 0204 0200 0200", open(refresh, refresh)),
        Arguments.of(
            "a capability of the wrong length is as good as unknown",
            "05 0203 4101 07",
            open(new Capability.Unknown(65, Octets.ofHex("07")))),
        Arguments.of(
            "multiprotocol of 3 octets",
            "07 0205 0103 000100",
            open(new Capability.Unknown(1, Octets.ofHex("000100")))),
        Arguments.of(
            "unknown capabilities, one empty",
            "09 0207 f900 4903 026f6b",
            open(
                new Capability.Unknown(249, Octets.EMPTY),
                new Capability.Unknown(73, Octets.ofHex("026f6b")))),
        Arguments.of(
            "graceful restart with R, N and F bits",
            "0a 0208 4006 c078 00020180",
            open(
                new Capability.GracefulRestart(
                    true,
                    true,
                    Duration.ofMinutes(2),
                    List.of(new Capability.GracefulRestart.Kept(AfiSafi.IPV6_UNICAST, true))))),
        Arguments.of(
            "add-path: receive, send, both, nonsense",
            "14 0212 4510 00010101 00020102 00190103 00010204",
            open(
                new Capability.AddPath(
                    List.of(
                        new Capability.AddPath.Family(AfiSafi.IPV4_UNICAST, true, false),
                        new Capability.AddPath.Family(AfiSafi.IPV6_UNICAST, false, true),
                        new Capability.AddPath.Family(new AfiSafi(25, 1), true, true))))),
        Arguments.of(
            "extended next hop",
            "0a 0208 0506 0001 0001 0002",
            open(Capability.ExtendedNextHop.ipv6For(AfiSafi.IPV4_UNICAST))),
        Arguments.of("long form of a short list", "ff ff 0005 02 0002 0200", open(refresh)),
        Arguments.of("long form, short length 1", "01 ff 0005 02 0002 0200", open(refresh)),
        Arguments.of("long form of nothing", "ff ff 0000", open()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wellFormed")
  void an_open_is_read(String name, String parameters, Open expected) {
    assertThat(read(parameters)).isEqualTo(new Accepted(expected));
  }

  static Stream<Arguments> malformed() {
    return Stream.of(
        Arguments.of("255 and nothing after", "ff", 0),
        Arguments.of("255 twice and nothing after", "ffff", 0),
        Arguments.of("long length cut short", "ffff00", 0),
        Arguments.of("long length lies", "ff ff 0009 02 0002 0200", 0),
        Arguments.of("long parameter header cut short", "ff ff 0002 02 00", 0),
        Arguments.of("long parameter overruns", "ff ff 0005 02 0003 0200", 0),
        Arguments.of("parameters missing", "05 0200", 0),
        Arguments.of("octets behind the parameters", "00 0200", 0),
        Arguments.of("parameter header cut short", "01 02", 0),
        Arguments.of("parameter overruns", "02 0204", 0),
        Arguments.of("capability header cut short", "03 0201 41", 0),
        Arguments.of("capability overruns its parameter", "06 0202 4104 0206", 0),
        Arguments.of("unknown parameter", "02 0100", 4),
        Arguments.of("unknown parameter in the long form", "ff ff 0003 01 0000", 4),
        Arguments.of("AS 0 in the capability", "08 0206 4104 00000000", 2));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("malformed")
  void a_malformed_open_is_refused_with_its_subcode(String name, String parameters, int subcode) {
    assertThat(read(parameters))
        .isInstanceOfSatisfying(
            SessionReset.class,
            reset -> {
              assertThat(reset.notification().code()).isEqualTo(2);
              assertThat(reset.notification().subcode()).isEqualTo(subcode);
              assertThat(reset.problem()).isNotBlank();
              assertThat(reset.hex()).startsWith("ff".repeat(16));
            });
  }

  @Test
  void the_long_form_is_written_only_above_255_octets() {
    for (int octets : new int[] {0, 1, 100, 250, 251, 252, 253, 254, 255, 300, 2000}) {
      List<Capability> capabilities = new ArrayList<>();
      int left = octets;
      while (left >= 2) {
        int value = Math.min(left - 2, 255);
        if (left - 2 - value == 1) {
          value--;
        }
        capabilities.add(new Capability.Unknown(200, Octets.of(new byte[value])));
        left -= 2 + value;
      }
      Open open = open(capabilities.toArray(Capability[]::new));
      byte[] written = write(open);
      boolean isLong = (written[28] & 0xff) == 255 && (written[29] & 0xff) == 255;
      assertThat(isLong).as("%d octets", octets).isEqualTo(octets - left + 2 > 255);
      assertThat(MessageCodec.decode(written, written.length, CodecContext.INITIAL))
          .isEqualTo(new Accepted(open));
    }
  }

  @Test
  void pieces_of_a_capability_are_found_wherever_they_stand() {
    Open open =
        open(
            new Capability.AddPath(
                List.of(new Capability.AddPath.Family(AfiSafi.IPV4_UNICAST, true, false))),
            new Capability.AddPath(
                List.of(new Capability.AddPath.Family(AfiSafi.IPV6_UNICAST, true, true))),
            new Capability.GracefulRestart(false, Duration.ofSeconds(1), List.of()),
            new Capability.GracefulRestart(true, Duration.ofSeconds(2), List.of()),
            Capability.ExtendedNextHop.ipv6For(new AfiSafi(1, 128)),
            Capability.ExtendedNextHop.ipv6For(AfiSafi.IPV4_UNICAST));
    assertThat(open.addPath(AfiSafi.IPV4_UNICAST))
        .contains(new Capability.AddPath.Family(AfiSafi.IPV4_UNICAST, true, false));
    assertThat(open.addPath(AfiSafi.IPV6_UNICAST))
        .map(Capability.AddPath.Family::send)
        .contains(true);
    assertThat(open.addPath(new AfiSafi(25, 65))).isEmpty();
    assertThat(open.takesIpv6NextHop(AfiSafi.IPV4_UNICAST)).isTrue();
    assertThat(open.takesIpv6NextHop(AfiSafi.IPV6_UNICAST)).isFalse();
    assertThat(open.capability(Capability.GracefulRestart.class))
        .map(Capability.GracefulRestart::restarting)
        .contains(true);
  }
}
