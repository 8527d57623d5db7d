package io.margay.cli.policy;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.agent.NodeAgent;
import io.margay.cli.ExitCodes;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftCounter;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftRuleInfo;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `margay policy show`: the rules this node's kernel has, whose they are and what they counted.
@Command(
    name = "show",
    mixinStandardHelpOptions = true,
    description = {
      "Print the rules that this node's kernel has now, whose they are and what they have counted.",
      "Needs root, and neither the agent nor the datastore."
    })
final class ShowCommand implements Callable<Integer> {

  private enum Format {
    json
  }

  @Parameters(
      arity = "0..1",
      paramLabel = "POLICY",
      description = "only this policy's rules: NAME or NAMESPACE/NAME, as the datastore has it")
  private @Nullable String policy;

  @Option(
      names = "--endpoint",
      paramLabel = "NS/POD",
      description = "only what this pod's packets meet: its chains and all they lead to")
  private @Nullable String endpoint;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "json (default: text)")
  private @Nullable Format output;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    if (policy != null && endpoint != null) {
      throw new ParameterException(spec.commandLine(), "POLICY and --endpoint exclude each other");
    }
    if (endpoint != null && endpoint.indexOf('/') < 1) {
      throw new ParameterException(
          spec.commandLine(), "--endpoint " + endpoint + " is not NAMESPACE/POD");
    }
    try (KernelNftables kernel = KernelNftables.open()) {
      List<LiveTable> tables = new ArrayList<>();
      for (IpFamily family : IpFamily.values()) {
        LiveTable.read(kernel, family).ifPresent(tables::add);
      }
      if (tables.isEmpty()) {
        return failed(
            err,
            "this network namespace has no table "
                + NodeAgent.TABLE
                + ": is this a node, and has its agent (margay agent) run?");
      }
      return print(tables.stream().map(this::asked).toList(), out, err);
    } catch (NftException refused) {
      return failed(
          err,
          refused.errno() == NftException.EPERM
              ? "the kernel shows its rules to root only (CAP_NET_ADMIN); try sudo"
              : String.valueOf(refused.getMessage()));
    } catch (IOException unread) {
      return failed(err, String.valueOf(unread.getMessage()));
    } finally {
      out.flush();
      err.flush();
    }
  }

  private static int failed(PrintWriter err, String why) {
    err.println("margay policy show: " + why);
    return ExitCodes.FAILED;
  }

  private LiveTable asked(LiveTable table) {
    String ofPolicy = policy;
    String ofEndpoint = endpoint;
    if (ofPolicy != null) {
      return table.only(author -> author.isOfPolicy(ofPolicy));
    }
    return ofEndpoint == null ? table : table.from(author -> author.isOfEndpoint(ofEndpoint));
  }

  private int print(List<LiveTable> tables, PrintWriter out, PrintWriter err) {
    if (tables.stream().allMatch(table -> table.chains().isEmpty())) {
      return failed(
          err,
          policy != null
              ? "no rule here is policy "
                  + policy
                  + "'s: it has none, or selects no endpoint of this node, or its rules are merged"
                  + " with others' (margay policy show --endpoint NS/POD shows those)"
              : "no endpoint here is " + endpoint + "'s; margay policy show lists all there are");
    }
    if (output == Format.json) {
      out.println(json(tables).toPrettyString());
      return ExitCodes.OK;
    }
    String separator = "";
    for (LiveTable table : tables) {
      if (!table.chains().isEmpty()) {
        out.print(separator);
        LiveTableText.print(table, out);
        separator = System.lineSeparator();
      }
    }
    return ExitCodes.OK;
  }

  private static ArrayNode json(List<LiveTable> tables) {
    ArrayNode rows = JsonNodeFactory.instance.arrayNode();
    for (LiveTable table : tables) {
      table
          .chains()
          .values()
          .forEach(
              rules ->
                  rules.forEach(
                      rule -> {
                        NftRuleInfo info = rule.rule().info();
                        NftCounter counter = info.counter();
                        ObjectNode row = rows.addObject();
                        row.put("table", table.name().toString());
                        row.put("chain", info.chain());
                        row.put("handle", info.handle());
                        row.put("id", info.id());
                        row.put("of", rule.author().what());
                        row.put("name", rule.author().name());
                        row.put("author", rule.author().words());
                        row.put("packets", counter == null ? null : counter.packets());
                        row.put("bytes", counter == null ? null : counter.octets());
                        row.put("rule", rule.text());
                        row.put("printedBy", rule.isPrintedByUs() ? "margay" : "libnftables");
                      }));
    }
    return rows;
  }
}
