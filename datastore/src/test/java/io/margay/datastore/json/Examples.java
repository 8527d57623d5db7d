package io.margay.datastore.json;

import io.margay.model.resource.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/// The example documents of every kind, `examples/<kind>.yaml` on the class path: with every field,
/// in the form values are stored in.
final class Examples {

  private Examples() {}

  /// The documents of one kind.
  static String of(Kind kind) {
    String name = "/examples/" + kind.kindName().toLowerCase(Locale.ROOT) + ".yaml";
    try (InputStream in = Examples.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("there are no examples of " + kind + ": " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  /// All of them, as one file.
  static String everything() {
    return Arrays.stream(Kind.values())
        .filter(kind -> !kind.isKubernetes())
        .map(Examples::of)
        .collect(Collectors.joining("---\n"));
  }
}
