package io.margay.cli.node;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cli.TextTable;
import io.margay.model.net.ScopedAddress;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `margay bgp peers [ADDRESS]`.
@Command(
    name = "peers",
    description = {
      "One line a peer: state, since when, prefixes received/accepted/advertised by family.",
      "With an ADDRESS everything about that one."
    })
final class BgpPeersCommand extends ApiOptions {

  /// A table this wide fits the terminal people have.
  private static final int WIDTH = 100;

  @Parameters(index = "0", arity = "0..1", paramLabel = "ADDRESS", description = "one peer alone")
  private @Nullable String address;

  @Override
  String target() {
    String one = address;
    return "/api/v1/bgp/peers" + (one == null ? "" : "/" + ScopedAddress.parse(one));
  }

  @Override
  void print(InputStream answer, PrintWriter out) throws IOException {
    JsonNode found = whole(answer);
    if (found.isArray()) {
      out.print(found.isEmpty() ? "no peers\n" : table(found));
    } else {
      detail(found, out);
    }
  }

  static String table(JsonNode peers) {
    TextTable table =
        new TextTable(
            "NEIGHBOR", "AS", "STATE", "UP/DOWN", "V4 RCD/ACC/ADV", "V6 RCD/ACC/ADV", "LAST ERROR");
    for (JsonNode peer : peers) {
      table.row(
          peer.path("neighbor").asText(),
          peer.has("remoteAs") ? peer.path("remoteAs").asText() : peer.path("expectedAs").asText(),
          peer.path("state").asText(),
          peer.path("peerUptime").asText(),
          counts(peer.path("families").path("ipv4")),
          counts(peer.path("families").path("ipv6")),
          peer.path("lastError").asText("-"));
    }
    StringBuilder cut = new StringBuilder();
    table
        .toString()
        .lines()
        .forEach(
            line ->
                cut.append(line.length() <= WIDTH ? line : line.substring(0, WIDTH - 1) + "…")
                    .append('\n'));
    return cut.toString();
  }

  private static String counts(JsonNode family) {
    return family.isMissingNode()
        ? "-"
        : family.path("pfxRcd").asText()
            + "/"
            + family.path("pfxAcc").asText()
            + "/"
            + family.path("pfxSnt").asText();
  }

  private static void detail(JsonNode peer, PrintWriter out) {
    out.println(
        "BGP neighbor "
            + peer.path("neighbor").asText()
            + ", remote AS "
            + (peer.has("remoteAs") ? peer.path("remoteAs") : peer.path("expectedAs")).asText()
            + ", local AS "
            + peer.path("localAs").asText()
            + (peer.path("desc").asText().isEmpty()
                ? ""
                : " (" + peer.path("desc").asText() + ")"));
    out.println(
        "  "
            + peer.path("state").asText()
            + " for "
            + peer.path("peerUptime").asText()
            + "; sessions: "
            + peer.path("connectionsEstablished").asText()
            + " established, "
            + peer.path("connectionsDropped").asText()
            + " dropped");
    line(out, "Last reset", peer, "lastResetReason");
    line(out, "Last error", peer, "lastError");
    line(out, "BFD", peer, "bfd");
    if (peer.has("holdTimeMillis")) {
      session(peer, out);
    }
    JsonNode configured = peer.path("configured");
    out.println(
        "  Configured: port "
            + configured.path("port").asText()
            + (configured.path("passive").asBoolean() ? ", passive" : "")
            + ", TTL "
            + configured.path("ttl").asText()
            + (configured.has("leastTtlReceived")
                ? " (accepts " + configured.path("leastTtlReceived").asText() + " and more)"
                : "")
            + (configured.path("password").asBoolean() ? ", MD5" : "")
            + ", import "
            + configured.path("import").asText()
            + ", export "
            + configured.path("export").asText()
            + ", next hop "
            + configured.path("nextHop").asText()
            + (configured.path("routeReflectorClient").asBoolean() ? ", reflector client" : ""));
    families(peer.path("families"), out);
    out.println(
        "  Messages: "
            + messages(peer, "received")
            + "; sent: "
            + messages(peer, "sent")
            + "; "
            + peer.path("outqOctets").asText()
            + " octets wait");
    if (peer.path("treatedAsWithdraw").asLong() + peer.path("attributesDiscarded").asLong() > 0) {
      out.println(
          "  Malformed UPDATEs: "
              + peer.path("treatedAsWithdraw").asText()
              + " treated as withdraw, "
              + peer.path("attributesDiscarded").asText()
              + " with attributes discarded");
      line(out, "  Last", peer.path("lastMalformed"), "problem");
      line(out, "  Hex", peer.path("lastMalformed"), "hex");
    }
    if (peer.has("gracefulRestartWaiting")) {
      out.println(
          "  Graceful restart: waits for its "
              + peer.path("gracefulRestartWaiting").asText()
              + ", "
              + seconds(peer, "gracefulRestartLeftMsec")
              + " left");
    }
  }

  private static void session(JsonNode peer, PrintWriter out) {
    out.println(
        "  Session: "
            + peer.path("localAddress").asText()
            + " port "
            + peer.path("localPort").asText()
            + " to "
            + peer.path("remoteAddress").asText()
            + " port "
            + peer.path("remotePort").asText()
            + ", opened by "
            + peer.path("openedBy").asText()
            + ", router id "
            + peer.path("remoteRouterId").asText());
    out.println(
        "  Hold time "
            + seconds(peer, "holdTimeMillis")
            + " ("
            + seconds(peer, "holdLeftMillis")
            + " left), keepalive "
            + seconds(peer, "keepaliveMillis")
            + " ("
            + seconds(peer, "keepaliveLeftMillis")
            + " left), send hold "
            + seconds(peer, "sendHoldMillis"));
    out.println("  Capabilities sent: " + list(peer.path("capabilitiesSent")));
    out.println("  Capabilities received: " + list(peer.path("capabilities")));
    out.println(
        "  Graceful restart: "
            + (peer.path("gracefulRestart").asBoolean()
                ? "yes, it asks for " + seconds(peer, "peerRestartTimeMillis")
                : "no")
            + (peer.path("notificationRestart").asBoolean() ? ", also on notifications" : ""));
  }

  private static void families(JsonNode families, PrintWriter out) {
    TextTable table =
        new TextTable(
            "  FAMILY", "RECEIVED", "ACCEPTED", "BEST", "ADVERTISED", "STALE", "WAITING", "EOR");
    for (var entry : families.properties()) {
      JsonNode family = entry.getValue();
      table.row(
          "  " + entry.getKey() + (family.path("negotiated").asBoolean() ? "" : " (not agreed)"),
          family.path("pfxRcd").asText(),
          family.path("pfxAcc").asText(),
          family.path("pfxBest").asText(),
          family.path("pfxSnt").asText(),
          family.path("pfxStale").asText(),
          family.path("pfxToTell").asText(),
          (family.path("endOfRibReceived").asBoolean() ? "received" : "-")
              + "/"
              + (family.path("endOfRibSent").asBoolean() ? "sent" : "-"));
    }
    out.print(table);
    for (var entry : families.properties()) {
      line(out, "Limit " + entry.getKey(), entry.getValue(), "limit");
    }
  }

  private static String messages(JsonNode peer, String direction) {
    List<String> types = new ArrayList<>();
    for (var type : peer.path("messageStats").path(direction).properties()) {
      types.add(type.getValue().asText() + " " + type.getKey());
    }
    return String.join(", ", types);
  }

  private static void line(PrintWriter out, String what, JsonNode from, String key) {
    if (from.has(key)) {
      out.println("  " + what + ": " + from.path(key).asText());
    }
  }

  private static String seconds(JsonNode from, String key) {
    long millis = from.path(key).asLong();
    return millis % 1000 == 0 || millis > 10_000 ? millis / 1000 + "s" : millis + "ms";
  }

  private static String list(JsonNode texts) {
    List<String> all = new ArrayList<>();
    texts.forEach(text -> all.add(text.asText()));
    return String.join(", ", all);
  }
}
