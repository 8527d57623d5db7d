package io.margay.cli.policy;

import java.io.InputStream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `margay policy` with its subcommands.
@Command(
    name = "policy",
    mixinStandardHelpOptions = true,
    description = {
      "What policies in files do, without a datastore and without a kernel (eval, render);",
      "what this node's kernel has of them (show)."
    },
    synopsisSubcommandLabel = "eval|render|show")
public final class PolicyCommands implements Runnable {

  @Spec private CommandSpec spec = CommandSpec.create();

  private PolicyCommands() {}

  /// Adds the commands to `margay`.
  public static void register(CommandLine margay) {
    register(margay, System.in);
  }

  static void register(CommandLine margay, InputStream standardInput) {
    margay.addSubcommand(
        "policy",
        new CommandLine(new PolicyCommands())
            .addSubcommand(new EvalCommand(standardInput))
            .addSubcommand(new RenderCommand(standardInput))
            .addSubcommand(new ShowCommand()));
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }
}
