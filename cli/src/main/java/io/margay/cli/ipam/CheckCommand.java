package io.margay.cli.ipam;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.ExitCodes;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.ipam.care.AllocationReport;
import io.margay.ipam.care.IpamCheck;
import io.margay.ipam.care.IpamReport;
import io.margay.ipam.care.IpamState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Compares everything with everything and changes nothing.
@Command(
    name = "check",
    mixinStandardHelpOptions = true,
    description = {
      "Compare blocks, claims, handles, endpoints, nodes and pools with each other.",
      "Exit code 1 if anything contradicts. Changes nothing."
    })
final class CheckCommand extends IpamCommand {

  private static final Path AS_JSON = Path.of("json");

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE|json",
      description = {
        "write every allocation to a report, for release --from-report;",
        "json: print the findings as JSON instead (./json is a file)"
      })
  private @Nullable Path output;

  @Option(names = "--show-all-ips", description = "print every address that is checked")
  private boolean showAll;

  @Option(names = "--show-problem-ips", description = "print every problem, not the first few")
  private boolean showProblems;

  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description = "accepted for calicoctl's sake: Kubernetes is not asked")
  @Nullable Path kubeconfig;

  CheckCommand(IpamCommands.Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  int run(Datastore datastore) throws DatastoreException, IOException {
    // The report is of the very reading that the findings are of.
    IpamState[] last = new IpamState[1];
    IpamReport checked =
        IpamCheck.run(
            () -> last[0] = read(datastore), Optional.of(surroundings().clock().instant()));
    if (AS_JSON.equals(output)) {
      return json(checked);
    }
    AllocationReport allocations = AllocationReport.of(last[0], surroundings().version());
    if (showAll) {
      allocations
          .allocations()
          .values()
          .forEach(
              list ->
                  list.forEach(
                      one ->
                          out()
                              .print(
                                  wrapped(
                                      "",
                                      one.address()
                                          + " held by "
                                          + (one.handle().isEmpty() ? "(nobody)" : one.handle())
                                          + ", used by "
                                          + (one.owners().isEmpty()
                                              ? "nothing seen"
                                              : String.join(", ", one.owners()))))));
    }
    out().print(Findings.text(checked.findings(), showAll || showProblems));
    if (output != null) {
      write(output, allocations.toJson());
    }
    String size =
        checked.usage().size()
            + " blocks, "
            + checked.handleCount()
            + " handles, "
            + checked.allocatedCount()
            + " addresses";
    if (checked.problemCount() > 0) {
      out().println(checked.problemCount() + " problems in " + size + "; see margay ipam repair");
      return ExitCodes.FAILED;
    }
    out().println("all adds up: " + size);
    return ExitCodes.OK;
  }

  private int json(IpamReport checked) {
    ObjectNode document = JsonNodeFactory.instance.objectNode();
    document
        .put("blocks", checked.usage().size())
        .put("handles", checked.handleCount())
        .put("addresses", checked.allocatedCount())
        .put("problems", checked.problemCount())
        .set("findings", Findings.json(checked.findings()));
    out().println(document.toPrettyString());
    return checked.problemCount() > 0 ? ExitCodes.FAILED : ExitCodes.OK;
  }

  private static void write(Path file, String text) throws IOException {
    try {
      Files.writeString(file, text + "\n");
    } catch (IOException refused) {
      throw new IOException(file + ": can't be written: " + refused.getMessage(), refused);
    }
  }
}
