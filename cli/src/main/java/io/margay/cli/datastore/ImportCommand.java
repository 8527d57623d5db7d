package io.margay.cli.datastore;

import io.margay.cli.ExitCodes;
import io.margay.cli.Progress;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `margay datastore import`.
@Command(
    name = "import",
    description = {
      "Fill an empty, locked datastore from an export. The whole file is checked before the first",
      "write, the datastore is compared with it afterwards. Run again, it completes what an",
      "interrupted run began. The datastore stays locked: look at it, then margay datastore unlock."
    })
final class ImportCommand extends StoreCommand {

  private final DatastoreCommands.Surroundings surroundings;

  @Option(
      names = {"-f", "--filename"},
      required = true,
      paramLabel = "FILE",
      description =
          "what margay datastore export or calicoctl datastore migrate export wrote; - ="
              + " standard input")
  private String name = "";

  @Option(
      names = "--force",
      description =
          "into a datastore that holds other things: what differs is written over, what"
              + " the file does not have stays")
  private boolean force;

  @Option(names = "--dry-run", description = "check and compare only, write nothing")
  private boolean dryRun;

  @Option(
      names = "--no-checksum",
      description = "although the file is not as it was written, because you changed it")
  private boolean withoutChecksum;

  /// Made when writing begins; a test's own ends the work at will.
  private final Supplier<? extends BooleanSupplier> interruption;

  ImportCommand(DatastoreCommands.Surroundings surroundings) {
    super(surroundings.opener());
    this.surroundings = surroundings;
    this.interruption = surroundings.interruption();
  }

  @Override
  protected int run(Datastore datastore) throws DatastoreException, IOException {
    if (!name.equals("-")) {
      return run(datastore, Path.of(name));
    }
    // It is read twice: once to check, once to write.
    Path copy = Files.createTempFile("margay-import", ".yaml");
    try {
      Files.copy(surroundings.standardInput(), copy, StandardCopyOption.REPLACE_EXISTING);
      return run(datastore, copy);
    } finally {
      Files.deleteIfExists(copy);
    }
  }

  private int run(Datastore datastore, Path file) throws DatastoreException, IOException {
    ImportPlan plan;
    try {
      switch (Checksum.of(file)) {
        case GOOD -> {}
        case WRONG -> {
          if (!withoutChecksum) {
            return fail(
                name
                    + ": is not as it was written: its checksum does not match. Nothing was"
                    + " imported; if the change is yours, --no-checksum",
                ExitCodes.USAGE);
          }
        }
        case ABSENT -> err().println(name + ": warning: it has no checksum");
      }
      plan = ImportPlan.of(file, name);
    } catch (NoSuchFileException missing) {
      return fail(name + ": no such file", ExitCodes.USAGE);
    } catch (AccessDeniedException denied) {
      return fail(name + ": may not be read", ExitCodes.USAGE);
    }
    if (!plan.problems().isEmpty()) {
      plan.problems().forEach(err()::println);
      return fail(
          plan.problems().size() + " problems in " + name + "; nothing was written",
          ExitCodes.FAILED);
    }
    return fill(datastore, file, plan);
  }

  private int fill(Datastore datastore, Path file, ImportPlan plan)
      throws DatastoreException, IOException {
    ImportPlan.Comparison before = plan.compare(datastore);
    List<String> different =
        before.different().stream().filter(key -> !key.equals(DatastoreLock.KEY)).toList();
    if (!force && !(different.isEmpty() && before.foreign().isEmpty())) {
      KeyList.print("keys differ from the file", different, err());
      KeyList.print("keys are not in the file", before.foreign(), err());
      return fail(
          "the datastore is not empty, and not by an earlier import of this file; nothing was"
              + " written. Empty it, or write into it all the same with --force",
          ExitCodes.FAILED);
    }
    if (dryRun) {
      out()
          .println(
              "%s: %,d documents, all good; %,d of them are there already, %,d would be written"
                  .formatted(name, plan.size(), before.same(), plan.size() - before.same()));
      return ExitCodes.OK;
    }
    DatastoreLock lock = new DatastoreLock(datastore, surroundings.clock());
    if (!lock.isLocked()) {
      if (datastore.get(DatastoreLock.KEY).isPresent()) {
        return fail(
            "the datastore is not locked, so agents could assign addresses while it is filled;"
                + " run margay datastore lock first. Nothing was written",
            ExitCodes.FAILED);
      }
      lock.lock();
      out().println("The datastore was empty; it is locked now.");
      plan.compare(datastore);
    }
    return write(datastore, file, plan);
  }

  private int write(Datastore datastore, Path file, ImportPlan plan)
      throws DatastoreException, IOException {
    BooleanSupplier stop = interruption.get();
    try (Progress progress = Progress.on(err())) {
      Importer importer = new Importer(datastore, plan, surroundings.clock(), stop, progress);
      try {
        importer.run(file, name);
      } catch (Importer.Stopped stopped) {
        progress.wipe();
        return stopped(stopped, importer, plan);
      }
      out()
          .println(
              "imported %s: %,d documents written, %,d unchanged"
                  .formatted(name, importer.written(), importer.unchanged()));
      return verify(plan.compare(datastore), plan);
    } finally {
      out().flush();
      err().flush();
      if (stop instanceof Interruption signals) {
        signals.close();
      }
    }
  }

  private int stopped(Importer.Stopped stopped, Importer importer, ImportPlan plan) {
    err().println(stopped.getMessage());
    String extent =
        stopped.lastKey().isEmpty()
            ? "nothing was written"
            : "everything in the file up to " + stopped.lastKey() + " is in, and nothing behind it";
    return fail(
        "stopped: %,d of %,d documents written, %,d were there before; %s%s. Run the same command again to complete it"
            .formatted(
                importer.written(),
                plan.size(),
                importer.unchanged(),
                extent,
                stopped.uncertainKey().isEmpty()
                    ? ""
                    : " but perhaps the next ones up to " + stopped.uncertainKey()),
        ExitCodes.FAILED);
  }

  private int verify(ImportPlan.Comparison after, ImportPlan plan) {
    if (!after.isWhole()) {
      KeyList.print("documents are missing", after.missing(), err());
      KeyList.print("documents differ from the file", after.different(), err());
      return fail(
          "verification failed: somebody else writes to this datastore; run the same command again",
          ExitCodes.FAILED);
    }
    out().println("verified: all %,d documents are there as in the file".formatted(plan.size()));
    if (!after.foreign().isEmpty()) {
      out().println("%,d keys that are not in the file stay".formatted(after.foreign().size()));
    }
    out()
        .println(
            "The datastore is locked. To let agents assign addresses: margay datastore unlock");
    return ExitCodes.OK;
  }
}
