package io.margay.cli.node;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cli.ExitCodes;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// What every command that asks a running agent has in common.
abstract class ViewOptions implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--api",
      paramLabel = "URL",
      defaultValue = AgentApi.DEFAULT,
      description = "the agent's HTTP address (default: ${DEFAULT-VALUE})")
  private String api = "";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "text",
      description = "text or json (default: ${DEFAULT-VALUE})")
  private String output = "";

  private final String path;

  /// @param path below `/api/v1/`
  ViewOptions(String path) {
    this.path = path;
  }

  /// The answer as text for a terminal.
  abstract String text(JsonNode answer);

  @Override
  public Integer call() {
    if (!output.equals("text") && !output.equals("json")) {
      spec.commandLine().getErr().println("-o " + output + ": expected text or json");
      return ExitCodes.USAGE;
    }
    JsonNode answer;
    try {
      answer = new AgentApi(api).get(path);
    } catch (IOException unreachable) {
      spec.commandLine().getErr().println(unreachable.getMessage());
      return ExitCodes.UNREACHABLE;
    }
    spec.commandLine()
        .getOut()
        .print(output.equals("json") ? answer.toPrettyString() + "\n" : text(answer));
    spec.commandLine().getOut().flush();
    return ExitCodes.OK;
  }
}
