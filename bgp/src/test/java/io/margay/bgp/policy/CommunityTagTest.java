package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.bgp.message.PathAttributes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommunityTagTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0:0",
        "65535:65535",
        "65001:100",
        "0:0:0",
        "4294967295:4294967295:4294967295",
        "1:2:3"
      })
  void both_kinds_are_read_and_printed_alike(String text) {
    assertThat(CommunityTag.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "1",
        ":",
        "1:",
        ":1",
        "65536:1",
        "1:65536",
        "01:1",
        "1:01",
        "1:2:3:4",
        "4294967296:1:1",
        "1:1:4294967296",
        "99999999999:1:1",
        "-1:1",
        "+1:1",
        "1: 1",
        "no-export"
      })
  void anything_else_is_refused_by_name(String text) {
    assertThatThrownBy(() -> CommunityTag.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"" + text + "\" is not a community");
  }

  @Test
  void a_community_is_added_behind_those_that_are_there_and_only_once() {
    PathAttributes given = PathAttributes.of(Routes.communities("65001:1"));
    PathAttributes more = CommunityTag.parse("65001:2").addTo(given);
    assertThat(more).isEqualTo(PathAttributes.of(Routes.communities("65001:1", "65001:2")));
    assertThat(CommunityTag.parse("65001:1").addTo(more)).isSameAs(more);
    assertThat(CommunityTag.parse("65001:3").isOn(more)).isFalse();
  }

  @Test
  void the_two_kinds_do_not_mix() {
    PathAttributes large = CommunityTag.parse("1:2:3").addTo(PathAttributes.EMPTY);
    assertThat(CommunityTag.parse("1:2:3").isOn(large)).isTrue();
    assertThat(CommunityTag.parse("1:2").isOn(large)).isFalse();
    assertThat(CommunityTag.parse("1:2:4").isOn(large)).isFalse();
    assertThat(CommunityTag.parse("1:2").addTo(large).largeCommunities().size()).isEqualTo(1);
  }
}
