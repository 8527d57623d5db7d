package io.margay.linux.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.nft.NftExpr.CtState;
import io.margay.linux.nft.NftRuleBuilder.Side;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

final class NftWalkTest {

  private static final IpAddress A = IpAddress.parse("10.0.0.1");
  private static final IpAddress B = IpAddress.parse("10.0.1.2");
  private static final IpAddress A6 = IpAddress.parse("fd00::1");
  private static final IpAddress B6 = IpAddress.parse("fd00:1::2");
  private static final NftPacket HTTP = NftPacket.opening(NftPacket.TCP, A, 40000, B, 80);
  private static final NftHook HOOK =
      new NftHook(NftHook.Type.FILTER, NftHook.Point.PREROUTING, -91);

  private final FamilyTable table = new FamilyTable(new NftTableName(IpFamily.IPV4, "margay"));
  private final FamilyTable table6 = new FamilyTable(new NftTableName(IpFamily.IPV6, "margay"));

  private static NftRuleBuilder rule() {
    return new NftRuleBuilder(IpFamily.IPV4);
  }

  private NftPassage walk(NftPacket packet, NftRule... rules) {
    FamilyTable its = packet.family() == IpFamily.IPV4 ? table : table6;
    its.putChain(NftChain.regular("c", List.of(rules)));
    return new NftWalk(its).chain("c", packet);
  }

  /// Whether a rule made so matches.
  private boolean matches(NftPacket packet, UnaryOperator<NftRuleBuilder> match) {
    return !walk(
            packet,
            match.apply(new NftRuleBuilder(packet.family())).verdict(NftVerdict.DROP).build("drop"))
        .isAccepted();
  }

  private static NftData mark(int id, NftData... fields) {
    List<NftData> all = new ArrayList<>(List.of(NftData.hostOrder(id)));
    all.addAll(List.of(fields));
    return NftData.concat(all.toArray(NftData[]::new));
  }

  private static NftElement cidr(int id, String cidr) {
    Prefix prefix = Prefix.parse(cidr);
    return NftElement.range(
        mark(id, NftData.address(prefix.address())),
        mark(id, NftData.address(prefix.lastAddress())));
  }

  @Test
  void addresses_match_by_whole_octets_and_by_bits() {
    assertThat(matches(HTTP, r -> r.address(Side.SOURCE, Prefix.parse("10.0.0.0/24"), false)))
        .isTrue();
    assertThat(matches(HTTP, r -> r.address(Side.SOURCE, Prefix.parse("10.0.1.0/24"), false)))
        .isFalse();
    assertThat(matches(HTTP, r -> r.address(Side.DESTINATION, Prefix.parse("10.0.0.0/23"), false)))
        .isTrue();
    assertThat(matches(HTTP, r -> r.address(Side.DESTINATION, Prefix.parse("10.0.2.0/23"), false)))
        .isFalse();
    assertThat(matches(HTTP, r -> r.address(Side.DESTINATION, Prefix.parse("10.0.0.0/23"), true)))
        .isFalse();
    assertThat(matches(HTTP, r -> r.address(Side.SOURCE, Prefix.parse("0.0.0.0/0"), false)))
        .isTrue();
    assertThat(matches(HTTP, r -> r.address(Side.SOURCE, Prefix.parse("10.0.0.1/32"), false)))
        .isTrue();
    NftPacket six = NftPacket.opening(NftPacket.UDP, A6, 1, B6, 53);
    assertThat(matches(six, r -> r.address(Side.DESTINATION, Prefix.parse("fd00:1::/32"), false)))
        .isTrue();
    assertThat(matches(six, r -> r.address(Side.SOURCE, Prefix.parse("fd00::/127"), false)))
        .isTrue();
    assertThat(matches(six, r -> r.address(Side.SOURCE, Prefix.parse("fd00::2/127"), false)))
        .isFalse();
  }

  @Test
  void ports_match_alone_and_in_ranges_and_not_in_them() {
    assertThat(matches(HTTP, r -> r.port(Side.DESTINATION, 80, 80, false))).isTrue();
    assertThat(matches(HTTP, r -> r.port(Side.DESTINATION, 80, 80, true))).isFalse();
    assertThat(matches(HTTP, r -> r.port(Side.SOURCE, 40000, 50000, false))).isTrue();
    assertThat(matches(HTTP, r -> r.port(Side.SOURCE, 40000, 50000, true))).isFalse();
    assertThat(matches(HTTP, r -> r.port(Side.SOURCE, 40001, 50000, false))).isFalse();
    assertThat(matches(HTTP, r -> r.port(Side.SOURCE, 40001, 50000, true))).isTrue();
  }

  @Test
  void protocols_of_either_family_are_what_follows_the_network_header() {
    assertThat(matches(HTTP, r -> r.protocol(6, false))).isTrue();
    assertThat(matches(HTTP, r -> r.protocol(17, true))).isTrue();
    NftPacket ping = NftPacket.icmp(A6, B6, 128, 0);
    assertThat(matches(ping, r -> r.protocol(58, false))).isTrue();
    assertThat(matches(ping, r -> r.protocol(58, true))).isFalse();
  }

  @Test
  void icmp_types_and_codes_are_told_apart() {
    NftPacket unreachable = NftPacket.icmp(A, B, 3, 4);
    assertThat(matches(unreachable, r -> r.icmpType(3, false))).isTrue();
    assertThat(matches(unreachable, r -> r.icmpTypeAndCode(3, 4, false))).isTrue();
    assertThat(matches(unreachable, r -> r.icmpTypeAndCode(3, 3, false))).isFalse();
    assertThat(matches(unreachable, r -> r.icmpTypeAndCode(3, 3, true))).isTrue();
    assertThat(matches(unreachable, r -> r.icmpTypes(0, 4))).isTrue();
    assertThat(matches(unreachable, r -> r.icmpTypes(4, 8))).isFalse();
  }

  @Test
  void tcp_flags_are_compared_under_their_mask() {
    NftPacket answer = NftPacket.of(A, B, NftPacket.TCP, new NftPacket.Tcp(1, 2, 0x12));
    assertThat(matches(HTTP, r -> r.tcpFlags(0x17, 0x02, true))).isFalse();
    assertThat(matches(answer, r -> r.tcpFlags(0x17, 0x02, true))).isTrue();
    NftPacket pushing = NftPacket.of(A, B, NftPacket.TCP, new NftPacket.Tcp(1, 2, 0x0a));
    assertThat(matches(pushing, r -> r.tcpFlags(0x17, 0x02, true))).isFalse();
  }

  @Test
  void states_of_the_connection_match_if_one_of_them_holds() {
    int established = CtState.ESTABLISHED | CtState.RELATED;
    assertThat(matches(HTTP, r -> r.ctState(established))).isFalse();
    assertThat(matches(HTTP.withCtState(CtState.RELATED), r -> r.ctState(established))).isTrue();
    assertThat(matches(HTTP, r -> r.ctState(CtState.NEW))).isTrue();
  }

  @Test
  void interfaces_match_by_name_and_by_prefix_and_none_is_the_empty_name() {
    NftPacket in = HTTP.withIncoming(new InterfaceName("cali12"));
    assertThat(matches(in, r -> r.interfacePrefix(Side.SOURCE, "cali"))).isTrue();
    assertThat(matches(in, r -> r.interfacePrefix(Side.DESTINATION, "cali"))).isFalse();
    assertThat(matches(in, r -> r.interfaceIs(Side.SOURCE, new InterfaceName("cali12")))).isTrue();
    assertThat(matches(in, r -> r.interfaceIs(Side.SOURCE, new InterfaceName("cali1")))).isFalse();
    assertThat(matches(HTTP, r -> r.interfacePrefix(Side.SOURCE, "cali"))).isFalse();
  }

  @Test
  void hash_sets_hold_exactly_their_keys() {
    table.declareSet(NftSet.hash("members", NftField.MARK, NftField.IPV4_ADDRESS));
    table.putElement("members", NftElement.of(mark(7, NftData.address(A))));
    assertThat(matches(HTTP, r -> r.addressInSet(Side.SOURCE, "members", 7, false))).isTrue();
    assertThat(matches(HTTP, r -> r.addressInSet(Side.SOURCE, "members", 8, false))).isFalse();
    assertThat(matches(HTTP, r -> r.addressInSet(Side.DESTINATION, "members", 7, false))).isFalse();
    assertThat(matches(HTTP, r -> r.addressInSet(Side.DESTINATION, "members", 7, true))).isTrue();
    table.removeElement("members", mark(7, NftData.address(A)));
    assertThat(matches(HTTP, r -> r.addressInSet(Side.SOURCE, "members", 7, false))).isFalse();
  }

  @Test
  void interval_sets_hold_what_lies_in_their_ranges_of_the_same_mark() {
    table.declareSet(NftSet.interval("cidrs", NftField.MARK, NftField.IPV4_ADDRESS));
    for (int i = 0; i < 200; i++) {
      table.putElement("cidrs", cidr(i, "10.0." + i + ".0/24"));
    }
    table.putElement("cidrs", cidr(7, "10.0.0.0/31"));
    assertThat(matches(HTTP, r -> r.addressInSet(Side.SOURCE, "cidrs", 7, false))).isTrue();
    assertThat(matches(HTTP, r -> r.addressInSet(Side.SOURCE, "cidrs", 0, false))).isTrue();
    assertThat(matches(HTTP, r -> r.addressInSet(Side.SOURCE, "cidrs", 1, false))).isFalse();
    assertThat(matches(HTTP, r -> r.addressInSet(Side.DESTINATION, "cidrs", 1, false))).isTrue();
    assertThat(matches(HTTP, r -> r.addressInSet(Side.DESTINATION, "cidrs", 1, true))).isFalse();
    table.removeElement("cidrs", cidr(1, "10.0.1.0/24").key());
    assertThat(matches(HTTP, r -> r.addressInSet(Side.DESTINATION, "cidrs", 1, false))).isFalse();
  }

  @Test
  void ranges_in_several_fields_are_boxes() {
    NftSet boxes = NftSet.interval("boxes", NftField.IPV4_ADDRESS, NftField.PORT);
    table.declareSet(boxes);
    table.putElement(
        "boxes",
        NftElement.range(
            NftData.concat(NftData.address(IpAddress.parse("10.0.0.0")), NftData.port(70)),
            NftData.concat(NftData.address(IpAddress.parse("10.0.9.255")), NftData.port(90))));
    table.putElement(
        "boxes",
        NftElement.range(
            NftData.concat(NftData.address(B), NftData.port(1)),
            NftData.concat(NftData.address(B), NftData.port(9))));
    NftData inside = NftData.concat(NftData.address(B), NftData.port(80));
    NftData below = NftData.concat(NftData.address(B), NftData.port(69));
    assertThat(table.find("boxes", inside)).isNotNull();
    assertThat(table.find("boxes", below)).isNull();
    table.removeElement(
        "boxes", NftData.concat(NftData.address(IpAddress.parse("10.0.0.0")), NftData.port(70)));
    assertThat(table.find("boxes", inside)).isNull();
  }

  @Test
  void port_sets_are_keyed_by_protocol_too() {
    table.declareSet(
        NftSet.hash(
            "ports", NftField.MARK, NftField.IPV4_ADDRESS, NftField.PROTOCOL, NftField.PORT));
    table.declareSet(NftSet.interval("port_ranges", NftField.MARK, NftField.PORT));
    table.putElement(
        "ports", NftElement.of(mark(3, NftData.address(B), NftData.octet(6), NftData.port(80))));
    table.putElement(
        "port_ranges", NftElement.range(mark(4, NftData.port(79)), mark(4, NftData.port(81))));
    assertThat(matches(HTTP, r -> r.portInSet(Side.DESTINATION, "ports", 3, false))).isTrue();
    NftPacket udp = NftPacket.opening(NftPacket.UDP, A, 40000, B, 80);
    assertThat(matches(udp, r -> r.portInSet(Side.DESTINATION, "ports", 3, false))).isFalse();
    assertThat(matches(udp, r -> r.portRangeInSet(Side.DESTINATION, "port_ranges", 4, false)))
        .isTrue();
    assertThat(matches(udp, r -> r.portRangeInSet(Side.SOURCE, "port_ranges", 4, false))).isFalse();
  }

  @Test
  void reading_ports_of_a_protocol_without_any_ends_the_rule_either_way() {
    NftPacket gre = NftPacket.opening(47, A, 0, B, 0);
    assertThat(matches(gre, r -> r.port(Side.DESTINATION, 80, 80, false))).isFalse();
    assertThat(matches(gre, r -> r.port(Side.DESTINATION, 80, 80, true))).isFalse();
  }

  @Test
  void jumps_come_back_after_the_jump_unless_something_decided() {
    table.putChain(
        NftChain.regular(
            "returns",
            List.of(
                rule().verdict(NftVerdict.RETURN).build("return"),
                rule().verdict(NftVerdict.DROP).build("never"))));
    table.putChain(
        NftChain.regular("accepts", List.of(rule().verdict(NftVerdict.ACCEPT).build("accept"))));
    NftPassage passage =
        walk(
            HTTP,
            rule().verdict(NftVerdict.jump("returns")).build("one"),
            rule().counter().build("two"),
            rule().verdict(NftVerdict.jump("accepts")).build("three"),
            rule().verdict(NftVerdict.DROP).build("never"));
    assertThat(passage.isAccepted()).isTrue();
    assertThat(passage.steps().stream().map(step -> step.rule().id()))
        .containsExactly("one", "return", "two", "three", "accept");
    assertThat(passage.decision()).isEqualTo(passage.steps().getLast());
  }

  @Test
  void the_end_of_a_base_chain_accepts_and_nothing_decided() {
    NftPassage passage = walk(HTTP, rule().limit(1, 1).log("seen ").build("log"));
    assertThat(passage.isAccepted()).isTrue();
    assertThat(passage.steps()).hasSize(1);
    assertThat(passage.decision()).isNull();
  }

  @Test
  void verdict_maps_apply_what_they_hold_and_go_on_where_they_hold_nothing() {
    table.declareSet(NftSet.verdictMap("from", NftField.INTERFACE_NAME));
    table.putElement(
        "from",
        NftElement.verdict(
            NftData.interfaceName(new InterfaceName("cali1")), NftVerdict.jump("drops")));
    table.putChain(
        NftChain.regular("drops", List.of(rule().verdict(NftVerdict.DROP).build("dropped"))));
    NftRule dispatch = rule().interfaceVerdict(Side.SOURCE, "from").build("dispatch");
    assertThat(walk(HTTP.withIncoming(new InterfaceName("cali1")), dispatch).isAccepted())
        .isFalse();
    NftPassage other = walk(HTTP.withIncoming(new InterfaceName("cali2")), dispatch);
    assertThat(other.isAccepted()).isTrue();
    assertThat(other.steps()).isEmpty();
  }

  @Test
  void packets_led_elsewhere_are_judged_by_where_they_go() {
    table.declareSet(
        NftSet.dataMap(
            "host_ports",
            List.of(NftField.PROTOCOL, NftField.PORT),
            List.of(NftField.IPV4_ADDRESS, NftField.PORT)));
    table.putElement(
        "host_ports",
        NftElement.value(
            NftData.concat(NftData.octet(6), NftData.port(80)),
            NftData.concat(NftData.address(IpAddress.parse("10.9.9.9")), NftData.port(8080))));
    table.putChain(
        new NftChain(
            "in",
            new NftHook(NftHook.Type.NAT, NftHook.Point.PREROUTING, -99),
            List.of(rule().toLocalAddress().destinationByPort("host_ports").build("host-port"))));
    table.putChain(
        new NftChain(
            "egress",
            HOOK,
            List.of(
                rule()
                    .address(Side.DESTINATION, Prefix.parse("10.9.9.9/32"), false)
                    .port(Side.DESTINATION, 8080, 8080, false)
                    .verdict(NftVerdict.DROP)
                    .build("drop"))));
    NftWalk walk = new NftWalk(table);

    List<NftPassage> led = walk.hook(NftHook.Point.PREROUTING, HTTP.withForNode(true));
    assertThat(led).extracting(NftPassage::chain).containsExactly("in", "egress");
    assertThat(led.getFirst().decision()).isNotNull();
    assertThat(led.getLast().isAccepted()).isFalse();
    assertThat(walk.hook(NftHook.Point.PREROUTING, HTTP).getLast().isAccepted()).isTrue();
    assertThat(
            walk.hook(
                NftHook.Point.PREROUTING, HTTP.withForNode(true).withCtState(CtState.ESTABLISHED)))
        .extracting(NftPassage::chain)
        .containsExactly("egress");
  }

  @Test
  void masquerading_accepts() {
    NftPassage passage =
        walk(HTTP, rule().masquerade().build("masq"), rule().verdict(NftVerdict.DROP).build("no"));
    assertThat(passage.isAccepted()).isTrue();
    assertThat(passage.steps().getLast().effect()).isEqualTo(new NftPassage.Masqueraded());
  }

  @Test
  void what_the_kernel_would_refuse_is_no_table_to_walk() {
    NftRule jump = rule().verdict(NftVerdict.jump("c")).build("loop");
    assertThatThrownBy(() -> walk(HTTP, jump))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("16 deep");
    assertThatThrownBy(() -> walk(HTTP, rule().verdict(NftVerdict.jump("gone")).build("jump")))
        .hasMessageContaining("no chain gone");
    assertThatThrownBy(
            () -> walk(HTTP, rule().addressInSet(Side.SOURCE, "gone", 1, false).build("set")))
        .hasMessageContaining("no set gone");
    assertThatThrownBy(() -> new NftWalk(table6).chain("c", HTTP))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_snapshot_reads_as_the_table_it_is_of() {
    NftSet cidrs = NftSet.interval("cidrs", NftField.MARK, NftField.IPV4_ADDRESS);
    NftRule rule =
        rule().addressInSet(Side.SOURCE, "cidrs", 7, false).verdict(NftVerdict.DROP).build("in");
    NftTableView view =
        NftTableView.of(
            new NftTableState(
                new NftTableName(IpFamily.IPV4, "margay"),
                List.of(new NftChain("egress", HOOK, List.of(rule))),
                Map.of(cidrs, Arrays.asList(cidr(7, "10.0.0.0/24")))));
    assertThat(new NftWalk(view).hook(NftHook.Point.PREROUTING, HTTP).getFirst().isAccepted())
        .isFalse();
    assertThat(view.baseChains(NftHook.Point.FORWARD)).isEmpty();
  }
}
