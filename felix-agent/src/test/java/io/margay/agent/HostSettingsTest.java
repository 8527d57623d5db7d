package io.margay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.route.Address;
import io.margay.linux.route.Link;
import io.margay.linux.route.Scope;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class HostSettingsTest {

  private static final int UP = 1;

  private static final List<Link> LINKS =
      List.of(
          link(1, "lo", "", UP, 65_536),
          link(2, "eth0", "", UP, 9000),
          link(3, "eth1", "", UP, 1400),
          link(4, "docker0", "bridge", UP, 1200),
          link(5, "cali1", "veth", UP, 1100),
          link(6, "eth2", "", 0, 1000),
          link(7, "eth3", "", UP, 900));

  private static final List<Address> ADDRESSES =
      List.of(
          address(1, "127.0.0.1"),
          address(1, "198.51.100.1"),
          address(2, "192.0.2.1"),
          address(2, "2001:db8::1"),
          address(3, "203.0.113.1"),
          address(4, "172.17.0.1"),
          address(5, "169.254.1.1"),
          address(6, "10.0.0.1"),
          address(7, "fe80::7"));

  private static Link link(int index, String name, String kind, int flags, int mtu) {
    return new Link(
        index,
        new InterfaceName(name),
        "",
        kind,
        flags,
        mtu,
        Optional.empty(),
        0,
        0,
        0,
        OptionalInt.empty());
  }

  private static Address address(int index, String address) {
    return new Address(index, IpAddress.parse(address), 24, Scope.UNIVERSE);
  }

  private static OptionalInt mtu(String... known) {
    return HostSettings.linkMtu(
        LINKS,
        ADDRESSES,
        Arrays.stream(known).map(IpAddress::parse).collect(Collectors.toUnmodifiableSet()));
  }

  @Test
  void the_links_that_hold_the_nodes_addresses_say_what_fits() {
    assertThat(mtu("192.0.2.1")).hasValue(9000);
    assertThat(mtu("203.0.113.1")).hasValue(1400);
    assertThat(mtu("2001:db8::1")).as("a node with IPv6 alone").hasValue(9000);
    assertThat(mtu("203.0.113.1", "2001:db8::1")).as("a family each").hasValue(1400);
    assertThat(mtu("192.0.2.1", "192.0.2.99")).as("one of them is gone").hasValue(9000);
    assertThat(mtu("10.0.0.1")).as("though it is down").hasValue(1000);
  }

  @Test
  void where_none_is_known_or_it_sits_on_the_loopback_the_least_of_the_uplinks_does() {
    assertThat(mtu()).hasValue(1400);
    assertThat(mtu("198.51.100.1")).hasValue(1400);
    assertThat(HostSettings.linkMtu(LINKS.subList(0, 1), ADDRESSES, Set.of()))
        .as("no link at all")
        .hasValue(HostSettings.DEFAULT_MTU);
  }

  @Test
  void an_address_that_no_link_has_says_nothing() {
    assertThat(mtu("192.0.2.99")).isEmpty();
  }

  @Test
  void packets_come_in_by_no_dummy() {
    InterfaceName eth0 = new InterfaceName("eth0");
    assertThat(
            HostSettings.withoutDummies(
                Map.of(
                    eth0,
                    Set.of(IpAddress.parse("192.0.2.1")),
                    new InterfaceName("kube-ipvs0"),
                    Set.of(IpAddress.parse("10.96.0.1"))),
                List.of(link(2, "eth0", "", UP, 1500), link(3, "kube-ipvs0", "dummy", 0, 1500))))
        .containsOnlyKeys(eth0);
  }

  @Test
  void what_dummies_have_alone_is_told_from_what_other_links_have_too() {
    String service = "10.96.0.1";
    String shared = "192.0.2.1";
    assertThat(
            HostSettings.addressesOfDummies(
                Set.of(3), List.of(address(3, service), address(3, shared), address(2, shared))))
        .containsExactly(IpAddress.parse(service));
  }
}
