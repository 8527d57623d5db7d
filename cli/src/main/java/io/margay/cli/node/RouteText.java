package io.margay.cli.node;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/// Routes as lines for people. Columns are of fixed width, so that a long listing need not be held
/// to be lined up.
final class RouteText {

  private static final String FORM = "%-2s %-20s %-18s %-16s %s";
  private static final String HEAD =
      FORM.formatted("", "PREFIX", "NEXT HOP", "FROM", "PATH, REASON");

  static final String LEGEND =
      "* best   = also used (multipath)   x rejected   ! next hop out of reach";

  private RouteText() {}

  static String head() {
    return HEAD;
  }

  /// One line a path.
  static List<String> lines(JsonNode route) {
    List<String> lines = new ArrayList<>();
    if (!route.has("paths")) {
      lines.add(line("", route, route.path("prefix").asText(), ""));
      return lines;
    }
    for (JsonNode path : route.path("paths")) {
      lines.add(
          line(
              mark(path.path("role").asText()),
              path,
              route.path("prefix").asText(),
              path.path("peer").asText("local")));
    }
    return lines;
  }

  private static String line(String mark, JsonNode path, String prefix, String from) {
    return FORM.formatted(
            mark,
            prefix,
            path.path("nextHop").asText("-"),
            from,
            (path.path("asPath").asText()
                    + " "
                    + origin(path)
                    + (path.has("reason") ? "  " + path.path("reason").asText() : ""))
                .strip())
        .stripTrailing();
  }

  /// i, e or ?, as routers write it.
  static String origin(JsonNode path) {
    return switch (path.path("origin").asText()) {
      case "IGP" -> "i";
      case "EGP" -> "e";
      default -> "?";
    };
  }

  static String mark(String role) {
    return switch (role) {
      case "best" -> "*";
      case "multipath" -> "=";
      case "rejected" -> "x";
      case "ineligible" -> "!";
      default -> "";
    };
  }
}
