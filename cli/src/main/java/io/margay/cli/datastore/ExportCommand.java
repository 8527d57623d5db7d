package io.margay.cli.datastore;

import io.margay.cli.ExitCodes;
import io.margay.cli.Progress;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `margay datastore export`.
@Command(
    name = "export",
    description = {
      "Copy everything a cluster can be rebuilt from: resources, ClusterInformation, IPAM, and",
      "Margay's own keys; all as it was at one moment. Status that expires by itself is left out."
    })
final class ExportCommand extends StoreCommand {

  /// How often a copy is begun anew when its moment was compacted away meanwhile.
  private static final int MAX_ATTEMPTS = 3;

  private static final int BUFFER_OCTETS = 1 << 16;

  private final DatastoreCommands.Surroundings surroundings;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description =
          "where to; readable by its owner alone, and there only when whole (default:"
              + " standard output)")
  private @Nullable Path file;

  @Option(
      names = "--allow-unlocked",
      description = "although addresses may change right after the copied moment")
  private boolean allowUnlocked;

  @Option(
      names = "--include-secrets",
      description = "with the passwords below /margay/v1/secrets/, in the clear")
  private boolean withSecrets;

  ExportCommand(DatastoreCommands.Surroundings surroundings) {
    super(surroundings.opener());
    this.surroundings = surroundings;
  }

  @Override
  protected int run(Datastore datastore) throws DatastoreException, IOException {
    if (!new DatastoreLock(datastore, surroundings.clock()).isLocked()) {
      if (!allowUnlocked) {
        return fail(
            "the datastore is not locked, so addresses could change after they were copied;"
                + " run margay datastore lock first, or accept that with --allow-unlocked",
            ExitCodes.FAILED);
      }
      err()
          .println(
              "warning: the datastore is not locked; addresses assigned from now on are missing"
                  + " from the copy");
      err().flush();
    }
    Path target = file;
    if (target == null) {
      tell(copy(datastore, surroundings.standardOutput()));
      return ExitCodes.OK;
    }
    tell(toFile(datastore, target));
    return ExitCodes.OK;
  }

  private Exporter.Summary toFile(Datastore datastore, Path target)
      throws DatastoreException, IOException {
    Path part = target.resolveSibling(target.getFileName() + ".part");
    try {
      for (int attempt = 1; ; attempt++) {
        Files.deleteIfExists(part);
        Files.createFile(
            part,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (OutputStream out = Files.newOutputStream(part)) {
          Exporter.Summary summary = copy(datastore, out);
          Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
          return summary;
        } catch (DatastoreException failed) {
          if (failed.kind() != DatastoreException.Kind.INVALID || attempt == MAX_ATTEMPTS) {
            throw failed;
          }
          err().println("beginning anew: " + failed.getMessage());
        }
      }
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private Exporter.Summary copy(Datastore datastore, OutputStream out)
      throws DatastoreException, IOException {
    try (Progress progress = Progress.on(err())) {
      return new Exporter(
              datastore, new BufferedOutputStream(out, BUFFER_OCTETS), withSecrets, progress)
          .run();
    }
  }

  private void tell(Exporter.Summary summary) {
    err()
        .println(
            "exported %,d resources, %,d IPAM documents and %,d other keys, as of revision %d"
                .formatted(
                    summary.resources(), summary.ipam(), summary.others(), summary.revision()));
    KeyList.print(
        "copied as they are, because this version can't read them", summary.unreadable(), err());
    KeyList.print(
        "left out, because they may hold passwords (--include-secrets)", summary.secrets(), err());
  }
}
