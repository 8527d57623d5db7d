package io.margay.cli.resource;

import io.margay.cli.ExitCodes;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.json.ResourceDocuments;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// What all resource commands share: the datastore, its failures as exit codes, where they print.
abstract sealed class ResourceCommand implements Callable<Integer>
    permits WriteCommand, DeleteCommand, GetCommand, PatchCommand, LabelCommand {

  private static final Pattern OF_A_RULE = Pattern.compile("spec\\.(in|e)gress\\[\\d+]\\.");

  private final InstantSource clock;

  @Mixin private final DatastoreOptions datastoreOptions;

  @Spec private CommandSpec spec = CommandSpec.create();

  ResourceCommand(ResourceCommands.Surroundings surroundings) {
    this.clock = surroundings.clock();
    this.datastoreOptions = new DatastoreOptions(surroundings);
  }

  /// Does the work on an open store.
  ///
  /// @return the exit code
  abstract int run(ResourceStore store) throws DatastoreException;

  /// Reads and checks what needs no datastore.
  ///
  /// @return an exit code to stop with; empty = go on
  abstract Optional<Integer> prepare() throws IOException;

  @Override
  public final Integer call() {
    try {
      Optional<Integer> stop = prepare();
      if (stop.isPresent()) {
        return stop.get();
      }
    } catch (IOException unreadable) {
      return fail(String.valueOf(unreadable.getMessage()), ExitCodes.USAGE);
    }
    try (Datastore datastore = datastoreOptions.open()) {
      return run(new ResourceStore(datastore, clock));
    } catch (DatastoreException failure) {
      return fail(String.valueOf(failure.getMessage()), exitCode(failure));
    } catch (IllegalArgumentException badSettings) {
      return fail(String.valueOf(badSettings.getMessage()), ExitCodes.USAGE);
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
  final int fail(String message, int exitCode) {
    err().println(message);
    err().flush();
    return exitCode;
  }

  final CommandSpec spec() {
    return spec;
  }

  final PrintWriter out() {
    return spec.commandLine().getOut();
  }

  final PrintWriter err() {
    return spec.commandLine().getErr();
  }

  /// Prints what is wrong with the documents, and what in them has no effect.
  ///
  /// @return whether nothing is wrong
  final boolean report(ResourceDocuments documents) {
    return report(documents, err());
  }

  static boolean report(ResourceDocuments documents, PrintWriter err) {
    for (ResourceDocuments.Item item : documents.items()) {
      item.unknownFields()
          .forEach(
              field ->
                  err.println(
                      item.origin()
                          + ": "
                          + (item.origin().item().isEmpty() ? "" : item.origin().item() + ".")
                          + field
                          + ": warning: not a known field; kept, "
                          + effect(field)));
    }
    documents.problems().forEach(err::println);
    err.flush();
    return documents.problems().isEmpty();
  }

  /// A field of a rule may be what confines it, so the agent does not read past it.
  private static String effect(String unknownField) {
    return OF_A_RULE.matcher(unknownField).lookingAt()
        ? "and an Allow with it matches nothing, a Deny or Pass denies what the rest of it matches"
        : "without effect";
  }
}
