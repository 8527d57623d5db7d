package io.margay.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cli.lab.Command;
import io.margay.cli.lab.LabException;
import io.margay.model.net.IpAddress;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Between two namespaces of its own; the kernel's packet counter is the second opinion.
@Tag("netns")
class UdpFloodTest {

  private static final int ENOUGH = 500;

  private final String from = "mgyt-" + ProcessHandle.current().pid() + "-f";
  private final String to = "mgyt-" + ProcessHandle.current().pid() + "-t";

  @BeforeEach
  void connect() throws LabException {
    Command.of("ip", "netns", "add", from).output();
    Command.of("ip", "netns", "add", to).output();
    Command.of(
            "ip", "-n", from, "link", "add", "name", "fa", "type", "veth", "peer", "name", "tb",
            "netns", to)
        .output();
    Command.of("ip", "-n", from, "-batch", "-")
        .reading(
            "addr add 10.9.0.1/24 dev fa\naddr add fd09::1/64 dev fa nodad\nlink set dev fa up\n")
        .output();
    Command.of("ip", "-n", to, "-batch", "-")
        .reading(
            "addr add 10.9.0.2/24 dev tb\naddr add fd09::2/64 dev tb nodad\nlink set dev tb up\n")
        .output();
  }

  @AfterEach
  void remove() throws LabException {
    Command.of("ip", "netns", "del", from).run();
    Command.of("ip", "netns", "del", to).run();
  }

  @Test
  void nothing_is_lost_on_a_clean_wire() throws Exception {
    UdpFlood.Report report = flood("10.9.0.2");
    assertThat(report.lost()).isZero();
    assertThat(report.received() + report.overflowed()).isEqualTo(report.sent());
    assertThat(report.duplicates()).isZero();
  }

  @Test
  void what_the_wire_drops_is_counted_to_the_packet() throws Exception {
    Command.in(
            to,
            "nft",
            "add table inet w; add chain inet w i { type filter hook input priority 0; };"
                + "add rule inet w i udp dport 9000 numgen inc mod 7 0 counter drop")
        .output();
    UdpFlood.Report report = flood("10.9.0.2");
    Matcher dropped =
        Pattern.compile("counter packets (\\d+)")
            .matcher(Command.in(to, "nft", "list", "ruleset").output());
    assertThat(dropped.find()).isTrue();
    assertThat(report.lost()).isEqualTo(Integer.parseInt(dropped.group(1))).isPositive();
  }

  private UdpFlood.Report flood(String target) throws Exception {
    UdpFlood flood = UdpFlood.start(from, to, IpAddress.parse(target), 9000, 2000);
    while (flood.received() < ENOUGH) {
      Thread.onSpinWait();
    }
    return flood.stop();
  }
}
