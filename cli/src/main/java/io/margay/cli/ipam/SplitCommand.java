package io.margay.cli.ipam;

import io.margay.cli.ExitCodes;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.ipam.care.PoolSplit;
import io.margay.model.net.Prefix;
import io.margay.model.resource.IPPool;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Replaces a pool by equal parts.
@Command(
    name = "split",
    mixinStandardHelpOptions = true,
    description = {
      "Replace an IPPool by equal parts, in one transaction; blocks and addresses stay.",
      "The datastore must be locked: margay datastore lock."
    })
final class SplitCommand extends IpamCommand {

  @Parameters(index = "0", paramLabel = "N", description = "how many: a power of two, up to 64")
  private int parts;

  @Option(names = "--cidr", paramLabel = "CIDR", description = "the pool with this prefix")
  private @Nullable String cidr;

  @Option(names = "--name", paramLabel = "NAME", description = "the pool of this name")
  private @Nullable String name;

  SplitCommand(IpamCommands.Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  int run(Datastore datastore) throws DatastoreException {
    String wantedName = name;
    String wantedCidr = cidr;
    if ((wantedName == null) == (wantedCidr == null)) {
      return fail("either --name NAME or --cidr CIDR is required", ExitCodes.USAGE);
    }
    Predicate<IPPool> which;
    if (wantedCidr == null) {
      which = pool -> pool.metadata().name().equals(wantedName);
    } else {
      Prefix prefix = Prefix.parse(wantedCidr);
      which = pool -> pool.spec().cidr().equals(prefix);
    }
    String what = wantedCidr == null ? String.valueOf(wantedName) : wantedCidr;
    return switch (PoolSplit.run(datastore, surroundings().clock(), which, what, parts)) {
      case PoolSplit.Result.Refused(String reason) ->
          fail("nothing was changed: " + reason, ExitCodes.FAILED);
      case PoolSplit.Result.Done(String old, List<IPPool> made) -> {
        out().println("IPPool " + old + " is gone; in its place:");
        made.forEach(
            pool -> out().println("  " + pool.metadata().name() + " " + pool.spec().cidr()));
        out().println("You may unlock the datastore now: margay datastore unlock");
        yield ExitCodes.OK;
      }
    };
  }
}
