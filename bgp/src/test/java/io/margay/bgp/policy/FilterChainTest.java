package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class FilterChainTest {

  private static final FilterRule ACCEPT = FilterRule.of(FilterRule.Action.ACCEPT);
  private static final FilterRule REJECT = FilterRule.of(FilterRule.Action.REJECT);
  private static final Prefix NET = Prefix.parse("10.1.0.0/24");
  private static final CommunityTag TAG = CommunityTag.parse("65000:1");

  private static FilterRule in(FilterRule rule, String cidr) {
    return rule.onPrefix(new PrefixMatch(PrefixMatch.Operator.IN, Prefix.parse(cidr)));
  }

  private static RouteFilter importing(String name, FilterRule... rules) {
    return new RouteFilter(name, List.of(), List.of(rules), List.of(), List.of());
  }

  private static FilterChain.Outcome decide(PeerKind kind, RouteFilter... filters) {
    return decideOn(NET, kind, filters);
  }

  private static FilterChain.Outcome decideOn(
      @Nullable Prefix prefix, PeerKind kind, RouteFilter... filters) {
    return new FilterChain(List.of(filters), RouteFilter.Direction.IMPORT, IpFamily.IPV4, kind)
        .decide(prefix, PathAttributes.EMPTY, Routes.source(kind, 9));
  }

  @Test
  void the_first_rule_that_applies_decides() {
    RouteFilter filter =
        importing("f", in(REJECT, "10.2.0.0/16"), in(ACCEPT, "10.1.0.0/16"), REJECT);
    assertThat(decide(PeerKind.EBGP, filter))
        .isEqualTo(new FilterChain.Outcome.Accepted(PathAttributes.EMPTY, "filter f, importV4[1]"));
  }

  @Test
  void when_no_rule_of_a_filter_applies_the_next_filter_is_asked() {
    RouteFilter first = importing("first", in(REJECT, "10.2.0.0/16"));
    RouteFilter second = importing("second", in(REJECT, "10.1.0.0/16"));
    assertThat(decide(PeerKind.EBGP, first, second))
        .isEqualTo(new FilterChain.Outcome.Rejected("filter second, importV4[0]"));
  }

  @Test
  void a_decision_ends_the_sequence_of_filters() {
    assertThat(decide(PeerKind.EBGP, importing("first", ACCEPT), importing("second", REJECT)))
        .isInstanceOf(FilterChain.Outcome.Accepted.class);
  }

  @Test
  void no_rule_decides_nothing() {
    assertThat(decide(PeerKind.EBGP, importing("f", in(REJECT, "10.2.0.0/16"))))
        .isInstanceOf(FilterChain.Outcome.Undecided.class);
    assertThat(decide(PeerKind.EBGP)).isInstanceOf(FilterChain.Outcome.Undecided.class);
  }

  @Test
  void operations_apply_in_order_and_only_to_what_is_accepted() {
    RouteFilter filter =
        importing(
            "f",
            ACCEPT.doing(
                List.of(
                    new RouteOperation.SetPriority(5),
                    new RouteOperation.AddCommunity(TAG),
                    new RouteOperation.SetPriority(7))));
    FilterChain.Outcome outcome = decide(PeerKind.EBGP, filter);
    assertThat(outcome).isInstanceOf(FilterChain.Outcome.Accepted.class);
    PathAttributes changed = ((FilterChain.Outcome.Accepted) outcome).attributes();
    assertThat(RoutePriority.of(changed)).isEqualTo(7);
    assertThat(TAG.isOn(changed)).isTrue();
  }

  @Test
  void rules_for_the_other_kind_of_session_are_passed_over() {
    RouteFilter filter =
        importing(
            "f",
            REJECT.onPeerType(FilterRule.PeerType.INTERNAL),
            ACCEPT.onPeerType(FilterRule.PeerType.EXTERNAL));
    assertThat(decide(PeerKind.EBGP, filter)).isInstanceOf(FilterChain.Outcome.Accepted.class);
    assertThat(decide(PeerKind.IBGP, filter)).isInstanceOf(FilterChain.Outcome.Rejected.class);
    assertThat(decide(PeerKind.CLIENT, filter)).isInstanceOf(FilterChain.Outcome.Rejected.class);
  }

  @Test
  void directions_and_families_stand_alone() {
    RouteFilter filter =
        new RouteFilter("f", List.of(REJECT), List.of(), List.of(ACCEPT), List.of(REJECT));
    assertThat(decide(PeerKind.EBGP, filter)).isInstanceOf(FilterChain.Outcome.Undecided.class);
    FilterChain v6 =
        new FilterChain(
            List.of(filter), RouteFilter.Direction.IMPORT, IpFamily.IPV6, PeerKind.EBGP);
    assertThat(v6.decide(null, PathAttributes.EMPTY, null))
        .isEqualTo(new FilterChain.Outcome.Rejected("filter f, importV6[0]"));
  }

  @Test
  void a_prefix_is_needed_only_where_a_rule_looks_at_it() {
    RouteFilter filter =
        importing("f", in(REJECT, "10.2.0.0/16").onPeerType(FilterRule.PeerType.INTERNAL));
    assertThat(decideOn(null, PeerKind.EBGP, filter))
        .isInstanceOf(FilterChain.Outcome.Undecided.class);
    assertThatThrownBy(() -> decideOn(null, PeerKind.IBGP, filter))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
