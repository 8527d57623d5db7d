package io.margay.cli.calico;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.ExitCodes;
import io.margay.cli.Progress;
import io.margay.cli.datastore.StoreCommand;
import io.margay.cli.resource.DatastoreOptions;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `margay import calico`.
@Command(
    name = "calico",
    description = {
      "Look at an existing Calico cluster in etcd and say what would differ with Margay nodes in it.",
      "Reads only. Exit code 0: a node can join; 1: something blocks it."
    })
final class ImportCalicoCommand extends StoreCommand {

  /// How findings are printed; the names are what `-o` takes.
  enum Output {
    text,
    json
  }

  @Option(
      names = "--node",
      paramLabel = "NAME",
      description = "a node that is to run Margay; repeatable (default: some node to come)")
  private List<String> nodes = List.of();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})",
      defaultValue = "text")
  private Output output = Output.text;

  ImportCalicoCommand(DatastoreOptions.Opener opener) {
    super(opener);
  }

  @Override
  protected int run(Datastore datastore) throws DatastoreException {
    List<Finding> findings;
    try (Progress progress = Progress.on(err())) {
      progress.at("reading the cluster", 0);
      CalicoCluster cluster = CalicoCluster.read(datastore);
      progress.at("looking at resources", cluster.resources().size());
      findings = CalicoCheck.run(cluster, nodes);
    }
    switch (output) {
      case text -> out().print(FindingsText.of(findings));
      case json -> out().println(json(findings).toPrettyString());
    }
    return canJoin(findings) ? ExitCodes.OK : ExitCodes.FAILED;
  }

  private static boolean canJoin(List<Finding> findings) {
    return findings.stream().noneMatch(finding -> finding.row().severity() == Severity.BLOCKS);
  }

  private static ObjectNode json(List<Finding> findings) {
    ObjectNode document = new JsonMapper().createObjectNode();
    document.put("canJoin", canJoin(findings));
    ArrayNode list = document.putArray("findings");
    for (Finding finding : findings) {
      list.addObject()
          .put("id", finding.row().name().toLowerCase(Locale.ROOT).replace('_', '-'))
          .put("severity", finding.row().severity().name().toLowerCase(Locale.ROOT))
          .put("object", finding.object())
          .put("what", finding.row().what())
          .put("detail", finding.detail())
          .put("why", finding.row().why())
          .put("advice", finding.row().advice());
    }
    return document;
  }
}
