package io.margay.model.selector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The whole selector language, a row a rule: what each text says of which labels, and where each
/// bad one goes wrong.
class SelectorTableTest {

  private static Map<String, String> labels(@Nullable String text) {
    Map<String, String> labels = new HashMap<>();
    if (text != null) {
      for (String label : text.split(",", -1)) {
        int equals = label.indexOf('=');
        labels.put(label.substring(0, equals), label.substring(equals + 1));
      }
    }
    return labels;
  }

  @ParameterizedTest(name = "[{0}] of [{1}] -> {2}")
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      ignoreLeadingAndTrailingWhitespace = false,
      textBlock =
          """
          ``~~true
          ``~`a=x`~true
          `all()`~~true
          `  all()  `~`a=x`~true
          `global()`~~true
          `!all()`~`a=x`~false
          `a == 'x'`~`a=x`~true
          `a == 'x'`~`a=X`~false
          `a == 'x'`~`a=xx`~false
          `a == 'x'`~`b=x`~false
          `a == "it's"`~`a=it's`~true
          `a == 'say "hi"'`~`a=say "hi"`~true
          `a == ' x '`~`a= x `~true
          `a == '\\n'`~`a=\\n`~true
          `a != 'x'`~`a=x`~false
          `a != 'x'`~`a=y`~true
          `a != 'x'`~~true
          `a != ''`~~true
          `a != ''`~`a=`~false
          `a in {'x'}`~`a=x`~true
          `a in {'x', "y", 'z'}`~`a=y`~true
          `a in {'x','y','z',}`~`a=z`~true
          `a in {'x'}`~~false
          `a in {''}`~`a=`~true
          `a in {}`~`a=x`~false
          `a not in {'x'}`~`a=x`~false
          `a not in {'x'}`~`a=y`~true
          `a not in {'x'}`~~true
          `a notin {'x','y'}`~`a=y`~false
          `a not  in {}`~`a=x`~true
          `a contains 'ell'`~`a=hello`~true
          `a contains 'ELL'`~`a=hello`~false
          `a contains ''`~`a=`~true
          `a contains ''`~~false
          `!a contains 'x'`~~true
          `a starts with 'he'`~`a=hello`~true
          `a starts with 'lo'`~`a=hello`~false
          `a starts with ''`~`a=hello`~true
          `a starts with 'hello!'`~`a=hello`~false
          `a ends with 'lo'`~`a=hello`~true
          `a ends with 'he'`~`a=hello`~false
          `a ends with ''`~~false
          `has(a)`~`a=`~true
          `has(a)`~`b=`~false
          `has( a )`~`a=x`~true
          `!has(a)`~~true
          `!!has(a)`~`a=x`~true
          `!!!has(a)`~`a=x`~false
          `! ! has(a)`~~false
          `has(x.y/z-1_A)`~`x.y/z-1_A=v`~true
          `9 == '1'`~`9=1`~true
          `-a == '1'`~`-a=1`~true
          `has == 'x'`~`has=x`~true
          `all == 'x'`~`all=x`~true
          `global == 'x'`~`global=x`~true
          `in == 'x'`~`in=x`~true
          `not == 'x'`~`not=x`~true
          `contains contains 'c'`~`contains=abc`~true
          `starts starts with 'a'`~`starts=ab`~true
          `hasty == 'x'`~`hasty=x`~true
          `allow == 'x'`~`allow=x`~true
          `a == 'x' && b == 'y'`~`a=x,b=y`~true
          `a == 'x' && b == 'y'`~`a=x`~false
          `a == 'x' || b == 'y'`~`b=y`~true
          `a == 'x' || b == 'y'`~~false
          `has(a) || has(b) && has(c)`~`a=1`~true
          `(has(a) || has(b)) && has(c)`~`a=1`~false
          `has(a) && has(b) || has(c)`~`c=1`~true
          `has(a) && (has(b) || has(c))`~`c=1`~false
          `!has(a) && has(b)`~`b=1`~true
          `!(has(a) && has(b))`~`a=1`~true
          `!(has(a) || has(b))`~`b=1`~false
          `!has(a) || !has(b)`~`a=1,b=1`~false
          `((a == 'x'))`~`a=x`~true
          `(((a in {'x'}) && (!(b contains 'y'))))`~`a=x,b=n`~true
          `a=='x'&&b!='y'||has(c)`~`a=x`~true
          `has(a)&&has(b)&&has(c)&&has(d)`~`a=1,b=1,c=1,d=1`~true
          `has(a)||has(b)||has(c)||has(d)`~`d=1`~true
          `all() && has(a)`~`a=1`~true
          `all() || has(a)`~~true
          `a == 'ü'`~`a=ü`~true
          `a == '{}(),&|!'`~`a=x`~false
          """)
  void a_selector_picks_by_labels(String text, @Nullable String labels, boolean expected) {
    Selector selector = Selector.parse(text);

    assertThat(selector.matches(LabelLookup.of(labels(labels)))).isEqualTo(expected);
    Selector canonical = Selector.parse(selector.canonical());
    assertThat(canonical.matches(LabelLookup.of(labels(labels)))).isEqualTo(expected);
    assertThat(canonical.canonical()).isEqualTo(selector.canonical());
    assertThat(canonical.id()).isEqualTo(selector.id());
  }

  @ParameterizedTest(name = "[{0}] is wrong at column {1}")
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          `a ==`~5
          `a == 'x' ||`~12
          `|| has(a)`~1
          `has(a) has(b)`~8
          `(has(a)`~8
          `has(a))`~7
          `a == 'x"`~6
          `a != x`~6
          `a in`~5
          `a in {`~7
          `a in {'x'`~10
          `a in {'x',,}`~11
          `a in {x}`~7
          `a not`~3
          `a contains x`~12
          `a starts with`~14
          `a ends 'x'`~3
          `has('a')`~5
          `has(a,b)`~6
          `all(`~5
          `all(x)`~5
          `global(x)`~8
          `!`~2
          `! && has(a)`~3
          `a = 'x'`~3
          `a === 'x'`~5
          `a & b`~3
          `a == 'x' & b == 'y'`~10
          `a @ 'x'`~3
          `@`~1
          `a == 'x';`~9
          `== 'x'`~1
          `'x' == a`~1
          `a == 'x' b`~10
          `{'x'}`~1
          `a in ('x')`~6
          `a == 'x' and b == 'y'`~14
          `not has(a)`~5
          `has (a)`~5
          `a IN {'x'}`~3
          """)
  void a_bad_selector_is_refused_at_its_first_wrong_word(String text, int column) {
    assertThatThrownBy(() -> Selector.parse(text))
        .isInstanceOfSatisfying(
            SelectorSyntaxException.class,
            wrong -> assertThat(wrong.position() + 1).isEqualTo(column));
  }

  @Test
  void a_megabyte_of_anything_is_refused_before_it_is_read() {
    for (String word : new String[] {"(", "!", "a", "'", "has(a) && ", "a in {'x',", " "}) {
      String text = word.repeat(1_000_000 / word.length() + 1);

      assertThatThrownBy(() -> Selector.parse(text))
          .isInstanceOf(SelectorSyntaxException.class)
          .hasMessageContaining("longer than " + Selector.MAX_LENGTH)
          .hasMessageNotContaining(word.repeat(200));
    }
  }

  @Test
  void nesting_has_a_limit_with_a_name_and_it_holds_at_its_edge() {
    for (String[] pair : new String[][] {{"(", ")"}, {"!", ""}, {"!(", ")"}}) {
      int levels = (Selector.MAX_NESTING - 1) / pair[0].length() * pair[0].length();
      int times = pair[0].length() == 2 ? levels / 2 : levels;
      String fits = pair[0].repeat(times) + "has(a)" + pair[1].repeat(times);
      String tooDeep = pair[0].repeat(times + 1) + "has(a)" + pair[1].repeat(times + 1);

      assertThat(Selector.parse(fits).canonical()).endsWith("has(a)");
      assertThatThrownBy(() -> Selector.parse(tooDeep))
          .isInstanceOf(SelectorSyntaxException.class)
          .hasMessageContaining("nested deeper than " + Selector.MAX_NESTING);
    }
  }
}
