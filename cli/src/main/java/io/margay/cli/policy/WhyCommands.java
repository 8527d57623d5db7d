package io.margay.cli.policy;

import io.margay.cli.node.WhyRouteCommand;
import io.margay.cli.resource.DatastoreOptions;
import io.margay.datastore.etcd.EtcdDatastore;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `margay why` with its subcommands.
@Command(
    name = "why",
    mixinStandardHelpOptions = true,
    description = "Explains what the network does.",
    synopsisSubcommandLabel = "drop|route")
public final class WhyCommands implements Runnable {

  @Spec private CommandSpec spec = CommandSpec.create();

  private WhyCommands() {}

  /// Adds the commands to `margay`.
  public static void register(CommandLine margay) {
    register(margay, EtcdDatastore::open);
  }

  static void register(CommandLine margay, DatastoreOptions.Opener opener) {
    margay.addSubcommand(
        "why",
        new CommandLine(new WhyCommands())
            .addSubcommand(new WhyDropCommand(opener))
            .addSubcommand(new WhyRouteCommand()));
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }
}
