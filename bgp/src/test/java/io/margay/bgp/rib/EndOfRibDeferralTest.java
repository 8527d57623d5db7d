package io.margay.bgp.rib;

import static io.margay.bgp.rib.RibFixtures.ACCEPT_AND_TELL_ALL;
import static io.margay.bgp.rib.RibFixtures.BOTH;
import static io.margay.bgp.rib.RibFixtures.RULES;
import static io.margay.bgp.rib.RibFixtures.SEED;
import static io.margay.bgp.rib.RibFixtures.SPEAKER;
import static io.margay.bgp.rib.RibFixtures.TOR;
import static io.margay.bgp.rib.RibFixtures.TOR_A;
import static io.margay.bgp.rib.RibFixtures.TOR_B;
import static io.margay.bgp.rib.RibFixtures.announce;
import static io.margay.bgp.rib.RibFixtures.configure;
import static io.margay.bgp.rib.RibFixtures.drain;
import static io.margay.bgp.rib.RibFixtures.session;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Update;
import io.margay.bgp.policy.PeerKind;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// A speaker that forwards nothing itself, and passes on what its peers tell.
class EndOfRibDeferralTest {

  private static final ScopedAddress LATE = ScopedAddress.parse("10.0.3.2");

  private final Rib rib = new Rib(SPEAKER, new RibSettings(RULES, false, false, SEED, true), null);

  private void up(ScopedAddress peer, int asn, boolean unawaited) {
    rib.peerUp(session(peer, new Asn(asn), PeerKind.EBGP, unawaited, Set.of(), Set.of()));
    rib.settle();
  }

  private void tellAll(ScopedAddress peer) {
    for (IpFamily family : BOTH) {
      rib.update(peer, Update.endOfRib(family));
    }
    rib.settle();
  }

  @Test
  void end_of_rib_waits_for_what_other_peers_have_to_tell_and_their_routes_do_not() {
    configure(rib, ACCEPT_AND_TELL_ALL, TOR_A, TOR_B, LATE);
    up(TOR_A, 65100, false);
    up(TOR_B, 65300, false);
    rib.update(TOR_A, announce("10.0.1.2", AsPath.of(TOR), "10.9.0.0/26"));
    tellAll(TOR_A);
    assertThat(drain(rib, TOR_B)).containsExactly("+10.9.0.0/26 via 10.0.1.1 path 65001 65100");
    assertThat(drain(rib, TOR_A)).isEmpty();
    rib.update(TOR_B, announce("10.0.2.2", AsPath.of(new Asn(65300)), "10.9.1.0/26"));
    tellAll(TOR_B);
    assertThat(drain(rib, TOR_A)).containsExactly("+10.9.1.0/26 via 10.0.1.1 path 65001 65300");

    // It can tell itself nothing.
    up(LATE, 65400, false);
    assertThat(drain(rib, LATE)).hasSize(4).endsWith("end IPV4", "end IPV6");
    assertThat(drain(rib, TOR_A)).isEmpty();
    tellAll(LATE);
    assertThat(drain(rib, TOR_A)).containsExactly("end IPV4", "end IPV6");
    assertThat(drain(rib, TOR_B)).containsExactly("end IPV4", "end IPV6");
  }

  @Test
  void a_peer_that_does_not_say_when_it_is_done_is_not_waited_for() {
    configure(rib, ACCEPT_AND_TELL_ALL, TOR_A, TOR_B);
    up(TOR_A, 65100, false);
    up(TOR_B, 65300, true);
    assertThat(drain(rib, TOR_A)).containsExactly("end IPV4", "end IPV6");
    assertThat(drain(rib, TOR_B)).isEmpty();
    tellAll(TOR_A);
    assertThat(drain(rib, TOR_B)).containsExactly("end IPV4", "end IPV6");
  }

  @Test
  void the_wait_has_an_end() {
    configure(rib, ACCEPT_AND_TELL_ALL, TOR_A, TOR_B, LATE);
    up(TOR_A, 65100, false);
    assertThat(drain(rib, TOR_A)).isEmpty();
    rib.endDeferral();
    rib.settle();
    assertThat(drain(rib, TOR_A)).containsExactly("end IPV4", "end IPV6");
  }
}
