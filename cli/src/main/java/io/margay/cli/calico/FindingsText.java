package io.margay.cli.calico;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Findings for people: one paragraph a row of [Support], with the objects it is about.
final class FindingsText {

  /// A text this wide fits the terminal people have.
  static final int WIDTH = 100;

  /// More objects of one row than this nobody reads; `-o json` has all.
  static final int MAX_OBJECTS = 5;

  private FindingsText() {}

  static String of(List<Finding> findings) {
    Map<Support, List<Finding>> byRow = new LinkedHashMap<>();
    findings.forEach(
        finding -> byRow.computeIfAbsent(finding.row(), _ -> new ArrayList<>()).add(finding));
    StringBuilder text = new StringBuilder();
    for (Severity severity : Severity.values()) {
      List<Support> rows = byRow.keySet().stream().filter(r -> r.severity() == severity).toList();
      if (!rows.isEmpty()) {
        text.append(severity.words().toUpperCase(Locale.ROOT)).append("\n\n");
        rows.forEach(row -> paragraph(row, byRow.getOrDefault(row, List.of()), text));
      }
    }
    return text.append(summary(findings)).append('\n').toString();
  }

  private static void paragraph(Support row, List<Finding> about, StringBuilder text) {
    wrap(text, "  ", "  ", row.what());
    about.stream()
        .limit(MAX_OBJECTS)
        .forEach(
            finding ->
                wrap(
                    text,
                    "    - ",
                    "      ",
                    finding.object()
                        + (finding.detail().isEmpty() ? "" : ": " + finding.detail())));
    if (about.size() > MAX_OBJECTS) {
      text.append("    - and ").append(about.size() - MAX_OBJECTS).append(" more; see -o json\n");
    }
    wrap(text, "    why: ", "         ", row.why());
    wrap(text, "    do:  ", "         ", row.advice());
    text.append('\n');
  }

  private static void wrap(StringBuilder text, String first, String next, String words) {
    StringBuilder line = new StringBuilder(first);
    boolean isEmpty = true;
    for (String word : words.replace('\n', ' ').split(" ", -1)) {
      if (!isEmpty && line.length() + 1 + word.length() > WIDTH) {
        text.append(line).append('\n');
        line = new StringBuilder(next);
        isEmpty = true;
      }
      line.append(isEmpty ? "" : " ").append(word);
      isEmpty = false;
    }
    text.append(line.toString().stripTrailing()).append('\n');
  }

  private static String summary(List<Finding> findings) {
    long blocking = count(findings, Severity.BLOCKS);
    return "%d blocking, %d differing, %d to know: a Margay node %s"
        .formatted(
            blocking,
            count(findings, Severity.DIFFERS),
            count(findings, Severity.INFORMS),
            blocking == 0 ? "can join" : "can't join yet");
  }

  private static long count(List<Finding> findings, Severity severity) {
    return findings.stream().filter(finding -> finding.row().severity() == severity).count();
  }
}
