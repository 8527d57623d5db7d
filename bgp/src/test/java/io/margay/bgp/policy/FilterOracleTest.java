package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.Asn;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Random filters on random routes against a reading of the API that works on texts: prefixes as
/// strings of bits, AS paths and interfaces by regular expression.
class FilterOracleTest {

  private static final int ROUNDS = 4_000;

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void random_filters_decide_as_the_api_says(IpFamily family) {
    int[] outcomes = new int[3];
    for (int seed = 0; seed < ROUNDS; seed++) {
      Random random = new Random(seed);
      PeerKind kind = List.of(PeerKind.values()).get(random.nextInt(3));
      RouteFilter.Direction direction =
          random.nextBoolean() ? RouteFilter.Direction.EXPORT : RouteFilter.Direction.IMPORT;
      List<RouteFilter> filters = filters(random, direction, family);
      FilterChain chain = new FilterChain(filters, direction, family, kind);
      for (int i = 0; i < 10; i++) {
        Prefix prefix = prefix(random, family);
        PathAttributes attributes = attributes(random);
        RouteSource from =
            direction == RouteFilter.Direction.IMPORT || random.nextBoolean()
                ? source(random, kind)
                : null;
        String expected = oracle(filters, direction, family, kind, prefix, attributes, from);
        String actual =
            switch (chain.decide(prefix, attributes, from)) {
              case FilterChain.Outcome.Accepted(PathAttributes changed, String by) ->
                  "accept " + by + " " + changed;
              case FilterChain.Outcome.Rejected(String by) -> "reject " + by;
              case FilterChain.Outcome.Undecided() -> "undecided";
            };
        assertThat(actual).as("seed %d, route %d", seed, i).isEqualTo(expected);
        outcomes["aru".indexOf(actual.charAt(0))]++;
      }
    }
    // The generator is of use only while every outcome is common.
    assertThat(Arrays.stream(outcomes).min().orElseThrow()).isGreaterThan(ROUNDS);
  }

  private static String oracle(
      List<RouteFilter> filters,
      RouteFilter.Direction direction,
      IpFamily family,
      PeerKind kind,
      Prefix prefix,
      PathAttributes attributes,
      @Nullable RouteSource from) {
    for (RouteFilter filter : filters) {
      List<FilterRule> rules = filter.rules(direction, family);
      for (int i = 0; i < rules.size(); i++) {
        FilterRule rule = rules.get(i);
        if (applies(rule, kind, prefix, attributes, from)) {
          String by = "filter " + filter.name() + ", " + RouteFilter.field(direction, family, i);
          return rule.action() == FilterRule.Action.REJECT
              ? "reject " + by
              : "accept " + by + " " + changed(rule, attributes);
        }
      }
    }
    return "undecided";
  }

  private static boolean applies(
      FilterRule rule,
      PeerKind kind,
      Prefix prefix,
      PathAttributes attributes,
      @Nullable RouteSource from) {
    List<Boolean> conditions = new ArrayList<>();
    if (rule.prefix() != null) {
      String cidr = bits(rule.prefix().cidr());
      String net = bits(prefix);
      boolean inRange =
          (rule.prefix().min() == null || net.length() >= rule.prefix().min())
              && (rule.prefix().max() == null || net.length() <= rule.prefix().max());
      conditions.add(
          switch (rule.prefix().operator()) {
            case IN -> net.startsWith(cidr) && inRange;
            case NOT_IN -> !net.startsWith(cidr) || !inRange;
            case EQUAL -> net.equals(cidr) && inRange;
            case NOT_EQUAL -> !net.equals(cidr) || !inRange;
          });
    }
    if (rule.fromRemotePeers()) {
      conditions.add(from != null);
    }
    if (rule.via() != null) {
      conditions.add(
          from != null
              && from.via() != null
              && Pattern.matches(rule.via().glob().replace("*", ".*"), from.via().value()));
    }
    if (rule.peerType() != null) {
      conditions.add(
          rule.peerType() == FilterRule.PeerType.EXTERNAL
              ? kind == PeerKind.EBGP
              : kind != PeerKind.EBGP);
    }
    if (rule.community() != null) {
      List<String> all = new ArrayList<>();
      attributes.communities().communities().forEach(each -> all.add(each.toString()));
      attributes.largeCommunities().communities().forEach(each -> all.add(each.toString()));
      conditions.add(all.contains(rule.community().toString()));
    }
    if (!rule.asPathPrefix().isEmpty()) {
      String wanted =
          rule.asPathPrefix().stream().map(Asn::toString).collect(Collectors.joining(" "));
      conditions.add(Pattern.matches(wanted + "( .*)?", attributes.asPath().toString()));
    }
    if (rule.priority() != null) {
      long priority = attributes.hasLocalPref() ? 2147483647L - attributes.localPref() : 1024;
      conditions.add(priority == rule.priority());
    }
    return conditions.stream().allMatch(each -> each);
  }

  private static PathAttributes changed(FilterRule rule, PathAttributes attributes) {
    PathAttributes changed = attributes;
    for (RouteOperation operation : rule.operations()) {
      switch (operation) {
        case RouteOperation.AddCommunity(CommunityTag value) -> changed = value.addTo(changed);
        case RouteOperation.PrependAsPath(List<Asn> prefix) -> {
          AsPath.Builder path = AsPath.builder().begin(AsPath.Kind.SEQUENCE);
          prefix.forEach(asn -> path.add(asn.value()));
          changed.asPath().segments().stream()
              .flatMap(segment -> segment.asns().stream())
              .forEach(asn -> path.add(asn.value()));
          changed = changed.with(new PathAttribute.AsPathAttribute(path.build()));
        }
        case RouteOperation.SetPriority(int value) ->
            changed = changed.with(new PathAttribute.LocalPref(2147483647 - value));
      }
    }
    return changed;
  }

  private static String bits(Prefix prefix) {
    StringBuilder bits = new StringBuilder();
    for (int i = 0; i < prefix.length(); i++) {
      bits.append(prefix.address().bit(i) ? '1' : '0');
    }
    return bits.toString();
  }

  private static List<RouteFilter> filters(
      Random random, RouteFilter.Direction direction, IpFamily family) {
    List<RouteFilter> filters = new ArrayList<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      List<FilterRule> rules = new ArrayList<>();
      for (int j = random.nextInt(4); j > 0; j--) {
        rules.add(rule(random, direction, family));
      }
      filters.add(
          switch (direction) {
            case IMPORT ->
                new RouteFilter(
                    "f" + i,
                    List.of(),
                    family == IpFamily.IPV4 ? rules : List.of(),
                    List.of(),
                    family == IpFamily.IPV6 ? rules : List.of());
            case EXPORT ->
                new RouteFilter(
                    "f" + i,
                    family == IpFamily.IPV4 ? rules : List.of(),
                    List.of(),
                    family == IpFamily.IPV6 ? rules : List.of(),
                    List.of());
          });
    }
    return filters;
  }

  private static FilterRule rule(Random random, RouteFilter.Direction direction, IpFamily family) {
    FilterRule rule =
        FilterRule.of(random.nextBoolean() ? FilterRule.Action.ACCEPT : FilterRule.Action.REJECT);
    if (random.nextInt(3) > 0) {
      Prefix cidr = prefix(random, family);
      int room = family.bits() - cidr.length() + 1;
      Integer min = random.nextInt(3) == 0 ? cidr.length() + random.nextInt(room) : null;
      int least = min == null ? cidr.length() : min;
      Integer max =
          random.nextInt(3) == 0 ? least + random.nextInt(family.bits() - least + 1) : null;
      PrefixMatch.Operator[] operators = PrefixMatch.Operator.values();
      rule =
          rule.onPrefix(
              new PrefixMatch(operators[random.nextInt(operators.length)], cidr, min, max));
    }
    if (direction == RouteFilter.Direction.EXPORT && random.nextInt(4) == 0) {
      rule = rule.onRemotePeers();
    }
    if (random.nextInt(5) == 0) {
      rule = rule.onInterface(new InterfacePattern(random.nextBoolean() ? "eth*" : "bond0"));
    }
    if (random.nextInt(4) == 0) {
      rule =
          rule.onPeerType(
              random.nextBoolean() ? FilterRule.PeerType.EXTERNAL : FilterRule.PeerType.INTERNAL);
    }
    if (random.nextInt(4) == 0) {
      rule = rule.onCommunity(tag(random));
    }
    if (random.nextInt(4) == 0) {
      rule = rule.onAsPathPrefix(asns(random, 1));
    }
    if (random.nextInt(5) == 0) {
      rule = rule.onPriority(random.nextBoolean() ? 1024 : 512);
    }
    if (rule.action() == FilterRule.Action.ACCEPT) {
      List<RouteOperation> operations = new ArrayList<>();
      for (int i = random.nextInt(3); i > 0; i--) {
        operations.add(
            switch (random.nextInt(3)) {
              case 0 -> new RouteOperation.AddCommunity(tag(random));
              case 1 -> new RouteOperation.PrependAsPath(asns(random, 1));
              default -> new RouteOperation.SetPriority(1 + random.nextInt(2000));
            });
      }
      rule = rule.doing(operations);
    }
    return rule;
  }

  private static CommunityTag tag(Random random) {
    return CommunityTag.parse(random.nextBoolean() ? "1:" + random.nextInt(2) : "1:2:3");
  }

  private static List<Asn> asns(Random random, int least) {
    List<Asn> asns = new ArrayList<>();
    for (int i = least + random.nextInt(2); i > 0; i--) {
      asns.add(new Asn(1 + random.nextInt(2)));
    }
    return asns;
  }

  /// Short and long prefixes over few bits, so that they often contain each other.
  private static Prefix prefix(Random random, IpFamily family) {
    int length = random.nextBoolean() ? random.nextInt(3) : family.bits() - random.nextInt(3);
    IpAddress address =
        switch (family) {
          case IPV4 -> new Ipv4Address(random.nextInt() & 0xc0000001);
          case IPV6 -> new Ipv6Address(random.nextLong() & 0xc000000000000000L, random.nextInt(2));
        };
    return Prefix.containing(address, length);
  }

  private static PathAttributes attributes(Random random) {
    PathAttributes attributes = PathAttributes.of(Routes.IGP);
    if (random.nextBoolean()) {
      attributes =
          attributes.with(
              new PathAttribute.AsPathAttribute(AsPath.of(asns(random, 1).toArray(Asn[]::new))));
    }
    if (random.nextInt(3) == 0) {
      attributes =
          attributes.with(
              new PathAttribute.LocalPref(
                  random.nextBoolean() ? 2147483647 - 512 : random.nextInt()));
    }
    for (int i = random.nextInt(3); i > 0; i--) {
      attributes = tag(random).addTo(attributes);
    }
    return attributes;
  }

  private static RouteSource source(Random random, PeerKind kind) {
    InterfaceName via =
        switch (random.nextInt(3)) {
          case 0 -> new InterfaceName("eth1");
          case 1 -> new InterfaceName("bond0");
          default -> null;
        };
    return new RouteSource(
        ScopedAddress.parse("10.0.0.9"), Routes.THEIRS, RouterId.parse("9.9.9.9"), kind, via);
  }
}
