package io.margay.cli.datastore;

import io.margay.cli.ExitCodes;
import io.margay.cli.resource.DatastoreOptions;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// What the commands on the whole datastore share: how it is opened, and its failures as one line
/// and an exit code.
public abstract class StoreCommand implements Callable<Integer> {

  @Mixin private final DatastoreOptions store;

  @Spec private CommandSpec spec = CommandSpec.create();

  protected StoreCommand(DatastoreOptions.Opener opener) {
    this.store = new DatastoreOptions(opener);
  }

  /// Does the work on an open datastore.
  ///
  /// @return the exit code
  /// @throws IOException when a file can't be read or written; the message names it
  /// @throws IllegalArgumentException when an option makes no sense
  protected abstract int run(Datastore datastore) throws DatastoreException, IOException;

  @Override
  public final Integer call() {
    try (Datastore datastore = store.open()) {
      return run(datastore);
    } catch (DatastoreException failure) {
      return fail(String.valueOf(failure.getMessage()), exitCode(failure));
    } catch (IOException | IllegalArgumentException unusable) {
      return fail(String.valueOf(unusable.getMessage()), ExitCodes.USAGE);
    } finally {
      out().flush();
      err().flush();
    }
  }

  private static int exitCode(DatastoreException failure) {
    return switch (failure.kind()) {
      case UNREACHABLE, DEADLINE -> ExitCodes.UNREACHABLE;
      case UNAUTHORISED, OVERLOADED, INVALID -> ExitCodes.FAILED;
    };
  }

  /// Prints one line of trouble.
  ///
  /// @return `exitCode`
  protected final int fail(String message, int exitCode) {
    err().println(message);
    return exitCode;
  }

  protected final PrintWriter out() {
    return spec.commandLine().getOut();
  }

  protected final PrintWriter err() {
    return spec.commandLine().getErr();
  }
}
