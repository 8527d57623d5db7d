package io.margay.cli.ipam;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.ExitCodes;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.ipam.care.Finding;
import io.margay.ipam.care.IpamCheck;
import io.margay.ipam.care.IpamRepair;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Puts right what can be put right without asking a witness.
@Command(
    name = "repair",
    mixinStandardHelpOptions = true,
    description = {
      "Explain every contradiction and, with --apply, repair it.",
      "Frees no address that anybody is said to hold: that is gc's, which has witnesses.",
      "Exit code 1 if anything is left to do."
    })
final class RepairCommand extends IpamCommand {

  @Option(names = "--apply", description = "do it; without, only say what would be done")
  private boolean apply;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES} (default: text)",
      defaultValue = "text")
  private Output output = Output.text;

  RepairCommand(IpamCommands.Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  int run(Datastore datastore) throws DatastoreException, InterruptedException {
    return apply ? repair(datastore) : explain(datastore);
  }

  private int explain(Datastore datastore) throws DatastoreException {
    List<Finding> findings =
        IpamCheck.run(() -> read(datastore), Optional.of(surroundings().clock().instant()))
            .findings();
    long repairable = findings.stream().filter(finding -> finding.fix().isPresent()).count();
    if (output == Output.json) {
      ObjectNode document = JsonMapper.builder().build().createObjectNode();
      document.put("applied", false).set("findings", Findings.json(findings));
      out().println(document.toPrettyString());
    } else {
      out().print(Findings.text(findings, true));
      out()
          .println(
              findings.isEmpty()
                  ? "nothing to repair"
                  : findings.size()
                      + " findings, "
                      + repairable
                      + " repairable"
                      + (repairable > 0 ? "; --apply repairs them" : ""));
    }
    return problems(findings) == 0 ? ExitCodes.OK : ExitCodes.FAILED;
  }

  private int repair(Datastore datastore) throws DatastoreException, InterruptedException {
    InstantSource clock = surroundings().clock();
    IpamRepair.Outcome outcome =
        new IpamRepair(
                datastore,
                () -> read(datastore),
                clock,
                duration ->
                    pause(
                        "waiting " + duration.toSeconds() + " s for what is on its way", duration))
            .run(
                finding -> {
                  if (output == Output.text) {
                    out().print(wrapped("repaired ", finding.toString()));
                    out().print(wrapped("  ", finding.remedy()));
                    out().flush();
                  }
                });
    if (output == Output.json) {
      ObjectNode document = JsonMapper.builder().build().createObjectNode();
      document.put("applied", true).set("repaired", Findings.json(outcome.repaired()));
      document.set("left", Findings.json(outcome.left()));
      document.put("overtaken", outcome.overtaken());
      out().println(document.toPrettyString());
    } else {
      out().print(Findings.text(outcome.left(), true));
      out()
          .println(
              outcome.repaired().size()
                  + " repaired, "
                  + outcome.left().size()
                  + " left"
                  + (outcome.overtaken() > 0
                      ? ", " + outcome.overtaken() + " changed by others meanwhile"
                      : ""));
    }
    return problems(outcome.left()) == 0 ? ExitCodes.OK : ExitCodes.FAILED;
  }

  private static long problems(List<Finding> findings) {
    return findings.stream().filter(finding -> !finding.kind().isNote()).count();
  }
}
