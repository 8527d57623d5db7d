package io.margay.model.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

class ScopedAddressTest {

  @Test
  void an_address_reads_as_it_prints() {
    for (String text : List.of("10.0.0.1", "2001:db8::1", "fe80::1", "fe80::1%eth0.100")) {
      assertThat(ScopedAddress.parse(text)).hasToString(text);
    }
  }

  @Test
  void only_link_local_addresses_name_an_interface() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ScopedAddress.parse("2001:db8::1%eth0"))
        .withMessageContaining("link-local");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ScopedAddress.parse("169.254.0.1%eth0"))
        .withMessageContaining("link-local");
    assertThatIllegalArgumentException().isThrownBy(() -> ScopedAddress.parse("fe80::1%"));
  }

  @Test
  void the_same_address_on_two_links_is_two() {
    ScopedAddress plain = ScopedAddress.parse("fe80::1");
    ScopedAddress eth0 = ScopedAddress.parse("fe80::1%eth0");
    ScopedAddress eth1 = ScopedAddress.parse("fe80::1%eth1");
    assertThat(List.of(eth1, eth0, plain).stream().sorted()).containsExactly(plain, eth0, eth1);
    assertThat(eth0).isNotEqualTo(eth1);
  }
}
