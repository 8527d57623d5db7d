package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class RepeatedTextsTest {

  private final RepeatedTexts texts = new RepeatedTexts();

  private static String copyOf(String text) {
    return new String(text.toCharArray());
  }

  @Test
  void an_equal_text_is_the_same() {
    String first = copyOf("kns.shop");
    assertThat(texts.one(first)).isSameAs(first);
    assertThat(texts.one(copyOf("kns.shop"))).isSameAs(first);
    assertThat(texts.one(copyOf(""))).isEmpty();
  }

  /// "Aa" and "BB" have one hash.
  @Test
  void of_two_texts_with_one_place_each_is_itself() {
    for (int i = 0; i < 3; i++) {
      assertThat(texts.one(copyOf("Aa"))).isEqualTo("Aa");
      assertThat(texts.one(copyOf("BB"))).isEqualTo("BB");
    }
  }

  @Test
  void a_long_text_is_not_kept() {
    String longest = "x".repeat(1 << 20);
    assertThat(texts.one(longest)).isSameAs(longest);
    assertThat(texts.one(copyOf(longest))).isNotSameAs(longest);
  }

  @Test
  void whatever_was_asked_before_the_answer_is_equal() {
    Random random = new Random(1);
    for (int i = 0; i < 200_000; i++) {
      String text = "app" + random.nextInt(50_000);
      assertThat(texts.one(text)).isEqualTo(text);
    }
  }
}
