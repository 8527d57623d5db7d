package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.Asn;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class FilterRuleTest {

  private static final FilterRule ANY = FilterRule.of(FilterRule.Action.ACCEPT);
  private static final Prefix NET = Prefix.parse("10.244.5.0/24");

  @ParameterizedTest(name = "{1} {0} {2} min {3} max {4}: {5}")
  @CsvSource({
    "10.244.0.0/16, IN, 10.244.0.0/16, , , true",
    "10.244.0.0/16, IN, 10.244.5.0/24, , , true",
    "10.244.0.0/16, IN, 10.0.0.0/8, , , false",
    "10.244.0.0/16, IN, 10.245.0.0/24, , , false",
    "10.244.0.0/16, NOT_IN, 10.244.5.0/24, , , false",
    "10.244.0.0/16, NOT_IN, 10.245.0.0/24, , , true",
    "10.244.0.0/16, NOT_IN, 10.0.0.0/8, , , true",
    "10.244.0.0/16, EQUAL, 10.244.0.0/16, , , true",
    "10.244.0.0/16, EQUAL, 10.244.0.0/17, , , false",
    "10.244.0.0/16, NOT_EQUAL, 10.244.0.0/16, , , false",
    "10.244.0.0/16, NOT_EQUAL, 10.244.0.0/17, , , true",
    "10.244.0.0/16, IN, 10.244.5.0/24, 24, 28, true",
    "10.244.0.0/16, IN, 10.244.5.0/28, 24, 28, true",
    "10.244.0.0/16, IN, 10.244.5.0/29, 24, 28, false",
    "10.244.0.0/16, IN, 10.244.4.0/23, 24, 28, false",
    "10.244.0.0/16, IN, 10.244.4.0/23, , 28, true",
    "10.244.0.0/16, IN, 10.244.4.1/32, 24, , true",
    "10.244.0.0/16, IN, 10.244.0.0/16, 8, , true",
    "10.244.0.0/16, IN, 10.0.0.0/8, 8, , false",
    "10.244.0.0/16, NOT_IN, 10.244.5.0/29, 24, 28, true",
    "10.244.0.0/16, EQUAL, 10.244.0.0/16, 17, , false",
    "10.244.0.0/16, NOT_EQUAL, 10.244.0.0/16, 17, , true",
    "fd00::/8, IN, fd12:3456::/48, 48, 64, true",
    "fd00::/8, IN, fd12:3456::/65, 48, 64, false",
    "0.0.0.0/0, EQUAL, 0.0.0.0/0, , , true",
    "0.0.0.0/0, IN, 192.0.2.1/32, , , true",
    "::/0, NOT_EQUAL, ::/0, , , false",
  })
  void a_prefix_is_compared_by_operator_and_length(
      String cidr,
      PrefixMatch.Operator operator,
      String net,
      @Nullable Integer min,
      @Nullable Integer max,
      boolean matches) {
    FilterRule rule = ANY.onPrefix(new PrefixMatch(operator, Prefix.parse(cidr), min, max));
    assertThat(rule.matches(Prefix.parse(net), PathAttributes.EMPTY, null)).isEqualTo(matches);
  }

  static Stream<Arguments> paths() {
    return Stream.of(
        Arguments.of("begins with it", asns(65000), sequence(65000, 65001), true),
        Arguments.of("is it", asns(65000, 65001), sequence(65000, 65001), true),
        Arguments.of("is shorter", asns(65000, 65001), sequence(65000), false),
        Arguments.of("has it further on", asns(65001), sequence(65000, 65001), false),
        Arguments.of("differs in the second", asns(65000, 65001), sequence(65000, 65002), false),
        Arguments.of("is empty", asns(65000), AsPath.EMPTY, false),
        Arguments.of(
            "goes over segments",
            asns(1, 2, 3),
            segments(segment(AsPath.Kind.SEQUENCE, 1, 2), segment(AsPath.Kind.SEQUENCE, 3, 4)),
            true),
        Arguments.of(
            "a set stands for one hop",
            asns(1, 7, 3),
            segments(
                segment(AsPath.Kind.SEQUENCE, 1),
                segment(AsPath.Kind.SET, 6, 7),
                segment(AsPath.Kind.SEQUENCE, 3)),
            true),
        Arguments.of(
            "a set without it",
            asns(1, 8),
            segments(segment(AsPath.Kind.SEQUENCE, 1), segment(AsPath.Kind.SET, 6, 7)),
            false));
  }

  @ParameterizedTest(name = "a path that {0}")
  @MethodSource("paths")
  void as_path_prefix_matches_what_begins_so(
      String name, List<Asn> wanted, AsPath path, boolean matches) {
    PathAttributes attributes = PathAttributes.of(new PathAttribute.AsPathAttribute(path));
    assertThat(ANY.onAsPathPrefix(wanted).matches(NET, attributes, null)).isEqualTo(matches);
  }

  private static List<Asn> asns(int... values) {
    return Arrays.stream(values).mapToObj(Asn::new).toList();
  }

  private static AsPath sequence(int... values) {
    return AsPath.of(asns(values).toArray(Asn[]::new));
  }

  private static AsPath.Segment segment(AsPath.Kind kind, int... values) {
    return new AsPath.Segment(kind, asns(values));
  }

  private static AsPath segments(AsPath.Segment... segments) {
    return new AsPath(List.of(segments));
  }

  @ParameterizedTest(name = "priority {0}, LOCAL_PREF {1}: {2}")
  @CsvSource({
    "1024, , true",
    "100, , false",
    "512, 2147483135, true",
    "1, 2147483646, true",
    "2147483646, 1, true",
    "2147483547, 100, true",
    "512, 2147483136, false",
    "1, 4294967295, false",
  })
  void priority_is_the_mirror_of_local_pref_and_1024_without_one(
      int priority, @Nullable Long localPref, boolean matches) {
    PathAttributes attributes =
        localPref == null
            ? PathAttributes.EMPTY
            : PathAttributes.of(new PathAttribute.LocalPref(localPref.intValue()));
    assertThat(ANY.onPriority(priority).matches(NET, attributes, null)).isEqualTo(matches);
  }

  @Test
  void remote_peers_are_all_but_ourselves() {
    FilterRule rule = ANY.onRemotePeers();
    assertThat(rule.matches(NET, PathAttributes.EMPTY, Routes.source(PeerKind.EBGP, 9))).isTrue();
    assertThat(rule.matches(NET, PathAttributes.EMPTY, null)).isFalse();
  }

  @Test
  void an_interface_must_be_known_to_match() {
    FilterRule rule = ANY.onInterface(new InterfacePattern("eth*"));
    RouteSource unknown = Routes.source(PeerKind.EBGP, 9);
    assertThat(rule.matches(NET, PathAttributes.EMPTY, unknown)).isFalse();
    assertThat(rule.matches(NET, PathAttributes.EMPTY, null)).isFalse();
    assertThat(rule.matches(NET, PathAttributes.EMPTY, via("10.0.0.9", "eth1"))).isTrue();
    assertThat(rule.matches(NET, PathAttributes.EMPTY, via("10.0.0.9", "bond0"))).isFalse();
    RouteSource linkLocal =
        new RouteSource(
            ScopedAddress.parse("fe80::9%eth0"),
            Routes.THEIRS,
            RouterId.parse("9.9.9.9"),
            PeerKind.EBGP);
    assertThat(rule.matches(NET, PathAttributes.EMPTY, linkLocal)).isTrue();
  }

  private static RouteSource via(String address, String name) {
    return new RouteSource(
        ScopedAddress.parse(address),
        Routes.THEIRS,
        RouterId.parse("9.9.9.9"),
        PeerKind.EBGP,
        new InterfaceName(name));
  }

  @Test
  void communities_of_both_kinds_are_looked_for() {
    PathAttributes attributes =
        CommunityTag.parse("1:2:3").addTo(PathAttributes.of(Routes.communities("65000:100")));
    assertThat(ANY.onCommunity(CommunityTag.parse("65000:100")).matches(NET, attributes, null))
        .isTrue();
    assertThat(ANY.onCommunity(CommunityTag.parse("1:2:3")).matches(NET, attributes, null))
        .isTrue();
    assertThat(ANY.onCommunity(CommunityTag.parse("65000:101")).matches(NET, attributes, null))
        .isFalse();
  }

  @Test
  void all_conditions_must_hold() {
    FilterRule rule =
        ANY.onPrefix(new PrefixMatch(PrefixMatch.Operator.IN, Prefix.parse("10.0.0.0/8")))
            .onCommunity(CommunityTag.parse("65000:100"));
    PathAttributes tagged = PathAttributes.of(Routes.communities("65000:100"));
    assertThat(rule.matches(NET, tagged, null)).isTrue();
    assertThat(rule.matches(NET, PathAttributes.EMPTY, null)).isFalse();
    assertThat(rule.matches(Prefix.parse("11.0.0.0/8"), tagged, null)).isFalse();
  }

  @Test
  void prepended_ases_stand_in_the_order_listed() {
    RouteOperation prepend = new RouteOperation.PrependAsPath(asns(65001, 65002));
    PathAttributes changed =
        prepend.applyTo(PathAttributes.of(new PathAttribute.AsPathAttribute(sequence(65000))));
    assertThat(changed.asPath()).isEqualTo(sequence(65001, 65002, 65000));
  }

  @Test
  void set_priority_is_kept_as_local_pref() {
    PathAttributes changed = new RouteOperation.SetPriority(100).applyTo(PathAttributes.EMPTY);
    assertThat(changed.localPref()).isEqualTo(2147483547L);
    assertThat(ANY.onPriority(100).matches(NET, changed, null)).isTrue();
  }

  @Test
  void the_constructors_name_the_field_that_is_wrong() {
    Prefix cidr = Prefix.parse("10.0.0.0/8");
    PrefixMatch.Operator in = PrefixMatch.Operator.IN;
    assertThatThrownBy(() -> new PrefixMatch(in, cidr, 33, null))
        .hasMessage("prefixLength.min: 33 is not in 0..32");
    assertThatThrownBy(() -> new PrefixMatch(in, cidr, null, -1))
        .hasMessage("prefixLength.max: -1 is not in 0..32");
    assertThatThrownBy(() -> new PrefixMatch(in, cidr, 24, 20))
        .hasMessage(
            "prefixLength.max: no prefix within 10.0.0.0/8 is at least /24 and at most /20 long");
    assertThatThrownBy(() -> new PrefixMatch(in, cidr, null, 7))
        .hasMessageStartingWith("prefixLength.max: no prefix within 10.0.0.0/8");
    assertThatThrownBy(() -> ANY.onPriority(0)).hasMessage("priority: 0 is not in 1..2147483646");
    RouteOperation tag = new RouteOperation.AddCommunity(CommunityTag.parse("1:1"));
    assertThatThrownBy(() -> FilterRule.of(FilterRule.Action.REJECT).doing(List.of(tag)))
        .hasMessage("operations: may only be used with action Accept");
    assertThatThrownBy(() -> ANY.doing(Collections.nCopies(11, tag)))
        .hasMessage("operations: 11 entries; at most 10 are allowed");
    assertThatThrownBy(() -> new RouteOperation.PrependAsPath(List.of()))
        .hasMessage("prependASPath.prefix: 0 AS numbers; 1 to 10 are allowed");
    assertThatThrownBy(() -> new RouteOperation.PrependAsPath(asns(0)))
        .hasMessageContaining("RFC 7607");
    assertThatThrownBy(() -> new RouteOperation.SetPriority(Integer.MAX_VALUE))
        .hasMessage("setPriority.value: 2147483647 is not in 1..2147483646");
  }

  @Test
  void a_filter_names_the_rule_that_is_wrong() {
    FilterRule v6 = ANY.onPrefix(new PrefixMatch(PrefixMatch.Operator.IN, Prefix.parse("::/0")));
    assertThatThrownBy(() -> filter(List.of(ANY, v6), List.of()))
        .hasMessage("exportV4[1].cidr: ::/0 is not an IPv4 prefix");
    assertThatThrownBy(() -> filter(List.of(), List.of(ANY.onRemotePeers())))
        .hasMessage(
            "importV4[0].source: is not for import rules; all imported routes are from peers");
    assertThat(filter(List.of(ANY), List.of()).rules(RouteFilter.Direction.EXPORT, IpFamily.IPV4))
        .containsExactly(ANY);
  }

  private static RouteFilter filter(List<FilterRule> exportV4, List<FilterRule> importV4) {
    return new RouteFilter("f", exportV4, importV4, List.of(), List.of());
  }
}
