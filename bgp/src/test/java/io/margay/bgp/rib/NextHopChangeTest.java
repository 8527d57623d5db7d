package io.margay.bgp.rib;

import static io.margay.bgp.rib.RibFixtures.ACCEPT_AND_TELL_ALL;
import static io.margay.bgp.rib.RibFixtures.RULES;
import static io.margay.bgp.rib.RibFixtures.TOR;
import static io.margay.bgp.rib.RibFixtures.TOR_A;
import static io.margay.bgp.rib.RibFixtures.TOR_B;
import static io.margay.bgp.rib.RibFixtures.announce;
import static io.margay.bgp.rib.RibFixtures.configure;
import static io.margay.bgp.rib.RibFixtures.drain;
import static io.margay.bgp.rib.RibFixtures.policy;
import static io.margay.bgp.rib.RibFixtures.session;
import static io.margay.bgp.rib.RibFixtures.withdraw;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.PeerKind;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// A route that is announced anew over a next hop nobody has looked for yet.
class NextHopChangeTest {

  private static final String PREFIX = "10.9.0.0/26";
  private static final AsPath PATH = AsPath.of(TOR, new Asn(65200));
  private static final IpAddress FORMER = IpAddress.parse("10.0.1.2");
  private static final IpAddress LATER = IpAddress.parse("10.0.1.3");
  private static final IpAddress LATEST = IpAddress.parse("10.0.1.4");

  private final List<String> forwarding = new ArrayList<>();
  private final Map<IpAddress, Reachability> known = new HashMap<>();
  private final Rib rib = RibFixtures.rib(RULES, this::forward, true);

  NextHopChangeTest() {
    configure(rib, ACCEPT_AND_TELL_ALL, TOR_A, TOR_B);
    rib.peerUp(session(TOR_A));
    rib.peerUp(session(TOR_B, new Asn(65300), PeerKind.EBGP, false, Set.of(), Set.of()));
    answer(FORMER, new Reachability.Reachable(0));
    rib.update(TOR_A, announce("10.0.1.2", PATH, PREFIX));
    rib.settle();
    assertThat(forwarding).containsExactly(PREFIX + " [10.0.1.2]");
    assertThat(drain(rib, TOR_B)).contains("+" + PREFIX + " via 10.0.1.1 path 65001 65100 65200");
    forwarding.clear();
  }

  private void forward(List<ForwardingChange> changes) {
    for (ForwardingChange change : changes) {
      forwarding.add(
          change.prefix() + " " + change.gateways().stream().map(Gateway::address).toList());
    }
  }

  private void answer(IpAddress hop, Reachability reachability) {
    known.put(hop, reachability);
    rib.resolve(known);
    rib.settle();
  }

  private void announceAnew(String hop) {
    rib.update(TOR_A, announce(hop, AsPath.of(TOR, new Asn(65201)), PREFIX));
    rib.settle();
  }

  private void goesWithoutATrace() {
    rib.peerDown(TOR_A, Set.of());
    rib.peerDown(TOR_B, Set.of());
    rib.settle();
    assertThat(rib.reader().attributeSets()).isZero();
  }

  @Test
  void the_former_way_stays_until_the_next_hop_was_looked_for() {
    rib.update(TOR_A, announce("10.0.1.3", AsPath.of(TOR, new Asn(65201)), PREFIX));
    assertThat(rib.settle().nextHops().orElseThrow()).contains(FORMER, LATER);
    // An answer to an earlier question says nothing of it.
    answer(IpAddress.parse("192.0.2.9"), new Reachability.Unreachable());
    assertThat(forwarding).isEmpty();
    assertThat(drain(rib, TOR_B)).isEmpty();
    answer(LATER, new Reachability.Reachable(0));
    assertThat(forwarding).containsExactly(PREFIX + " [10.0.1.3]");
    assertThat(drain(rib, TOR_B))
        .containsExactly("+" + PREFIX + " via 10.0.1.1 path 65001 65100 65201");
    goesWithoutATrace();
  }

  @Test
  void a_next_hop_that_leads_nowhere_ends_the_route_once_that_is_known() {
    announceAnew("10.0.1.3");
    assertThat(forwarding).isEmpty();
    answer(LATER, new Reachability.Unreachable());
    assertThat(forwarding).containsExactly(PREFIX + " []");
    assertThat(drain(rib, TOR_B)).containsExactly("-" + PREFIX);
    // Known by now: nothing is waited for.
    announceAnew("10.0.1.2");
    announceAnew("10.0.1.3");
    assertThat(forwarding).containsExactly(PREFIX + " []", PREFIX + " [10.0.1.2]", PREFIX + " []");
    goesWithoutATrace();
  }

  @Test
  void what_was_announced_last_counts_when_the_answers_come() {
    announceAnew("10.0.1.3");
    announceAnew("10.0.1.4");
    answer(LATER, new Reachability.Reachable(0));
    assertThat(forwarding).isEmpty();
    answer(LATEST, new Reachability.Reachable(0));
    assertThat(forwarding).containsExactly(PREFIX + " [10.0.1.4]");
    goesWithoutATrace();
  }

  @Test
  void a_route_that_goes_back_to_its_next_hop_waits_for_nothing() {
    announceAnew("10.0.1.3");
    announceAnew("10.0.1.2");
    answer(LATER, new Reachability.Reachable(0));
    assertThat(forwarding).isEmpty();
    assertThat(drain(rib, TOR_B))
        .containsExactly("+" + PREFIX + " via 10.0.1.1 path 65001 65100 65201");
    goesWithoutATrace();
  }

  @Test
  void a_withdrawal_a_refusal_and_the_end_of_the_session_take_the_former_way_at_once() {
    announceAnew("10.0.1.3");
    rib.update(TOR_A, withdraw(PREFIX));
    rib.settle();
    assertThat(forwarding).containsExactly(PREFIX + " []");
    answer(LATER, new Reachability.Reachable(0));
    assertThat(forwarding).hasSize(1);

    announceAnew("10.0.1.3");
    announceAnew("10.0.1.4");
    forwarding.clear();
    configure(rib, policy(ImportMode.REJECT, ExportMode.ALL), TOR_A, TOR_B);
    rib.settle();
    assertThat(forwarding).containsExactly(PREFIX + " []");
    configure(rib, ACCEPT_AND_TELL_ALL, TOR_A, TOR_B);
    answer(LATEST, new Reachability.Reachable(0));
    assertThat(forwarding).containsExactly(PREFIX + " []", PREFIX + " [10.0.1.4]");

    announceAnew("10.0.1.5");
    rib.peerDown(TOR_A, Set.of());
    rib.settle();
    assertThat(forwarding).last().isEqualTo(PREFIX + " []");
    goesWithoutATrace();
  }

  @Test
  void when_the_former_way_is_lost_nothing_is_waited_with() {
    announceAnew("10.0.1.3");
    answer(FORMER, new Reachability.Unreachable());
    assertThat(forwarding).containsExactly(PREFIX + " []");
    answer(LATER, new Reachability.Reachable(0));
    assertThat(forwarding).containsExactly(PREFIX + " []", PREFIX + " [10.0.1.3]");
    assertThat(
            rib.reader()
                .route(Prefix.parse(PREFIX))
                .orElseThrow()
                .paths()
                .getFirst()
                .received()
                .nextHop()
                .address())
        .isEqualTo(LATER);
    goesWithoutATrace();
  }
}
