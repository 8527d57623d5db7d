package io.margay.cli.node;

import io.margay.datastore.etcd.EtcdDatastore;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// `margay node`: a running agent, and the machine it runs on.
@Command(
    name = "node",
    description = "State of a running agent and of its machine; draining and cleaning a node",
    subcommands = {
      NodeStatusCommand.class,
      NodeDiagsCommand.class,
      NodeCheckSystemCommand.class,
      NodeCleanCommand.class
    },
    synopsisSubcommandLabel = "status|drain|undrain|diags|checksystem|clean")
public final class NodeCommand {

  /// Adds the commands to `margay`, working on etcd.
  public static void register(CommandLine margay) {
    register(
        margay,
        new DrainCommand.Surroundings(
            EtcdDatastore::open,
            InstantSource.system(),
            duration -> TimeUnit.NANOSECONDS.sleep(duration.toNanos())));
  }

  static void register(CommandLine margay, DrainCommand.Surroundings surroundings) {
    margay.addSubcommand(
        "node",
        new CommandLine(new NodeCommand())
            .addSubcommand(new DrainCommand.Drain(surroundings))
            .addSubcommand(new DrainCommand.Undrain(surroundings)));
  }
}
