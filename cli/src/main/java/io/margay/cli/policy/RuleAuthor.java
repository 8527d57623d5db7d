package io.margay.cli.policy;

import java.util.Arrays;
import java.util.List;

/// Whose a kernel rule is, read from its id alone, so that it can be said where no agent runs.
///
/// @param what `policy`, `staged`, `tier`, `profile`, `endpoint` or `host`; empty for rules that
///   stand before policy
/// @param name of it; namespace/name where it has a namespace
/// @param words for people: all of it
record RuleAuthor(String what, String name, String words) {

  static RuleAuthor of(String id) {
    List<String> parts = Arrays.asList(id.split("\\|", -1));
    if (parts.size() < 3) {
      return new RuleAuthor("", "", id.isEmpty() ? "(without id)" : id.replace('|', ' '));
    }
    String what = parts.get(0);
    String name = parts.get(1);
    String direction = parts.get(2);
    String rest = String.join(" ", parts.subList(3, parts.size()));
    String words =
        switch (what) {
          case "policy" -> "policy " + name + ", " + direction + ofRules(rest);
          case "staged" -> "staged policy " + name + ", " + direction + ofStaged(rest);
          case "tier" -> "tier " + name + ", " + direction + ofTier(rest);
          case "profile" -> "profile " + name + ", " + direction + ofRules(rest);
          case "endpoint" -> "endpoint " + name + ", " + direction + ofEnd(rest);
          case "host" -> "host endpoint " + name + ", " + direction + ofEnd(rest);
          default -> "";
        };
    return words.isEmpty()
        ? new RuleAuthor("", "", id.replace('|', ' '))
        : new RuleAuthor(what, name, words);
  }

  private static String ofRules(String rest) {
    return switch (rest) {
      case "" -> "";
      case "missing" -> ": it is not there, so nothing passes";
      default -> " rule " + rest;
    };
  }

  private static String ofStaged(String rest) {
    int space = rest.indexOf(' ');
    return space < 0
        ? ofRules(rest)
        : " rule " + rest.substring(0, space) + " (would " + rest.substring(space + 1) + ")";
  }

  private static String ofTier(String rest) {
    if (rest.startsWith("merged")) {
      return ": rules of several policies, as one";
    }
    return rest.equals("end") ? ": its end" : rest.isEmpty() ? "" : " " + rest;
  }

  private static String ofEnd(String rest) {
    return rest.equals("end") ? ": no profile had an answer" : rest.isEmpty() ? "" : ": " + rest;
  }

  /// Whether it is the policy's, staged or not, however it is asked for: `name` or
  /// `namespace/name`.
  boolean isOfPolicy(String asked) {
    return (what.equals("policy") || what.equals("staged"))
        && (name.equals(asked) || name.substring(name.indexOf('/') + 1).equals(asked));
  }

  /// Whether it is of the endpoint of a pod, or the endpoint itself, `namespace/name`.
  boolean isOfEndpoint(String asked) {
    if (!what.equals("endpoint")) {
      return false;
    }
    int slash = asked.indexOf('/');
    String pod = "-k8s-" + asked.substring(slash + 1).replace("-", "--") + "-";
    return name.equals(asked)
        || name.startsWith(asked.substring(0, slash + 1)) && name.contains(pod);
  }
}
