package io.margay.linux.nft;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.NftRuleBuilder.Side;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class NftTextTest {

  private static NftTableState state(IpFamily family) {
    boolean four = family == IpFamily.IPV4;
    NftSet ports = NftSet.dataMap("ports", List.of(NftField.PROTOCOL), List.of(NftField.PORT));
    return new NftTableState(
        new NftTableName(family, "margay"),
        List.of(
            new NftChain(
                "in",
                new NftHook(NftHook.Type.FILTER, NftHook.Point.FORWARD, -11),
                List.of(
                    new NftRuleBuilder(family)
                        .protocol(four ? NftPacket.ICMP : NftPacket.ICMPV6, false)
                        .icmpType(four ? 8 : 128, false)
                        .address(
                            Side.SOURCE, Prefix.parse(four ? "10.0.0.0/15" : "fd00::/33"), false)
                        .address(
                            Side.DESTINATION, Prefix.parse(four ? "10.0.0.0/9" : "fe80::/10"), true)
                        .counter()
                        .verdict(NftVerdict.DROP)
                        .build("odd")))),
        Map.of(ports, List.of()));
  }

  @Test
  void prefixes_and_icmp_types_are_written_as_people_do() {
    assertThat(NftText.print(state(IpFamily.IPV4)))
        .contains(
            "meta l4proto icmp icmp type 8 ip saddr 10.0.0.0/15 ip daddr != 10.0.0.0/9 counter"
                + " drop comment \"odd\"");
    assertThat(NftText.print(state(IpFamily.IPV6)))
        .contains(
            "meta l4proto ipv6-icmp icmpv6 type 128 ip6 saddr fd00::/33 ip6 daddr != fe80::/10"
                + " counter drop comment \"odd\"");
  }

  @Tag("netns")
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void nft_reads_what_looks_up_no_set_by_number(IpFamily family, @TempDir Path folder)
      throws Exception {
    Path file = Files.writeString(folder.resolve("table.nft"), NftText.print(state(family)));
    try (NftNamespace namespace = new NftNamespace()) {
      assertThat(namespace.nft("-c", "-f", file.toString())).isEmpty();
    }
  }
}
