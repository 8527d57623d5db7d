package io.margay.cli.resource;

import io.margay.cli.ExitCodes;
import io.margay.datastore.json.ResourceDocuments;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// Checks files without a datastore.
@Command(
    name = "validate",
    mixinStandardHelpOptions = true,
    description = "Check files without writing anything.")
final class ValidateCommand implements Callable<Integer> {

  @Mixin private final FileOptions files;

  @Spec private CommandSpec spec = CommandSpec.create();

  ValidateCommand(ResourceCommands.Surroundings surroundings) {
    this.files = new FileOptions(surroundings.standardInput());
  }

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    try {
      if (!files.isGiven()) {
        err.println("-f FILE is required: what is to be checked?");
        return ExitCodes.USAGE;
      }
      ResourceDocuments documents = files.read();
      if (!ResourceCommand.report(documents, err)) {
        return ExitCodes.FAILED;
      }
      Optional<Integer> empty = files.end(documents, spec);
      if (empty.isPresent()) {
        return empty.get();
      }
      spec.commandLine().getOut().println(documents.size() + " resources are valid");
      return ExitCodes.OK;
    } catch (IOException unreadable) {
      err.println(unreadable.getMessage());
      return ExitCodes.USAGE;
    } finally {
      err.flush();
      spec.commandLine().getOut().flush();
    }
  }
}
