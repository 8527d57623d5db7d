package io.margay.cli.node;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.agent.bgp.BgpIntent;
import io.margay.cli.TextTable;
import io.margay.cli.http.HttpClient;
import io.margay.cli.resource.IgnoredOptions;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `margay node status`: calicoctl's tables of BGP peers, and then what the agent says of itself.
@Command(
    name = "status",
    description = {
      "Whether the agent runs, its BGP peers as calicoctl shows them, and its state.",
      "Readiness of each part, pods, blocks, start-up times."
    })
final class NodeStatusCommand extends ApiOptions {

  @Mixin private final IgnoredOptions ignored = new IgnoredOptions();

  private static final String PEERS = "/api/v1/bgp/peers";
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss");

  @Override
  String target() {
    return "/api/v1/status";
  }

  @Override
  String absent() {
    return "Margay process is not running: ";
  }

  @Override
  void print(InputStream answer, PrintWriter out) throws IOException {
    JsonNode status = whole(answer);
    JsonNode peers;
    try (HttpClient.Response response = client().get(PEERS)) {
      peers = whole(response.body());
    }
    out.println("Margay process is running.");
    for (IpFamily family : IpFamily.values()) {
      out.println();
      out.print(peers(family, peers, Instant.now(), ZoneId.systemDefault()));
    }
    out.println();
    out.print(table(status));
  }

  /// The peers whose address is of a family. A session of either carries the routes of both.
  static String peers(IpFamily family, JsonNode peers, Instant now, ZoneId zone) {
    List<List<String>> rows = new ArrayList<>();
    for (JsonNode peer : peers) {
      String address = peer.path("neighbor").asText();
      if (ScopedAddress.parse(address).address().family() == family) {
        boolean isUp = peer.path("state").asText().equals("Established");
        rows.add(
            List.of(
                address,
                type(peer),
                isUp ? "up" : "start",
                since(peer.path("sinceEpoch").asLong(), now, zone),
                isUp ? "Established" : info(peer)));
      }
    }
    String name = family == IpFamily.IPV4 ? "IPv4" : "IPv6";
    return rows.isEmpty()
        ? name + " BGP status\nNo " + name + " peers found.\n"
        : name + " BGP status\n" + FramedTable.of(HEADER, rows);
  }

  private static final List<String> HEADER =
      List.of("PEER ADDRESS", "PEER TYPE", "STATE", "SINCE", "INFO");

  private static String type(JsonNode peer) {
    String name = peer.path("desc").asText();
    if (name.equals(BgpIntent.MESH)) {
      return name;
    }
    return name.isEmpty() ? "AS " + peer.path("expectedAs").asText() : "BGPPeer " + name;
  }

  private static String info(JsonNode peer) {
    String error = peer.path("lastError").asText();
    return peer.path("state").asText() + (error.isEmpty() ? "" : ": " + error);
  }

  /// As BIRD has it: the time of today, the day of earlier ones.
  private static String since(long epoch, Instant now, ZoneId zone) {
    LocalDateTime then = LocalDateTime.ofInstant(Instant.ofEpochSecond(epoch), zone);
    return then.toLocalDate().equals(LocalDateTime.ofInstant(now, zone).toLocalDate())
        ? TIME.format(then)
        : then.toLocalDate().toString();
  }

  private static TextTable table(JsonNode status) {
    TextTable table = new TextTable("WHAT", "STATE");
    for (Map.Entry<String, JsonNode> field : status.properties()) {
      JsonNode value = field.getValue();
      if (value.isObject()) {
        value
            .properties()
            .forEach(
                inner -> table.row(field.getKey() + "." + inner.getKey(), plain(inner.getValue())));
      } else {
        table.row(field.getKey(), plain(value));
      }
    }
    return table;
  }

  private static String plain(JsonNode value) {
    return value.isValueNode() ? value.asText() : value.toString();
  }
}
