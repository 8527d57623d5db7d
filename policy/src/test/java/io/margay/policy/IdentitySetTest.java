package io.margay.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdentitySetTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 17, 200, 3000})
  void holds_what_a_set_of_the_library_holds(int objects) {
    Random random = new Random(objects);
    List<Object> all = new ArrayList<>();
    for (int i = 0; i < objects; i++) {
      all.add(new Object());
    }
    IdentitySet<Object> set = new IdentitySet<>();
    Set<Object> expected = Collections.newSetFromMap(new IdentityHashMap<>());
    for (int step = 0; step < 20_000; step++) {
      Object one = all.get(random.nextInt(objects));
      // Now it fills, now it empties.
      if (random.nextInt(100) < (step / 2_000 % 2 == 0 ? 70 : 25)) {
        assertThat(set.add(one)).isEqualTo(expected.add(one));
      } else {
        assertThat(set.remove(one)).isEqualTo(expected.remove(one));
      }
      assertThat(set.contains(one)).isEqualTo(expected.contains(one));
      assertThat(set.size()).isEqualTo(expected.size());
      assertThat(set.isEmpty()).isEqualTo(expected.isEmpty());
      if (step % 500 == 0) {
        assertThat(set.copy()).containsExactlyInAnyOrderElementsOf(expected);
        assertThat(all.stream().filter(set::contains).toList())
            .hasSize(expected.size())
            .allMatch(expected::contains);
      }
    }
  }

  @Test
  void equal_objects_are_two() {
    IdentitySet<List<String>> set = new IdentitySet<>();
    List<String> one = new ArrayList<>();
    List<String> other = new ArrayList<>();
    assertThat(set.add(one)).isTrue();
    assertThat(set.add(other)).isTrue();
    assertThat(set.remove(one)).isTrue();
    assertThat(set.contains(one)).isFalse();
    assertThat(set.contains(other)).isTrue();
    assertThat(set.copy()).hasSize(1);
  }

  @Test
  void what_was_copied_stays_while_the_set_changes() {
    IdentitySet<Object> set = new IdentitySet<>();
    List.of(new Object(), new Object(), new Object()).forEach(set::add);
    set.copy().forEach(set::remove);
    assertThat(set.isEmpty()).isTrue();
    set.forEach(left -> assertThat(left).isNull());
  }
}
