package io.margay.bgp.rib;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.bgp.message.Update;
import io.margay.bgp.policy.ExportPolicy;
import io.margay.bgp.policy.ImportPolicy;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.policy.RouteSource;
import io.margay.bgp.policy.SpeakerPolicy;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// All RIBs of a speaker: peers' routes and own prefixes in, decisions and messages out.
///
/// Inputs only mark prefixes as touched; {@link #settle} decides each once. After a restart nothing
/// of a family is decided before End-of-RIB, so that neither the kernel nor the peers see a
/// half-filled table (RFC 4724 §4.1). A peer that is restarting itself holds up no decision, or
/// both would wait for each other; but what it has not told yet is not swept. What is known can be
/// read through {@link #reader}.
public final class Rib {

  /// What settling brought.
  ///
  /// @param complete families that are no longer awaited; what they brought has been told
  /// @param limits prefix limits that were approached or passed
  /// @param nextHops the next hops to track, if these are others than before
  public record Settlement(
      Set<IpFamily> complete, List<PrefixLimit> limits, Optional<Set<IpAddress>> nextHops) {}

  /// Routes of one peer that share attributes.
  ///
  /// @param route absent: to withdraw
  public record Group(IpFamily family, @Nullable RouteAttributes route, Nlri nlri) {}

  /// What one peer should be sent.
  ///
  /// @param groups withdrawals of a family before its announcements
  /// @param endOfRib families that are complete with this
  public record Batch(List<Group> groups, Set<IpFamily> endOfRib) {}

  /// A next hop that leads nowhere: our own routes have none until a peer is told.
  private static final Map<IpFamily, NextHop> OURS =
      Map.of(
          IpFamily.IPV4, NextHop.of(new Ipv4Address(0)),
          IpFamily.IPV6, NextHop.of(new Ipv6Address(0, 0)));

  private final Peers peers = new Peers();
  private final NextHops nextHops;
  private final AttributeStore attributes;
  private final Map<IpFamily, FamilyRib> families = new EnumMap<>(IpFamily.class);
  private final Map<IpFamily, Forwarding> forwarding = new EnumMap<>(IpFamily.class);
  private final Selection selection;
  private final Importer importer;
  private final Intake intake;
  private final Exporter exporter;
  private final OutBatch outBatch;
  private final RibReader reader;
  private final Map<Prefix, PathAttributes> originated = new HashMap<>();
  private final EnumSet<IpFamily> awaiting = EnumSet.allOf(IpFamily.class);
  private final EnumSet<IpFamily> deferred = EnumSet.noneOf(IpFamily.class);

  /// Families with peers that have not told all, and so without our own End-of-RIB, with the one
  /// peer that is awaited, if it is one.
  private final Map<IpFamily, Optional<PeerRibs>> untold = new EnumMap<>(IpFamily.class);

  private final IdSet changed = new IdSet();
  private final IdSet considered = new IdSet();
  private SpeakerPolicy speaker;
  private boolean configured;
  private boolean deferralOver;
  private int now;

  /// Numbers given to sources of routes so far.
  private int sources;

  /// Numbers given to export policies so far.
  private int exportPolicies;

  /// @param listener told what to forward; absent: nobody forwards, and nothing is worked out for
  ///   it
  public Rib(SpeakerPolicy speaker, RibSettings settings, @Nullable ForwardingListener listener) {
    this.speaker = speaker;
    if (settings.deferSelection()) {
      deferred.addAll(EnumSet.allOf(IpFamily.class));
    }
    if (settings.deferEndOfRib()) {
      for (IpFamily family : IpFamily.values()) {
        untold.put(family, Optional.empty());
      }
    }
    this.nextHops = new NextHops(settings.trackNextHops());
    this.attributes = new AttributeStore(nextHops, settings.seed());
    this.selection = new Selection(settings.rules(), attributes, nextHops, peers);
    this.importer = new Importer(attributes);
    this.exporter = new Exporter(attributes, peers, selection);
    this.outBatch = new OutBatch(attributes);
    for (IpFamily family : IpFamily.values()) {
      families.put(family, new FamilyRib(family, attributes, peers, settings.seed()));
      if (listener != null) {
        forwarding.put(family, new Forwarding(attributes, peers, listener));
      }
    }
    this.intake = new Intake(families, attributes, importer);
    this.reader = new RibReader(families, peers, attributes, nextHops, selection);
  }

  /// What is known. Reads only.
  public RibReader reader() {
    return reader;
  }

  /// What the inputs that follow are dated with.
  ///
  /// @param epochSeconds since 1970
  public void time(long epochSeconds) {
    now = (int) epochSeconds;
  }

  private FamilyRib rib(IpFamily family) {
    return Objects.requireNonNull(families.get(family));
  }

  /// What holds for all peers. Routes are judged and told anew as far as it matters to them.
  public void speaker(SpeakerPolicy wanted) {
    SpeakerPolicy before = speaker;
    speaker = wanted;
    boolean importSame = wanted.withGracefulShutdown(before.gracefulShutdown()).equals(before);
    boolean exportSame = wanted.withGuard(before.guard()).equals(before);
    for (PeerRibs peer : peers.all()) {
      if (!importSame) {
        judgeAnew(peer);
      }
      if (!exportSame) {
        exportAnew(peer);
      }
    }
  }

  /// The peers there should be. Routes of others go; those of a peer whose policy changed are
  /// judged and told anew.
  ///
  /// @param isOpen whether peers may come that nobody can name yet: who has all to tell is not
  ///   known then, and the wait for End-of-RIB lasts as long as it may
  public void configure(Map<ScopedAddress, RibPeer> wanted, boolean isOpen) {
    configured = !isOpen;
    for (PeerRibs peer : List.copyOf(peers.all())) {
      if (!wanted.containsKey(peer.address)) {
        peerDown(peer.address, Set.of());
        peers.remove(peer);
      }
    }
    // In the order of the addresses, so that what follows does not depend on a map.
    new TreeMap<>(wanted)
        .forEach(
            (address, desired) -> {
              PeerRibs peer = peers.find(address);
              if (peer == null) {
                limit(peers.add(address, desired), desired.policy());
              } else {
                reconfigure(peer, desired);
              }
            });
  }

  private static void limit(PeerRibs peer, PeerPolicy policy) {
    for (IpFamily family : IpFamily.values()) {
      peer.family(family).limit(policy.maxPrefix());
    }
  }

  private void reconfigure(PeerRibs peer, RibPeer desired) {
    PeerPolicy before = peer.wanted.policy();
    peer.wanted = desired;
    if (before.equals(desired.policy())) {
      return;
    }
    limit(peer, desired.policy());
    judgeAnew(peer);
    exportAnew(peer);
  }

  /// The own prefixes there should be.
  public void originate(Map<Prefix, PathAttributes> routes) {
    for (Prefix prefix : List.copyOf(originated.keySet())) {
      if (!routes.containsKey(prefix)) {
        originated.remove(prefix);
        Nlri one = Nlri.of(prefix.family(), List.of(prefix));
        rib(prefix.family()).removeOurs(one.high(0), one.low(0), one.length(0));
      }
    }
    new TreeMap<>(routes)
        .forEach(
            (prefix, with) -> {
              if (!with.equals(originated.put(prefix, with))) {
                Nlri one = Nlri.of(prefix.family(), List.of(prefix));
                NextHop none = Objects.requireNonNull(OURS.get(prefix.family()));
                int id = attributes.intern(new RouteAttributes(with, none));
                rib(prefix.family()).putOurs(one.high(0), one.low(0), one.length(0), id, now);
                attributes.release(id);
              }
            });
  }

  /// A session is up. What was kept for the peer stays only where it kept forwarding (RFC 4724
  /// §4.2).
  public void peerUp(RibSession session) {
    PeerRibs peer = peers.find(session.peer());
    if (peer == null) {
      return;
    }
    forgetTold(peer);
    RouteSource before = peer.source;
    peer.session = session;
    for (IpFamily family : IpFamily.values()) {
      PeerFamily state = peer.family(family);
      if (!session.families().contains(family) || !session.keptForwarding().contains(family)) {
        rib(family).sweep(peer.number, state, FamilyRib.Fate.DROP_STALE);
      }
      if (session.families().contains(family)) {
        state.out =
            session.addPathSend().contains(family)
                ? new PathsOut(rib(family), attributes)
                : new BestOut(rib(family), attributes);
      }
    }
    use(peer, session, before);
  }

  /// The session goes on under other terms: another kind of peer, other next hops.
  public void session(RibSession session) {
    PeerRibs peer = peers.find(session.peer());
    if (peer != null && peer.session != null) {
      RouteSource before = peer.source;
      peer.session = session;
      use(peer, session, before);
    }
  }

  private void use(PeerRibs peer, RibSession session, @Nullable RouteSource before) {
    peer.source = session.source();
    if (peer.importPolicy == null || !session.source().equals(before)) {
      peer.sourceNumber = ++sources;
      judgeAnew(peer);
      for (IpFamily family : IpFamily.values()) {
        rib(family).touchOf(peer.number, peer.family(family));
      }
    }
    exportAnew(peer);
  }

  /// A session is down.
  ///
  /// @param keep families whose routes stay, as stale, until the peer is back
  public void peerDown(ScopedAddress address, Set<IpFamily> keep) {
    PeerRibs peer = peers.find(address);
    if (peer == null) {
      return;
    }
    boolean wasUp = peer.session != null;
    peer.session = null;
    peer.exportPolicy = null;
    forgetTold(peer);
    for (IpFamily family : IpFamily.values()) {
      rib(family)
          .sweep(
              peer.number,
              peer.family(family),
              wasUp && keep.contains(family) ? FamilyRib.Fate.MARK_STALE : FamilyRib.Fate.DROP);
    }
  }

  private void forgetTold(PeerRibs peer) {
    for (IpFamily family : IpFamily.values()) {
      PeerFamily state = peer.family(family);
      state.endOfRibReceived = false;
      state.endOfRibSent = false;
      if (state.out != null) {
        state.out.forget();
        state.out = null;
      }
    }
  }

  /// A restarting peer took too long.
  ///
  /// @return the number of routes that go
  public int dropStale(ScopedAddress address) {
    PeerRibs peer = peers.find(address);
    int dropped = 0;
    if (peer != null) {
      for (IpFamily family : IpFamily.values()) {
        dropped += rib(family).sweep(peer.number, peer.family(family), FamilyRib.Fate.DROP_STALE);
      }
    }
    return dropped;
  }

  private void judgeAnew(PeerRibs peer) {
    RouteSource source = peer.source;
    if (source == null) {
      return;
    }
    peer.importPolicy = new ImportPolicy(speaker, peer.wanted.policy(), source);
    for (IpFamily family : IpFamily.values()) {
      judgeAnew(peer, family);
    }
  }

  private void judgeAnew(PeerRibs peer, IpFamily family) {
    importer.begin(peer.importPolicy, family);
    rib(family).judgeAnew(peer.number, peer.family(family), importer, now);
    importer.end();
  }

  private void exportAnew(PeerRibs peer) {
    RibSession session = peer.session;
    if (session == null) {
      return;
    }
    exportPolicies += 2;
    peer.exportWith(
        new ExportPolicy(speaker, peer.wanted.policy(), session.export()), exportPolicies);
    for (IpFamily family : IpFamily.values()) {
      AdjRibOut out = peer.family(family).out;
      if (out != null) {
        out.markAll();
      }
    }
  }

  /// A message of a peer. Withdrawals first, so that a prefix in both lists stays announced.
  public void update(ScopedAddress address, Update update) {
    PeerRibs peer = peers.find(address);
    if (peer != null) {
      intake.update(peer, update, now);
    }
  }

  /// The same for several messages.
  public void update(ScopedAddress address, List<Update> updates) {
    PeerRibs peer = peers.find(address);
    if (peer != null) {
      for (int i = 0; i < updates.size(); i++) {
        intake.update(peer, updates.get(i), now);
      }
    }
  }

  /// The peer asks for everything of a family once more (RFC 2918 §4).
  public void refresh(ScopedAddress address, AfiSafi family) {
    PeerRibs peer = peers.find(address);
    IpFamily of = family.unicastFamily().orElse(null);
    if (peer != null && of != null && peer.family(of).out != null) {
      Objects.requireNonNull(peer.family(of).out).refresh();
    }
  }

  /// What is known of next hops, the tracked ones: others than these cannot be reached.
  public void resolve(Map<IpAddress, Reachability> known) {
    IdSet differing = nextHops.resolve(known);
    if (!differing.isEmpty()) {
      families.values().forEach(rib -> rib.touchOver(differing));
    }
    families.values().forEach(FamilyRib::nextHopsAnswered);
  }

  /// The wait for End-of-RIB has been long enough.
  public void endDeferral() {
    deferralOver = true;
  }

  /// Whether all peers there should be are so, and what they have told can be judged: a route whose
  /// next hop nobody has looked for yet counts as one that leads nowhere.
  private boolean areAll(Predicate<PeerRibs> far) {
    return configured && peers.all().stream().allMatch(far) && nextHops.areAnswered();
  }

  /// Decides what was touched.
  public Settlement settle() {
    Set<IpFamily> complete = EnumSet.noneOf(IpFamily.class);
    for (IpFamily family : awaiting) {
      if (deferralOver || areAll(peer -> peer.isComplete(family))) {
        complete.add(family);
      }
    }
    awaiting.removeAll(complete);
    deferred.removeIf(family -> deferralOver || areAll(peer -> peer.allowsSelection(family)));
    untold
        .keySet()
        .removeIf(family -> deferralOver || areAll(peer -> peer.allowsSelection(family)));
    untold.replaceAll((family, _) -> onlyAwaited(family));
    List<PrefixLimit> limits = limits();
    for (FamilyRib rib : families.values()) {
      if (!rib.isSettled() && !isDeferred(rib.family())) {
        settle(rib);
      }
    }
    return new Settlement(complete, limits, Optional.ofNullable(nextHops.takeChanged()));
  }

  private Optional<PeerRibs> onlyAwaited(IpFamily family) {
    List<PeerRibs> awaited =
        configured && nextHops.areAnswered()
            ? peers.all().stream().filter(peer -> !peer.allowsSelection(family)).limit(2).toList()
            : List.of();
    return awaited.size() == 1 ? Optional.of(awaited.getFirst()) : Optional.empty();
  }

  private void settle(FamilyRib rib) {
    Forwarding told = forwarding.get(rib.family());
    rib.settle(selection, told, changed, considered);
    if (told != null) {
      told.flush();
    }
    for (PeerRibs peer : peers.all()) {
      AdjRibOut out = peer.family(rib.family()).out;
      if (out != null) {
        out.mark(changed, considered);
      }
    }
    changed.clear();
    considered.clear();
  }

  private List<PrefixLimit> limits() {
    List<PrefixLimit> crossed = new ArrayList<>();
    for (PeerRibs peer : peers.all()) {
      for (IpFamily family : IpFamily.values()) {
        PeerFamily state = peer.family(family);
        if (state.limit() == null) {
          continue;
        }
        if (state.discarded > 0 && state.hasRoom()) {
          judgeAnew(peer, family);
        }
        state.crossed(peer.address, family).ifPresent(crossed::add);
      }
    }
    return crossed;
  }

  private boolean isDeferred(IpFamily family) {
    return deferred.contains(family);
  }

  /// What the peer should be sent next; empty when it knows everything. It counts as told from then
  /// on. End-of-RIB follows the first complete table of each family, with graceful restart or
  /// without; where it is deferred, that is what all the others have told.
  public Optional<Batch> nextBatch(ScopedAddress address) {
    PeerRibs peer = peers.find(address);
    if (peer == null || peer.exportPolicy == null) {
      return Optional.empty();
    }
    List<Group> groups = List.of();
    EnumSet<IpFamily> endOfRib = EnumSet.noneOf(IpFamily.class);
    for (FamilyRib rib : families.values()) {
      PeerFamily state = peer.family(rib.family());
      AdjRibOut out = state.out;
      if (out == null) {
        continue;
      }
      if (groups.isEmpty()) {
        groups = take(peer, peer.exportPolicy, rib, out);
      }
      if (out.isSettled() && !state.endOfRibSent && mayEnd(peer, rib.family())) {
        state.endOfRibSent = true;
        endOfRib.add(rib.family());
      }
    }
    return groups.isEmpty() && endOfRib.isEmpty()
        ? Optional.empty()
        : Optional.of(new Batch(groups, endOfRib));
  }

  /// What a peer will tell matters to all but itself: two speakers that start at once do not wait
  /// for each other.
  private boolean mayEnd(PeerRibs peer, IpFamily family) {
    Optional<PeerRibs> awaited = untold.get(family);
    return !isDeferred(family)
        && (awaited == null || awaited.map(only -> only.equals(peer)).orElse(false));
  }

  private List<Group> take(PeerRibs peer, ExportPolicy policy, FamilyRib rib, AdjRibOut out) {
    while (outBatch.isEmpty() && !out.isSettled()) {
      exporter.begin(peer, policy, rib);
      out.take(exporter, outBatch);
      exporter.end();
    }
    return outBatch.isEmpty() ? List.of() : outBatch.takeGroups(rib);
  }

  /// The peer could not be told a group of its batch, because the attributes fit no message: it
  /// holds nothing of it.
  public void untold(ScopedAddress address, Group group) {
    PeerRibs peer = peers.find(address);
    AdjRibOut out = peer == null ? null : peer.family(group.family()).out;
    FamilyRib rib = rib(group.family());
    for (int i = 0; out != null && i < group.nlri().size(); i++) {
      Nlri nlri = group.nlri();
      int prefix = rib.prefixes.find(nlri.high(i), nlri.low(i), nlri.length(i));
      if (prefix != PrefixTable.NONE) {
        out.untold(prefix, nlri.pathId(i));
        rib.freeIfUnused(prefix);
      }
    }
  }

  public Set<IpFamily> awaitingEndOfRib() {
    return Collections.unmodifiableSet(EnumSet.copyOf(awaiting));
  }
}
