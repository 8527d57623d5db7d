package io.margay.cli.ipam;

import io.margay.cli.resource.DatastoreOptions;
import io.margay.datastore.etcd.EtcdDatastore;
import io.margay.ipam.care.Pause;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `margay ipam` with its subcommands.
@Command(
    name = "ipam",
    mixinStandardHelpOptions = true,
    description = "Blocks and addresses: what is used, what contradicts itself, putting it right.",
    synopsisSubcommandLabel = "show|check|repair|gc|release|split|configure")
public final class IpamCommands implements Runnable {

  /// What the commands need of the world outside.
  ///
  /// @param opener opens the datastore
  /// @param clock for ages and new objects
  /// @param pause lets time pass between two looks
  /// @param version of this program, as reports carry it
  record Surroundings(
      DatastoreOptions.Opener opener, InstantSource clock, Pause pause, String version) {}

  @Spec private CommandSpec spec = CommandSpec.create();

  private IpamCommands() {}

  /// Adds the commands to `margay`, working on etcd.
  public static void register(CommandLine margay) {
    register(
        margay,
        new Surroundings(
            EtcdDatastore::open,
            InstantSource.system(),
            duration -> TimeUnit.NANOSECONDS.sleep(duration.toNanos()),
            Optional.ofNullable(IpamCommands.class.getPackage().getImplementationVersion())
                .orElse("(not packaged)")));
  }

  static void register(CommandLine margay, Surroundings surroundings) {
    margay.addSubcommand(
        "ipam",
        new CommandLine(new IpamCommands())
            .addSubcommand(new ShowCommand(surroundings))
            .addSubcommand(new CheckCommand(surroundings))
            .addSubcommand(new RepairCommand(surroundings))
            .addSubcommand(new GcCommand(surroundings))
            .addSubcommand(new ReleaseCommand(surroundings))
            .addSubcommand(new SplitCommand(surroundings))
            .addSubcommand(new ConfigureCommand(surroundings)));
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }
}
