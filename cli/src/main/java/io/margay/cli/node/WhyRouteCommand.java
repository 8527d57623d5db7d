package io.margay.cli.node;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cli.http.HttpClient;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Route;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `margay why route PREFIX|ADDRESS [PEER]`.
@Command(
    name = "route",
    description = {
      "Why a prefix is reached as it is, and why a peer was told of it or not.",
      "Each path the node's speaker knows and what decided, what each peer was told, and which way",
      "the kernel of this network namespace sends packets. Without a path: which peers could have",
      "told of it."
    })
public final class WhyRouteCommand extends ApiOptions {

  @Parameters(
      index = "0",
      paramLabel = "PREFIX|ADDRESS",
      description = "10.65.0.0/26; or 10.65.0.1, for the longest prefix it is in")
  private String wanted = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "PEER",
      description = "only what this peer was told, 10.0.0.1")
  private Optional<String> peer = Optional.empty();

  private final Kernel kernel;

  /// Which way packets to an address take.
  interface Kernel {
    Optional<Route> lookup(IpAddress address) throws LinuxException;
  }

  public WhyRouteCommand() {
    this(WhyRouteCommand::ask);
  }

  WhyRouteCommand(Kernel kernel) {
    this.kernel = kernel;
  }

  private static Optional<Route> ask(IpAddress address) throws LinuxException {
    try (Rtnetlink netlink = Rtnetlink.open()) {
      return netlink.routes().lookup(address);
    }
  }

  private IpAddress address() {
    return wanted.indexOf('/') >= 0 ? Prefix.parse(wanted).address() : IpAddress.parse(wanted);
  }

  @Override
  String target() {
    peer.ifPresent(ScopedAddress::parse);
    return "/api/v1/bgp/rib?" + (wanted.indexOf('/') >= 0 ? "prefix=" : "lookup=") + asked();
  }

  private String asked() {
    return wanted.indexOf('/') >= 0
        ? Prefix.parse(wanted).toString()
        : IpAddress.parse(wanted).toString();
  }

  @Override
  void print(InputStream answer, PrintWriter out) throws IOException {
    JsonNode detail = whole(answer);
    out.println(detail.path("prefix").asText());
    if (peer.isEmpty()) {
      for (JsonNode path : detail.path("paths")) {
        out.println("  " + sentence(path));
      }
    }
    List<String> told = told(detail);
    if (told.isEmpty() && peer.isPresent()) {
      out.println("  " + peer.get() + " is no peer of this node; margay bgp peers lists them");
    }
    told.forEach(line -> out.println("  " + line));
    out.println("  " + kernel());
  }

  private static String sentence(JsonNode path) {
    String from = path.path("peer").asText("");
    String way =
        (from.isEmpty() ? "this node's own" : "from " + from)
            + ", next hop "
            + path.path("nextHop").asText("none")
            + (path.path("asPath").asText().isEmpty()
                ? ""
                : ", path " + path.path("asPath").asText())
            + (path.path("stale").asBoolean() ? ", kept while its peer restarts" : "");
    String reason = path.path("reason").asText();
    return switch (path.path("role").asText()) {
      case "best" -> "best: " + way + ": " + reason;
      case "multipath" -> "also used: " + way + ": " + reason;
      case "rejected" -> "rejected: " + way + ": " + reason;
      case "ineligible" -> "out of reach: " + way + ": " + reason;
      default -> "not used: " + way + ": " + reason;
    };
  }

  private List<String> told(JsonNode detail) {
    List<String> lines = new ArrayList<>();
    for (JsonNode one : detail.path("advertisedTo")) {
      if (isAsked(one)) {
        lines.add(
            "told to "
                + one.path("peer").asText()
                + " with next hop "
                + one.path("nextHop").asText("none")
                + ": "
                + one.path("by").asText());
      }
    }
    for (JsonNode one : detail.path("notAdvertisedTo")) {
      if (isAsked(one)) {
        String more = one.path("detail").asText();
        lines.add(
            "not told to "
                + one.path("peer").asText()
                + ": "
                + one.path("reason").asText()
                + (more.isEmpty() ? "" : " (" + more + ")"));
      }
    }
    return lines;
  }

  private boolean isAsked(JsonNode one) {
    return peer.isEmpty() || peer.get().equals(one.path("peer").asText());
  }

  private String kernel() {
    IpAddress to = address();
    try {
      return kernel
          .lookup(to)
          .map(route -> "the kernel sends packets to " + to + " by " + route)
          .orElse("the kernel has no way to " + to + ", or drops what goes there");
    } catch (LinuxException refused) {
      return "the kernel's way to " + to + " can't be asked for: " + refused.getMessage();
    }
  }

  /// Nobody told of it: whose silence that may be.
  @Override
  boolean explainAbsence(PrintWriter out) throws IOException {
    out.println(asked() + ": no path is known");
    try (HttpClient.Response response = client().get("/api/v1/bgp/peers")) {
      if (response.status() != 200) {
        return false;
      }
      JsonNode peers = whole(response.body());
      if (peers.isEmpty()) {
        out.println("  the node has no peers: no BGPPeer selects it, and it is in no mesh");
      }
      for (JsonNode one : peers) {
        if (peer.isEmpty() || peer.get().equals(one.path("neighbor").asText())) {
          out.println("  " + silence(one));
        }
      }
    }
    out.println("  " + kernel());
    out.flush();
    return true;
  }

  private static String silence(JsonNode one) {
    String name = one.path("neighbor").asText();
    if (one.path("state").asText().equals("Established")) {
      return name + " is connected and has not announced it";
    }
    String error = one.path("lastError").asText();
    return name
        + " is not connected ("
        + one.path("state").asText()
        + (error.isEmpty() ? "" : ": " + error)
        + "), so that it can't announce it";
  }
}
