package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.RouterId;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// RFC 4456 §6 and §8.
class ReflectionTest {

  private static final RouteAttributes ROUTE =
      Routes.route(
          "192.0.2.9",
          Routes.path(65300),
          new PathAttribute.LocalPref(250),
          new PathAttribute.MultiExitDisc(40));

  private static ExportVerdict explain(
      PeerPolicy policy, RouteAttributes route, @Nullable PeerKind from, PeerKind to) {
    return new ExportPolicy(Routes.SPEAKER, policy, Routes.session(to, 20))
        .explain(IpFamily.IPV4, null, route, from == null ? null : Routes.source(from, 9));
  }

  private static PeerPolicy all(NextHopMode mode) {
    return PeerPolicy.builder().exportMode(ExportMode.ALL).nextHop(mode).build();
  }

  @ParameterizedTest(name = "from {0} to {1}: told {2}, reflected {3}")
  @CsvSource({
    "own, EBGP, true, false",
    "own, IBGP, true, false",
    "own, CLIENT, true, false",
    "EBGP, EBGP, true, false",
    "EBGP, IBGP, true, false",
    "EBGP, CLIENT, true, false",
    "IBGP, EBGP, true, false",
    "IBGP, IBGP, false, false",
    "IBGP, CLIENT, true, true",
    "CLIENT, EBGP, true, false",
    "CLIENT, IBGP, true, true",
    "CLIENT, CLIENT, true, true",
  })
  void who_is_told_and_what_marks_the_reflection(
      String from, PeerKind to, boolean told, boolean reflected) {
    PeerKind source = from.equals("own") ? null : PeerKind.valueOf(from);
    ExportVerdict verdict = explain(all(NextHopMode.AUTO), ROUTE, source, to);
    assertThat(verdict instanceof ExportVerdict.Announced).isEqualTo(told);
    if (verdict instanceof ExportVerdict.Announced(RouteAttributes route, String _)) {
      PathAttributes attributes = route.attributes();
      assertThat(attributes.originatorId()).isEqualTo(reflected ? RouterId.parse("9.9.9.9") : null);
      assertThat(attributes.clusterList())
          .isEqualTo(
              reflected
                  ? PathAttribute.ClusterList.ofValues(Routes.SPEAKER.clusterId())
                  : PathAttribute.ClusterList.NONE);
    } else {
      assertThat(((ExportVerdict.Withheld) verdict).reason())
          .isEqualTo(WithholdReason.SPLIT_HORIZON);
    }
  }

  @ParameterizedTest
  @EnumSource(NextHopMode.class)
  void next_hop_as_path_local_pref_and_med_are_reflected_as_they_came(NextHopMode mode) {
    PeerPolicy policy = all(mode).toBuilder().prepend(3).build();
    ExportVerdict verdict = explain(policy, ROUTE, PeerKind.CLIENT, PeerKind.IBGP);
    RouteAttributes told = ((ExportVerdict.Announced) verdict).route();
    assertThat(told.nextHop()).isEqualTo(ROUTE.nextHop());
    assertThat(told.attributes())
        .isEqualTo(
            ROUTE
                .attributes()
                .with(new PathAttribute.OriginatorId(RouterId.parse("9.9.9.9")))
                .with(PathAttribute.ClusterList.ofValues(Routes.SPEAKER.clusterId())));
  }

  @Test
  void an_originator_id_stays_and_the_own_cluster_is_put_in_front_of_the_list() {
    RouteAttributes reflectedBefore =
        new RouteAttributes(
            ROUTE
                .attributes()
                .with(new PathAttribute.OriginatorId(RouterId.parse("7.7.7.7")))
                .with(PathAttribute.ClusterList.ofValues(5, 6)),
            ROUTE.nextHop());
    ExportVerdict verdict =
        explain(all(NextHopMode.AUTO), reflectedBefore, PeerKind.IBGP, PeerKind.CLIENT);
    PathAttributes told = ((ExportVerdict.Announced) verdict).route().attributes();
    assertThat(told.originatorId()).isEqualTo(RouterId.parse("7.7.7.7"));
    assertThat(told.clusterList().clusters()).containsExactly(Routes.SPEAKER.clusterId(), 5, 6);
  }

  @Test
  void the_originator_is_not_told_its_own_route() {
    RouteAttributes originated =
        new RouteAttributes(
            ROUTE.attributes().with(new PathAttribute.OriginatorId(RouterId.parse("9.9.9.20"))),
            ROUTE.nextHop());
    assertThat(explain(all(NextHopMode.AUTO), originated, PeerKind.CLIENT, PeerKind.CLIENT))
        .isEqualTo(new ExportVerdict.Withheld(WithholdReason.ORIGINATOR, "originator 9.9.9.20"));
    // The router id of an external peer says nothing about who brought the route into this AS.
    assertThat(explain(all(NextHopMode.AUTO), originated, PeerKind.CLIENT, PeerKind.EBGP))
        .isInstanceOf(ExportVerdict.Announced.class);
  }

  @Test
  void a_next_hop_on_a_link_cannot_be_reflected() {
    RouteAttributes onLink =
        new RouteAttributes(ROUTE.attributes(), NextHop.of(IpAddress.parse("fe80::9")));
    ExportVerdict verdict =
        new ExportPolicy(Routes.SPEAKER, all(NextHopMode.AUTO), Routes.session(PeerKind.CLIENT, 20))
            .explain(IpFamily.IPV6, null, onLink, Routes.source(PeerKind.CLIENT, 9));
    assertThat(verdict)
        .isEqualTo(new ExportVerdict.Withheld(WithholdReason.LINK_LOCAL_NEXT_HOP, "fe80::9"));
  }
}
