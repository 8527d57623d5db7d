package io.margay.cli.policy;

import io.margay.agent.calc.ClusterView;
import io.margay.agent.calc.HostKnobs;
import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FirewallSettings;
import io.margay.agent.firewall.PacketLog;
import io.margay.cli.ExitCodes;
import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.nft.NftText;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.FelixConfiguration;
import io.margay.policy.CalcGraph;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Prints the tables a node would have.
@Command(
    name = "render",
    mixinStandardHelpOptions = true,
    description = "Print the nftables tables that a node would have, as nft writes them.")
final class RenderCommand implements Callable<Integer> {

  private final InputStream standardInput;

  @Option(
      names = {"-r", "--resources"},
      arity = "1..*",
      required = true,
      paramLabel = "FILE",
      description = "v3 and Kubernetes documents, YAML or JSON; folders of them; - for stdin")
  private List<String> resources = List.of();

  @Option(
      names = "--node",
      required = true,
      paramLabel = "N",
      description = "the node: its pods are those with this spec.nodeName")
  private String node = "";

  @Spec private CommandSpec spec = CommandSpec.create();

  RenderCommand(InputStream standardInput) {
    this.standardInput = standardInput;
  }

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    try {
      World world =
          WorldReader.read(
              new ResourceFiles(standardInput).documents(resources), PodReader.Wiring.AS_WRITTEN);
      world.warnings().forEach(warning -> err.println("margay: " + warning));
      if (world.pods().values().stream()
          .noneMatch(pod -> pod.endpoint() != null && node.equals(pod.node()))) {
        err.println("margay: no pod is on node " + node + " by its spec.nodeName");
      }
      CalcGraph graph = world.graph(node);
      world.problems(graph).forEach(problem -> err.println("margay: " + problem));
      out.print(text(world, graph));
      return ExitCodes.OK;
    } catch (IOException unusable) {
      err.println("margay: " + unusable.getMessage());
      return ExitCodes.USAGE;
    } finally {
      err.flush();
      out.flush();
    }
  }

  private String text(World world, CalcGraph graph) {
    try (NftTable table = new NftTable(new FakeNftables(false).open(), "margay", Ownership.NEVER)) {
      FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
      ClusterView cluster = new ClusterView();
      HostKnobs knobs = new HostKnobs(node, List.of(), PacketLog.DEFAULT);
      world
          .resources()
          .forEach(
              (ref, resource) -> {
                cluster.onUpdate(ref, resource);
                if (resource instanceof FelixConfiguration configuration) {
                  knobs.onUpdate(ref.name(), configuration);
                }
              });
      knobs.setNodeLabels(cluster.node(node).map(its -> its.metadata().labels()).orElse(null));
      firewall.setNatOutgoing(knobs.read().nat().of(cluster));
      graph.flush(firewall::onUpdate);
      StringBuilder text = new StringBuilder();
      for (IpFamily family : IpFamily.values()) {
        text.append(NftText.print(firewall.desired(family)));
      }
      return text.toString();
    }
  }
}
