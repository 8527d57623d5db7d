package io.margay.model.resource;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class KindTest {

  @ParameterizedTest
  @CsvSource({
    "BGPFilter, bgpfilters",
    "CalicoNodeStatus, caliconodestatuses",
    "KubeControllersConfiguration, kubecontrollersconfigurations",
    "LiveMigration, livemigrations",
    "StagedNetworkPolicy, stagednetworkpolicies",
    "StagedGlobalNetworkPolicy, stagedglobalnetworkpolicies",
    "StagedKubernetesNetworkPolicy, stagedkubernetesnetworkpolicies",
    "BlockAffinity, blockaffinities"
  })
  void a_kind_has_calicos_plural(String name, String plural) {
    assertThat(Kind.ofName(name).map(Kind::plural)).contains(plural);
    assertThat(Kind.ofPlural(plural).map(Kind::kindName)).contains(name);
  }

  @ParameterizedTest
  @EnumSource(value = Kind.class, mode = EnumSource.Mode.EXCLUDE, names = "ENDPOINT_SLICE")
  void every_word_for_a_kind_finds_it(Kind kind) {
    assertThat(Kind.ofWord(kind.kindName())).contains(kind);
    assertThat(Kind.ofWord(kind.plural().toUpperCase(Locale.ROOT))).contains(kind);
    assertThat(kind.shortNames())
        .allMatch(word -> Kind.ofWord(word).equals(Kind.ofWord(kind.plural())));
  }

  @Test
  void no_word_means_two_kinds() {
    Set<String> seen = new HashSet<>();
    for (Kind kind : Kind.values()) {
      assertThat(seen.add(kind.plural())).isTrue();
      assertThat(seen.add(kind.kindName().toLowerCase(Locale.ROOT))).isTrue();
      assertThat(kind.shortNames()).allMatch(seen::add);
    }
  }

  @Test
  void only_affinities_and_kubernetes_kinds_are_kept_elsewhere() {
    assertThat(Arrays.stream(Kind.values()).filter(kind -> !kind.isStoredAsResource()))
        .containsExactly(Kind.BLOCK_AFFINITY, Kind.ENDPOINT_SLICE);
  }

  @Test
  void no_word_means_a_kind_of_kubernetes() {
    assertThat(Kind.ofName("EndpointSlice")).isEmpty();
    assertThat(Kind.ofPlural("endpointslices")).isEmpty();
    assertThat(Kind.ofWord("endpointslice")).isEmpty();
  }
}
