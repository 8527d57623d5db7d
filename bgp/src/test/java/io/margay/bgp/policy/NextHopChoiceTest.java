package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.NextHop;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NextHopChoiceTest {

  private static String choose(
      NextHopMode mode, ExportSession to, IpFamily family, NextHop hop, boolean learned) {
    return switch (new NextHopChoice(mode, to).choose(family, hop, learned, false)) {
      case NextHopChoice.Choice.Chosen(NextHop chosen) -> chosen.toString();
      case NextHopChoice.Choice.Impossible(WithholdReason reason, String _) -> reason.name();
    };
  }

  @ParameterizedTest(name = "{0} to {1}, {2}: {3}")
  @CsvSource({
    "AUTO, EBGP, 10.0.0.9, 10.0.0.9",
    "AUTO, EBGP, 192.0.2.9, 10.0.0.1",
    "AUTO, EBGP, 10.0.0.20, 10.0.0.1",
    "AUTO, IBGP, 10.0.0.9, 10.0.0.9",
    "AUTO, IBGP, 192.0.2.9, 192.0.2.9",
    "AUTO, CLIENT, 192.0.2.9, 192.0.2.9",
    "AUTO, IBGP, 10.0.0.20, 10.0.0.1",
    "AUTO, IBGP, fe80::9, 10.0.0.1",
    "AUTO, IBGP, 2001:db8::9, EXTENDED_NEXT_HOP",
    "AUTO, EBGP, fe80::9, 10.0.0.1",
    "SELF, EBGP, 10.0.0.9, 10.0.0.1",
    "SELF, IBGP, 192.0.2.9, 10.0.0.1",
    "KEEP, EBGP, 192.0.2.9, 192.0.2.9",
    "KEEP, EBGP, 10.0.0.20, NEXT_HOP_IS_PEER",
    "KEEP, IBGP, 192.0.2.9, 192.0.2.9",
    "KEEP, EBGP, fe80::9, LINK_LOCAL_NEXT_HOP",
    "KEEP, EBGP, 2001:db8::9, EXTENDED_NEXT_HOP",
  })
  void a_learned_ipv4_route_is_told_with(
      NextHopMode mode, PeerKind to, String hop, String expected) {
    assertThat(
            choose(
                mode,
                Routes.session(to, 20),
                IpFamily.IPV4,
                NextHop.of(IpAddress.parse(hop)),
                true))
        .isEqualTo(expected);
  }

  @ParameterizedTest(name = "{0} to {1}")
  @CsvSource({"AUTO, EBGP", "AUTO, IBGP", "SELF, EBGP", "KEEP, EBGP", "KEEP, IBGP"})
  void an_own_route_is_always_told_with_our_address(NextHopMode mode, PeerKind to) {
    NextHop any = NextHop.of(IpAddress.parse("192.0.2.9"));
    ExportSession session = Routes.session(to, 20);
    assertThat(choose(mode, session, IpFamily.IPV4, any, false)).isEqualTo("10.0.0.1");
    assertThat(choose(mode, session, IpFamily.IPV6, any, false)).isEqualTo("2001:db8::1 (fe80::1)");
  }

  @Test
  void without_a_shared_subnet_a_third_party_is_never_named_to_an_external_peer() {
    assertThat(
            choose(
                NextHopMode.AUTO,
                Routes.multihop(PeerKind.EBGP, 20),
                IpFamily.IPV4,
                NextHop.of(IpAddress.parse("10.0.0.9")),
                true))
        .isEqualTo("10.0.0.1");
  }

  @Test
  void rfc_2545_the_link_local_address_goes_along_only_on_the_shared_link() {
    NextHop near = new NextHop(IpAddress.parse("2001:db8::9"), IpAddress.parse("fe80::9"));
    NextHop far = new NextHop(IpAddress.parse("2001:db8:1::9"), IpAddress.parse("fe80::9"));
    ExportSession session = Routes.session(PeerKind.IBGP, 20);
    assertThat(choose(NextHopMode.AUTO, session, IpFamily.IPV6, near, true))
        .isEqualTo("2001:db8::9 (fe80::9)");
    assertThat(choose(NextHopMode.AUTO, session, IpFamily.IPV6, far, true))
        .isEqualTo("2001:db8:1::9");
    assertThat(
            choose(NextHopMode.AUTO, Routes.multihop(PeerKind.IBGP, 20), IpFamily.IPV6, near, true))
        .isEqualTo("2001:db8::9");
  }

  private static ExportSession unnumbered(Set<IpFamily> extended) {
    NextHop own = NextHop.of(IpAddress.parse("fe80::1"));
    return new ExportSession(
        ScopedAddress.parse("fe80::20%eth0"),
        Routes.THEIRS,
        RouterId.parse("9.9.9.20"),
        PeerKind.EBGP,
        Set.of(IpFamily.IPV4, IpFamily.IPV6),
        Map.of(IpFamily.IPV4, own, IpFamily.IPV6, own),
        extended,
        Set.<Prefix>of());
  }

  @Test
  void rfc_8950_an_ipv4_route_has_an_ipv6_next_hop_only_where_that_was_negotiated() {
    NextHop any = NextHop.of(IpAddress.parse("192.0.2.9"));
    assertThat(choose(NextHopMode.AUTO, unnumbered(Set.of()), IpFamily.IPV4, any, false))
        .isEqualTo("EXTENDED_NEXT_HOP");
    assertThat(
            choose(NextHopMode.AUTO, unnumbered(Set.of(IpFamily.IPV4)), IpFamily.IPV4, any, false))
        .isEqualTo("fe80::1");
    assertThat(choose(NextHopMode.AUTO, unnumbered(Set.of()), IpFamily.IPV6, any, false))
        .isEqualTo("fe80::1");
    assertThat(
            choose(NextHopMode.KEEP, unnumbered(Set.of(IpFamily.IPV6)), IpFamily.IPV6, any, true))
        .isEqualTo("EXTENDED_NEXT_HOP");
  }

  @Test
  void a_family_without_an_own_address_is_not_told() {
    ExportSession v4only =
        new ExportSession(
            ScopedAddress.parse("10.0.0.20"),
            Routes.THEIRS,
            RouterId.parse("9.9.9.20"),
            PeerKind.EBGP,
            Set.of(IpFamily.IPV4, IpFamily.IPV6),
            Map.of(IpFamily.IPV4, Routes.OWN_V4),
            Set.of(),
            Set.of());
    NextHop any = NextHop.of(IpAddress.parse("2001:db8::9"));
    assertThat(choose(NextHopMode.AUTO, v4only, IpFamily.IPV6, any, false))
        .isEqualTo("NO_NEXT_HOP");
    assertThat(choose(NextHopMode.KEEP, v4only, IpFamily.IPV6, any, true)).isEqualTo("2001:db8::9");
  }
}
