package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.model.net.Asn;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PeerPolicyTest {

  private static final RouteFilter EMPTY =
      new RouteFilter("empty", List.of(), List.of(), List.of(), List.of());

  @ParameterizedTest(name = "{0}, filters {1}: import {2}, export {3}")
  @CsvSource({
    "EBGP, false, UNSTATED, UNSTATED",
    "EBGP, true, ACCEPT, OWN",
    "IBGP, false, ACCEPT, ALL",
    "IBGP, true, ACCEPT, ALL",
    "CLIENT, false, ACCEPT, ALL",
  })
  void only_an_external_peer_without_any_policy_is_denied(
      PeerKind kind, boolean filters, ImportMode in, ExportMode out) {
    PeerPolicy policy = PeerPolicy.builder().filters(filters ? List.of(EMPTY) : List.of()).build();
    assertThat(policy.importMode(kind)).isEqualTo(in);
    assertThat(policy.exportMode(kind)).isEqualTo(out);
  }

  @ParameterizedTest
  @CsvSource({"EBGP", "IBGP", "CLIENT"})
  void what_is_stated_stands(PeerKind kind) {
    PeerPolicy policy =
        PeerPolicy.builder().importMode(ImportMode.REJECT).exportMode(ExportMode.NONE).build();
    assertThat(policy.importMode(kind)).isEqualTo(ImportMode.REJECT);
    assertThat(policy.exportMode(kind)).isEqualTo(ExportMode.NONE);
  }

  @Test
  void an_as_number_in_place_of_a_count_is_called_that() {
    assertThatThrownBy(() -> PeerPolicy.builder().allowLocalAs(64512).build())
        .hasMessage(
            "allowLocalAs: 64512 is not in 0..10; it is a number of occurrences, not an AS number");
    assertThatThrownBy(() -> PeerPolicy.builder().prepend(11).build())
        .hasMessage("prepend: 11 is not in 0..10");
    assertThatThrownBy(() -> LocalAs.replacing(new Asn(0))).hasMessageContaining("RFC 7607");
  }

  @Test
  void a_builder_made_of_a_policy_says_what_the_policy_says() {
    PeerPolicy policy =
        PeerPolicy.builder()
            .importMode(ImportMode.ACCEPT)
            .exportMode(ExportMode.OWN)
            .filters(List.of(EMPTY))
            .allowLocalAs(2)
            .localAs(LocalAs.replacing(new Asn(65009)))
            .prepend(3)
            .nextHop(NextHopMode.KEEP)
            .maxPrefix(new MaxPrefix(5, MaxPrefix.Action.DISCARD))
            .enforceFirstAs(false)
            .rejectAsSets(false)
            .bilateral(true)
            .build();
    assertThat(policy.toBuilder().build()).isEqualTo(policy);
    assertThat(PeerPolicy.UNSTATED.toBuilder().build()).isEqualTo(PeerPolicy.UNSTATED);
  }
}
