package io.margay.cli.node;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.margay.cli.ExitCodes;
import io.margay.cli.resource.IgnoredOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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

  @Mixin private final IgnoredOptions ignored = new IgnoredOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "text|json",
      description = "how to print it (default: ${DEFAULT-VALUE})")
  private Format format = Format.TEXT;

  @Option(
      names = {"-f", "--kernel-config"},
      paramLabel = "FILE",
      description = "the kernel's configuration, where it is not found")
  private @Nullable Path kernelConfig;

  @Option(
      names = "--root",
      paramLabel = "DIR",
      hidden = true,
      description = "where the machine's files are")
  private Path root = Path.of("/");

  @Override
  public Integer call() {
    List<SystemChecks.Check> checks;
    try {
      checks = SystemChecks.of(root, Optional.ofNullable(kernelConfig));
    } catch (IOException unreadable) {
      PrintWriter err = spec.commandLine().getErr();
      err.println(kernelConfig + " can't be read: " + unreadable);
      err.flush();
      return ExitCodes.USAGE;
    }
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
