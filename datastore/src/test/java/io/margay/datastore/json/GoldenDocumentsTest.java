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
import org.junit.jupiter.params.provider.MethodSource;

/// The documents under `goldens/`, whose index says where each was transcribed from.
class GoldenDocumentsTest {

  static Stream<Kind> stored() {
    return Arrays.stream(Kind.values()).filter(Kind::isStoredAsResource);
  }

  private static String file(Kind kind) {
    return kind.kindName().toLowerCase(Locale.ROOT) + ".json";
  }

  private static String text(String name) {
    try (InputStream in = GoldenDocumentsTest.class.getResourceAsStream("/goldens/" + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).stripTrailing();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  /// The second cell of the index's row for the file.
  private static String key(Kind kind) {
    return text("goldens.md")
        .lines()
        .filter(line -> line.startsWith("| " + file(kind) + " |"))
        .map(line -> line.split("\\|", -1)[2].strip().replace("`", ""))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @MethodSource("stored")
  void a_document_of_calicos_is_read_whole_and_written_back_byte_for_byte(Kind kind) {
    String document = text(file(kind));

    Decoded decoded = ResourceJson.decode(key(kind), document, 7).orElseThrow();

    assertThat(decoded).isInstanceOf(Decoded.Valid.class);
    Resource resource = ((Decoded.Valid) decoded).resource();
    assertThat(resource.kind()).isEqualTo(kind);
    assertThat(UnknownFields.of(resource)).isEmpty();
    assertThat(ResourceJson.encode(resource)).isEqualTo(document);
    assertThat(ResourceKeys.key(resource)).isEqualTo(key(kind));
  }

  @Test
  void the_index_names_a_source_for_each() {
    stored()
        .forEach(
            kind ->
                assertThat(text("goldens.md"))
                    .containsPattern("\\| " + file(kind) + " \\|[^|]+\\|[^|]+\\| [^|]+\\.go \\|"));
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
