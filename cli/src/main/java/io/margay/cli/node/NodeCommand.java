package io.margay.cli.node;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cli.TextTable;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.Map;
import picocli.CommandLine.Command;

/// `margay node`: a running agent.
@Command(
    name = "node",
    description = "State of a running agent",
    subcommands = NodeCommand.Status.class,
    synopsisSubcommandLabel = "status")
public final class NodeCommand {

  @Command(
      name = "status",
      description = "Identity, readiness of each part, pods, blocks, start-up times")
  static final class Status extends ApiOptions {
    @Override
    String target() {
      return "/api/v1/status";
    }

    @Override
    void print(InputStream answer, PrintWriter out) throws IOException {
      JsonNode status = whole(answer);
      TextTable table = new TextTable("WHAT", "STATE");
      for (Map.Entry<String, JsonNode> field : status.properties()) {
        JsonNode value = field.getValue();
        if (value.isObject()) {
          value
              .properties()
              .forEach(
                  inner ->
                      table.row(field.getKey() + "." + inner.getKey(), plain(inner.getValue())));
        } else {
          table.row(field.getKey(), plain(value));
        }
      }
      out.print(table);
    }

    private static String plain(JsonNode value) {
      return value.isValueNode() ? value.asText() : value.toString();
    }
  }
}
