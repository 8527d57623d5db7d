package io.margay.cli.doctor;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.margay.agent.settings.AgentSettings;
import io.margay.cli.ExitCodes;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `margay doctor`: looks at a node and says what is wrong.
@Command(
    name = "doctor",
    description = {
      "Looks at this node, without changing anything: our tables, forwarding, the agent, and other",
      "firewalls that would drop what policy allows. Needs root. Fails if something does not work."
    })
public final class DoctorCommand implements Callable<Integer> {

  enum Format {
    TEXT,
    JSON
  }

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "text|json",
      description = "how to print the findings")
  private Format format = Format.TEXT;

  @Option(names = "--run-dir", paramLabel = "DIR", description = "the agent's runDir")
  private Path runDir = AgentSettings.DEFAULT_RUN_DIR;

  @Override
  public Integer call() {
    List<Finding> findings = findings();
    PrintWriter out = spec.commandLine().getOut();
    out.print(
        switch (format) {
          case TEXT -> text(findings);
          case JSON -> json(findings);
        });
    out.flush();
    return findings.stream().anyMatch(f -> f.severity() == Finding.Severity.ERROR)
        ? ExitCodes.FAILED
        : ExitCodes.OK;
  }

  private List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    try (KernelNftables kernel = KernelNftables.open()) {
      findings.addAll(TableChecks.all(kernel));
    } catch (NftException refused) {
      findings.add(
          Finding.error(
              "nf_tables",
              String.valueOf(refused.getMessage()),
              "what the kernel enforces can't be seen",
              "run as root, on a kernel with nf_tables"));
    }
    findings.addAll(HostChecks.settings(Path.of("/proc/sys")));
    findings.add(HostChecks.agent(runDir.resolve("cni.sock")));
    return findings;
  }

  static String text(List<Finding> findings) {
    StringBuilder text = new StringBuilder();
    for (Finding finding : findings) {
      text.append(String.format("%-8s %-16s ", word(finding), finding.check()));
      text.append(finding.what()).append('\n');
      if (!finding.why().isEmpty()) {
        text.append(" ".repeat(26)).append("why: ").append(finding.why()).append('\n');
      }
      if (!finding.fix().isEmpty()) {
        text.append(" ".repeat(26)).append("fix: ").append(finding.fix()).append('\n');
      }
    }
    return text.toString();
  }

  static String json(List<Finding> findings) {
    ArrayNode array = new JsonMapper().createArrayNode();
    for (Finding finding : findings) {
      array
          .addObject()
          .put("severity", word(finding))
          .put("check", finding.check())
          .put("what", finding.what())
          .put("why", finding.why())
          .put("fix", finding.fix());
    }
    return array.toPrettyString() + "\n";
  }

  private static String word(Finding finding) {
    return finding.severity().name().toLowerCase(Locale.ROOT);
  }
}
