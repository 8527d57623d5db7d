package io.margay.agent.settings;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.RouterId;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HashedRouterIdTest {

  /// SHA-256 of "n1" begins with 103.107.139.184, that of "w9" with an octet over 223.
  @ParameterizedTest
  @CsvSource({"n1, 103.107.139.184", "node1, 202.18.243.27", "w9, 208.109.199.79"})
  void it_is_the_beginning_of_the_names_hash_and_never_multicast(String name, String id) {
    assertThat(HashedRouterId.of(name)).isEqualTo(RouterId.parse(id));
  }
}
