package io.margay.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.Errno;
import io.margay.linux.NetlinkException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

class AttributesTest {

  private static MessageBuilder builder() {
    return new MessageBuilder(24, 0, "test", "object");
  }

  private static NetlinkMessage sample() {
    return builder()
        .u8(2)
        .u8(24)
        .u16(0x1234)
        .attrU8(1, 0xfe)
        .attrU16(2, 0xabcd)
        .attrBe16(3, 0xabcd)
        .attrU32(4, -5)
        .attrBe32(5, 0x01020304)
        .attrU64(6, Long.MIN_VALUE)
        .attrBe64(7, 0x0102030405060708L)
        .attrString(8, "cali1")
        .attrFlag(9)
        .nest(10, nest -> nest.attrU32(1, 7).nest(2, inner -> inner.attrString(1, "x")))
        .build();
  }

  @Test
  void what_was_written_is_read() throws Exception {
    NetlinkMessage message = sample();
    assertThat(message.u16(2)).isEqualTo(0x1234);
    Attributes attributes = message.attributes(4);
    assertThat(attributes.size()).isEqualTo(10);
    assertThat(attributes.find(1).orElseThrow().u8()).isEqualTo(0xfe);
    assertThat(attributes.find(2).orElseThrow().u16()).isEqualTo(0xabcd);
    assertThat(attributes.find(3).orElseThrow().be16()).isEqualTo(0xabcd);
    assertThat(attributes.u32(4, 0)).isEqualTo(-5);
    assertThat(attributes.find(5).orElseThrow().be32()).isEqualTo(0x01020304);
    assertThat(attributes.find(6).orElseThrow().u64()).isEqualTo(Long.MIN_VALUE);
    assertThat(attributes.find(7).orElseThrow().be64()).isEqualTo(0x0102030405060708L);
    assertThat(attributes.string(8, "")).isEqualTo("cali1");
    assertThat(attributes.has(9)).isTrue();
    assertThat(attributes.has(11)).isFalse();
    Attributes nest = attributes.find(10).orElseThrow().nested();
    assertThat(nest.u32(1, 0)).isEqualTo(7);
    assertThat(nest.find(2).orElseThrow().nested().string(1, "")).isEqualTo("x");
  }

  @Test
  void attributes_are_padded_to_four_and_their_length_is_not() {
    NetlinkMessage message = builder().attrString(3, "eth0").attrU8(1, 9).build();
    assertThat(HexFormat.of().formatHex(message.payload()))
        .isEqualTo("09000300" + "65746830" + "00000000" + "05000100" + "09000000");
  }

  @Test
  void a_short_value_is_a_netlink_exception() throws Exception {
    Attribute one = builder().attrU8(1, 1).build().attributes(0).find(1).orElseThrow();
    assertThatThrownBy(one::u32)
        .isInstanceOfSatisfying(
            NetlinkException.class, e -> assertThat(e.is(Errno.EBADMSG)).isTrue())
        .hasMessageContaining("test object")
        .hasMessageContaining("attribute 1 of 1 octets; 4 are needed");
  }

  @Test
  void no_mutilated_message_reads_beyond_its_end() {
    byte[] whole = sample().payload();
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(117);
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = Arrays.copyOf(whole, random.nextInt(whole.length + 1));
      for (int flips = random.nextInt(4); flips > 0 && bytes.length > 0; flips--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      try {
        readAll(new NetlinkMessage(24, 0, bytes, "test", "object"));
      } catch (NetlinkException expected) {
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }

  private static void readAll(NetlinkMessage message) throws NetlinkException {
    for (Attribute attribute : message.attributes(4)) {
      attribute.string();
      attribute.bytes();
      if (attribute.type() == 10) {
        for (Attribute inner : attribute.nested()) {
          inner.u32();
        }
      } else {
        attribute.u64();
      }
    }
  }

  @Test
  void a_nest_beyond_16_bits_is_a_bug_and_says_so() {
    byte[] half = new byte[40_000];
    assertThatThrownBy(() -> builder().nest(1, nest -> nest.attr(1, half).attr(2, half)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("split it");
  }
}
