package io.margay.cli.bgpd;

import io.margay.bgp.policy.CommunityTag;
import io.margay.bgp.policy.FilterRule;
import io.margay.bgp.policy.InterfacePattern;
import io.margay.bgp.policy.PrefixMatch;
import io.margay.bgp.policy.RouteFilter;
import io.margay.bgp.policy.RouteFilter.Direction;
import io.margay.bgp.policy.RouteOperation;
import io.margay.cli.yaml.StrictYaml;
import io.margay.cli.yaml.YamlException;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// The `filters` of a configuration file: a name and the spec of a BGPFilter, as the v3 API has it.
final class FilterReader {

  /// As many AS numbers as the API allows a rule to compare.
  private static final int MAX_AS_PATH_PREFIX = 10;

  private static final String COMMUNITY = "a community like \"65001:100\" or \"65001:1:2\"";

  private FilterReader() {}

  /// By name, in the file's order.
  static Map<String, RouteFilter> filters(StrictYaml at) throws YamlException {
    Map<String, RouteFilter> filters = new LinkedHashMap<>();
    if (at.isAbsent()) {
      return filters;
    }
    for (StrictYaml entry : at.entries("a mapping of names to filters")) {
      filters.put(entry.name(), filter(entry.name(), entry));
    }
    return filters;
  }

  private static RouteFilter filter(String name, StrictYaml spec) throws YamlException {
    spec.mappingOf("exportV4", "importV4", "exportV6", "importV6");
    return new RouteFilter(
        name,
        rules(spec, Direction.EXPORT, IpFamily.IPV4),
        rules(spec, Direction.IMPORT, IpFamily.IPV4),
        rules(spec, Direction.EXPORT, IpFamily.IPV6),
        rules(spec, Direction.IMPORT, IpFamily.IPV6));
  }

  private static List<FilterRule> rules(StrictYaml spec, Direction direction, IpFamily family)
      throws YamlException {
    String first = RouteFilter.field(direction, family, 0);
    String key = first.substring(0, first.indexOf('['));
    List<FilterRule> rules = new ArrayList<>();
    if (spec.has(key)) {
      for (StrictYaml item : spec.child(key).items(0, "rules")) {
        rules.add(rule(item, direction, family));
      }
    }
    return rules;
  }

  private static FilterRule rule(StrictYaml at, Direction direction, IpFamily family)
      throws YamlException {
    at.mappingOf(
        "action",
        "matchOperator",
        "cidr",
        "prefixLength",
        "source",
        "interface",
        "peerType",
        "communities",
        "asPathPrefix",
        "priority",
        "operations");
    FilterRule.Action action =
        at.child("action")
            .scalar(
                "Accept or Reject",
                text ->
                    switch (text) {
                      case "Accept" -> FilterRule.Action.ACCEPT;
                      case "Reject" -> FilterRule.Action.REJECT;
                      default -> throw new IllegalArgumentException(text);
                    });
    FilterRule rule = FilterRule.of(action);
    Optional<PrefixMatch> prefix = prefix(at, family);
    if (prefix.isPresent()) {
      rule = rule.onPrefix(prefix.get());
    }
    if (at.has("source")) {
      if (direction == Direction.IMPORT) {
        throw at.child("source").problem("is only for export rules: what is imported is of a peer");
      }
      at.child("source").scalar("RemotePeers", text -> only("RemotePeers", text));
      rule = rule.onRemotePeers();
    }
    Optional<InterfacePattern> via =
        at.optional(
            "interface", "an interface's name, which * and ? may stand in", InterfacePattern::new);
    if (via.isPresent()) {
      rule = rule.onInterface(via.get());
    }
    Optional<FilterRule.PeerType> peerType =
        at.optional(
            "peerType",
            "eBGP or iBGP",
            text ->
                switch (text) {
                  case "eBGP" -> FilterRule.PeerType.EXTERNAL;
                  case "iBGP" -> FilterRule.PeerType.INTERNAL;
                  default -> throw new IllegalArgumentException(text);
                });
    if (peerType.isPresent()) {
      rule = rule.onPeerType(peerType.get());
    }
    if (at.has("communities")) {
      StrictYaml values = at.child("communities").mappingOf("values").child("values");
      List<StrictYaml> items = values.items(1, "communities");
      if (items.size() > 1) {
        throw values.expected("one community");
      }
      rule = rule.onCommunity(items.getFirst().scalar(COMMUNITY, CommunityTag::parse));
    }
    if (at.has("asPathPrefix")) {
      rule = rule.onAsPathPrefix(asns(at.child("asPathPrefix")));
    }
    if (at.has("priority")) {
      rule = rule.onPriority(at.number("priority", 1, 1, Integer.MAX_VALUE - 1));
    }
    if (!at.has("operations")) {
      return rule;
    }
    StrictYaml operations = at.child("operations");
    if (action == FilterRule.Action.REJECT) {
      throw operations.problem("may only be used with action Accept");
    }
    List<RouteOperation> changes = new ArrayList<>();
    for (StrictYaml item : operations.items(1, "operations")) {
      changes.add(operation(item));
    }
    FilterRule matching = rule;
    return checked(operations, () -> matching.doing(changes));
  }

  private static String only(String wanted, String text) {
    if (!wanted.equals(text)) {
      throw new IllegalArgumentException(text);
    }
    return text;
  }

  private static Optional<PrefixMatch> prefix(StrictYaml at, IpFamily family) throws YamlException {
    if (!at.has("cidr")) {
      for (String key : List.of("matchOperator", "prefixLength")) {
        if (at.has(key)) {
          throw at.child(key).problem("needs cidr beside it");
        }
      }
      return Optional.empty();
    }
    Prefix cidr =
        at.child("cidr")
            .scalar(
                "an IPv" + family.version() + " prefix without host bits",
                text -> {
                  Prefix prefix = Prefix.parse(text);
                  if (prefix.family() != family) {
                    throw new IllegalArgumentException(text);
                  }
                  return prefix;
                });
    PrefixMatch.Operator operator =
        at.child("matchOperator")
            .scalar(
                "Equal, NotEqual, In or NotIn",
                text ->
                    switch (text) {
                      case "Equal" -> PrefixMatch.Operator.EQUAL;
                      case "NotEqual" -> PrefixMatch.Operator.NOT_EQUAL;
                      case "In" -> PrefixMatch.Operator.IN;
                      case "NotIn" -> PrefixMatch.Operator.NOT_IN;
                      default -> throw new IllegalArgumentException(text);
                    });
    if (!at.has("prefixLength")) {
      return Optional.of(new PrefixMatch(operator, cidr));
    }
    StrictYaml lengths = at.child("prefixLength").mappingOf("min", "max");
    int bits = family.bits();
    Integer min = lengths.has("min") ? lengths.number("min", 0, 0, bits) : null;
    Integer max = lengths.has("max") ? lengths.number("max", bits, 0, bits) : null;
    return Optional.of(checked(at, () -> new PrefixMatch(operator, cidr, min, max)));
  }

  private static RouteOperation operation(StrictYaml at) throws YamlException {
    at.mappingOf("addCommunity", "prependASPath", "setPriority");
    if (at.names().size() != 1) {
      throw at.expected("exactly one of addCommunity, prependASPath, setPriority");
    }
    if (at.has("addCommunity")) {
      return new RouteOperation.AddCommunity(
          at.child("addCommunity")
              .mappingOf("value")
              .child("value")
              .scalar(COMMUNITY, CommunityTag::parse));
    }
    if (at.has("prependASPath")) {
      StrictYaml prefix = at.child("prependASPath").mappingOf("prefix").child("prefix");
      List<Asn> asns = asns(prefix);
      return checked(prefix, () -> new RouteOperation.PrependAsPath(asns));
    }
    StrictYaml priority = at.child("setPriority").mappingOf("value");
    if (!priority.has("value")) {
      throw priority.child("value").expected("a whole number");
    }
    return new RouteOperation.SetPriority(priority.number("value", 1, 1, Integer.MAX_VALUE - 1));
  }

  private static List<Asn> asns(StrictYaml at) throws YamlException {
    List<Asn> asns = new ArrayList<>();
    for (StrictYaml item : at.items(1, "AS numbers")) {
      asns.add(ConfigReader.asn(item));
    }
    if (asns.size() > MAX_AS_PATH_PREFIX) {
      throw at.expected("at most " + MAX_AS_PATH_PREFIX + " AS numbers");
    }
    return asns;
  }

  /// A value whose own constructor judges it.
  static <T> T checked(StrictYaml at, Supplier<T> value) throws YamlException {
    try {
      return value.get();
    } catch (IllegalArgumentException impossible) {
      throw at.problem(String.valueOf(impossible.getMessage()));
    }
  }
}
