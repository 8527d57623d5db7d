package io.margay.agent.firewall.rack;

import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// One semantic rule by name: documents in one step or several, and what must hold after each.
///
/// Written as documents with lines that begin with `#` and a sign: `#= NAME` begins a row, `#>`
/// begins its next step, `#+` and `#-` are expectations (see [Cell.Expected]), `#x KIND
/// [NAMESPACE/]NAME` removes a resource. Other comments are comments.
record MatrixRow(String name, List<Step> steps) {

  /// @param documents added to the step before, or to the base
  record Step(String documents, List<ResourceRef> removed, List<Cell.Expected> expected) {}

  /// Reads the rows of a file beside the tests.
  static List<MatrixRow> read(String file) throws IOException {
    List<MatrixRow> rows = new ArrayList<>();
    String[] parts = text(file).split("(?m)^#= ");
    for (String text : Arrays.asList(parts).subList(1, parts.length)) {
      int end = text.indexOf('\n');
      rows.add(new MatrixRow(text.substring(0, end).trim(), steps(text.substring(end))));
    }
    return rows;
  }

  static String text(String file) throws IOException {
    try (InputStream in = MatrixRow.class.getResourceAsStream("/matrix/" + file)) {
      if (in == null) {
        throw new IOException("no file matrix/" + file + " among the test resources");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static List<Step> steps(String text) {
    return Arrays.stream(text.split("(?m)^#>.*\n")).map(MatrixRow::step).toList();
  }

  private static Step step(String text) {
    List<ResourceRef> removed = new ArrayList<>();
    List<Cell.Expected> expected = new ArrayList<>();
    for (String line : text.lines().toList()) {
      if (line.startsWith("#x ")) {
        removed.add(ref(line.substring(3).trim().split("\\s+")));
      } else if (line.startsWith("#+") || line.startsWith("#-")) {
        expected.addAll(Cell.Expected.parse(line.substring(1)));
      }
    }
    return new Step(text, removed, expected);
  }

  private static ResourceRef ref(String[] words) {
    Kind kind =
        Arrays.stream(Kind.values())
            .filter(one -> one.kindName().equals(words[0]))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("no kind " + words[0]));
    String[] name = words[1].split("/", 2);
    return name.length == 1
        ? ResourceRef.global(kind, name[0])
        : new ResourceRef(kind, name[0], name[1]);
  }

  @Override
  public String toString() {
    return name;
  }
}
