package io.margay.model.selector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SelectorTest {

  private static final LabelLookup OBJECT =
      LabelLookup.of(
          Map.of(
              "a", "x",
              "b", "hello world",
              "empty", "",
              "has", "1",
              "in", "2",
              "k8s.io/name-1_x", "v"));

  @ParameterizedTest(name = "[{0}] -> {1}")
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          ``                               ~ true
          `  `                             ~ true
          all()                            ~ true
          all( )                           ~ true
          global()                         ~ true
          a == 'x'                         ~ true
          a=='x'                           ~ true
          a == "x"                         ~ true
          a == 'y'                         ~ false
          none == 'x'                      ~ false
          a != 'y'                         ~ true
          a != 'x'                         ~ false
          none != 'x'                      ~ true
          empty == ''                      ~ true
          none == ''                       ~ false
          a in {'x', 'y'}                  ~ true
          a in {'y','x',}                  ~ true
          a in {'y'}                       ~ false
          a in {}                          ~ false
          none in {'x'}                    ~ false
          a not in {'y'}                   ~ true
          a notin {'y'}                    ~ true
          a not in {'x'}                   ~ false
          a not in {}                      ~ true
          none not in {'x'}                ~ true
          b contains 'lo wo'               ~ true
          b contains 'xx'                  ~ false
          b contains ''                    ~ true
          none contains ''                 ~ false
          b starts with 'hello'            ~ true
          b startswith 'hello'             ~ true
          b starts   with 'world'          ~ false
          none starts with ''              ~ false
          b ends with 'world'              ~ true
          b endswith 'hello'               ~ false
          none ends with ''                ~ false
          has(a)                           ~ true
          has( a )                         ~ true
          has(none)                        ~ false
          !has(none)                       ~ true
          ! has(a)                         ~ false
          !!has(a)                         ~ true
          !a == 'x'                        ~ false
          !none == 'x'                     ~ true
          a == 'x' && b == 'y'             ~ false
          a == 'x' || b == 'y'             ~ true
          a == 'n' && a == 'n' || has(a)   ~ true
          a == 'n' && (a == 'n' || has(a)) ~ false
          has(a) || has(a) && has(none)    ~ true
          (has(a) || has(a)) && has(none)  ~ false
          !(has(a) && has(none))           ~ true
          !has(a) || has(b)                ~ true
          !(has(a) || has(b))              ~ false
          ((((has(a)))))                   ~ true
          has == '1'                       ~ true
          in in {'2'}                      ~ true
          k8s.io/name-1_x == 'v'           ~ true
          has(k8s.io/name-1_x)             ~ true
          """)
  void matching(String text, boolean expected) {
    assertThat(Selector.parse(text).matches(OBJECT)).isEqualTo(expected);
  }

  @Test
  void tabs_are_blanks() {
    assertThat(Selector.parse("\ta\t==\t'x'\t").matches(OBJECT)).isTrue();
  }

  @ParameterizedTest(name = "[{0}] fails at column {1}")
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          a                      ~ 2  ~ expected ==, !=, in
          a =                    ~ 3  ~ expected "=="
          a == x                 ~ 6  ~ expected a string in quotes, found a label
          a == 'x                ~ 6  ~ the string has no closing '
          a == "x                ~ 6  ~ the string has no closing "
          a == 'x' 'y'           ~ 10 ~ expected the end, found a string
          a == 'x' &             ~ 10 ~ expected "&&"
          a == 'x' &&            ~ 12 ~ found the end
          && a == 'x'            ~ 1  ~ found "&&"
          (a == 'x'              ~ 10 ~ expected ")", found the end
          a == 'x')              ~ 9  ~ expected the end, found ")"
          ()                     ~ 2  ~ found ")"
          !                      ~ 2  ~ found the end
          a in 'x'               ~ 6  ~ expected "{"
          a in {'x' 'y'}         ~ 11 ~ expected "}", found a string
          a in {,}               ~ 7  ~ expected a string in quotes, found ","
          a in {'x'              ~ 10 ~ expected "}", found the end
          a not {'x'}            ~ 3  ~ after label a
          a starts 'x'           ~ 3  ~ after label a
          a starts ends with 'x' ~ 3  ~ after label a
          a ends 'x'             ~ 3  ~ after label a
          a like 'x'             ~ 3  ~ after label a
          has()                  ~ 5  ~ a label is made of
          has(a                  ~ 6  ~ expected ")"
          has(a b)               ~ 7  ~ expected ")"
          has(                   ~ 5  ~ expected a label, found the end
          all(a)                 ~ 5  ~ expected ")"
          global(                ~ 8  ~ expected ")"
          a == 'x' has(b)        ~ 10 ~ expected the end, found "has
          é == 'x'               ~ 1  ~ a label is made of
          a == 'x' # no comment  ~ 10 ~ a label is made of
          'a' == 'x'             ~ 1  ~ found a string
          """)
  void syntax_errors_name_the_column(String text, int column, String message) {
    assertThatThrownBy(() -> Selector.parse(text))
        .isInstanceOf(SelectorSyntaxException.class)
        .hasMessageContaining("column " + column + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void one_bar_is_not_or() {
    assertThatThrownBy(() -> Selector.parse("a == 'x' | b == 'y'"))
        .hasMessageContaining("column 10: expected \"||\"");
  }

  @Test
  void a_line_break_is_no_blank() {
    assertThatThrownBy(() -> Selector.parse("a == 'x' &&\nb == 'y'"))
        .isInstanceOf(SelectorSyntaxException.class);
  }

  @Test
  void limits_hold_before_the_stack_does() {
    int million = 1_000_000;
    assertThatThrownBy(() -> Selector.parse("(".repeat(million)))
        .hasMessageContaining("longer than 65536");
    assertThatThrownBy(() -> Selector.parse("!".repeat(Selector.MAX_LENGTH)))
        .hasMessageContaining("nested deeper than 200");
    assertThatThrownBy(() -> Selector.parse("(".repeat(Selector.MAX_LENGTH)))
        .hasMessageContaining("nested deeper than 200");
    assertThatThrownBy(() -> Selector.parse("has(" + "a".repeat(513) + ")"))
        .hasMessageContaining("longer than 512");
    assertThat(Selector.parse("has(" + "a".repeat(512) + ")").matches(OBJECT)).isFalse();
    int deep = Selector.MAX_NESTING - 1;
    assertThat(Selector.parse("(".repeat(deep) + "all()" + ")".repeat(deep)).matches(OBJECT))
        .isTrue();
  }

  @Test
  void wide_is_not_deep() {
    String wide = "has(a) && ".repeat(5000) + "has(b)";

    assertThat(Selector.parse(wide).matches(OBJECT)).isTrue();
  }

  @ParameterizedTest(name = "[{0}] -> {1}")
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          ``                            ~ all()
          a=='x'                        ~ a == "x"
          a != "it's"                   ~ a != "it's"
          a == 'say "x"'                ~ a == 'say "x"'
          a in {'y','x','y',}           ~ a in {"x", "y"}
          a notin {}                    ~ a not in {}
          a startswith'x'               ~ a starts with "x"
          a ends with 'x'               ~ a ends with "x"
          a contains 'x'                ~ a contains "x"
          ((has( a )))                  ~ has(a)
          !  (a == 'x')                 ~ !a == "x"
          a=='x'&&b=='y'&&has(c)        ~ (a == "x" && b == "y" && has(c))
          has(a)||has(b)&&has(c)        ~ (has(a) || (has(b) && has(c)))
          (has(a)||has(b))&&!has(c)     ~ ((has(a) || has(b)) && !has(c))
          all( ) || global( )           ~ (all() || global())
          """)
  void canonical_text(String text, String canonical) {
    Selector selector = Selector.parse(text);

    assertThat(selector.canonical()).isEqualTo(canonical);
    assertThat(Selector.parse(canonical).root()).isEqualTo(selector.root());
    assertThat(Selector.parse(canonical).id()).isEqualTo(selector.id());
  }

  /// Computed with coreutils: printf 's:all()' | openssl dgst -sha224 -binary | basenc --base64url.
  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          all()    ~ s:5y5I3VdRZfDU01O--xXAPx2yxCQQqMf0M6IWug
          a == 'x' ~ s:0LriL27abMJ0N52C5_wqdiGYzoN0tcD__T7VRw
          """)
  void the_id_is_the_hash_of_the_canonical_text(String text, String id) {
    assertThat(Selector.parse(text).id().value()).isEqualTo(id);
  }

  @ParameterizedTest(name = "[{0}]")
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          all()                    ~ has(projectcalico.org/namespace)
          global()                 ~ !has(projectcalico.org/namespace)
          team == 'x' && !has(old) ~ (pcns.team == "x" && !has(pcns.old))
          a in {'1'} || b != '2'   ~ (pcns.a in {"1"} || pcns.b != "2")
          """)
  void over_namespaces(String text, String expected) {
    assertThat(Selector.parse(text).forNamespaces().canonical()).isEqualTo(expected);
  }

  @Test
  void over_service_accounts() {
    assertThat(Selector.parse("role starts with 'f'").forServiceAccounts().canonical())
        .isEqualTo("pcsa.role starts with \"f\"");
    assertThat(Selector.ALL.forServiceAccounts().canonical()).isEqualTo("all()");
    assertThat(Selector.ALL.forServiceAccountsOnly().canonical())
        .isEqualTo("has(projectcalico.org/serviceaccount)");
  }

  @Test
  void conjunction_flattens_and_drops_all() {
    Selector a = Selector.parse("has(a)");
    Selector bc = Selector.parse("has(b) && has(c)");

    assertThat(a.and(bc).canonical()).isEqualTo("(has(a) && has(b) && has(c))");
    assertThat(a.and(Selector.ALL)).isEqualTo(a);
    assertThat(Selector.ALL.and(a)).isEqualTo(a);
    assertThat(a.negated().canonical()).isEqualTo("!has(a)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"global()", "!global()", "has(a) && (has(b) || global())"})
  void global_is_found_wherever_it_is(String text) {
    assertThat(Selector.parse(text).usesGlobal()).isTrue();
  }

  @Test
  void the_text_survives_as_written() {
    assertThat(Selector.parse("a=='x'  &&has(b)").text()).isEqualTo("a=='x'  &&has(b)");
  }
}
