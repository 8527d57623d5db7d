package io.margay.cli.node;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `margay bgp rib PREFIX|ADDRESS`.
@Command(
    name = "rib",
    description = {
      "Everything about one prefix: the winner, why each other path lost or is not considered,",
      "and to whom it is advertised, to whom not and why. For an ADDRESS: the longest prefix it is"
          + " in."
    })
final class BgpRibCommand extends ApiOptions {

  @Parameters(
      index = "0",
      paramLabel = "PREFIX|ADDRESS",
      description = "10.65.0.0/26, or 10.65.0.1")
  private String wanted = "";

  @Override
  String target() {
    return "/api/v1/bgp/rib?"
        + (wanted.indexOf('/') >= 0
            ? "prefix=" + Prefix.parse(wanted)
            : "lookup=" + IpAddress.parse(wanted));
  }

  @Override
  void print(InputStream answer, PrintWriter out) throws IOException {
    JsonNode detail = whole(answer);
    out.println(detail.path("prefix").asText());
    for (JsonNode path : detail.path("paths")) {
      path(path, out);
    }
    for (JsonNode peer : detail.path("advertisedTo")) {
      out.println(
          "  advertised to "
              + peer.path("peer").asText()
              + ": next hop "
              + peer.path("nextHop").asText()
              + ", path "
              + peer.path("asPath").asText()
              + " ("
              + peer.path("by").asText()
              + ")");
    }
    for (JsonNode peer : detail.path("notAdvertisedTo")) {
      out.println(
          "  not advertised to "
              + peer.path("peer").asText()
              + ": "
              + peer.path("reason").asText()
              + (peer.path("detail").asText().isEmpty()
                  ? ""
                  : " (" + peer.path("detail").asText() + ")"));
    }
    out.println(RouteText.LEGEND);
  }

  private static void path(JsonNode path, PrintWriter out) {
    out.println(
        "%-2s".formatted(RouteText.mark(path.path("role").asText()))
            + "via "
            + path.path("nextHop").asText("-")
            + " from "
            + path.path("peer").asText("local")
            + ", path "
            + (path.path("asPath").asText().isEmpty() ? "(empty)" : path.path("asPath").asText())
            + " "
            + RouteText.origin(path)
            + ": "
            + path.path("reason").asText()
            + (path.path("stale").asBoolean() ? " (stale)" : ""));
    StringBuilder more = new StringBuilder();
    for (String key :
        new String[] {
          "locPrf",
          "med",
          "communities",
          "largeCommunities",
          "extendedCommunities",
          "originatorId",
          "clusterList",
          "igpMetric",
          "pathId"
        }) {
      JsonNode value = path.path(key);
      if (value.isValueNode() || value.isArray() && !value.isEmpty()) {
        more.append(more.isEmpty() ? "     " : ", ").append(key).append(' ');
        more.append(value.isArray() ? joined(value) : value.asText());
      }
    }
    if (!more.isEmpty()) {
      out.println(more);
    }
  }

  private static String joined(JsonNode values) {
    StringBuilder all = new StringBuilder();
    values.forEach(value -> all.append(all.isEmpty() ? "" : " ").append(value.asText()));
    return all.toString();
  }
}
