package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.fsm.Negotiated;
import io.margay.bgp.fsm.SessionConfig;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Community;
import io.margay.bgp.message.LargeCommunity;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.Open;
import io.margay.bgp.policy.PeerKind;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.rib.RibSession;
import io.margay.bgp.transport.Endpoints;
import io.margay.model.net.Asn;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TermsTest {

  private static final SpeakerConfig SPEAKER =
      SpeakerConfig.builder(Asn.of(65001), RouterId.parse("10.0.0.1"))
          .nextHops(
              Map.of(
                  IpFamily.IPV4, IpAddress.parse("192.0.2.1"),
                  IpFamily.IPV6, IpAddress.parse("2001:db8::1")))
          .restart(SpeakerConfig.Restart.offered(true))
          .build();

  private static final LocalLink LINK =
      new LocalLink(
          new InterfaceName("eth0"),
          List.of(own("10.0.0.1", 24), own("fd00::1", 64), own("fe80::1", 64)));

  private static LocalLink.Own own(String address, int length) {
    IpAddress parsed = IpAddress.parse(address);
    return new LocalLink.Own(parsed, Prefix.containing(parsed, length));
  }

  @Test
  void a_peer_is_asked_to_keep_routes_as_long_as_it_was_told_or_else_as_long_as_all_are() {
    assertThat(restartTime(peer("10.0.0.2"))).isEqualTo(SpeakerConfig.Restart.DEFAULT_TIME);
    assertThat(restartTime(peer("10.0.0.2").restartTime(Duration.ofSeconds(30))))
        .isEqualTo(Duration.ofSeconds(30));
  }

  private static Duration restartTime(PeerConfig.Builder peer) {
    return Terms.of(SPEAKER, peer.build(), false, false).open().capabilities().stream()
        .filter(Capability.GracefulRestart.class::isInstance)
        .map(Capability.GracefulRestart.class::cast)
        .findFirst()
        .orElseThrow()
        .restartTime();
  }

  @Test
  void own_routes_carry_both_kinds_of_communities() {
    OriginatedRoute route =
        new OriginatedRoute(
            Prefix.parse("10.65.0.0/26"),
            Set.of(new Community(65001 << 16 | 7)),
            Set.of(new LargeCommunity(65001, 1, 2)));
    assertThat(route.attributes().communities().communities()).hasToString("[65001:7]");
    assertThat(route.attributes().largeCommunities().communities()).hasToString("[65001:1:2]");
  }

  private static PeerConfig.Builder peer(String address) {
    return PeerConfig.builder(
            ScopedAddress.parse(address), Asn.of(65002), PeerPolicy.builder().build())
        .families(Set.of(IpFamily.values()));
  }

  private static RibSession session(PeerConfig peer, String local, boolean extended) {
    return session(peer, local, extended, 65002);
  }

  private static RibSession session(
      PeerConfig peer, String local, boolean extended, int asn, Capability... more) {
    SessionConfig ours = Terms.of(SPEAKER, peer, false, false);
    List<Capability> capabilities =
        new ArrayList<>(
            List.of(
                new Capability.MultiProtocol(AfiSafi.IPV4_UNICAST),
                new Capability.MultiProtocol(AfiSafi.IPV6_UNICAST)));
    capabilities.addAll(List.of(more));
    if (extended) {
      capabilities.add(Capability.ExtendedNextHop.ipv6For(AfiSafi.IPV4_UNICAST));
    }
    Open theirs =
        new Open(Asn.of(asn), Duration.ofSeconds(9), RouterId.parse("10.0.0.2"), capabilities);
    Negotiated negotiated =
        ((Negotiated.Verdict.Agreed)
                Negotiated.check(
                    theirs,
                    new SessionConfig(
                        false,
                        new ExpectedAs.Any(),
                        ours.open(),
                        Duration.ofSeconds(5),
                        null,
                        null)))
            .negotiated();
    ScopedAddress remote = ((Remote.At) peer.remote()).address();
    return Terms.rib(
        SPEAKER,
        peer,
        negotiated,
        new Endpoints(ScopedAddress.parse(local), 40_000, remote, 179),
        LINK);
  }

  @Test
  void selection_waits_for_peers_that_speak_graceful_restart_and_are_not_restarting() {
    PeerConfig peer = peer("10.0.0.2").build();
    assertThat(session(peer, "10.0.0.1", false).unawaited()).isTrue();
    for (boolean restarting : new boolean[] {true, false}) {
      Capability speaks =
          new Capability.GracefulRestart(restarting, true, Duration.ofMinutes(2), List.of());
      assertThat(session(peer, "10.0.0.1", false, 65002, speaks).unawaited()).isEqualTo(restarting);
    }
  }

  private static Map<IpFamily, NextHop> hops(String v4, String v6, String linkLocal) {
    return Map.of(
        IpFamily.IPV4,
        NextHop.of(IpAddress.parse(v4)),
        IpFamily.IPV6,
        new NextHop(IpAddress.parse(v6), linkLocal.isEmpty() ? null : IpAddress.parse(linkLocal)));
  }

  @Test
  void on_a_shared_link_the_peer_hears_the_addresses_of_that_link() {
    RibSession session = session(peer("10.0.0.2").build(), "10.0.0.1", false);
    assertThat(session.export().nextHops()).isEqualTo(hops("10.0.0.1", "fd00::1", "fe80::1"));
    assertThat(session.source().via()).isEqualTo(new InterfaceName("eth0"));
    assertThat(session.export().sharesSubnet(IpAddress.parse("10.0.0.77"))).isTrue();
  }

  @Test
  void across_a_router_the_peer_hears_the_nodes_own_address_of_the_other_family() {
    RibSession session = session(peer("172.16.0.9").build(), "10.0.0.1", false);
    assertThat(session.export().nextHops()).isEqualTo(hops("10.0.0.1", "2001:db8::1", ""));
    assertThat(session.source().via()).isNull();
    assertThat(session.export().sharedSubnets()).isEmpty();
  }

  @Test
  void what_is_configured_comes_first() {
    PeerConfig peer =
        peer("10.0.0.2")
            .nextHops(
                Map.of(
                    IpFamily.IPV4, IpAddress.parse("10.0.0.8"),
                    IpFamily.IPV6, IpAddress.parse("fd00::8")))
            .build();
    assertThat(session(peer, "10.0.0.1", false).export().nextHops())
        .isEqualTo(hops("10.0.0.8", "fd00::8", "fe80::1"));
  }

  @Test
  void ipv4_routes_over_an_ipv6_session_have_an_ipv6_next_hop_where_the_peer_can() {
    PeerConfig peer = peer("fe80::2%eth0").build();
    RibSession with = session(peer, "fe80::1%eth0", true);
    NextHop six = new NextHop(IpAddress.parse("fd00::1"), IpAddress.parse("fe80::1"));
    assertThat(with.export().nextHops()).isEqualTo(Map.of(IpFamily.IPV4, six, IpFamily.IPV6, six));
    assertThat(with.export().extendedNextHop()).containsExactly(IpFamily.IPV4);
    RibSession without = session(peer, "fe80::1%eth0", false);
    assertThat(without.export().nextHops()).isEqualTo(hops("10.0.0.1", "fd00::1", "fe80::1"));
  }

  @ParameterizedTest(name = "AS {0}, client {1}: {2}")
  @CsvSource({
    "65002, false, EBGP",
    "65002, true, EBGP",
    "65001, false, IBGP",
    "65001, true, CLIENT"
  })
  void the_kind_of_a_peer_follows_from_the_opens(int asn, boolean client, PeerKind kind) {
    PeerConfig peer = peer("10.0.0.2").routeReflectorClient(client).build();
    assertThat(session(peer, "10.0.0.1", false, asn).source().kind()).isEqualTo(kind);
  }

  @Test
  void the_open_says_what_is_configured_and_nothing_else() {
    PeerConfig plain = peer("10.0.0.2").families(Set.of(IpFamily.IPV4)).build();
    assertThat(Terms.of(SPEAKER, plain, false, true).open().capabilities())
        .containsExactly(
            new Capability.MultiProtocol(AfiSafi.IPV4_UNICAST),
            new Capability.RouteRefreshing(),
            new Capability.GracefulRestart(
                true,
                true,
                SpeakerConfig.Restart.DEFAULT_TIME,
                List.of(new Capability.GracefulRestart.Kept(AfiSafi.IPV4_UNICAST, true))),
            new Capability.FourOctetAs(Asn.of(65001)));
    PeerConfig more =
        peer("fd00::2")
            .gracefulRestart(false)
            .families(Set.of(IpFamily.IPV4))
            .addPath(AddPathMode.RECEIVE)
            .build();
    assertThat(Terms.of(SPEAKER, more, false, true).open().capabilities())
        .containsExactly(
            new Capability.MultiProtocol(AfiSafi.IPV4_UNICAST),
            new Capability.RouteRefreshing(),
            Capability.ExtendedNextHop.ipv6For(AfiSafi.IPV4_UNICAST),
            new Capability.FourOctetAs(Asn.of(65001)),
            new Capability.AddPath(
                List.of(new Capability.AddPath.Family(AfiSafi.IPV4_UNICAST, true, false))));
  }
}
