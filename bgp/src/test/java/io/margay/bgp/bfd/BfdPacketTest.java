package io.margay.bgp.bfd;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BfdPacketTest {

  private static final BfdPacket PACKET =
      new BfdPacket(
          BfdDiagnostic.NEIGHBOR_SIGNALED_DOWN,
          BfdState.UP,
          true,
          false,
          true,
          false,
          3,
          0x01020304,
          0xfffffffe,
          300_000,
          -1,
          0);

  @Test
  void the_wire_format_is_that_of_rfc_5880_section_4_1() {
    ByteBuf to = Unpooled.buffer();
    PACKET.encode(to);
    assertThat(ByteBufUtil.hexDump(to))
        .isEqualTo("23e80318" + "01020304" + "fffffffe" + "000493e0" + "ffffffff" + "00000000");
    assertThat(BfdPacket.decode(to)).isEqualTo(new BfdPacket.Decoded.Valid(PACKET));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "no packet,                 20",
    "cut short,                 20c003180000000100000002000493e0000493e0000000",
    "version 0,                 00c003180000000100000002000493e0000493e000000000",
    "version 2,                 40c003180000000100000002000493e0000493e000000000",
    "length 23,                 20c003170000000100000002000493e0000493e000000000",
    "length beyond the datagram,20c003190000000100000002000493e0000493e000000000",
    "authenticated but 24,      20c403180000000100000002000493e0000493e000000000",
    "authenticated,             20c4031a0000000100000002000493e0000493e0000000000102",
    "multiplier 0,              20c000180000000100000002000493e0000493e000000000",
    "multipoint,                20c103180000000100000002000493e0000493e000000000",
    "my discriminator 0,        20c003180000000000000002000493e0000493e000000000",
    "up without yours,          20c003180000000100000000000493e0000493e000000000",
    "init without yours,        208003180000000100000000000493e0000493e000000000",
  })
  void what_section_6_8_6_discards_is_discarded(String why, String hex) {
    assertThat(BfdPacket.decode(Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex))))
        .isInstanceOf(BfdPacket.Decoded.Discarded.class);
  }

  @Test
  void a_first_packet_has_no_your_discriminator() {
    ByteBuf down =
        Unpooled.wrappedBuffer(
            ByteBufUtil.decodeHexDump("204003180000000100000000000f4240000493e000000000"));
    assertThat(BfdPacket.decode(down)).isInstanceOf(BfdPacket.Decoded.Valid.class);
  }

  @Test
  void noise_is_never_more_than_discarded() {
    Random random = new Random(5880);
    for (int i = 0; i < 100_000; i++) {
      byte[] noise = new byte[random.nextInt(40)];
      random.nextBytes(noise);
      if (noise.length > 3 && random.nextBoolean()) {
        noise[0] = (byte) (0x20 | noise[0] & 0x1f);
        noise[3] = (byte) noise.length;
      }
      if (BfdPacket.decode(Unpooled.wrappedBuffer(noise))
          instanceof BfdPacket.Decoded.Valid(BfdPacket packet)) {
        assertThat(packet.multiplier()).isPositive();
        assertThat(packet.myDiscriminator()).isNotZero();
      }
    }
  }
}
