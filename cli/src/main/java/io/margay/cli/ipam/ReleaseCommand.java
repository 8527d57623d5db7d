package io.margay.cli.ipam;

import io.margay.cli.ExitCodes;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.ipam.Block;
import io.margay.ipam.Ipam;
import io.margay.ipam.Pools;
import io.margay.ipam.Release;
import io.margay.ipam.ReleaseResult;
import io.margay.ipam.Unreadable;
import io.margay.ipam.care.AllocationReport;
import io.margay.ipam.care.IpamState;
import io.margay.ipam.care.ReportRelease;
import io.margay.model.net.IpAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Frees addresses on a person's word, or on that of reports.
@Command(
    name = "release",
    mixinStandardHelpOptions = true,
    description = {
      "Free an address that was not freed by its pod's end, or all that reports call unused.",
      "Several reports, made an hour apart, say more than one: only what all of them call unused",
      "is freed."
    })
final class ReleaseCommand extends IpamCommand {

  @Option(names = "--ip", paramLabel = "IP", description = "the address to free")
  private @Nullable String ip;

  @Option(
      names = "--from-report",
      paramLabel = "FILE",
      description =
          "a report of check -o; the newest made while the datastore is locked; repeatable")
  private List<Path> reports = List.of();

  @Option(
      names = "--force",
      description =
          "with --ip: although an endpoint uses it; with --from-report: although the datastore is"
              + " not locked, or another version made a report")
  private boolean force;

  ReleaseCommand(IpamCommands.Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  int run(Datastore datastore) throws DatastoreException, IOException {
    String address = ip;
    if (reports.isEmpty() == (address == null)) {
      return fail("either --ip IP or --from-report FILE is required", ExitCodes.USAGE);
    }
    return address == null
        ? releaseFromReports(datastore)
        : release(datastore, IpAddress.parse(address));
  }

  private int release(Datastore datastore, IpAddress address) throws DatastoreException {
    IpamState state = read(datastore);
    Optional<Unreadable> unreadable = state.unreadableAround(address);
    if (unreadable.isPresent()) {
      return fail(notFreed(address, unreadable.get()), ExitCodes.FAILED);
    }
    Optional<Block.Allocation> held =
        state.allocationOf(address).filter(allocation -> !allocation.isResting());
    if (held.isEmpty()) {
      return fail("IP address " + address + " is not assigned", ExitCodes.FAILED);
    }
    if (!state.usesOf(address).isEmpty() && !force) {
      return fail(
          address
              + " is used by endpoint "
              + state.usesOf(address).getFirst().name()
              + "; it stays assigned. Delete the pod, or --force",
          ExitCodes.FAILED);
    }
    Release release =
        new Release(
            address,
            held.get().holder().cleanHandleId(),
            OptionalLong.of(held.get().sequenceNumber()));
    try (Ipam ipam = new Ipam(datastore, surroundings().clock(), Pools.none())) {
      return switch (ipam.releaseIps(List.of(release)).getFirst()) {
        case ReleaseResult.Released _ -> {
          out().println("Successfully released IP address " + address);
          yield ExitCodes.OK;
        }
        case ReleaseResult.Refused(IpAddress _, String reason) ->
            fail(address + " was not freed: " + reason, ExitCodes.FAILED);
        case ReleaseResult.ExtraConflict _ -> throw new IllegalStateException("nothing extra");
      };
    }
  }

  private int releaseFromReports(Datastore datastore) throws DatastoreException, IOException {
    List<AllocationReport> parsed = new ArrayList<>();
    for (Path file : reports) {
      try {
        parsed.add(AllocationReport.parse(Files.readString(file)));
      } catch (NoSuchFileException missing) {
        throw new IOException(file + ": can't be read: no such file", missing);
      } catch (IllegalArgumentException wrong) {
        throw new IOException(file + ": " + wrong.getMessage(), wrong);
      }
    }
    return switch (ReportRelease.run(
        datastore, surroundings().clock(), parsed, surroundings().version(), force)) {
      case ReportRelease.Result.Refused(String reason) ->
          fail("nothing was freed: " + reason, ExitCodes.FAILED);
      case ReportRelease.Result.Done(int released, int already, var left, int handles) -> {
        out()
            .println(
                released
                    + " addresses freed, "
                    + already
                    + " were free or in use again, "
                    + handles
                    + " empty handles deleted");
        out().println("You may unlock the datastore now: margay datastore unlock");
        left.forEach((address, block) -> err().println(notFreed(address, block)));
        yield left.isEmpty() ? ExitCodes.OK : ExitCodes.FAILED;
      }
    };
  }

  private static String notFreed(IpAddress address, Unreadable block) {
    return address + " was not freed: " + block.sentence();
  }
}
