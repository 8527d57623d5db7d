package io.margay.cli.datastore;

import io.margay.cli.resource.DatastoreOptions;
import io.margay.datastore.etcd.EtcdDatastore;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.InstantSource;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The commands on the datastore as a whole, to be hung under `margay`.
public final class DatastoreCommands {

  /// What the commands need of the world outside.
  ///
  /// @param opener opens the datastore
  /// @param clock birthdays of new objects
  /// @param standardInput what `-f -` reads
  /// @param standardOutput what an export without `-o` goes to
  /// @param interruption made when long writing begins: whether a signal wants an end to it
  record Surroundings(
      DatastoreOptions.Opener opener,
      InstantSource clock,
      InputStream standardInput,
      OutputStream standardOutput,
      Supplier<? extends BooleanSupplier> interruption) {}

  private DatastoreCommands() {}

  /// Adds the commands to `margay`, working on etcd.
  public static void register(CommandLine margay) {
    register(
        margay,
        new Surroundings(
            EtcdDatastore::open, InstantSource.system(), System.in, System.out, Interruption::new));
  }

  static void register(CommandLine margay, Surroundings surroundings) {
    // calicoctl has them one level deeper; both are understood.
    CommandLine migrate = new CommandLine(new Group());
    migrate.getCommandSpec().usageMessage().hidden(true);
    margay.addSubcommand(
        "datastore",
        fill(new CommandLine(new Group()), surroundings)
            .addSubcommand("migrate", fill(migrate, surroundings)));
  }

  private static CommandLine fill(CommandLine group, Surroundings surroundings) {
    return group
        .addSubcommand(new LockCommand.Lock(surroundings))
        .addSubcommand(new LockCommand.Unlock(surroundings))
        .addSubcommand(new ExportCommand(surroundings))
        .addSubcommand(new ImportCommand(surroundings));
  }

  @Command(
      name = "datastore",
      description = "Lock the datastore, copy it into a file, fill it from one.",
      synopsisSubcommandLabel = "lock|unlock|export|import")
  private static final class Group implements Runnable {

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
      throw new ParameterException(spec.commandLine(), "a command is missing");
    }
  }
}
