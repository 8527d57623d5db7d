package io.margay.cli.resource;

import io.margay.cli.ExitCodes;
import io.margay.cli.TextTable;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.ipam.care.Finding;
import io.margay.ipam.care.IpamCheck;
import io.margay.ipam.care.IpamReport;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `margay ipam`: what is assigned, and whether it adds up.
@Command(
    name = "ipam",
    mixinStandardHelpOptions = true,
    description = "Blocks and addresses: what is used, what contradicts itself.",
    synopsisSubcommandLabel = "show|check")
final class IpamCommand implements Runnable {

  @Spec private CommandSpec spec = CommandSpec.create();

  /// The command with its subcommands.
  static CommandLine create(ResourceCommands.Surroundings surroundings) {
    return new CommandLine(new IpamCommand())
        .addSubcommand(new Show(surroundings))
        .addSubcommand(new Check(surroundings));
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  /// What both views share: read everything once, print, end with a code.
  abstract static sealed class View implements Callable<Integer> permits Show, Check {

    @Spec private CommandSpec spec = CommandSpec.create();

    @Mixin private final DatastoreOptions store;

    View(ResourceCommands.Surroundings surroundings) {
      this.store = new DatastoreOptions(surroundings.opener());
    }

    /// @return the exit code
    abstract int print(IpamReport report, PrintWriter out);

    @Override
    public final Integer call() {
      PrintWriter out = spec.commandLine().getOut();
      PrintWriter err = spec.commandLine().getErr();
      try (Datastore datastore = store.open()) {
        int code = print(IpamCheck.run(datastore), out);
        out.flush();
        return code;
      } catch (IllegalArgumentException unusable) {
        err.println(unusable.getMessage());
        return ExitCodes.USAGE;
      } catch (DatastoreException away) {
        err.println(away.getMessage());
        return ExitCodes.UNREACHABLE;
      }
    }
  }

  @Command(
      name = "show",
      mixinStandardHelpOptions = true,
      description = "How full each block is, and whose.")
  static final class Show extends View {

    Show(ResourceCommands.Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    int print(IpamReport report, PrintWriter out) {
      TextTable table = new TextTable("BLOCK", "NODE", "SIZE", "IN USE", "RESTING", "FREE");
      for (IpamReport.BlockUsage block : report.usage()) {
        table.row(
            block.block().toString(),
            block.affinity().orElse("(nobody's)"),
            Integer.toString(block.size()),
            Integer.toString(block.allocated()),
            Integer.toString(block.resting()),
            Integer.toString(block.free()));
      }
      out.print(table);
      out.println(
          report.allocatedCount() + " addresses in use under " + report.handleCount() + " handles");
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "check",
      mixinStandardHelpOptions = true,
      description = {
        "Compares blocks, handles, claims and workload endpoints.",
        "Exit code 1 if anything contradicts."
      })
  static final class Check extends View {

    Check(ResourceCommands.Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    int print(IpamReport report, PrintWriter out) {
      for (Finding finding : report.findings()) {
        out.println(finding.kind() + " " + finding.object() + ": " + finding.detail());
      }
      if (!report.findings().isEmpty()) {
        out.println(report.findings().size() + " findings");
        return ExitCodes.FAILED;
      }
      out.println(
          "all adds up: "
              + report.usage().size()
              + " blocks, "
              + report.handleCount()
              + " handles, "
              + report.allocatedCount()
              + " addresses");
      return ExitCodes.OK;
    }
  }
}
