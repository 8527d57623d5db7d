package io.margay.cli.node;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cli.TextTable;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;

/// `margay bgp`: the speaker of a running agent.
@Command(
    name = "bgp",
    description = "Peers and routes of a running agent's BGP speaker",
    subcommands = {BgpCommand.Peers.class, BgpCommand.Routes.class},
    synopsisSubcommandLabel = "peers|routes")
public final class BgpCommand {

  @Command(name = "peers", description = "One line a peer: state, since when, prefixes by family")
  static final class Peers extends ViewOptions {
    Peers() {
      super("bgp/peers");
    }

    @Override
    String text(JsonNode peers) {
      TextTable table =
          new TextTable(
              "NEIGHBOR",
              "AS",
              "STATE",
              "UP/DOWN",
              "RCVD4/6",
              "ACC4/6",
              "ADV4/6",
              "EOR",
              "LAST ERROR");
      for (JsonNode peer : peers) {
        JsonNode v4 = peer.path("families").path("ipv4");
        JsonNode v6 = peer.path("families").path("ipv6");
        table.row(
            peer.path("neighbor").asText(),
            peer.path("remoteAs").asText(),
            peer.path("state").asText(),
            peer.path("peerUptime").asText(),
            v4.path("pfxRcd").asText("-") + "/" + v6.path("pfxRcd").asText("-"),
            v4.path("pfxAcc").asText("-") + "/" + v6.path("pfxAcc").asText("-"),
            v4.path("pfxSnt").asText("-") + "/" + v6.path("pfxSnt").asText("-"),
            v4.path("endOfRibReceived").asBoolean() && v6.path("endOfRibReceived").asBoolean()
                ? "yes"
                : "no",
            peer.path("lastError").asText("-"));
      }
      return peers.isEmpty()
          ? "no peers: no BGPPeer resource selects this node\n"
          : table.toString();
    }
  }

  @Command(
      name = "routes",
      description = "The Loc-RIB: every path, which is best, why the others lost")
  static final class Routes extends ViewOptions {
    Routes() {
      super("bgp/routes");
    }

    @Override
    String text(JsonNode routes) {
      TextTable table = new TextTable("", "PREFIX", "NEXT HOP", "FROM", "AS PATH", "REASON");
      for (JsonNode route : routes) {
        List<JsonNode> paths = new ArrayList<>();
        route.path("paths").forEach(paths::add);
        for (JsonNode path : paths) {
          table.row(
              mark(path.path("role").asText()),
              route.path("prefix").asText(),
              path.path("nextHop").asText("-"),
              path.path("peer").asText("local"),
              path.path("asPath").asText(),
              path.path("reason").asText());
        }
      }
      return table + "* best   = also used (multipath)   x rejected\n";
    }

    private static String mark(String role) {
      return switch (role) {
        case "best" -> "*";
        case "multipath" -> "=";
        case "rejected" -> "x";
        default -> "";
      };
    }
  }
}
