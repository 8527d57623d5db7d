package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.model.net.InterfaceName;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InterfacePatternTest {

  @ParameterizedTest(name = "{0} against {1}: {2}")
  @CsvSource({
    "eth0, eth0, true",
    "eth0, eth01, false",
    "eth*, eth0, true",
    "eth*, eth, true",
    "eth?, eth0, true",
    "eth?, eth, false",
    "*.100, bond0.100, true",
    "*.100, bond0.1000, false",
    "*cali, cali, true",
    "*a*b*, xaxbx, true",
    "*a*b*, xbxa, false",
    "*, anything, true",
  })
  void a_star_is_any_characters_and_a_question_mark_is_one(
      String glob, String name, boolean matches) {
    assertThat(new InterfacePattern(glob).matches(new InterfaceName(name))).isEqualTo(matches);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "sixteencharacter", "eth 0", "a/b", "a:b", "a\tb"})
  void what_no_interface_is_called_is_refused(String glob) {
    assertThatThrownBy(() -> new InterfacePattern(glob))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is not an interface pattern");
  }

  @Test
  void random_patterns_match_what_the_regular_expression_matches() {
    Random random = new Random(4711);
    for (int i = 0; i < 20_000; i++) {
      String glob = word(random, "ab*?", 8);
      String name = word(random, "ab", 8);
      boolean expected = Pattern.matches(glob.replace("*", ".*").replace("?", "."), name);
      assertThat(new InterfacePattern(glob).matches(new InterfaceName(name)))
          .as("%s against %s", glob, name)
          .isEqualTo(expected);
    }
  }

  private static String word(Random random, String letters, int most) {
    StringBuilder word = new StringBuilder();
    int length = 1 + random.nextInt(most);
    for (int i = 0; i < length; i++) {
      word.append(letters.charAt(random.nextInt(letters.length())));
    }
    return word.toString();
  }
}
