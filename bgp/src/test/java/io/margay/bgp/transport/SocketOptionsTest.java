package io.margay.bgp.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.model.net.Prefix;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/// `struct tcp_md5sig` octet by octet, as `offsetof` of linux/tcp.h has it.
class SocketOptionsTest {

  private static String hex(ByteBuffer buffer, int from, int length) {
    byte[] octets = new byte[length];
    buffer.get(from, octets);
    return HexFormat.of().formatHex(octets);
  }

  @Test
  void an_ipv4_range_and_its_key() {
    ByteBuffer sig =
        SocketOptions.md5sig(Prefix.parse("10.1.0.0/16"), new Password("s3cret"))
            .order(ByteOrder.nativeOrder());
    assertThat(sig.capacity()).isEqualTo(216);
    assertThat(sig.getShort(0)).as("sin_family").isEqualTo((short) 2);
    assertThat(hex(sig, 2, 6)).as("sin_port, sin_addr").isEqualTo("00000a010000");
    assertThat(hex(sig, 8, 120)).as("rest of sockaddr_storage").isEqualTo("00".repeat(120));
    assertThat(hex(sig, 128, 2)).as("tcpm_flags, tcpm_prefixlen").isEqualTo("0110");
    assertThat(sig.getShort(130)).as("tcpm_keylen").isEqualTo((short) 6);
    assertThat(sig.getInt(132)).as("tcpm_ifindex").isZero();
    assertThat(hex(sig, 136, 80)).as("tcpm_key").isEqualTo("733363726574" + "00".repeat(74));
  }

  @Test
  void an_ipv6_host_loses_its_key() {
    ByteBuffer sig =
        SocketOptions.md5sig(Prefix.parse("fd00::1/128"), null).order(ByteOrder.nativeOrder());
    assertThat(sig.getShort(0)).as("sin6_family").isEqualTo((short) 10);
    assertThat(hex(sig, 2, 6)).as("sin6_port, sin6_flowinfo").isEqualTo("000000000000");
    assertThat(hex(sig, 8, 16)).as("sin6_addr").isEqualTo("fd000000000000000000000000000001");
    assertThat(hex(sig, 128, 2)).isEqualTo("0180");
    assertThat(sig.getShort(130)).as("tcpm_keylen").isZero();
  }

  @Test
  void a_password_has_1_to_80_octets_no_zero_and_no_face() {
    assertThat(new Password("é".repeat(40)).toBytes()).hasSize(80);
    assertThatThrownBy(() -> new Password("é".repeat(41))).hasMessageContaining("82");
    assertThatThrownBy(() -> new Password("")).hasMessageContaining("not 0");
    assertThatThrownBy(() -> new Password("a\0b")).hasMessageContaining("zero octet");
    assertThat(new Password("s3cret").toString()).doesNotContain("s3cret");
  }
}
