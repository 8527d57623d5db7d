package io.margay.cli.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import picocli.CommandLine;

/// What the command says before it touches the machine. Isolated: it listens on this process's
/// stderr.
@Isolated
class LabCommandTest {

  @TempDir private Path directory;

  private String err = "";

  @Test
  void a_bad_topology_is_one_line_and_status_2_and_nothing_is_created() throws Exception {
    Path file = Files.writeString(directory.resolve("bad.yaml"), "name: r\ntors: []\n");
    assertThat(run("up", "-f", file.toString(), "--name", "mgytbad", "-o", "json")).isEqualTo(2);
    assertThat(err).isEqualTo(file + ": tors: expected a list of at least 1 of routers, got []\n");
    assertThat(LabState.home("mgytbad")).doesNotExist();
    assertThat(Namespaces.startingWith("mgy-mgytbad-")).isEmpty();
  }

  @Test
  void a_name_that_is_a_path_is_refused() {
    assertThat(run("down", "--name", "../etc")).isEqualTo(2);
    assertThat(err).startsWith("--name: expected letters, digits").hasLineCount(1);
  }

  @Test
  void down_wants_a_name_or_all() {
    assertThat(run("down")).isEqualTo(2);
    assertThat(run("down", "--all", "--name", "x")).isEqualTo(2);
  }

  @Test
  void an_unknown_lab_is_named() {
    assertThat(run("probe", "--name", "mgytnone")).isEqualTo(1);
    assertThat(run("exec", "--name", "mgytnone", "node1", "--", "true")).isEqualTo(1);
    assertThat(err).contains("no lab named mgytnone");
  }

  @Test
  void an_output_that_is_not_is_refused() throws Exception {
    Path file =
        Files.writeString(directory.resolve("r.yaml"), "name: r\ntors: [{name: t, asn: 1}]\n");
    assertThat(run("up", "-f", file.toString(), "-o", "xml")).isEqualTo(2);
    assertThat(err).isEqualTo("-o: expected text or json, got \"xml\"\n");
  }

  private int run(String... arguments) {
    PrintStream before = System.err;
    ByteArrayOutputStream caught = new ByteArrayOutputStream();
    System.setProperty("margay.home", "/nonexistent");
    System.setErr(new PrintStream(caught, true, StandardCharsets.UTF_8));
    try {
      return new CommandLine(new LabCommand()).execute(arguments);
    } finally {
      System.setErr(before);
      System.clearProperty("margay.home");
      err = caught.toString(StandardCharsets.UTF_8);
    }
  }
}
