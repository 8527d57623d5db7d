package io.margay.cli.calico;

import io.margay.cli.resource.DatastoreOptions;
import io.margay.datastore.etcd.EtcdDatastore;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `margay import`, to be hung under `margay`.
public final class ImportCommands {

  private ImportCommands() {}

  /// Adds the command to `margay`, working on etcd.
  public static void register(CommandLine margay) {
    register(margay, EtcdDatastore::open);
  }

  static void register(CommandLine margay, DatastoreOptions.Opener opener) {
    margay.addSubcommand(
        "import", new CommandLine(new Group()).addSubcommand(new ImportCalicoCommand(opener)));
  }

  @Command(
      name = "import",
      description = "Check what is to be taken over from elsewhere.",
      synopsisSubcommandLabel = "calico")
  private static final class Group implements Runnable {

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
      throw new ParameterException(spec.commandLine(), "a command is missing");
    }
  }
}
