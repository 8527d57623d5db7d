package io.margay.cli.node;

import java.util.ArrayList;
import java.util.List;

/// A table with lines around its cells and a centred header, as calicoctl draws them.
final class FramedTable {

  private FramedTable() {}

  /// @param rows as many cells each as the header
  static String of(List<String> header, List<List<String>> rows) {
    List<Integer> widths = new ArrayList<>();
    for (int i = 0; i < header.size(); i++) {
      int width = header.get(i).length();
      for (List<String> row : rows) {
        width = Math.max(width, row.get(i).length());
      }
      widths.add(width);
    }
    StringBuilder text = new StringBuilder();
    rule(widths, text);
    line(header, widths, true, text);
    rule(widths, text);
    rows.forEach(row -> line(row, widths, false, text));
    rule(widths, text);
    return text.toString();
  }

  private static void rule(List<Integer> widths, StringBuilder text) {
    widths.forEach(width -> text.append('+').append("-".repeat(width + 2)));
    text.append("+\n");
  }

  private static void line(
      List<String> cells, List<Integer> widths, boolean isCentred, StringBuilder text) {
    for (int i = 0; i < cells.size(); i++) {
      int blanks = widths.get(i) - cells.get(i).length();
      int left = isCentred ? blanks / 2 : 0;
      text.append("| ")
          .append(" ".repeat(left))
          .append(cells.get(i))
          .append(" ".repeat(blanks - left + 1));
    }
    text.append("|\n");
  }
}
