package io.margay.cli.node;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `margay bgp routes`.
@Command(
    name = "routes",
    description = {
      "Routes, one line a path, in the order of their prefixes. Without options: everything known,",
      "which path is best, and why the others lost or are not considered."
    })
final class BgpRoutesCommand extends ApiOptions {

  @Option(names = "--peer", paramLabel = "ADDRESS", description = "only what this peer announced")
  private @Nullable String peer;

  @ArgGroup(exclusive = true)
  private Kind kind = new Kind();

  @Option(names = "--family", paramLabel = "FAMILY", description = "ipv4 or ipv6 only")
  private @Nullable String family;

  @Option(names = "--prefix", paramLabel = "PREFIX", description = "only inside this prefix")
  private @Nullable String prefix;

  static final class Kind {
    @Option(names = "--received", description = "all that was announced to us, before policy")
    private boolean received;

    @Option(names = "--accepted", description = "what import policy accepts")
    private boolean accepted;

    @Option(names = "--rejected", description = "what it does not, and why")
    private boolean rejected;

    @Option(names = "--best", description = "the winners")
    private boolean best;

    @Option(names = "--advertised", description = "what the --peer was told")
    private boolean advertised;

    @Nullable String name() {
      if (received) {
        return "received";
      }
      if (accepted) {
        return "accepted";
      }
      if (rejected) {
        return "rejected";
      }
      if (best) {
        return "best";
      }
      return advertised ? "advertised" : null;
    }
  }

  @Override
  String target() {
    String name = kind.name();
    if ("advertised".equals(name) && peer == null) {
      throw new IllegalArgumentException("--advertised needs --peer ADDRESS: told to whom?");
    }
    List<String> query = new ArrayList<>();
    if (name != null) {
      query.add("kind=" + name);
    }
    if (peer != null) {
      query.add("peer=" + ScopedAddress.parse(peer));
    }
    if (family != null) {
      query.add("family=" + family);
    }
    if (prefix != null) {
      query.add("prefix=" + Prefix.parse(prefix));
    }
    return "/api/v1/bgp/routes" + (query.isEmpty() ? "" : "?" + String.join("&", query));
  }

  /// Reads and prints a route at a time: there may be a million.
  @Override
  void print(InputStream answer, PrintWriter out) throws IOException {
    out.println(RouteText.head());
    JsonMapper mapper = new JsonMapper();
    try (JsonParser routes = mapper.createParser(answer)) {
      if (routes.nextToken() != JsonToken.START_ARRAY) {
        throw new IOException("the answer is not a list of routes");
      }
      while (routes.nextToken() == JsonToken.START_OBJECT) {
        JsonNode route = mapper.readTree(routes);
        RouteText.lines(route).forEach(out::println);
      }
    }
    out.println(RouteText.LEGEND);
  }
}
