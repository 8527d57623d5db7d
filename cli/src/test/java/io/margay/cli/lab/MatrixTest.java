package io.margay.cli.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.cli.lab.Topology.Port;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MatrixTest {

  private static final Path SHIPPED =
      Path.of(
              System.getProperty(
                  "margay.root", Path.of("..").toAbsolutePath().normalize().toString()))
          .resolve("deploy/lab");
  private static final List<String> PODS = List.of("web-1", "db-1");
  private static final Port HTTP = Port.parse("80/tcp");
  private static final Port DNS = Port.parse("53/udp");

  @Test
  void squares_stand_side_by_side() {
    Matrix matrix = new Matrix(PODS, List.of(HTTP, DNS));
    matrix.set(HTTP, 0, 1, '+');
    matrix.set(HTTP, 1, 0, 'x');
    matrix.set(DNS, 0, 1, '4');
    assertThat(matrix)
        .hasToString(
            """
                    | 80/tcp   | 53/udp
                    | a b      | a b
            a web-1 | . +      | . 4
            b db-1  | x .      | ? .
            """);
  }

  @Test
  void what_is_written_is_read_back() throws TopologyException {
    Matrix matrix = new Matrix(PODS, List.of(HTTP, DNS));
    matrix.set(HTTP, 0, 1, '6');
    Matrix read = Matrix.parse("m", "# a comment\n\n" + matrix, PODS);
    assertThat(read).hasToString(matrix.toString());
    assertThat(read.differencesFrom(matrix, 9)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 12, 24, 25, 62})
  void lines_are_at_most_a_hundred_characters(int pods) throws TopologyException {
    List<String> names = IntStream.range(0, pods).mapToObj(i -> "namespace-" + i).toList();
    Matrix matrix =
        new Matrix(names, List.of(HTTP, DNS, Port.parse("443/tcp"), Port.parse("5432/tcp")));
    assertThat(matrix.toString().lines()).allMatch(line -> line.length() <= Matrix.LINE_CHARACTERS);
    assertThat(Matrix.parse("m", matrix.toString(), names)).hasToString(matrix.toString());
  }

  @Test
  void differences_are_named_and_counted() {
    Matrix expected = new Matrix(PODS, List.of(HTTP, DNS));
    Matrix seen = new Matrix(PODS, List.of(HTTP, DNS));
    for (Port port : List.of(HTTP, DNS)) {
      expected.set(port, 0, 1, '+');
      expected.set(port, 1, 0, 'x');
      seen.set(port, 0, 1, 'x');
      seen.set(port, 1, 0, '6');
    }
    assertThat(seen.differencesFrom(expected, 3))
        .containsExactly(
            "web-1 -> db-1 80/tcp: expected open, seen closed",
            "db-1 -> web-1 80/tcp: expected closed, seen open for IPv6 only",
            "web-1 -> db-1 53/udp: expected open, seen closed",
            "and 1 more");
    assertThat(seen.countDifferences(expected)).isEqualTo(4);
  }

  @Test
  void a_row_of_another_pod_is_refused() {
    String text = new Matrix(PODS, List.of(HTTP)).toString().replace("db-1", "db-2");
    assertThatThrownBy(() -> Matrix.parse("m.txt", text, PODS))
        .isInstanceOf(TopologyException.class)
        .hasMessageStartingWith("m.txt: line 4: expected the row \"b db-1\"");
  }

  @Test
  void a_missing_row_is_refused() {
    String text = new Matrix(PODS, List.of(HTTP)).toString().replaceAll("(?m)^b .*\n", "");
    assertThatThrownBy(() -> Matrix.parse("m.txt", text, PODS))
        .isInstanceOf(TopologyException.class)
        .hasMessage("m.txt: expected a row for each of 2 pods, got 1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"open.txt", "db-denied.txt", "policy.txt"})
  void shipped_expectations_fit_the_demo_racks_and_read_as_they_print(String file)
      throws Exception {
    List<String> pods =
        Topology.read(SHIPPED.resolve("rack.yaml")).pods().stream()
            .map(Topology.Pod::name)
            .toList();
    Path expectation = SHIPPED.resolve("expect").resolve(file);
    Matrix matrix = Matrix.read(expectation, pods);
    String table =
        Files.readAllLines(expectation).stream()
            .filter(line -> !line.startsWith("#"))
            .reduce("", (all, line) -> all + line + "\n");
    assertThat(matrix).hasToString(table);
  }
}
