package io.margay.bgp.policy;

import io.margay.model.net.IpFamily;
import java.util.List;

/// A BGPFilter of the v3 API: rules per direction and family, of which the first that applies
/// decides. A route to which none applies is left to the filters behind and then to the peer's
/// {@link ImportMode} or {@link ExportMode}.
///
/// Each direction and family stands alone, and an absent list decides nothing.
public record RouteFilter(
    String name,
    List<FilterRule> exportV4,
    List<FilterRule> importV4,
    List<FilterRule> exportV6,
    List<FilterRule> importV6) {

  /// Which way a route goes.
  public enum Direction {
    EXPORT,
    IMPORT
  }

  public RouteFilter {
    exportV4 = List.copyOf(exportV4);
    importV4 = List.copyOf(importV4);
    exportV6 = List.copyOf(exportV6);
    importV6 = List.copyOf(importV6);
    checkRules(exportV4, Direction.EXPORT, IpFamily.IPV4);
    checkRules(importV4, Direction.IMPORT, IpFamily.IPV4);
    checkRules(exportV6, Direction.EXPORT, IpFamily.IPV6);
    checkRules(importV6, Direction.IMPORT, IpFamily.IPV6);
  }

  private static void checkRules(List<FilterRule> rules, Direction direction, IpFamily family) {
    for (int i = 0; i < rules.size(); i++) {
      FilterRule rule = rules.get(i);
      if (rule.fromRemotePeers() && direction == Direction.IMPORT) {
        throw new IllegalArgumentException(
            field(direction, family, i)
                + ".source: is not for import rules; all imported routes are from peers");
      }
      PrefixMatch prefix = rule.prefix();
      if (prefix != null && prefix.cidr().family() != family) {
        throw new IllegalArgumentException(
            field(direction, family, i)
                + ".cidr: "
                + prefix.cidr()
                + " is not an IPv"
                + family.version()
                + " prefix");
      }
    }
  }

  /// The path of a rule within the spec: `importV4[2]`.
  public static String field(Direction direction, IpFamily family, int index) {
    String way =
        switch (direction) {
          case EXPORT -> "export";
          case IMPORT -> "import";
        };
    return way + "V" + family.version() + "[" + index + "]";
  }

  public List<FilterRule> rules(Direction direction, IpFamily family) {
    return switch (direction) {
      case EXPORT ->
          switch (family) {
            case IPV4 -> exportV4;
            case IPV6 -> exportV6;
          };
      case IMPORT ->
          switch (family) {
            case IPV4 -> importV4;
            case IPV6 -> importV6;
          };
    };
  }
}
