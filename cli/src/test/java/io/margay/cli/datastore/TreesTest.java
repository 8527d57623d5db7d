package io.margay.cli.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TreesTest {

  private static final Set<String> LINE_SEPARATORS = Set.of("\u0085", "\u2028");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "yes",
        "no",
        "on",
        "~",
        "null",
        "true",
        "1",
        "1.0",
        "1e3",
        "0x1F",
        "0o17",
        "1_000",
        ".5",
        "+1",
        "-",
        "---",
        "===",
        "--- a",
        "# not a comment",
        "a: b",
        "a #b",
        "'",
        "\"",
        "\\",
        "*alias",
        "&anchor",
        "!tag",
        "%dir",
        "@at",
        "`tick`",
        "{",
        "}",
        "[",
        "]",
        ",",
        "?",
        "|",
        ">",
        "2026-01-31",
        "12:30:45",
        "\n",
        "a\nb\n",
        "\t",
        "\u0000",
        "\u0007",
        "\u0085",
        "\u2028",
        "ä€",
        "😀",
        "trailing ",
        " leading",
        "10.0.0.0/24",
        "<",
        "..."
      })
  void any_text_survives_yaml_as_value_and_as_key(String text) throws IOException {
    ObjectNode tree = Trees.JSON.createObjectNode();
    tree.put("value", text);
    // As a name a line separator is folded; the export copies such a document as it is.
    boolean isName = !text.isEmpty() && !LINE_SEPARATORS.contains(text);
    tree.putObject("keys").put(isName ? text : "k", "v");
    tree.putArray("list").add(text).addNull().add(true).add(1.5).add(10_000_000_000L);
    assertThat(Trees.parseYaml(Trees.yaml(tree))).singleElement().hasToString(tree.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "-1", "1.50", "100.0", "1E+2", "1e-7", "18446744073709551615"})
  void a_number_keeps_its_value(String number) throws IOException {
    String yaml = Trees.yaml(Trees.parse("{\"n\":" + number + "}"));
    assertThat(Trees.parseYaml(yaml).getFirst().path("n").decimalValue())
        .isEqualByComparingTo(Trees.parse(number).decimalValue());
  }

  @Test
  void an_alias_is_not_taken_for_its_name() {
    assertThatThrownBy(() -> Trees.parseYaml("a: &x 1\nb: *x\n"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("alias");
  }
}
