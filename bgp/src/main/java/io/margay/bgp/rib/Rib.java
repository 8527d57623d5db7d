package io.margay.bgp.rib;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.Update;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// All RIBs of a speaker: peers' routes and own prefixes in, decisions and messages out.
///
/// Inputs only mark prefixes as touched; {@link #settle} decides each once. While a family is
/// awaiting End-of-RIB after a restart nothing of it is decided, so that neither the kernel nor the
/// peers see a half-filled table (RFC 4724 §4.1).
public final class Rib {

  /// What settling brought.
  ///
  /// @param deltas changed decisions
  /// @param complete families that are no longer awaited; their deltas are in this or an earlier
  ///   settlement
  public record Settlement(List<RibDelta> deltas, Set<IpFamily> complete) {}

  /// Messages for one peer.
  ///
  /// @param tooLarge prefixes the peer cannot be told because their attributes fit no message
  public record Batch(List<Update> updates, List<Prefix> tooLarge) {}

  /// Prefixes taken from Adj-RIB-Out at a time.
  public static final int BATCH_PREFIXES = 2000;

  private final Asn localAsn;
  private final boolean deferSelection;
  private final LocRib locRib;
  private final Map<IpAddress, PeerRibs> peers = new LinkedHashMap<>();
  private final Map<Prefix, Path.Local> originated = new HashMap<>();
  private final Set<Prefix> touched = new LinkedHashSet<>();
  private final EnumSet<IpFamily> awaiting = EnumSet.allOf(IpFamily.class);
  private boolean configured;
  private boolean deferralOver;
  private ImportPolicy importPolicy;

  /// @param ownAddresses addresses of this node: never a next hop
  /// @param deferSelection whether decisions wait for End-of-RIB
  public Rib(
      Asn localAsn, Set<IpAddress> ownAddresses, DecisionProcess process, boolean deferSelection) {
    this.localAsn = localAsn;
    this.deferSelection = deferSelection;
    this.locRib = new LocRib(process);
    this.importPolicy = new ImportPolicy(localAsn, ownAddresses, Set.of());
  }

  /// The peers there should be. Routes of others go.
  public void configure(Map<IpAddress, PeerPolicy> policies) {
    configured = true;
    for (IpAddress address : List.copyOf(peers.keySet())) {
      if (!policies.containsKey(address)) {
        peerDown(address, Set.of());
        peers.remove(address);
      }
    }
    policies.forEach(
        (address, policy) -> {
          PeerRibs ribs = peers.get(address);
          if (ribs == null) {
            peers.put(address, new PeerRibs(policy));
          } else if (!ribs.policy.equals(policy)) {
            ribs.policy = policy;
            judgeAgain(ribs);
            wantEverything(ribs);
          }
        });
  }

  /// The own prefixes there should be.
  public void originate(Map<Prefix, PathAttributes> routes) {
    for (Prefix prefix : List.copyOf(originated.keySet())) {
      if (!routes.containsKey(prefix)) {
        originated.remove(prefix);
        locRib.setLocal(prefix, null);
        touched.add(prefix);
      }
    }
    routes.forEach(
        (prefix, attributes) -> {
          Path.Local path = new Path.Local(attributes);
          if (!path.equals(originated.put(prefix, path))) {
            locRib.setLocal(prefix, path);
            touched.add(prefix);
          }
        });
  }

  /// Own ranges whose overlaps are refused.
  public void guard(Set<Prefix> ownRanges) {
    if (importPolicy.guard().equals(ownRanges)) {
      return;
    }
    importPolicy = new ImportPolicy(localAsn, importPolicy.ownAddresses(), ownRanges);
    peers.values().forEach(this::judgeAgain);
  }

  /// A session is up. What was kept for the peer stays only where it kept forwarding (RFC 4724
  /// §4.2).
  public void peerUp(RibSession session) {
    PeerRibs ribs = peers.get(session.peer().address());
    if (ribs == null) {
      return;
    }
    ribs.session = session;
    ribs.out = new AdjRibOut();
    ribs.endOfRibReceived.clear();
    ribs.endOfRibSent.clear();
    for (IpFamily family : IpFamily.values()) {
      if (!session.families().contains(family) || !session.keptForwarding().contains(family)) {
        dropStale(ribs, family);
      }
    }
    wantEverything(ribs);
  }

  /// A session is down.
  ///
  /// @param keep families whose routes stay, as stale, until the peer is back
  public void peerDown(IpAddress peer, Set<IpFamily> keep) {
    PeerRibs ribs = peers.get(peer);
    if (ribs == null) {
      return;
    }
    RibSession session = ribs.session;
    ribs.session = null;
    ribs.out = new AdjRibOut();
    ribs.endOfRibReceived.clear();
    ribs.endOfRibSent.clear();
    for (Prefix prefix : ribs.in.prefixes()) {
      AdjRibIn.Received received = ribs.in.find(prefix).orElseThrow();
      // RFC 4724 §4.2: "In case of consecutive restarts, the Receiving Speaker MUST delete any
      // route [...] already marked as stale."
      if (keep.contains(prefix.family()) && session != null && !received.path().stale()) {
        receive(ribs, prefix, received.path().asStale());
      } else {
        forget(ribs, peer, prefix);
      }
    }
  }

  /// A restarting peer took too long.
  ///
  /// @return the number of routes that go
  public int dropStale(IpAddress peer) {
    PeerRibs ribs = peers.get(peer);
    int dropped = 0;
    if (ribs != null) {
      for (IpFamily family : IpFamily.values()) {
        dropped += dropStale(ribs, family);
      }
    }
    return dropped;
  }

  private int dropStale(PeerRibs ribs, IpFamily family) {
    List<Prefix> stale = ribs.in.stale(family);
    for (Prefix prefix : stale) {
      forget(ribs, ribs.in.find(prefix).orElseThrow().path().from().address(), prefix);
    }
    return stale.size();
  }

  /// A message of a peer. Withdrawals first, so that a prefix in both lists stays announced.
  public void update(IpAddress peer, Update update) {
    PeerRibs ribs = peers.get(peer);
    if (ribs == null || ribs.session == null) {
      return;
    }
    RibSession session = ribs.session;
    Optional<AfiSafi> endOfRib = update.endOfRib();
    if (endOfRib.isPresent()) {
      endOfRib
          .flatMap(AfiSafi::unicastFamily)
          .filter(session.families()::contains)
          .ifPresent(
              family -> {
                ribs.endOfRibReceived.add(family);
                dropStale(ribs, family);
              });
      return;
    }
    if (session.families().contains(IpFamily.IPV4)) {
      update.withdrawn().forEach(prefix -> forget(ribs, peer, prefix));
    }
    PathAttribute.MpUnreach unreachable = update.unreachable();
    if (unreachable != null) {
      unreachable.nlri().forEach(prefix -> forget(ribs, peer, prefix));
    }
    PathAttributes attributes = update.attributes();
    IpAddress nextHop = update.nextHop();
    if (nextHop != null && session.families().contains(IpFamily.IPV4)) {
      receiveAll(ribs, session, update.announced(), attributes, nextHop);
    }
    PathAttribute.MpReach reachable = update.reachable();
    if (reachable != null) {
      receiveAll(ribs, session, reachable.nlri(), attributes, reachable.nextHop());
    }
  }

  private void receiveAll(
      PeerRibs ribs,
      RibSession session,
      Nlri prefixes,
      PathAttributes attributes,
      IpAddress nextHop) {
    Path.Learned path = new Path.Learned(session.peer(), attributes, nextHop, false);
    for (Prefix prefix : prefixes) {
      receive(ribs, prefix, path);
    }
  }

  private void receive(PeerRibs ribs, Prefix prefix, Path.Learned path) {
    @Nullable RejectReason rejected =
        importPolicy.judge(prefix, path, ribs.policy.accept()).orElse(null);
    ribs.in.put(prefix, new AdjRibIn.Received(path, rejected));
    locRib.setLearned(prefix, path.from().address(), rejected == null ? path : null);
    touched.add(prefix);
  }

  private void forget(PeerRibs ribs, IpAddress peer, Prefix prefix) {
    if (ribs.in.remove(prefix)) {
      locRib.setLearned(prefix, peer, null);
      touched.add(prefix);
    }
  }

  private void judgeAgain(PeerRibs ribs) {
    for (Prefix prefix : ribs.in.prefixes()) {
      receive(ribs, prefix, ribs.in.find(prefix).orElseThrow().path());
    }
  }

  /// The peer asks for everything of a family once more (RFC 2918 §4).
  public void refresh(IpAddress peer, AfiSafi family) {
    PeerRibs ribs = peers.get(peer);
    if (ribs != null && ribs.session != null) {
      family.unicastFamily().filter(ribs.session.families()::contains).ifPresent(ribs.out::refresh);
    }
  }

  /// The wait for End-of-RIB has been long enough.
  public void endDeferral() {
    deferralOver = true;
  }

  /// Decides what was touched.
  public Settlement settle() {
    Set<IpFamily> complete = EnumSet.noneOf(IpFamily.class);
    for (IpFamily family : awaiting) {
      if (deferralOver
          || configured && peers.values().stream().allMatch(ribs -> ribs.isComplete(family))) {
        complete.add(family);
      }
    }
    awaiting.removeAll(complete);
    List<RibDelta> deltas = new ArrayList<>();
    touched.removeIf(
        prefix -> {
          if (isDeferred(prefix.family())) {
            return false;
          }
          locRib.decide(prefix).ifPresent(deltas::add);
          return true;
        });
    for (RibDelta delta : deltas) {
      for (PeerRibs ribs : peers.values()) {
        want(ribs, delta.prefix(), delta.after());
      }
    }
    return new Settlement(deltas, complete);
  }

  private boolean isDeferred(IpFamily family) {
    return deferSelection && awaiting.contains(family);
  }

  private void wantEverything(PeerRibs ribs) {
    locRib.forEachDecision((prefix, decision) -> want(ribs, prefix, decision));
  }

  private void want(PeerRibs ribs, Prefix prefix, @Nullable Decision decision) {
    RibSession session = ribs.session;
    if (session == null || !session.families().contains(prefix.family())) {
      return;
    }
    ExportPolicy policy =
        new ExportPolicy(
            localAsn, session.peer().external(), ribs.policy.exportOwn(), session.nextHops());
    ribs.out.want(
        prefix, decision == null ? null : policy.export(prefix.family(), decision).orElse(null));
  }

  /// What the peer should be sent next; empty when it knows everything. End-of-RIB follows the
  /// first complete table of each family, with graceful restart or without.
  public Optional<Batch> nextBatch(IpAddress peer) {
    PeerRibs ribs = peers.get(peer);
    if (ribs == null || ribs.session == null) {
      return Optional.empty();
    }
    RibSession session = ribs.session;
    List<Update> updates = new ArrayList<>();
    List<Prefix> tooLarge = List.of();
    if (!ribs.out.isSettled()) {
      UpdatePacker.Packed packed =
          new UpdatePacker(session.maxMessageOctets(), session.attributeOctets())
              .pack(ribs.out.take(BATCH_PREFIXES));
      packed.tooLarge().forEach(ribs.out::untold);
      updates.addAll(packed.updates());
      tooLarge = packed.tooLarge();
    }
    if (ribs.out.isSettled()) {
      for (IpFamily family : session.families()) {
        if (!isDeferred(family) && ribs.endOfRibSent.add(family)) {
          updates.add(Update.endOfRib(family));
        }
      }
    }
    return updates.isEmpty() ? Optional.empty() : Optional.of(new Batch(updates, tooLarge));
  }

  /// Peers with a session.
  public List<IpAddress> establishedPeers() {
    List<IpAddress> up = new ArrayList<>();
    peers.forEach(
        (address, ribs) -> {
          if (ribs.session != null) {
            up.add(address);
          }
        });
    return up;
  }

  public Set<IpFamily> awaitingEndOfRib() {
    return Collections.unmodifiableSet(EnumSet.copyOf(awaiting));
  }

  public int originatedCount() {
    return originated.size();
  }

  /// Counters of one peer and family.
  public record FamilyCounts(
      boolean negotiated,
      int received,
      int accepted,
      int stale,
      int advertised,
      boolean endOfRibReceived,
      boolean endOfRibSent) {}

  /// Empty for an unknown peer.
  public Optional<FamilyCounts> counts(IpAddress peer, IpFamily family) {
    PeerRibs ribs = peers.get(peer);
    if (ribs == null) {
      return Optional.empty();
    }
    AdjRibIn.Counts in = ribs.in.count(family);
    RibSession session = ribs.session;
    return Optional.of(
        new FamilyCounts(
            session != null && session.families().contains(family),
            in.received(),
            in.accepted(),
            in.stale(),
            ribs.out.count(family),
            ribs.endOfRibReceived.contains(family),
            ribs.endOfRibSent.contains(family)));
  }

  /// What the peer was told; empty for an unknown peer.
  public Map<Prefix, Advertisement> advertised(IpAddress peer) {
    PeerRibs ribs = peers.get(peer);
    return ribs == null ? Map.of() : Map.copyOf(ribs.out.told());
  }

  /// A route that was received and refused.
  public record Refused(Path.Learned path, RejectReason reason) {}

  /// Everything known of a prefix.
  ///
  /// @param decision absent when no path is eligible, or none was decided on yet
  public record Known(Prefix prefix, @Nullable Decision decision, List<Refused> refused) {}

  /// Every prefix some peer or we ourselves announced, ascending.
  public List<Known> known() {
    Set<Prefix> prefixes = new HashSet<>(originated.keySet());
    peers.values().forEach(ribs -> prefixes.addAll(ribs.in.prefixes()));
    List<Known> all = new ArrayList<>();
    for (Prefix prefix : prefixes.stream().sorted().toList()) {
      List<Refused> refused = new ArrayList<>();
      for (PeerRibs ribs : peers.values()) {
        ribs.in
            .find(prefix)
            .ifPresent(
                received -> {
                  if (received.rejected() != null) {
                    refused.add(new Refused(received.path(), received.rejected()));
                  }
                });
      }
      all.add(new Known(prefix, locRib.decision(prefix).orElse(null), refused));
    }
    return all;
  }
}
