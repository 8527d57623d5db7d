package io.margay.bgp.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TtlTest {

  @ParameterizedTest
  @CsvSource({"1, 255", "2, 254", "64, 192", "255, 1"})
  void ttl_security_sends_255_and_takes_what_came_no_further_than_the_peer_is(int hops, int least) {
    assertThat(Ttl.secured(hops).sent()).isEqualTo(255);
    assertThat(Ttl.secured(hops).leastReceived()).isEqualTo(least);
  }

  @Test
  void without_ttl_security_packets_reach_the_peer_and_anything_is_taken() {
    assertThat(Ttl.adjacent().sent()).isEqualTo(1);
    assertThat(Ttl.multihop(7).sent()).isEqualTo(7);
    assertThat(Ttl.multihop(7).leastReceived()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 256})
  void hops_out_of_range_are_refused(int hops) {
    assertThatThrownBy(() -> Ttl.multihop(hops)).hasMessageContaining("not " + hops);
    assertThatThrownBy(() -> Ttl.secured(hops)).hasMessageContaining("not " + hops);
  }
}
