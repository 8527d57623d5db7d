package io.margay.cli.lab;

import io.margay.cli.lab.Topology.Port;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Who reaches whom: a square of pods for each port, as people read and write it. One cell is one
/// character: `+` every address family gets through, `x` none does, `4` or `6` only that one, `.` a
/// pod and itself, `?` not probed. Squares stand side by side as far as a line goes.
public final class Matrix {

  public static final int LINE_CHARACTERS = 100;

  /// Up to this many pods, cells are set apart by a blank.
  private static final int SPACED_PODS = 24;

  private static final String NAMES =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  private static final String CELLS = "+x46.?";
  private static final String EDGE = " | ";

  private final List<String> pods;
  private final Map<Port, char[][]> squares = new LinkedHashMap<>();

  public Matrix(List<String> pods, List<Port> ports) {
    if (pods.size() > NAMES.length()) {
      throw new IllegalArgumentException(pods.size() + " pods; a matrix takes " + NAMES.length());
    }
    this.pods = List.copyOf(pods);
    for (Port port : ports) {
      char[][] square = new char[pods.size()][pods.size()];
      for (int i = 0; i < pods.size(); i++) {
        Arrays.fill(square[i], '?');
        square[i][i] = '.';
      }
      squares.put(port, square);
    }
  }

  List<String> pods() {
    return pods;
  }

  List<Port> ports() {
    return List.copyOf(squares.keySet());
  }

  char cell(Port port, int from, int to) {
    return square(port)[from][to];
  }

  void set(Port port, int from, int to, char cell) {
    if (CELLS.indexOf(cell) < 0) {
      throw new IllegalArgumentException("'" + cell + "' is not a cell; cells are " + CELLS);
    }
    square(port)[from][to] = cell;
  }

  private char[][] square(Port port) {
    char[][] square = squares.get(port);
    if (square == null) {
      throw new IllegalArgumentException("no square for port " + port);
    }
    return square;
  }

  /// Cells that differ from `expected`, one line each, at most `limit` and a line that counts the
  /// rest.
  public List<String> differencesFrom(Matrix expected, int limit) {
    List<String> lines = new ArrayList<>();
    int more = 0;
    for (Port port : squares.keySet()) {
      for (int i = 0; i < pods.size(); i++) {
        for (int j = 0; j < pods.size(); j++) {
          char seen = cell(port, i, j);
          char wanted = expected.cell(port, i, j);
          if (seen != wanted && lines.size() < limit) {
            lines.add(
                "%s -> %s %s: expected %s, seen %s"
                    .formatted(pods.get(i), pods.get(j), port, words(wanted), words(seen)));
          } else if (seen != wanted) {
            more++;
          }
        }
      }
    }
    if (more > 0) {
      lines.add("and " + more + " more");
    }
    return lines;
  }

  /// How many cells of the two differ.
  public int countDifferences(Matrix other) {
    return differencesFrom(other, Integer.MAX_VALUE).size();
  }

  /// Whether a cell lets a family through.
  static boolean allows(char cell, IpFamily family) {
    return cell == '+' || cell == (family == IpFamily.IPV4 ? '4' : '6');
  }

  static String words(char cell) {
    return switch (cell) {
      case '+' -> "open";
      case 'x' -> "closed";
      case '4' -> "open for IPv4 only";
      case '6' -> "open for IPv6 only";
      default -> "not probed";
    };
  }

  /// Reads a file that holds what [#toString()] writes.
  public static Matrix read(Path file, List<String> pods) throws TopologyException {
    try {
      return parse(file.toString(), Files.readString(file), pods);
    } catch (IOException unreadable) {
      throw new TopologyException(file + ": expected a readable matrix, got " + unreadable);
    }
  }

  /// Reads what [#toString()] writes. Empty lines and lines that begin with `#` are skipped.
  ///
  /// @param source named in errors
  /// @throws TopologyException when the text is not a matrix of these pods
  static Matrix parse(String source, String text, List<String> pods) throws TopologyException {
    Map<Port, char[][]> read = new LinkedHashMap<>();
    List<Port> band = List.of();
    int row = pods.size();
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      String[] parts = line.split("\\|", -1);
      String at = source + ": line " + number + ": ";
      if (row == pods.size()) {
        band = ports(at, parts);
        band.forEach(port -> read.put(port, new char[pods.size()][]));
        row = -1;
      } else if (row == -1) {
        row = 0;
      } else {
        String expected = NAMES.charAt(row) + " " + pods.get(row);
        if (!parts[0].strip().equals(expected) || parts.length != band.size() + 1) {
          throw new TopologyException(
              at
                  + "expected the row \""
                  + expected
                  + "\" with "
                  + band.size()
                  + " squares, got \""
                  + line.strip()
                  + "\"");
        }
        for (int p = 0; p < band.size(); p++) {
          char[] cells = parts[p + 1].replace(" ", "").toCharArray();
          if (cells.length != pods.size()
              || !new String(cells).chars().allMatch(c -> CELLS.indexOf(c) >= 0)) {
            throw new TopologyException(
                at
                    + "expected "
                    + pods.size()
                    + " cells out of "
                    + CELLS
                    + " for "
                    + band.get(p)
                    + ", got \""
                    + parts[p + 1].strip()
                    + "\"");
          }
          Objects.requireNonNull(read.get(band.get(p)))[row] = cells;
        }
        row++;
      }
    }
    if (row != pods.size()) {
      throw new TopologyException(
          source
              + ": expected a row for each of "
              + pods.size()
              + " pods, got "
              + Math.max(row, 0));
    }
    Matrix matrix = new Matrix(pods, List.copyOf(read.keySet()));
    matrix.squares.putAll(read);
    return matrix;
  }

  private static List<Port> ports(String at, String[] parts) throws TopologyException {
    List<Port> ports = new ArrayList<>();
    for (int p = 1; p < parts.length; p++) {
      try {
        ports.add(Port.parse(parts[p].strip()));
      } catch (IllegalArgumentException notAPort) {
        throw new TopologyException(
            at + "expected ports like 80/tcp, got \"" + parts[p].strip() + "\"");
      }
    }
    if (ports.isEmpty()) {
      throw new TopologyException(
          at + "expected \" | 80/tcp | …\", got \"" + parts[0].strip() + "\"");
    }
    return ports;
  }

  /// The matrix as text, each line at most [#LINE_CHARACTERS] wide where names allow.
  @Override
  public String toString() {
    int label = 2 + pods.stream().mapToInt(String::length).max().orElse(0);
    boolean spaced = pods.size() <= SPACED_PODS;
    int square = spaced ? Math.max(2 * pods.size() - 1, 8) : pods.size();
    int across = Math.max(1, (LINE_CHARACTERS - label) / (square + EDGE.length()));
    List<Port> ports = ports();
    StringBuilder text = new StringBuilder();
    for (int first = 0; first < ports.size(); first += across) {
      List<Port> band = ports.subList(first, Math.min(ports.size(), first + across));
      line(
          text,
          " ".repeat(label),
          band.stream().map(port -> pad(port.toString(), square)).toList());
      String heads = cells(NAMES.substring(0, pods.size()).toCharArray(), spaced);
      line(text, " ".repeat(label), band.stream().map(_ -> pad(heads, square)).toList());
      for (int i = 0; i < pods.size(); i++) {
        int from = i;
        line(
            text,
            pad(NAMES.charAt(i) + " " + pods.get(i), label),
            band.stream().map(port -> pad(cells(square(port)[from], spaced), square)).toList());
      }
    }
    return text.toString();
  }

  private static void line(StringBuilder text, String label, List<String> parts) {
    String line = label + EDGE + String.join(EDGE, parts);
    text.append(line.stripTrailing()).append('\n');
  }

  private static String cells(char[] row, boolean spaced) {
    StringBuilder cells = new StringBuilder();
    for (char cell : row) {
      if (spaced && !cells.isEmpty()) {
        cells.append(' ');
      }
      cells.append(cell);
    }
    return cells.toString();
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }
}
