package io.margay.cli.ipam;

import io.margay.cli.ExitCodes;
import io.margay.cli.Progress;
import io.margay.cli.resource.DatastoreOptions;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.ipam.care.IpamState;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// What all `ipam` commands share: the datastore, its failures as exit codes, where they print, and
/// how far they have come.
abstract class IpamCommand implements Callable<Integer> {

  /// The widest line printed.
  static final int WIDTH = 100;

  /// How results are shown; the names are what `-o` takes.
  enum Output {
    text,
    json
  }

  private final IpamCommands.Surroundings surroundings;

  @Mixin private final DatastoreOptions store;

  @Spec private CommandSpec spec = CommandSpec.create();

  IpamCommand(IpamCommands.Surroundings surroundings) {
    this.surroundings = surroundings;
    this.store = new DatastoreOptions(surroundings.opener());
  }

  /// Does the work on an open datastore.
  ///
  /// @return the exit code
  /// @throws IOException naming a file that can't be read or written
  /// @throws IllegalArgumentException when an option makes no sense
  abstract int run(Datastore datastore)
      throws DatastoreException, IOException, InterruptedException;

  @Override
  public final Integer call() {
    try (Datastore datastore = store.open()) {
      return run(datastore);
    } catch (DatastoreException failure) {
      return fail(
          String.valueOf(failure.getMessage()),
          switch (failure.kind()) {
            case UNREACHABLE, DEADLINE -> ExitCodes.UNREACHABLE;
            case UNAUTHORISED, OVERLOADED, INVALID -> ExitCodes.FAILED;
          });
    } catch (IOException | IllegalArgumentException unusable) {
      return fail(String.valueOf(unusable.getMessage()), ExitCodes.USAGE);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return fail("interrupted; what was done so far stays done", ExitCodes.FAILED);
    } finally {
      out().flush();
      err().flush();
    }
  }

  final IpamCommands.Surroundings surroundings() {
    return surroundings;
  }

  final PrintWriter out() {
    return spec.commandLine().getOut();
  }

  final PrintWriter err() {
    return spec.commandLine().getErr();
  }

  /// Prints one line of trouble.
  ///
  /// @return `exitCode`
  final int fail(String message, int exitCode) {
    err().println(message);
    return exitCode;
  }

  /// Reads the state, telling on a terminal how far it has come.
  final IpamState read(Datastore datastore) throws DatastoreException {
    try (Progress progress = Progress.on(err())) {
      return IpamState.read(datastore, documents -> progress.at("reading documents:", documents));
    }
  }

  /// Waits, saying on a terminal for what.
  final void pause(String what, Duration duration) throws InterruptedException {
    try (Progress progress = Progress.on(err())) {
      progress.say(what);
      surroundings.pause().wait(duration);
    }
  }

  /// Text in lines of at most {@link #WIDTH}, the first after `start`, the others under it.
  static String wrapped(String start, String text) {
    StringBuilder lines = new StringBuilder();
    StringBuilder line = new StringBuilder(start);
    boolean isEmpty = true;
    for (String word : text.split(" ", -1)) {
      if (!isEmpty && line.length() + 1 + word.length() > WIDTH) {
        lines.append(line).append('\n');
        line = new StringBuilder(" ".repeat(start.length()));
        isEmpty = true;
      }
      line.append(isEmpty ? "" : " ").append(word);
      isEmpty = false;
    }
    return lines.append(line).append('\n').toString();
  }
}
