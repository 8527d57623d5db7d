package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.Prefix;
import io.margay.model.resource.PoolUse;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PoolConditionTest {

  private static final Instant NOW = Instant.parse("2026-11-23T10:00:00.5Z");
  private static final Prefix CIDR = Prefix.parse("10.8.0.0/16");

  private static Pool pool(boolean disabled, String notServed) {
    return new Pool(
        "p",
        CIDR,
        26,
        disabled,
        true,
        Set.of(PoolUse.WORKLOAD),
        "all()",
        "all()",
        notServed.isEmpty() ? Optional.empty() : Optional.of(notServed));
  }

  @Test
  void it_says_whether_and_why_not() {
    assertThat(PoolCondition.of(pool(false, "")))
        .isEqualTo(new PoolCondition(true, "OK", "addresses may be assigned from this pool"));
    assertThat(PoolCondition.of(pool(true, "")).reason()).isEqualTo("PoolDisabled");
    assertThat(PoolCondition.of(pool(true, "ipipMode Always would wrap packets")))
        .satisfies(
            condition -> {
              assertThat(condition.status()).isFalse();
              assertThat(condition.reason()).isEqualTo("EncapsulationNotServed");
              assertThat(condition.message()).contains("ipipMode Always");
            });
  }

  /// Calico's condition decides for Calico's nodes: it is not ours to change.
  @Test
  void it_stands_beside_calicos_and_replaces_only_its_own() {
    Map<String, Object> calicos = Map.of("type", "Allocatable", "status", "True");
    Map<String, Object> before = Map.of("conditions", List.of(calicos), "later", 1);
    Map<String, Object> first = PoolCondition.of(pool(false, "wrapped")).in(before, NOW);
    assertThat(first)
        .containsEntry("later", 1)
        .containsEntry(
            "conditions",
            List.of(
                calicos,
                Map.of(
                    "type",
                    "MargayAllocatable",
                    "status",
                    "False",
                    "reason",
                    "EncapsulationNotServed",
                    "message",
                    "nothing is assigned from this pool by Margay: wrapped",
                    "lastTransitionTime",
                    "2026-11-23T10:00:00Z")));
    Instant later = NOW.plusSeconds(60);
    assertThat(PoolCondition.of(pool(false, "wrapped")).in(first, later)).isEqualTo(first);
    assertThat(PoolCondition.of(pool(false, "")).in(first, later).toString())
        .contains("2026-11-23T10:01:00Z", "Allocatable")
        .doesNotContain("EncapsulationNotServed");
  }
}
