package io.margay.cli.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Examples in the manner of kubectl's reference page, on a list of nodes.
class JsonPathTest {

  private static final String NODES =
      """
      {"kind":"NodeList","items":[
        {"metadata":{"name":"a","labels":{"rack":"r1"},"annotations":{"example.org/x":"dotted"}},
         "spec":{"bgp":{"asNumber":65001},"addresses":[{"address":"10.0.0.1"},{"address":"10.0.0.2"}]}},
        {"metadata":{"name":"b","labels":{"rack":"r2"}},"spec":{"bgp":{"asNumber":65002}}},
        {"metadata":{"name":"c"},"spec":{}}]}
      """;

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          {.kind}                                                  | NodeList
          {$.kind}                                                 | NodeList
          {@.kind}                                                 | NodeList
          {['kind']}                                               | NodeList
          {.items[*].metadata.name}                                | a b c
          {.items[0].metadata.name}                                | a
          {.items[-1].metadata.name}                               | c
          {.items[0:2].metadata.name}                              | a b
          {.items[::2].metadata.name}                              | a c
          {.items[0,2].metadata.name}                              | a c
          {.items[9].metadata.name}x                               | x
          {.items[*]['metadata.name','kind']}x                     | x
          {..name}                                                 | a b c
          {.items[0].metadata.labels}                              | {"rack":"r1"}
          {.items[0].metadata.annotations.example\\.org/x}         | dotted
          {.items[0].metadata.annotations['example.org/x']}        | dotted
          {.items[?(@.metadata.name=="b")].spec.bgp.asNumber}      | 65002
          {.items[?(@.spec.bgp.asNumber>65001)].metadata.name}     | b
          {.items[?(@.spec.bgp.asNumber<=65001)].metadata.name}    | a
          {.items[?(@.metadata.labels.rack!='r1')].metadata.name}  | b
          {.items[?(@.spec.bgp)].metadata.name}                    | a b
          {range .items[*]}{.metadata.name}={.spec.bgp.asNumber};{end} | a=65001;b=65002;c=;
          {range .items[*]}[{.metadata.name}{"\\t"}{$.kind}]{end}  | ~[a	NodeList][b	NodeList][c	NodeList]~
          {range .items[*]}{range .spec.addresses[*]}{.address},{end}{end} | 10.0.0.1,10.0.0.2,
          {.items[0].metadata.name}{" and "}{.items[1].metadata.name} | a and b
          {.items[*].metadata.nothing}x                            | x
          """)
  void prints_what_kubectl_prints(String path, String expected) throws Exception {
    JsonNode nodes = new JsonMapper().readTree(NODES);

    assertThat(JsonPath.parse(path).evaluate(nodes)).isEqualTo(expected);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          {.items[*].metadata.name | jsonpath: column 25, at the end: expected }
          {range .items[*]}{.a}    | jsonpath: column 22, at the end: {range …} without {end}
          {.a}{end}                | jsonpath: column 5, at "{end}": {end} without {range …}
          {.a[}                    | jsonpath: column 5, at "}": expected an index, a name in quotes, * or ?(…)
          {.a[?(@.b=~"x")]}        | jsonpath: column 10, at "=~"x")]}": expected )
          {.a[?(@.b==x)]}          | jsonpath: column 13, at ")]}": "x" is neither a number, true, false nor in quotes
          {.a[0:1:0]}              | jsonpath: column 10, at "]}": a slice's step is at least 1
          """)
  void says_where_a_path_is_wrong(String path, String message) {
    assertThatThrownBy(() -> JsonPath.parse(path))
        .isInstanceOf(TemplateException.class)
        .hasMessage(message);
  }
}
