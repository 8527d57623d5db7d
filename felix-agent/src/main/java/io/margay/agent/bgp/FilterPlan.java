package io.margay.agent.bgp;

import io.margay.agent.calc.ClusterView;
import io.margay.bgp.policy.CommunityTag;
import io.margay.bgp.policy.FilterRule;
import io.margay.bgp.policy.InterfacePattern;
import io.margay.bgp.policy.PrefixMatch;
import io.margay.bgp.policy.RouteFilter;
import io.margay.bgp.policy.RouteFilter.Direction;
import io.margay.bgp.policy.RouteOperation;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.BGPFilter;
import io.margay.model.resource.BGPFilterOperation;
import io.margay.model.resource.BGPFilterRule;
import io.margay.model.resource.IPPool;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// BGPFilters in the speaker's terms, and the filter that makes a node a reflector.
final class FilterPlan {

  private final ClusterView view;
  private final Optional<RouteFilter> reflection;

  FilterPlan(ClusterView view, boolean reflects) {
    this.view = view;
    this.reflection = reflects ? Optional.of(reflection(view)) : Optional.empty();
  }

  /// What a peer's routes pass, in order.
  ///
  /// @throws NotServedException when one of the filters is missing or can't be served: without it,
  ///   the session would say more than it should
  List<RouteFilter> named(List<String> names) throws NotServedException {
    List<RouteFilter> filters = new ArrayList<>();
    for (String name : names) {
      Optional<BGPFilter> found = view.bgpFilter(name);
      if (found.isEmpty()) {
        throw new NotServedException(
            "BGPFilter "
                + name
                + view.bgpFilterProblem(name)
                    .map(problem -> " can't be read: " + problem)
                    .orElse(" does not exist"));
      }
      try {
        filters.add(filter(found.get()));
      } catch (IllegalArgumentException impossible) {
        throw new NotServedException("BGPFilter " + name + ": " + impossible.getMessage());
      }
    }
    reflection.ifPresent(filters::add);
    return filters;
  }

  /// What a reflector tells its peers in the AS besides the node's own blocks: as with Calico, only
  /// what lies in pools.
  private static RouteFilter reflection(ClusterView view) {
    return new RouteFilter(
        "(a reflector's: pools)",
        reflected(view, IpFamily.IPV4),
        List.of(),
        reflected(view, IpFamily.IPV6),
        List.of());
  }

  private static List<FilterRule> reflected(ClusterView view, IpFamily family) {
    List<FilterRule> rules = new ArrayList<>();
    for (boolean silent : List.of(true, false)) {
      for (IPPool pool : view.pools().values()) {
        Prefix cidr = pool.spec().cidr();
        if (cidr.family() == family && pool.spec().isBgpExportDisabled() == silent) {
          rules.add(
              FilterRule.of(silent ? FilterRule.Action.REJECT : FilterRule.Action.ACCEPT)
                  .onPrefix(new PrefixMatch(PrefixMatch.Operator.IN, cidr))
                  .onRemotePeers()
                  .onPeerType(FilterRule.PeerType.INTERNAL));
        }
      }
    }
    return rules;
  }

  /// @throws IllegalArgumentException naming the rule and the field that can't be served
  static RouteFilter filter(BGPFilter filter) {
    return new RouteFilter(
        filter.metadata().name(),
        rules(filter.spec().exportV4(), Direction.EXPORT, IpFamily.IPV4),
        rules(filter.spec().importV4(), Direction.IMPORT, IpFamily.IPV4),
        rules(filter.spec().exportV6(), Direction.EXPORT, IpFamily.IPV6),
        rules(filter.spec().importV6(), Direction.IMPORT, IpFamily.IPV6));
  }

  private static List<FilterRule> rules(
      List<BGPFilterRule> given, Direction direction, IpFamily family) {
    List<FilterRule> rules = new ArrayList<>();
    for (int i = 0; i < given.size(); i++) {
      try {
        rules.add(rule(given.get(i)));
      } catch (IllegalArgumentException impossible) {
        throw new IllegalArgumentException(
            "spec." + RouteFilter.field(direction, family, i) + "." + impossible.getMessage(),
            impossible);
      }
    }
    return rules;
  }

  private static FilterRule rule(BGPFilterRule given) {
    // A field of a newer Calico would narrow the rule: without it the rule says something else.
    if (!given.unknown().isEmpty()) {
      throw new IllegalArgumentException(
          given.unknown().keySet().iterator().next() + ": is not known to this version");
    }
    return new FilterRule(
        prefix(given),
        given.source() != null,
        via(given.interfaceGlob()),
        peerType(given),
        community(given),
        given.asPathPrefix(),
        given.priority(),
        switch (given.action()) {
          case ACCEPT -> FilterRule.Action.ACCEPT;
          case REJECT -> FilterRule.Action.REJECT;
        },
        given.operations().stream().map(FilterPlan::operation).toList());
  }

  private static @Nullable PrefixMatch prefix(BGPFilterRule given) {
    Prefix cidr = given.cidr();
    if (cidr == null) {
      return null;
    }
    PrefixMatch.Operator operator =
        switch (Objects.requireNonNull(given.matchOperator(), "validated: cidr has an operator")) {
          case EQUAL -> PrefixMatch.Operator.EQUAL;
          case NOT_EQUAL -> PrefixMatch.Operator.NOT_EQUAL;
          case IN -> PrefixMatch.Operator.IN;
          case NOT_IN -> PrefixMatch.Operator.NOT_IN;
        };
    BGPFilterRule.PrefixLengthRange lengths = given.prefixLength();
    return lengths == null
        ? new PrefixMatch(operator, cidr)
        : new PrefixMatch(operator, cidr, lengths.min(), lengths.max());
  }

  private static @Nullable InterfacePattern via(@Nullable String glob) {
    return glob == null || glob.isEmpty() ? null : new InterfacePattern(glob);
  }

  private static FilterRule.@Nullable PeerType peerType(BGPFilterRule given) {
    if (given.peerType() == null) {
      return null;
    }
    return switch (given.peerType()) {
      case EBGP -> FilterRule.PeerType.EXTERNAL;
      case IBGP -> FilterRule.PeerType.INTERNAL;
    };
  }

  private static @Nullable CommunityTag community(BGPFilterRule given) {
    BGPFilterRule.CommunityMatch match = given.communities();
    return match == null || match.values().isEmpty()
        ? null
        : CommunityTag.parse(match.values().getFirst());
  }

  private static RouteOperation operation(BGPFilterOperation given) {
    if (given.addCommunity() != null) {
      return new RouteOperation.AddCommunity(CommunityTag.parse(given.addCommunity().value()));
    }
    if (given.prependASPath() != null) {
      return new RouteOperation.PrependAsPath(given.prependASPath().prefix());
    }
    if (given.setPriority() != null) {
      return new RouteOperation.SetPriority(given.setPriority().value());
    }
    throw new IllegalArgumentException("operations: one is of a kind this version does not know");
  }
}
