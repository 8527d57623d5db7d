package io.margay.cli.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.http.Answer;
import io.margay.cli.http.HttpAddress;
import io.margay.cli.http.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// The archive, read by the system's tar.
class NodeDiagsTest {

  @TempDir private Path directory;

  private String run(String... arguments) {
    CommandLine line = new CommandLine(new NodeCommand());
    StringWriter out = new StringWriter();
    line.setOut(new PrintWriter(out));
    line.setErr(new PrintWriter(out));
    assertThat(line.execute(arguments)).as(out::toString).isZero();
    return out.toString();
  }

  private Path unpack(Path archive) throws Exception {
    Path to = Files.createDirectory(directory.resolve("unpacked"));
    Process tar =
        new ProcessBuilder("tar", "-xzf", archive.toString(), "-C", to.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(tar.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(tar.waitFor()).as(said).isZero();
    try (var folders = Files.list(to)) {
      return folders.findFirst().orElseThrow();
    }
  }

  @Test
  void an_agents_state_goes_in_without_its_secrets() throws Exception {
    Path socket = directory.resolve("agent.sock");
    Path config =
        Files.writeString(
            directory.resolve("agent.yaml"),
            """
            nodeName: n1
            datastore:
              endpoints: [https://root:hunter2@etcd:2379]
              user: margay
              password: hunter2
            """);
    Path log = Files.writeString(directory.resolve("agent.log"), "in sync\n");
    Path archive = directory.resolve("d.tar.gz");
    try (HttpServer _ =
        HttpServer.start(
            new HttpAddress.Unix(socket),
            (target, _) ->
                new Answer(
                    200,
                    Answer.JSON,
                    to ->
                        to.write(
                            ("{\"target\":\"" + target + "\",\"password\":\"hunter2\"}")
                                .getBytes(StandardCharsets.UTF_8))))) {
      String out =
          run(
              "diags",
              "--to",
              archive.toString(),
              "--api",
              "unix:" + socket,
              "--config",
              config.toString(),
              "--log",
              log.toString(),
              "--run-dir",
              directory.toString());
      assertThat(out).contains("Diags saved to " + archive);
    }
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(archive)))
        .isEqualTo("rw-------");

    Path files = unpack(archive);

    assertThat(files.resolve("agent/status.json"))
        .hasContent("{\"target\":\"/api/v1/status\",\"password\":\"(redacted)\"}");
    assertThat(files.resolve("agent/settings.yaml"))
        .hasContent(
            """
            nodeName: n1
            datastore:
              endpoints: [https://root:(redacted)@etcd:2379]
              user: margay
              password: "(redacted)"
            """);
    assertThat(files.resolve("agent/log.txt")).hasContent("in sync");
    assertThat(files.resolve("agent/run-dir.txt")).content().contains("agent.sock");
    assertThat(files.resolve("checksystem.txt")).content().contains("kernel version");
    assertThat(files.resolve("versions.txt")).content().contains("java " + Runtime.version());
  }

  @Test
  void what_could_not_be_had_is_said_in_the_archive_too() throws Exception {
    Path archive = directory.resolve("d.tar.gz");
    String missing = directory.resolve("nowhere").toString();

    String out =
        run(
            "diags",
            "--to",
            archive.toString(),
            "--api",
            "unix:" + missing,
            "--config",
            missing,
            "--log",
            missing,
            "--run-dir",
            missing,
            "--state-dir",
            missing);

    assertThat(out)
        .contains("not collected: agent/status.json: ", "not collected: agent/log.txt: ");
    assertThat(unpack(archive).resolve("missing.txt"))
        .content()
        .contains("agent/status.json: ", "agent/settings.yaml: NoSuchFileException: " + missing);
  }

  @Test
  void a_private_key_never_goes_in() {
    assertThat(
            Redaction.of(
                "a\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nb"))
        .isEqualTo("a\n(redacted)\nb");
  }

  @Test
  void of_a_log_that_is_too_long_the_end_is_taken_whatever_octets_it_has() throws IOException {
    Path log = directory.resolve("agent.log");
    byte[] octets = new byte[Diagnostics.MAX_OCTETS + 100];
    Arrays.fill(octets, (byte) 'x');
    octets[octets.length - 2] = (byte) 0xff;
    octets[octets.length - 1] = 'e';
    Files.write(log, octets);
    String end = Diagnostics.endOf(log);
    assertThat(end).hasSize(Diagnostics.MAX_OCTETS).endsWith("x\ufffde");
  }
}
