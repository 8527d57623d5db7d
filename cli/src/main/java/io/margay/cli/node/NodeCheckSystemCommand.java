package io.margay.cli.node;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.margay.cli.ExitCodes;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `margay node checksystem`: whether an agent can work on this machine.
@Command(
    name = "checksystem",
    mixinStandardHelpOptions = true,
    description = {
      "Whether this machine has what the agent needs: kernel version, parts, settings.",
      "Loads and changes nothing. Exits with 1 if something is missing."
    })
final class NodeCheckSystemCommand implements Callable<Integer> {

  enum Format {
    TEXT,
    JSON
  }

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "text|json",
      description = "how to print it (default: ${DEFAULT-VALUE})")
  private Format format = Format.TEXT;

  @Option(
      names = "--root",
      paramLabel = "DIR",
      hidden = true,
      description = "where the machine's files are")
  private Path root = Path.of("/");

  @Override
  public Integer call() {
    List<SystemChecks.Check> checks = SystemChecks.of(root);
    PrintWriter out = spec.commandLine().getOut();
    out.print(
        switch (format) {
          case TEXT -> SystemChecks.text(checks);
          case JSON -> json(checks);
        });
    out.flush();
    return SystemChecks.isEnough(checks) ? ExitCodes.OK : ExitCodes.FAILED;
  }

  private static String json(List<SystemChecks.Check> checks) {
    ArrayNode array = new JsonMapper().createArrayNode();
    for (SystemChecks.Check check : checks) {
      array
          .addObject()
          .put("group", check.group())
          .put("name", check.name())
          .put("outcome", check.outcome().toString())
          .put("detail", check.detail());
    }
    return array.toPrettyString() + "\n";
  }
}
