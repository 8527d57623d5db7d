package io.margay.linux.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.nft.NftRuleBuilder.Side;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The nft tool's library and the tool itself read what we wrote.
@Tag("netns")
final class NftListingTest {

  private NftNamespace namespace;

  @BeforeEach
  void raise() throws IOException {
    namespace = new NftNamespace();
  }

  @AfterEach
  void clean() throws IOException {
    namespace.close();
  }

  private static NftRuleBuilder rule() {
    return new NftRuleBuilder(IpFamily.IPV4);
  }

  @Test
  void nft_reads_our_rules_as_we_mean_them() throws Exception {
    try (NftTable table = new NftTable(namespace.open(), "margay", Ownership.NEVER);
        NftOracle oracle = new NftOracle(namespace.fd())) {
      table.declareSet(IpFamily.IPV4, NftSet.verdictMap("from_wl", NftField.INTERFACE_NAME));
      table.declareSet(
          IpFamily.IPV4, NftSet.hash("owned", NftField.INTERFACE_NAME, NftField.IPV4_ADDRESS));
      table.putChain(
          IpFamily.IPV4,
          new NftChain(
              "egress",
              new NftHook(NftHook.Type.FILTER, NftHook.Point.PREROUTING, -90),
              List.of(
                  rule().ctState(6).verdict(NftVerdict.ACCEPT).build("established"),
                  rule().ctState(1).counter().verdict(NftVerdict.DROP).build("invalid"),
                  rule()
                      .interfacePrefix(Side.SOURCE, "cali")
                      .interfaceAndSource("owned", true)
                      .verdict(NftVerdict.DROP)
                      .build("spoof"),
                  rule().interfaceVerdict(Side.SOURCE, "from_wl").build("dispatch"))));
      table.putChain(
          IpFamily.IPV4,
          NftChain.regular(
              "e-a",
              List.of(
                  rule()
                      .protocol(6, false)
                      .port(Side.DESTINATION, 80, 80, false)
                      .verdict(NftVerdict.ACCEPT)
                      .build("http"),
                  rule()
                      .protocol(17, false)
                      .port(Side.SOURCE, 1000, 2000, true)
                      .verdict(NftVerdict.RETURN)
                      .build("udp"),
                  rule()
                      .address(Side.SOURCE, Prefix.parse("10.1.0.0/16"), false)
                      .address(Side.DESTINATION, Prefix.parse("10.2.0.0/15"), true)
                      .verdict(NftVerdict.ACCEPT)
                      .build("nets"),
                  rule()
                      .protocol(1, false)
                      .icmpType(8, false)
                      .limit(10, 5)
                      .log("ping ")
                      .verdict(NftVerdict.DROP)
                      .build("policy|ns/name|ingress|0"),
                  rule()
                      .ctState(8)
                      .protocol(6, false)
                      .tcpFlags(0x17, 0x02, true)
                      .verdict(NftVerdict.DROP)
                      .build("syn"))));
      table.putElement(
          IpFamily.IPV4,
          "from_wl",
          NftElement.verdict(
              NftData.interfaceName(new InterfaceName("cali0")), NftVerdict.jump("e-a")));
      table.putElement(
          IpFamily.IPV4,
          "owned",
          NftElement.of(
              NftData.concat(
                  NftData.interfaceName(new InterfaceName("cali0")),
                  NftData.address(IpAddress.parse("10.0.0.1")))));
      table.apply();

      assertThat(lines(oracle.run("list table ip margay")))
          .containsExactly(
              "table ip margay {",
              "map from_wl {",
              "type ifname : verdict",
              "elements = { \"cali0\" : jump e-a }",
              "}",
              "set owned {",
              "type ifname . ipv4_addr",
              "elements = { \"cali0\" . 10.0.0.1 }",
              "}",
              "chain e-a {",
              "tcp dport 80 accept comment \"http\"",
              "udp sport != 1000-2000 return comment \"udp\"",
              "ip saddr 10.1.0.0/16 ip daddr != 10.2.0.0/15 accept comment \"nets\"",
              "icmp type echo-request limit rate 10/second log prefix \"ping \" level info drop"
                  + " comment \"policy|ns/name|ingress|0\"",
              "ct state new tcp flags != syn / fin,syn,rst,ack drop comment \"syn\"",
              "}",
              "chain egress {",
              "type filter hook prerouting priority dstnat + 10; policy accept;",
              "ct state established,related accept comment \"established\"",
              "ct state invalid counter packets 0 bytes 0 drop comment \"invalid\"",
              "iifname \"cali*\" iifname . ip saddr != @owned drop comment \"spoof\"",
              "iifname vmap @from_wl comment \"dispatch\"",
              "}",
              "}");
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void nft_reads_our_translations_as_we_mean_and_print_them(IpFamily family) throws Exception {
    String word = family == IpFamily.IPV4 ? "ip" : "ip6";
    NftField address = NftField.address(family);
    IpAddress node = IpAddress.parse(family == IpFamily.IPV4 ? "192.0.2.1" : "2001:db8::1");
    IpAddress pod = IpAddress.parse(family == IpFamily.IPV4 ? "10.0.0.1" : "fd00::1");
    NftData key = NftData.concat(NftData.octet(17), NftData.port(53));
    NftData target = NftData.concat(NftData.address(pod), NftData.port(5353));
    try (NftTable table = new NftTable(namespace.open(), "margay", Ownership.NEVER);
        NftOracle oracle = new NftOracle(namespace.fd())) {
      table.declareSet(
          family,
          NftSet.dataMap(
              "at",
              List.of(address, NftField.PROTOCOL, NftField.PORT),
              List.of(address, NftField.PORT)));
      table.declareSet(
          family,
          NftSet.dataMap(
              "any", List.of(NftField.PROTOCOL, NftField.PORT), List.of(address, NftField.PORT)));
      table.declareSet(family, NftSet.hash("self", address, address));
      table.putElement(
          family,
          "at",
          NftElement.value(
              NftData.concat(NftData.address(node), NftData.octet(17), NftData.port(53)), target));
      table.putElement(family, "any", NftElement.value(key, target));
      table.putElement(
          family,
          "self",
          NftElement.of(NftData.concat(NftData.address(pod), NftData.address(pod))));
      table.putChain(
          family,
          new NftChain(
              "in",
              new NftHook(NftHook.Type.NAT, NftHook.Point.PREROUTING, -99),
              List.of(
                  new NftRuleBuilder(family)
                      .toLocalAddress()
                      .destinationByAddressAndPort("at")
                      .build("at"),
                  new NftRuleBuilder(family)
                      .toLocalAddress()
                      .destinationByPort("any")
                      .build("any"))));
      table.putChain(
          family,
          new NftChain(
              "masq",
              new NftHook(NftHook.Type.NAT, NftHook.Point.POSTROUTING, 101),
              List.of(
                  new NftRuleBuilder(family).addressPair("self").masquerade().build("self"),
                  new NftRuleBuilder(family).protocol(6, false).masquerade(1024, 2047).build("t"),
                  new NftRuleBuilder(family).protocol(17, false).masquerade(53, 53).build("u"),
                  new NftRuleBuilder(family)
                      .protocol(6, false)
                      .sourceNat(node, 1024, 2047)
                      .build("s"),
                  new NftRuleBuilder(family).sourceNat(node).build("a"))));
      table.apply();

      List<String> listed = lines(oracle.run("list table " + word + " margay"));
      assertThat(listed)
          .contains(
              "elements = { " + node + " . udp . 53 : " + pod + " . 5353 }",
              "fib daddr type local dnat "
                  + word
                  + " to "
                  + word
                  + " daddr . meta l4proto . th dport map @at comment \"at\"",
              word + " saddr . " + word + " daddr @self masquerade comment \"self\"");
      assertThat(listed)
          .isEqualTo(
              lines(
                  NftText.print(table.desired(family))
                      .replace("priority -99", "priority dstnat + 1")
                      .replace("priority 101", "priority srcnat + 1")));
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void nft_reads_our_rules_for_hosts_as_we_mean_and_print_them(IpFamily family) throws Exception {
    boolean v4 = family == IpFamily.IPV4;
    String word = v4 ? "ip" : "ip6";
    NftField address = NftField.address(family);
    NftSet failsafes =
        NftSet.interval("failsafes", NftField.MARK, NftField.PROTOCOL, NftField.PORT, address);
    NftSet hosts = NftSet.verdictMap("hosts", NftField.MARK, NftField.INTERFACE_NAME);
    Prefix net = Prefix.parse(v4 ? "10.0.0.0/8" : "fd00::/16");
    NftData ssh = NftData.concat(NftData.hostOrder(1), NftData.octet(6), NftData.port(22));
    try (NftTable table = new NftTable(namespace.open(), "margay", Ownership.NEVER);
        NftOracle oracle = new NftOracle(namespace.fd())) {
      table.declareSet(family, failsafes);
      table.declareSet(family, hosts);
      table.putElement(
          family,
          "failsafes",
          NftElement.range(
              NftData.concat(ssh, NftData.address(net.address())),
              NftData.concat(ssh, NftData.address(net.lastAddress()))));
      table.putElement(
          family,
          "hosts",
          NftElement.verdict(
              NftData.concat(
                  NftData.hostOrder(1), NftData.interfaceName(new InterfaceName("eth0"))),
              NftVerdict.jump("h-in")));
      table.putChain(family, NftChain.regular("h-in", hostRules(family)));
      for (NftHook.Point point :
          List.of(
              NftHook.Point.PREROUTING,
              NftHook.Point.INPUT,
              NftHook.Point.OUTPUT,
              NftHook.Point.FORWARD,
              NftHook.Point.POSTROUTING)) {
        table.putChain(
            family,
            new NftChain(
                "at_" + point.name().toLowerCase(Locale.ROOT),
                new NftHook(NftHook.Type.FILTER, point, -9),
                List.of(new NftRuleBuilder(family).verdict(NftVerdict.jump("h-in")).build("at"))));
      }
      table.apply();

      assertThat(lines(oracle.run("list chain " + word + " margay h-in")))
          .contains(
              "ct status dnat fib saddr type local accept comment \"translated\"",
              "ct state untracked notrack accept comment \"untracked\"",
              "ct original "
                  + word
                  + " daddr "
                  + (v4 ? "10.0.0.1" : "fd00::1")
                  + " accept comment \"original\"");
      List<String> listed = lines(oracle.run("list table " + word + " margay"));
      // nft has no notation of its own for our keys of marks.
      assertThat(chainsOf(listed)).isEqualTo(chainsOf(lines(NftText.print(table.desired(family)))));
      assertThat(table.resync()).isEqualTo(new NftOutcome.Unchanged());
    }
  }

  private static List<NftRule> hostRules(IpFamily family) {
    IpAddress one = IpAddress.parse(family == IpFamily.IPV4 ? "10.0.0.1" : "fd00::1");
    return List.of(
        new NftRuleBuilder(family)
            .ctDestinationTranslated()
            .fromLocalAddress()
            .verdict(NftVerdict.ACCEPT)
            .build("translated"),
        new NftRuleBuilder(family)
            .ctState(NftExpr.CtState.UNTRACKED)
            .notrack()
            .verdict(NftVerdict.ACCEPT)
            .build("untracked"),
        NftRuleBuilder.ofOriginal(family)
            .address(Side.DESTINATION, one.toHostPrefix(), false)
            .verdict(NftVerdict.ACCEPT)
            .build("original"),
        NftRuleBuilder.ofOriginal(family)
            .protocol(6, false)
            .port(Side.DESTINATION, 80, 80, false)
            .counter()
            .verdict(NftVerdict.DROP)
            .build("original port"));
  }

  private static List<String> chainsOf(List<String> listing) {
    return listing.stream()
        .filter(line -> line.contains("comment"))
        .map(line -> line.replace("counter packets 0 bytes 0", "counter"))
        .toList();
  }

  /// The lines of a listing, as nft 1.0 words them: 1.1 prints the default burst too, and a mask of
  /// flags as an expression.
  private static List<String> lines(String text) {
    return Arrays.stream(text.split("\n"))
        .map(String::strip)
        .filter(s -> !s.isEmpty())
        .map(
            s ->
                s.replace(" burst 5 packets", "")
                    .replace(
                        "tcp flags & (fin | syn | rst | ack) != syn",
                        "tcp flags != syn / fin,syn,rst,ack"))
        .toList();
  }

  @Test
  void an_administrators_flush_is_refused_while_we_own_and_repaired_while_we_do_not()
      throws Exception {
    try (NftTable owned = new NftTable(namespace.open(), "margay", Ownership.WHERE_PERSISTENT)) {
      owned.putChain(IpFamily.IPV4, NftChain.regular("a", List.of()));
      owned.apply();
      assertThatThrownBy(() -> namespace.nft("delete", "table", "ip", "margay"))
          .hasMessageContaining("not permitted");
      namespace.nft("flush", "ruleset");
      assertThat(owned.resync()).isEqualTo(new NftOutcome.Unchanged());
      owned.destroy();
    }
    try (NftTable open = new NftTable(namespace.open(), "margay", Ownership.NEVER)) {
      open.putChain(
          IpFamily.IPV4,
          NftChain.regular(
              "a", List.of(rule().protocol(6, false).verdict(NftVerdict.DROP).build("tcp"))));
      open.apply();
      namespace.nft("insert rule ip margay a accept");
      assertThat(open.resync()).isInstanceOf(NftOutcome.Written.class);
      namespace.nft("add table ip margay { flags dormant; }");
      assertThat(open.resync()).isInstanceOf(NftOutcome.Written.class);
      namespace.nft("add set ip margay s { type ipv4_addr; flags timeout; }");
      assertThat(open.resync()).isInstanceOf(NftOutcome.Written.class);
      namespace.nft("add table ip other");
      assertThat(open.resync()).isEqualTo(new NftOutcome.Unchanged());
      namespace.nft("flush", "ruleset");
      assertThat(open.resync()).isInstanceOf(NftOutcome.Written.class);
      assertThat(lines(namespace.nft("list", "ruleset")))
          .contains("meta l4proto tcp drop comment \"tcp\"")
          .doesNotContain("accept");
      assertThat(open.resync()).isEqualTo(new NftOutcome.Unchanged());
    }
  }
}
