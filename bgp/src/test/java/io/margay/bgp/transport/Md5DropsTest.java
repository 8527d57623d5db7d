package io.margay.bgp.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class Md5DropsTest {

  private static final List<String> NETSTAT =
      List.of(
          "IpExt: InNoRoutes TCPMD5NotFound",
          "IpExt: 9 9",
          "TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPMinTTLDrop",
          "TcpExt: 7 3 0 14 8");

  @Test
  void counters_are_found_by_name_in_their_group() throws IOException {
    assertThat(Md5Drops.parse(NETSTAT)).isEqualTo(new Md5Drops(3, 0, 14));
  }

  @Test
  void a_kernel_without_the_counters_is_an_error() {
    assertThatThrownBy(() -> Md5Drops.parse(List.of("TcpExt: A B", "TcpExt: 1 2")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("TCPMD5NotFound");
    assertThatThrownBy(() -> Md5Drops.parse(List.of())).hasMessageContaining("TcpExt");
    assertThatThrownBy(() -> Md5Drops.parse(List.of("TcpExt: TCPMD5NotFound", "TcpExt: many")))
        .hasMessageContaining("many");
  }

  @Test
  void this_kernel_has_the_counters() throws IOException {
    assertThat(Md5Drops.read().total()).isNotNegative();
  }

  @Test
  void the_reason_names_what_was_dropped_since_and_for_whom_it_speaks() {
    Md5Drops since = new Md5Drops(5, 1, 20).since(new Md5Drops(5, 0, 6));
    assertThat(since.total()).isEqualTo(15);
    assertThat(since.reason())
        .isEqualTo(
            "TCP MD5 dropped 14 segments signed with another password, 1 segments with a signature"
                + " where no password is set here (all peers of this network namespace together)");
    assertThat(since.since(since).reason()).isEmpty();
  }
}
