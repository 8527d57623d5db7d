package io.margay.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KeyOffsetsTest {

  @Test
  void the_last_offset_of_each_key_is_where_it_is() {
    Random random = new Random(7);
    KeyOffsets offsets = new KeyOffsets(0);
    KeyOffsets.Steps steps = new KeyOffsets.Steps(0);
    Map<String, Long> expected = new HashMap<>();
    for (long at = 8; at < 60_000; at++) {
      String key = "/calico/resources/v3/" + random.nextInt(20_000);
      boolean isGone = random.nextInt(5) == 0;
      steps.add(offsets.hash(key), isGone ? KeyOffsets.GONE : at);
      if (isGone) {
        expected.remove(key);
      } else {
        expected.put(key, at);
      }
      if (random.nextInt(1000) == 0) {
        steps.moveInto(offsets);
        assertThat(steps.isEmpty()).isTrue();
      }
    }
    steps.moveInto(offsets);
    for (int i = 0; i < 20_000; i++) {
      String key = "/calico/resources/v3/" + i;
      Long at = expected.get(key);
      assertThat(offsets.isAt(offsets.hash(key), at == null ? 8 : at)).isEqualTo(at != null);
      assertThat(offsets.isAt(offsets.hash(key), 60_000)).isFalse();
    }
  }

  @Test
  void steps_that_are_taken_back_change_nothing() {
    KeyOffsets offsets = new KeyOffsets(0);
    KeyOffsets.Steps steps = new KeyOffsets.Steps(0);
    steps.add(offsets.hash("a"), 10);
    steps.moveInto(offsets);
    steps.add(offsets.hash("a"), 20);
    steps.clear();
    steps.moveInto(offsets);
    assertThat(offsets.isAt(offsets.hash("a"), 10)).isTrue();
  }
}
