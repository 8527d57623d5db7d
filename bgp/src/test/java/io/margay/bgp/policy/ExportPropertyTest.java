package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.Octets;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.RouterId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// What must hold of every announcement, whatever the route, the policy and the session.
class ExportPropertyTest {

  private static final int CASES = 40_000;

  @Test
  void nothing_leaves_that_must_not_and_nothing_lacks_that_must_be_there() {
    int announced = 0;
    for (int seed = 0; seed < CASES; seed++) {
      Random random = new Random(seed);
      IpFamily family = random.nextBoolean() ? IpFamily.IPV4 : IpFamily.IPV6;
      SpeakerPolicy speaker = Routes.SPEAKER.withGracefulShutdown(random.nextInt(4) == 0);
      ExportSession to = session(random);
      PeerPolicy policy = policy(random);
      RouteSource from =
          random.nextInt(4) == 0 ? null : Routes.source(kind(random), 18 + random.nextInt(4));
      RouteAttributes best = route(random);
      ExportVerdict verdict =
          new ExportPolicy(speaker, policy, to).explain(family, null, best, from);
      if (verdict instanceof ExportVerdict.Announced(RouteAttributes route, String _)) {
        announced++;
        String what = "seed " + seed + ": " + best + " from " + from + " to " + to;
        checkAll(what, to, family, route, best, from);
        if (to.kind().isInternal()) {
          checkInternal(what, route.attributes(), from, to);
        } else {
          checkExternal(what, route.attributes(), best.attributes(), from, policy);
        }
      }
    }
    assertThat(announced).as("the generator is of use").isGreaterThan(CASES / 8);
  }

  private static void checkAll(
      String what,
      ExportSession to,
      IpFamily family,
      RouteAttributes told,
      RouteAttributes best,
      @Nullable RouteSource from) {
    assertThat(from == null || !from.peer().equals(to.peer())).as(what).isTrue();
    assertThat(from != null && carries(best.attributes(), WellKnown.NO_ADVERTISE.value()))
        .as(what)
        .isFalse();
    IpAddress hop = told.nextHop().address();
    assertThat(hop).as(what).isNotEqualTo(to.peer().address());
    assertThat(hop.family() == family || to.extendedNextHop().contains(family)).as(what).isTrue();
    assertThat(!hop.isLinkLocal() || told.nextHop().equals(to.nextHops().get(family)))
        .as(what)
        .isTrue();
    PathAttributes attributes = told.attributes();
    assertThat(attributes.find(PathAttribute.Origin.class)).as(what).isPresent();
    assertThat(attributes.find(PathAttribute.AsPathAttribute.class)).as(what).isPresent();
    assertThat(attributes.unrecognized())
        .as(what)
        .allMatch(each -> from == null || (each.flags() & 0x20) != 0);
    assertThat(attributes.communities().communities())
        .as(what)
        .containsAll(best.attributes().communities().communities());
  }

  private static void checkExternal(
      String what,
      PathAttributes told,
      PathAttributes best,
      @Nullable RouteSource from,
      PeerPolicy policy) {
    assertThat(told.hasLocalPref()).as(what).isFalse();
    assertThat(told.originatorId()).as(what).isNull();
    assertThat(told.clusterList().isEmpty()).as(what).isTrue();
    assertThat(told.hasMed()).as(what).isEqualTo(from == null && best.hasMed());
    assertThat(told.extendedCommunities().communities())
        .as(what)
        .allMatch(each -> (each >>> 62 & 1) == 0);
    assertThat(told.asPath().has(AsPath.Kind.CONFED_SEQUENCE)).as(what).isFalse();
    Asn shown = policy.localAs() == null ? Routes.OWN : policy.localAs().asn();
    assertThat(told.asPath().isFrom(shown)).as(what).isTrue();
    assertThat(from != null && carries(best, WellKnown.NO_EXPORT.value())).as(what).isFalse();
  }

  private static void checkInternal(
      String what, PathAttributes told, @Nullable RouteSource from, ExportSession to) {
    assertThat(told.hasLocalPref()).as(what).isTrue();
    if (from != null && from.kind().isInternal()) {
      assertThat(from.kind() == PeerKind.CLIENT || to.kind() == PeerKind.CLIENT).as(what).isTrue();
      assertThat(told.originatorId()).as(what).isNotNull().isNotEqualTo(to.routerId());
      assertThat(told.clusterList().value(0)).as(what).isEqualTo(Routes.SPEAKER.clusterId());
    }
  }

  private static boolean carries(PathAttributes attributes, int community) {
    return attributes.communities().communities().stream()
        .anyMatch(each -> each.value() == community);
  }

  private static PeerKind kind(Random random) {
    return List.of(PeerKind.values()).get(random.nextInt(3));
  }

  private static ExportSession session(Random random) {
    ExportSession near =
        random.nextBoolean() ? Routes.session(kind(random), 20) : Routes.multihop(kind(random), 20);
    NextHop linkLocal = NextHop.of(IpAddress.parse("fe80::1"));
    return switch (random.nextInt(3)) {
      case 0 -> near;
      case 1 ->
          new ExportSession(
              near.peer(),
              near.asn(),
              near.routerId(),
              near.kind(),
              near.families(),
              Map.of(IpFamily.IPV4, linkLocal, IpFamily.IPV6, linkLocal),
              Set.of(IpFamily.IPV4),
              near.sharedSubnets());
      default ->
          new ExportSession(
              near.peer(),
              near.asn(),
              near.routerId(),
              near.kind(),
              Set.of(IpFamily.IPV4),
              Map.of(IpFamily.IPV4, Routes.OWN_V4),
              Set.of(),
              near.sharedSubnets());
    };
  }

  private static PeerPolicy policy(Random random) {
    PeerPolicy.Builder policy =
        PeerPolicy.builder()
            .exportMode(List.of(ExportMode.values()).get(random.nextInt(4)))
            .nextHop(List.of(NextHopMode.values()).get(random.nextInt(3)))
            .prepend(random.nextInt(3));
    switch (random.nextInt(4)) {
      case 0 -> policy.localAs(LocalAs.replacing(new Asn(65009)));
      case 1 -> policy.localAs(new LocalAs(new Asn(65009), LocalAs.Shown.BOTH));
      default -> policy.bilateral(random.nextBoolean());
    }
    if (random.nextInt(3) == 0) {
      FilterRule accept =
          FilterRule.of(FilterRule.Action.ACCEPT)
              .doing(
                  List.of(
                      new RouteOperation.SetPriority(1 + random.nextInt(2000)),
                      new RouteOperation.PrependAsPath(List.of(new Asn(64999))),
                      new RouteOperation.AddCommunity(CommunityTag.parse("65000:5"))));
      List<FilterRule> rules = List.of(accept);
      policy.filters(List.of(new RouteFilter("f", rules, List.of(), rules, List.of())));
    }
    return policy.build();
  }

  private static RouteAttributes route(Random random) {
    List<PathAttribute> attributes = new ArrayList<>();
    attributes.add(Routes.IGP);
    if (random.nextInt(8) > 0) {
      AsPath path = AsPath.of(new Asn(65100), new Asn(1 + random.nextInt(3)));
      if (random.nextInt(4) == 0) {
        List<AsPath.Segment> segments = new ArrayList<>(path.segments());
        segments.addFirst(new AsPath.Segment(AsPath.Kind.CONFED_SEQUENCE, List.of(new Asn(65300))));
        path = new AsPath(segments);
      }
      attributes.add(new PathAttribute.AsPathAttribute(path));
    }
    if (random.nextBoolean()) {
      attributes.add(new PathAttribute.LocalPref(random.nextInt()));
    }
    if (random.nextBoolean()) {
      attributes.add(new PathAttribute.MultiExitDisc(random.nextInt()));
    }
    if (random.nextInt(3) == 0) {
      attributes.add(
          new PathAttribute.OriginatorId(RouterId.parse("9.9.9." + (18 + random.nextInt(4)))));
      attributes.add(PathAttribute.ClusterList.ofValues(random.nextInt(), 7));
    }
    if (random.nextInt(3) == 0) {
      attributes.add(
          PathAttribute.Communities.ofValues(
              0xffffff01 + random.nextInt(4), 65000 << 16 | random.nextInt(3)));
    }
    if (random.nextInt(3) == 0) {
      attributes.add(
          PathAttribute.ExtendedCommunities.ofValues(random.nextLong(), random.nextLong()));
    }
    if (random.nextInt(3) == 0) {
      attributes.add(new PathAttribute.Unrecognized(0xc0, 77, Octets.ofHex("00ff")));
    }
    NextHop hop =
        switch (random.nextInt(5)) {
          case 0 -> NextHop.of(IpAddress.parse("10.0.0." + (18 + random.nextInt(4))));
          case 1 -> NextHop.of(IpAddress.parse("192.0.2.9"));
          case 2 -> NextHop.of(IpAddress.parse("fe80::9"));
          case 3 -> new NextHop(IpAddress.parse("2001:db8::9"), IpAddress.parse("fe80::9"));
          default -> NextHop.of(IpAddress.parse("2001:db8:1::9"));
        };
    return new RouteAttributes(PathAttributes.of(attributes), hop);
  }
}
