package io.margay.cli.output;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/// A table as calicoctl prints it: columns as wide as their widest cell and three blanks more, at
/// least five; every cell padded, the last one too; an empty line at the end.
public final class PsTable {

  private static final int MIN_WIDTH = 5;
  private static final int PADDING = 3;

  private final List<List<String>> rows = new ArrayList<>();
  private final int[] widths;

  public PsTable(List<String> headings) {
    widths = new int[headings.size()];
    row(headings);
  }

  public void row(List<String> cells) {
    if (cells.size() != widths.length) {
      throw new IllegalArgumentException(
          cells.size() + " cells in a table of " + widths.length + " columns");
    }
    rows.add(List.copyOf(cells));
    for (int i = 0; i < widths.length; i++) {
      int length = cells.get(i).codePointCount(0, cells.get(i).length());
      widths[i] = Math.max(widths[i], Math.max(MIN_WIDTH, length + PADDING));
    }
  }

  public void print(PrintWriter out) {
    StringBuilder line = new StringBuilder();
    for (List<String> row : rows) {
      line.setLength(0);
      for (int i = 0; i < widths.length; i++) {
        String cell = row.get(i);
        line.append(cell).repeat(' ', widths[i] - cell.codePointCount(0, cell.length()));
      }
      out.append(line.append('\n'));
    }
    out.append('\n');
  }
}
