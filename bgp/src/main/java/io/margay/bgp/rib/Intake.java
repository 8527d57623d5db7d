package io.margay.bgp.rib;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.bgp.message.Update;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import java.util.Map;
import java.util.Objects;

/// Puts what a message says into the tables: withdrawals, End-of-RIB, routes judged by import
/// policy.
final class Intake {

  private final Map<IpFamily, FamilyRib> families;
  private final AttributeStore attributes;
  private final Importer importer;

  Intake(Map<IpFamily, FamilyRib> families, AttributeStore attributes, Importer importer) {
    this.families = families;
    this.attributes = attributes;
    this.importer = importer;
  }

  private FamilyRib rib(IpFamily family) {
    return Objects.requireNonNull(families.get(family));
  }

  /// A message of a peer. Withdrawals first, so that a prefix in both lists stays announced.
  void update(PeerRibs peer, Update update, int now) {
    Nlri announced = update.announced();
    Ipv4Address nextHop = update.nextHop();
    if (!update.withdrawn().isEmpty()) {
      withdraw(peer, update.withdrawn());
    }
    PathAttribute.MpUnreach unreachable = update.unreachable();
    if (unreachable != null && !unreachable.nlri().isEmpty()) {
      withdraw(peer, unreachable.nlri());
    }
    PathAttribute.MpReach reachable = update.reachable();
    if (!announced.isEmpty() && nextHop != null) {
      receive(peer, announced, update.attributes(), NextHop.of(nextHop), now);
    } else if (reachable == null && update.endOfRib().isPresent()) {
      endOfRib(peer, update.endOfRib().get());
    }
    if (reachable != null) {
      receive(
          peer,
          reachable.nlri(),
          update.attributes(),
          new NextHop(reachable.nextHop(), reachable.linkLocal()),
          now);
    }
  }

  private void endOfRib(PeerRibs peer, AfiSafi of) {
    IpFamily family = of.unicastFamily().orElse(null);
    if (family != null && peer.exchanges(family)) {
      peer.family(family).endOfRibReceived = true;
      rib(family).sweep(peer.number, peer.family(family), FamilyRib.Fate.DROP_STALE);
    }
  }

  private void withdraw(PeerRibs peer, Nlri nlri) {
    if (!peer.exchanges(nlri.family())) {
      return;
    }
    FamilyRib rib = rib(nlri.family());
    PeerFamily counts = peer.family(nlri.family());
    for (int i = 0; i < nlri.size(); i++) {
      rib.remove(peer.number, counts, nlri.high(i), nlri.low(i), nlri.length(i), nlri.pathId(i));
    }
  }

  private void receive(PeerRibs peer, Nlri nlri, PathAttributes with, NextHop nextHop, int now) {
    if (!peer.exchanges(nlri.family())) {
      return;
    }
    FamilyRib rib = rib(nlri.family());
    PeerFamily counts = peer.family(nlri.family());
    int received = attributes.intern(new RouteAttributes(with, nextHop));
    importer.begin(peer.importPolicy, nlri.family());
    for (int i = 0; i < nlri.size(); i++) {
      long high = nlri.high(i);
      long low = nlri.low(i);
      int length = nlri.length(i);
      int accepted = importer.judge(high, low, length, received);
      rib.put(peer.number, counts, high, low, length, nlri.pathId(i), received, accepted, now);
    }
    importer.end();
    attributes.release(received);
  }
}
