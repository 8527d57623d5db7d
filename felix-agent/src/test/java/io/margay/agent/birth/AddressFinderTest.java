package io.margay.agent.birth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.agent.settings.AddressChoice;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.AddressOnLink;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressFinderTest {

  /// By number, as the kernel lists them.
  private static final List<HostLink> LINKS =
      List.of(
          link("lo", true, "127.0.0.1/8", "::1/128", "198.51.100.9/32"),
          link("eth0", true, "169.254.3.3/16", "192.0.2.10/24", "192.0.2.11/24", "2001:db8::10/64"),
          link("eth1", true, "fe80::1/64", "203.0.113.5/25", "2001:db8:1::5/64"),
          link("eth2", false, "203.0.113.200/25"),
          link("bond0.7", true),
          link("docker0", true, "172.17.0.1/16"),
          link("veth12", true, "10.9.9.9/24"),
          link("cali1234", true, "10.65.0.1/32"),
          link("vxlan.calico", true, "10.65.0.64/32"));

  private static final Map<String, String> WAYS =
      Map.of("gateway.example", "192.0.2.11", "192.0.2.1", "192.0.2.10", "far", "100.64.0.1");

  @ParameterizedTest(name = "{0} of IPv{1} is {2}")
  @CsvSource(
      delimiter = '|',
      value = {
        "first-found              | 4 | 203.0.113.5/25 on eth1",
        "autodetect               | 4 | 203.0.113.5/25 on eth1",
        "first-found              | 6 | 2001:db8:1::5/64 on eth1",
        "interface=eth0           | 4 | 192.0.2.10/24 on eth0",
        "interface=^eth0,^eth1    | 4 | 203.0.113.5/25 on eth1",
        "interface=^th            | 4 |",
        "interface=th[0-9]        | 6 | 2001:db8:1::5/64 on eth1",
        "interface=docker.*       | 4 | 172.17.0.1/16 on docker0",
        "interface=lo             | 4 | 198.51.100.9/32 on lo",
        "interface=eth2           | 4 |",
        "interface=bond0\\.7      | 4 |",
        "skip-interface=eth1      | 4 | 192.0.2.10/24 on eth0",
        "skip-interface=eth       | 4 |",
        "skip-interface=eth1, x   | 6 | 2001:db8::10/64 on eth0",
        "cidr=192.0.2.0/24        | 4 | 192.0.2.10/24 on eth0",
        "cidr=192.0.2.11/32       | 4 | 192.0.2.11/24 on eth0",
        "cidr=10.0.0.0/8,192.0.2.0/24 | 4 | 10.65.0.64/32 on vxlan.calico",
        "cidr=169.254.0.0/16      | 4 |",
        "can-reach=gateway.example| 4 | 192.0.2.11/24 on eth0",
        "can-reach=192.0.2.1      | 4 | 192.0.2.10/24 on eth0",
        "can-reach=far            | 4 | 100.64.0.1/32",
        "can-reach=nowhere        | 4 |",
        "192.0.2.11               | 4 | 192.0.2.11/24 on eth0",
        "192.0.2.99               | 4 | 192.0.2.99/32",
        "2001:db8::10             | 6 | 2001:db8::10/64 on eth0",
        "none                     | 4 |",
      })
  void each_method_finds_what_calico_finds(String method, int version, String expected) {
    IpFamily family = version == 4 ? IpFamily.IPV4 : IpFamily.IPV6;
    Optional<String> found =
        AddressFinder.find(
                AddressChoice.parse(method, family),
                family,
                LINKS,
                host -> Optional.ofNullable(WAYS.get(host)).map(IpAddress::parse))
            .map(AddressFinder.Found::toString);
    assertThat(found).isEqualTo(Optional.ofNullable(expected));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "first",
        "interface=",
        "interface=a,,b",
        "interface=[",
        "cidr=10.0.0.1/8",
        "cidr=fd00::/8",
        "cidr=ten",
        "can-reach=",
        "fd00::1",
        "kubernetes-internal-ip",
        "eth0"
      })
  void what_is_no_method_is_refused(String method) {
    assertThatThrownBy(() -> AddressChoice.parse(method, IpFamily.IPV4))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void only_methods_are_asked_again() {
    assertThat(AddressChoice.parse("can-reach=192.0.2.1", IpFamily.IPV4).isDetected()).isTrue();
    assertThat(AddressChoice.parse("192.0.2.1", IpFamily.IPV4).isDetected()).isFalse();
    assertThat(AddressChoice.parse("none", IpFamily.IPV4).isDetected()).isFalse();
  }

  private static HostLink link(String name, boolean isUp, String... addresses) {
    return new HostLink(
        new InterfaceName(name), isUp, Arrays.stream(addresses).map(AddressOnLink::parse).toList());
  }
}
