package io.margay.bgp.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ListenerSettingsTest {

  private static final ListenAddress ANY4 = listen("0.0.0.0");
  private static final ListenAddress ANY6 = listen("::");
  private static final Password A = new Password("a");
  private static final Password B = new Password("b");

  private static ListenAddress listen(String address) {
    return Node.listenAddress(address, 179);
  }

  private static ExpectedPeer host(String address, Ttl ttl, @Nullable Password password) {
    return ExpectedPeer.host(ScopedAddress.parse(address), ttl, password);
  }

  @Test
  void a_listener_that_expects_nobody_holds_no_key_and_reaches_one_hop() {
    assertThat(ListenerSettings.of(ANY4, List.of()))
        .isEqualTo(new ListenerSettings(Map.of(), 1, 0));
  }

  @Test
  void keys_go_to_the_listeners_of_their_family() {
    List<ExpectedPeer> peers =
        List.of(
            host("10.0.0.1", Ttl.adjacent(), A),
            host("10.0.0.2", Ttl.adjacent(), null),
            ExpectedPeer.range(Prefix.parse("10.1.0.0/16"), Ttl.adjacent(), B),
            host("fd00::1", Ttl.adjacent(), B));
    assertThat(ListenerSettings.of(ANY4, peers).keys())
        .isEqualTo(Map.of(Prefix.parse("10.0.0.1/32"), A, Prefix.parse("10.1.0.0/16"), B));
    assertThat(ListenerSettings.of(ANY6, peers).keys())
        .isEqualTo(Map.of(Prefix.parse("fd00::1/128"), B));
  }

  @Test
  void a_listener_of_one_interface_holds_the_keys_of_its_peers_only() {
    List<ExpectedPeer> peers =
        List.of(
            host("fe80::1%eth0", Ttl.adjacent(), A),
            host("fe80::1%eth1", Ttl.adjacent(), B),
            host("fd00::1", Ttl.adjacent(), A));
    assertThat(ListenerSettings.of(listen("::%eth0"), peers).keys())
        .isEqualTo(Map.of(Prefix.parse("fe80::1/128"), A, Prefix.parse("fd00::1/128"), A));
    assertThat(ListenerSettings.of(listen("::%eth1"), peers).keys())
        .isEqualTo(Map.of(Prefix.parse("fe80::1/128"), B, Prefix.parse("fd00::1/128"), A));
  }

  @Test
  void one_address_on_two_interfaces_with_two_keys_is_refused_for_a_common_listener() {
    List<ExpectedPeer> peers =
        List.of(
            host("fe80::1%eth0", Ttl.adjacent(), A), host("fe80::1%eth1", Ttl.adjacent(), null));
    assertThatThrownBy(() -> Transport.check(Set.of(ANY6), peers))
        .hasMessage(
            "peers fe80::1/128%eth0 and fe80::1/128%eth1 have different passwords, but the listener"
                + " :: port 179 can hold one key per address; give them one password, or listen on"
                + " each interface by itself (address%interface)");
    Transport.check(Set.of(listen("::%eth0"), listen("::%eth1"), ANY4), peers);
  }

  @Test
  void one_address_on_two_interfaces_with_one_key_is_one_key() {
    List<ExpectedPeer> peers =
        List.of(host("fe80::1%eth0", Ttl.adjacent(), A), host("fe80::1%eth1", Ttl.adjacent(), A));
    assertThat(ListenerSettings.of(ANY6, peers).keys())
        .isEqualTo(Map.of(Prefix.parse("fe80::1/128"), A));
  }

  @Test
  void handshakes_reach_as_far_as_the_farthest_peer() {
    assertThat(
            ListenerSettings.of(
                    ANY4,
                    List.of(
                        host("10.0.0.1", Ttl.adjacent(), null),
                        host("10.0.0.2", Ttl.multihop(4), null)))
                .sentHops())
        .isEqualTo(4);
  }

  @Test
  void a_peer_with_ttl_security_gets_a_handshake_with_255() {
    ListenerSettings settings =
        ListenerSettings.of(
            ANY4,
            List.of(
                host("10.0.0.1", Ttl.adjacent(), null), host("10.0.0.2", Ttl.secured(1), null)));
    assertThat(settings.sentHops()).isEqualTo(255);
    assertThat(settings.leastReceivedHops()).isZero();
  }

  @Test
  void only_if_every_peer_has_ttl_security_are_far_handshakes_dropped() {
    assertThat(
            ListenerSettings.of(
                    ANY4,
                    List.of(
                        host("10.0.0.1", Ttl.secured(1), null),
                        host("10.0.0.2", Ttl.secured(3), null)))
                .leastReceivedHops())
        .isEqualTo(253);
  }

  @Test
  void listening_on_a_link_local_address_needs_its_interface() {
    assertThatThrownBy(() -> listen("fe80::1"))
        .hasMessage(
            "cannot listen on the link-local address fe80::1 without its interface; write"
                + " fe80::1%eth0");
    assertThatThrownBy(() -> listen("224.0.0.1")).hasMessageContaining("multicast");
    assertThatThrownBy(() -> new ListenAddress(IpAddress.parse("10.0.0.1"), null, 65536))
        .hasMessage("BGP port 65536 is not in 1..65535");
  }
}
