package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.resource.FelixConfigurationSpec;
import io.margay.model.resource.Kind;
import io.margay.model.resource.KnobTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// `docs/resources.md` says what the code knows.
class ResourceDocumentationTest {

  private static String document() throws IOException {
    return Files.readString(Path.of(System.getProperty("margay.root"), "docs", "resources.md"));
  }

  private static String words(List<String> words) {
    return words.isEmpty()
        ? "–"
        : words.stream().map(word -> "`" + word + "`").collect(Collectors.joining(", "));
  }

  @ParameterizedTest
  @EnumSource(value = Kind.class, mode = EnumSource.Mode.EXCLUDE, names = "ENDPOINT_SLICE")
  void every_kind_has_its_row(Kind kind) throws IOException {
    assertThat(document())
        .contains(
            "\n| %s | `%s` | %s | %s | "
                .formatted(
                    kind.kindName(),
                    kind.plural(),
                    words(kind.shortNames()),
                    kind.isNamespaced() ? "yes" : "no"));
  }

  static String row(KnobTable.Knob knob) {
    return "| `%s` | %s | %s |"
        .formatted(
            knob.name(),
            knob.values().toString().replace("|", "\\|"),
            knob.ifAbsent().isEmpty() ? "–" : knob.ifAbsent().replace("|", "\\|"));
  }

  @Test
  void every_knob_has_its_row() throws IOException {
    List<String> rows =
        FelixConfigurationSpec.knobs().knobs().stream()
            .map(ResourceDocumentationTest::row)
            .toList();

    assertThat(document().lines().filter(line -> line.startsWith("| `") && rows.contains(line)))
        .containsExactlyElementsOf(rows);
  }
}
