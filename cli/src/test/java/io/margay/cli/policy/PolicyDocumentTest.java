package io.margay.cli.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cli.ExitCodes;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/// What docs/policy.md shows is what the example does.
final class PolicyDocumentTest {

  private static final Path ROOT = Path.of(System.getProperty("margay.root", ".."));
  private static final Path EXAMPLES = ROOT.resolve("deploy/etc");

  @Test
  void the_example_answers_as_the_document_shows() throws IOException {
    StringWriter out = new StringWriter();
    CommandLine margay = new CommandLine(CommandLine.Model.CommandSpec.create().name("margay"));
    PolicyCommands.register(margay, InputStream.nullInputStream());
    margay.setOut(new PrintWriter(out, true));
    int code =
        margay.execute(
            "policy",
            "eval",
            "--resources",
            EXAMPLES.resolve("policy-test-world.yaml").toString(),
            "--probes",
            EXAMPLES.resolve("policy-test-probes.yaml").toString());

    assertThat(code).isEqualTo(ExitCodes.OK);
    assertThat(Files.readString(ROOT.resolve("docs/policy.md"))).contains(out.toString());
  }
}
