package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The documents under `goldens/`, whose index says where each was transcribed from.
class GoldenDocumentsTest {

  static Stream<Kind> stored() {
    return Arrays.stream(Kind.values()).filter(Kind::isStoredAsResource);
  }

  private static String text(String name) {
    try (InputStream in = GoldenDocumentsTest.class.getResourceAsStream("/goldens/" + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).stripTrailing();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  /// File and key of each row of the index.
  static Stream<Arguments> goldens() {
    return text("goldens.md")
        .lines()
        .filter(line -> line.contains(".json |"))
        .map(line -> line.split("\\|", -1))
        .map(cells -> Arguments.of(cells[1].strip(), cells[2].strip().replace("`", "")));
  }

  @ParameterizedTest
  @MethodSource("goldens")
  void a_document_of_calicos_is_read_whole_and_written_back_byte_for_byte(String file, String key) {
    String document = text(file);

    Decoded decoded = ResourceJson.decode(key, document, 7).orElseThrow();

    assertThat(decoded).isInstanceOf(Decoded.Valid.class);
    Resource resource = ((Decoded.Valid) decoded).resource();
    assertThat(UnknownFields.of(resource)).isEmpty();
    assertThat(ResourceJson.encode(resource)).isEqualTo(document);
    assertThat(ResourceKeys.key(resource)).isEqualTo(key);
  }

  @Test
  void the_index_names_a_source_for_each() {
    stored()
        .forEach(
            kind ->
                assertThat(text("goldens.md"))
                    .containsPattern(
                        "\\| "
                            + kind.kindName().toLowerCase(Locale.ROOT)
                            + "\\.json \\|[^|]+\\|[^|]+\\| [^|]+\\.go \\|"));
  }

  @Test
  void text_is_escaped_as_go_does() {
    Resource tier =
        ResourceReader.read(
                "f",
                """
                apiVersion: projectcalico.org/v3
                kind: Tier
                metadata: {name: t, annotations: {a: "<&>\\u2028\\x1f\\n\\"é"}}
                spec: {order: 1.25}
                """,
                "default")
            .items()
            .getFirst()
            .resource();

    assertThat(ResourceJson.encode(tier))
        .contains("{\"a\":\"\\u003c\\u0026\\u003e\\u2028\\u001f\\n\\\"é\"}")
        .contains("\"order\":1.25");
  }
}
