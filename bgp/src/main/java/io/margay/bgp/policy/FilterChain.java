package io.margay.bgp.policy;

import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The rules of all filters of a peer for one direction and family, in order; those for the other
/// kind of session left out.
final class FilterChain {

  /// What the filters make of a route.
  sealed interface Outcome {

    /// @param by the rule, as operators name it
    record Accepted(PathAttributes attributes, String by) implements Outcome {}

    record Rejected(String by) implements Outcome {}

    /// No rule applies.
    record Undecided() implements Outcome {}
  }

  private static final Outcome UNDECIDED = new Outcome.Undecided();

  /// @param name filter and path: "filter edge, importV4[2]"
  private record Step(FilterRule rule, String name) {}

  private final List<Step> steps;
  private final boolean looksAtPrefix;

  FilterChain(
      List<RouteFilter> filters,
      RouteFilter.Direction direction,
      IpFamily family,
      PeerKind peerKind) {
    List<Step> found = new ArrayList<>();
    for (RouteFilter filter : filters) {
      List<FilterRule> rules = filter.rules(direction, family);
      for (int i = 0; i < rules.size(); i++) {
        FilterRule.PeerType peerType = rules.get(i).peerType();
        if (peerType == null || peerType.includes(peerKind)) {
          String name = "filter " + filter.name() + ", " + RouteFilter.field(direction, family, i);
          found.add(new Step(rules.get(i), name));
        }
      }
    }
    this.steps = List.copyOf(found);
    this.looksAtPrefix = steps.stream().anyMatch(step -> step.rule().prefix() != null);
  }

  boolean isEmpty() {
    return steps.isEmpty();
  }

  boolean looksAtPrefix() {
    return looksAtPrefix;
  }

  /// @param prefix null only if no rule looks at it
  /// @param from null: a route of our own
  Outcome decide(@Nullable Prefix prefix, PathAttributes attributes, @Nullable RouteSource from) {
    if (prefix == null && looksAtPrefix) {
      throw new IllegalArgumentException("a rule looks at the prefix, and none was given");
    }
    for (Step step : steps) {
      if (step.rule().matches(prefix, attributes, from)) {
        return switch (step.rule().action()) {
          case ACCEPT -> new Outcome.Accepted(changed(attributes, step.rule()), step.name());
          case REJECT -> new Outcome.Rejected(step.name());
        };
      }
    }
    return UNDECIDED;
  }

  private static PathAttributes changed(PathAttributes attributes, FilterRule rule) {
    PathAttributes changed = attributes;
    for (RouteOperation operation : rule.operations()) {
      changed = operation.applyTo(changed);
    }
    return changed;
  }
}
