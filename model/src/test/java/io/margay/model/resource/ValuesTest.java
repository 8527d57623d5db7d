package io.margay.model.resource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ValuesTest {

  @ParameterizedTest
  @CsvSource({"80,Single", "0,Single", "65535,Single", "80:90,Range", "http,Named", "80-90,Named"})
  void ports_parse_and_print(String text, String type) {
    Port port = Port.parse(text);

    assertThat(port.getClass().getSimpleName()).isEqualTo(type);
    assertThat(port).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"65536", "99999999999999", "90:80", "1:65536", "", "a b", "1:", ":1", "-1:x"})
  void bad_ports_are_refused(String text) {
    assertThatThrownBy(() -> Port.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "TCP,6,TCP",
    "tcp,6,TCP",
    "udp,17,UDP",
    "Sctp,132,SCTP",
    "icmpv6,58,ICMPv6",
    "ICMP,1,ICMP",
    "udplite,136,UDPLite",
    "1,1,1",
    "255,255,255"
  })
  void protocols_parse_and_print(String text, int number, String shown) {
    assertThat(Protocol.parse(text).number()).isEqualTo(number);
    assertThat(Protocol.parse(text)).hasToString(shown);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "256", "99999999999", "", "gre", "-1"})
  void bad_protocols_are_refused(String text) {
    assertThatThrownBy(() -> Protocol.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "192.0.2.1",
        "192.0.2.1:1179",
        "2001:db8::1",
        "[2001:db8::1]:179",
        "fe80::1%eth0",
        "[fe80::1%eth0]:1179"
      })
  void peer_addresses_survive(String text) {
    assertThat(PeerAddress.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "host",
        "192.0.2.1:",
        "192.0.2.1:0",
        "192.0.2.1:http",
        "[2001:db8::1]",
        "[",
        "[::1]:70000",
        "[192.0.2.1]:179",
        "fe80::1%",
        "2001:db8::1%eth0"
      })
  void bad_peer_addresses_are_refused(String text) {
    assertThatThrownBy(() -> PeerAddress.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void an_address_on_a_link_keeps_its_host_bits() {
    assertThat(AddressOnLink.parse("192.0.2.7/24")).hasToString("192.0.2.7/24");
    assertThat(AddressOnLink.parse("192.0.2.7/24").subnet()).hasToString("192.0.2.0/24");
    assertThat(AddressOnLink.parse("2001:db8::1")).hasToString("2001:db8::1/128");
    assertThatThrownBy(() -> AddressOnLink.parse("192.0.2.7/33"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void kinds_answer_to_what_people_type() {
    assertThat(Kind.ofWord("NetworkPolicy")).contains(Kind.NETWORK_POLICY);
    assertThat(Kind.ofWord("networkpolicies")).contains(Kind.NETWORK_POLICY);
    assertThat(Kind.ofWord("GNP")).contains(Kind.GLOBAL_NETWORK_POLICY);
    assertThat(Kind.ofWord("gadget")).isEmpty();
    assertThat(Kind.ofName("networkpolicy")).isEmpty();
  }

  @Test
  void a_reference_fits_its_kind() {
    assertThat(new ResourceRef(Kind.NETWORK_POLICY, "ns", "p")).hasToString("NetworkPolicy(ns/p)");
    assertThatThrownBy(() -> new ResourceRef(Kind.NODE, "ns", "n"))
        .hasMessageContaining("can't be in namespace");
    assertThatThrownBy(() -> new ResourceRef(Kind.NETWORK_POLICY, "", "p"))
        .hasMessageContaining("needs a namespace");
  }
}
