package io.margay.bgp.rib;

import static io.margay.bgp.rib.RibFixtures.BOTH;
import static io.margay.bgp.rib.RibFixtures.LOCAL;
import static io.margay.bgp.rib.RibFixtures.OWN;
import static io.margay.bgp.rib.RibFixtures.SPEAKER;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.bgp.message.Update;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ExportPolicy;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.ImportPolicy;
import io.margay.bgp.policy.ImportVerdict;
import io.margay.bgp.policy.OwnRanges;
import io.margay.bgp.policy.PeerKind;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.policy.RouteSource;
import io.margay.bgp.policy.SpeakerPolicy;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Random things happen to a RIB and to maps that should hold the same: sessions, messages,
/// policies.
final class RibModel {

  private static final int STEPS = 120;
  private static final int PEERS = 5;

  /// Gets and sends several paths.
  private static final int ADD_PATH_PEER = 5;

  private static final DecisionRules RULES = new DecisionRules(true, 2);
  private static final IpAddress HOP_FAR = IpAddress.parse("192.0.2.2");

  record Key(Prefix prefix, int pathId) {}

  record Held(RouteAttributes route, boolean stale) {}

  private static final class ModelPeer {
    final int number;
    final ScopedAddress address;
    final RibSession session;
    PeerPolicy policy = RibFixtures.ACCEPT_AND_TELL_ALL;
    boolean up;
    final Map<Key, Held> held = new HashMap<>();
    final Map<Key, RouteAttributes> view = new HashMap<>();
    boolean refreshed;

    ModelPeer(int number) {
      this.number = number;
      this.address = ScopedAddress.parse("10.0.0." + number);
      PeerKind kind =
          switch (number) {
            case 3 -> PeerKind.IBGP;
            case 4 -> PeerKind.CLIENT;
            default -> PeerKind.EBGP;
          };
      this.session =
          RibFixtures.session(
              address,
              kind == PeerKind.EBGP ? new Asn(65100 + number) : LOCAL,
              kind,
              false,
              BOTH,
              number == ADD_PATH_PEER ? BOTH : Set.of());
    }

    RouteSource source() {
      return session.source();
    }
  }

  private final Random random;
  private final Rib rib;
  private final boolean tracking;
  private final List<ModelPeer> peers = new ArrayList<>();
  private final Map<Prefix, List<Gateway>> forwarded = new TreeMap<>();
  private final Map<Prefix, PathAttributes> originated = new HashMap<>();
  private SpeakerPolicy speaker = SPEAKER;
  private Map<IpAddress, Reachability> metrics = Map.of();

  RibModel(long seed) {
    random = new Random(seed);
    tracking = random.nextBoolean();
    rib = RibFixtures.rib(RULES, this::forward, tracking);
    for (int number = 1; number <= PEERS; number++) {
      peers.add(new ModelPeer(number));
    }
    configure();
    resolve();
  }

  private void forward(List<ForwardingChange> changes) {
    for (ForwardingChange change : changes) {
      List<Gateway> before =
          change.gateways().isEmpty()
              ? forwarded.remove(change.prefix())
              : forwarded.put(change.prefix(), change.gateways());
      assertThat(change.gateways()).isNotEqualTo(before);
      assertThat(before != null || !change.gateways().isEmpty()).isTrue();
    }
  }

  private void configure() {
    Map<ScopedAddress, RibPeer> wanted = new HashMap<>();
    peers.forEach(peer -> wanted.put(peer.address, new RibPeer(BOTH, peer.policy)));
    rib.configure(wanted, false);
  }

  void run() {
    for (int step = 0; step < STEPS; step++) {
      act();
      if (random.nextInt(3) > 0) {
        rib.settle();
        for (ModelPeer peer : peers) {
          if (random.nextBoolean()) {
            drain(peer);
          }
        }
      }
      if (random.nextInt(8) == 0) {
        rib.settle();
        check();
      }
    }
    rib.settle();
    check();
    originated.clear();
    rib.originate(originated);
    for (ModelPeer peer : peers) {
      down(peer, Set.of());
    }
    rib.settle();
    check();
    for (IpFamily family : IpFamily.values()) {
      assertThat(rib.reader().table(family)).isEqualTo(new TableCounts(0, 0, 0, 0));
    }
    assertThat(rib.reader().attributeSets()).isZero();
    assertThat(forwarded).isEmpty();
  }

  private void act() {
    ModelPeer peer = peers.get(random.nextInt(PEERS));
    switch (random.nextInt(16)) {
      case 0 -> down(peer, random.nextBoolean() ? BOTH : Set.of());
      case 1, 2 -> up(peer);
      case 3 -> endOfRib(peer);
      case 4 -> {
        peer.refreshed = peer.up;
        rib.refresh(peer.address, AfiSafi.IPV4_UNICAST);
        rib.refresh(peer.address, AfiSafi.IPV6_UNICAST);
      }
      case 5 -> {
        peer.policy =
            RibFixtures.policy(
                random.nextInt(3) == 0 ? ImportMode.REJECT : ImportMode.ACCEPT,
                random.nextInt(3) == 0 ? ExportMode.OWN : ExportMode.ALL);
        configure();
      }
      case 6 -> {
        Set<Prefix> ranges =
            random.nextBoolean() ? Set.of() : new HashSet<>(List.of(prefix(), prefix()));
        speaker = speaker.withGuard(OwnRanges.of(ranges));
        rib.speaker(speaker);
      }
      case 7 -> {
        Prefix prefix = prefix();
        if (originated.remove(prefix) == null) {
          originated.put(prefix, OWN);
        }
        rib.originate(new HashMap<>(originated));
      }
      case 8 -> resolve();
      default -> update(peer);
    }
  }

  private void resolve() {
    if (!tracking) {
      return;
    }
    Map<IpAddress, Reachability> found = new HashMap<>();
    found.put(HOP_FAR, reachability());
    for (ModelPeer peer : peers) {
      found.put(peer.address.address(), reachability());
      found.put(IpAddress.parse("fd00::" + peer.number), reachability());
    }
    metrics = found;
    rib.resolve(found);
  }

  private Reachability reachability() {
    return random.nextInt(3) == 0
        ? new Reachability.Unreachable()
        : new Reachability.Reachable(random.nextInt(2));
  }

  private void up(ModelPeer peer) {
    if (!peer.up) {
      peer.up = true;
      peer.view.clear();
      rib.peerUp(peer.session);
    }
  }

  private void down(ModelPeer peer, Set<IpFamily> keep) {
    if (peer.up && !keep.isEmpty()) {
      peer.held.values().removeIf(Held::stale);
      peer.held.replaceAll((_, held) -> new Held(held.route(), true));
    } else {
      peer.held.clear();
    }
    peer.up = false;
    peer.refreshed = false;
    peer.view.clear();
    rib.peerDown(peer.address, keep);
  }

  private void endOfRib(ModelPeer peer) {
    for (IpFamily family : IpFamily.values()) {
      rib.update(peer.address, Update.endOfRib(family));
    }
    if (peer.up) {
      peer.held.values().removeIf(Held::stale);
    }
  }

  private Prefix prefix() {
    int which = random.nextInt(12);
    return which < 8
        ? Prefix.parse("10." + which + ".0.0/" + (16 + which % 2))
        : Prefix.parse("fd00:" + which + "::/" + (32 + 64 * (which % 2)));
  }

  private void update(ModelPeer peer) {
    IpFamily family = random.nextInt(3) == 0 ? IpFamily.IPV6 : IpFamily.IPV4;
    Nlri.Builder some = Nlri.builder(family, 4);
    List<Key> keys = new ArrayList<>();
    for (int i = random.nextInt(4); i >= 0; i--) {
      Prefix prefix = prefix();
      int pathId = peer.number == ADD_PATH_PEER ? 1 + random.nextInt(2) : 0;
      if (prefix.family() == family) {
        some.add(prefix, pathId);
        keys.add(new Key(prefix, pathId));
      }
    }
    Nlri nlri = some.build();
    if (nlri.isEmpty()) {
      return;
    }
    if (random.nextInt(3) == 0) {
      rib.update(peer.address, withdrawal(family, nlri));
      if (peer.up) {
        keys.forEach(peer.held::remove);
      }
      return;
    }
    PathAttributes with = randomAttributes(peer);
    NextHop hop =
        NextHop.of(
            family == IpFamily.IPV4
                ? random.nextInt(3) == 0 ? HOP_FAR : peer.address.address()
                : IpAddress.parse("fd00::" + peer.number));
    rib.update(peer.address, announcement(nlri, with, hop));
    if (peer.up) {
      keys.forEach(key -> peer.held.put(key, new Held(new RouteAttributes(with, hop), false)));
    }
  }

  private static Update withdrawal(IpFamily family, Nlri nlri) {
    return family == IpFamily.IPV4
        ? new Update(nlri, null, PathAttributes.EMPTY, null, Nlri.none(IpFamily.IPV4), null)
        : Update.ofUnreachable(new PathAttribute.MpUnreach(AfiSafi.IPV6_UNICAST, nlri));
  }

  private static Update announcement(Nlri nlri, PathAttributes with, NextHop hop) {
    return hop.address() instanceof Ipv4Address address
        ? new Update(Nlri.none(IpFamily.IPV4), null, with, address, nlri, null)
        : Update.ofReachable(
            with, new PathAttribute.MpReach(AfiSafi.IPV6_UNICAST, hop.address(), null, nlri));
  }

  private PathAttributes randomAttributes(ModelPeer peer) {
    AsPath.Builder path = AsPath.builder();
    boolean external = peer.source().kind() == PeerKind.EBGP;
    if (external || random.nextBoolean()) {
      path.begin(AsPath.Kind.SEQUENCE);
      path.add(external ? peer.source().asn().value() : 65100 + random.nextInt(2));
      for (int i = random.nextInt(3); i > 0; i--) {
        path.add(random.nextInt(30) == 0 ? LOCAL.value() : 64000 + random.nextInt(2));
      }
    }
    PathAttributes with = RibFixtures.attributes(path.build());
    if (random.nextInt(4) == 0) {
      with = with.with(new PathAttribute.MultiExitDisc(random.nextInt(3)));
    }
    if (!external) {
      with = with.with(new PathAttribute.LocalPref(100 + random.nextInt(2)));
    }
    return with;
  }

  /// Sends a peer all it should know, as a peer would take it.
  private void drain(ModelPeer peer) {
    Optional<Rib.Batch> batch = rib.nextBatch(peer.address);
    assertThat(batch.isEmpty() || peer.up).isTrue();
    while (batch.isPresent()) {
      Set<Key> once = new HashSet<>();
      for (Rib.Group group : batch.get().groups()) {
        for (int i = 0; i < group.nlri().size(); i++) {
          Key key = new Key(group.nlri().prefix(i), group.nlri().pathId(i));
          assertThat(once.add(key)).as("told twice in one batch").isTrue();
          RouteAttributes before =
              group.route() == null ? peer.view.remove(key) : peer.view.put(key, group.route());
          if (group.route() == null) {
            assertThat(before).as("withdrawn without having been told").isNotNull();
          } else if (!peer.refreshed) {
            assertThat(before).as("told the same again").isNotEqualTo(group.route());
          }
        }
      }
      batch = rib.nextBatch(peer.address);
    }
    peer.refreshed = false;
  }

  private void check() {
    Map<Prefix, SelectionTest.Outcome> decided = new HashMap<>();
    Map<Prefix, List<SelectionTest.Candidate>> candidates = candidates();
    candidates.forEach(
        (prefix, list) -> {
          SelectionTest.Outcome outcome = SelectionTest.oracle(RULES, list, metrics);
          if (outcome != null) {
            decided.put(prefix, outcome);
          }
        });
    checkLocRib(decided);
    checkForwarding(decided);
    for (ModelPeer peer : peers) {
      checkCounts(peer, decided);
      if (peer.up) {
        drain(peer);
        if (peer.number == ADD_PATH_PEER) {
          checkSeveral(peer, candidates, decided);
        } else {
          assertThat(peer.view).as("told to " + peer.address).isEqualTo(expected(peer, decided));
        }
      }
    }
  }

  private Map<Prefix, List<SelectionTest.Candidate>> candidates() {
    Map<Prefix, List<SelectionTest.Candidate>> all = new HashMap<>();
    originated.forEach(
        (prefix, with) ->
            all.computeIfAbsent(prefix, _ -> new ArrayList<>())
                .add(
                    new SelectionTest.Candidate(
                        0, 1, PeerKind.IBGP, 0, false, ours(prefix.family(), with))));
    for (ModelPeer peer : peers) {
      peer.held.forEach(
          (key, held) -> {
            RouteAttributes accepted = accepted(peer, key.prefix(), held.route());
            if (accepted != null) {
              all.computeIfAbsent(key.prefix(), _ -> new ArrayList<>())
                  .add(
                      new SelectionTest.Candidate(
                          peer.number,
                          peer.source().routerId().value(),
                          peer.source().kind(),
                          key.pathId(),
                          held.stale(),
                          accepted));
            }
          });
    }
    return all;
  }

  private static RouteAttributes ours(IpFamily family, PathAttributes with) {
    IpAddress none = IpAddress.parse(family == IpFamily.IPV4 ? "0.0.0.0" : "::");
    return new RouteAttributes(with, NextHop.of(none));
  }

  private @Nullable RouteAttributes accepted(ModelPeer peer, Prefix prefix, RouteAttributes route) {
    return switch (new ImportPolicy(speaker, peer.policy, peer.source())
        .judge(prefix.family(), prefix, route)) {
      case ImportVerdict.Accepted(RouteAttributes accepted) -> accepted;
      case ImportVerdict.Rejected _ -> null;
    };
  }

  private void checkLocRib(Map<Prefix, SelectionTest.Outcome> decided) {
    Set<Prefix> best = new HashSet<>();
    for (IpFamily family : IpFamily.values()) {
      best.addAll(rib.reader().prefixes(family, RouteKind.BEST, null).toList());
    }
    assertThat(best).isEqualTo(decided.keySet());
    decided.forEach(
        (prefix, outcome) -> {
          KnownRoute known = rib.reader().route(prefix).orElseThrow();
          KnownRoute.KnownPath winner = known.paths().getFirst();
          assertThat(winner.standing()).isEqualTo(KnownRoute.Standing.BEST);
          assertThat(winner.accepted()).isEqualTo(outcome.best().route());
          assertThat(winner.source() == null).isEqualTo(outcome.best().peer() == 0);
          if (winner.source() != null) {
            assertThat(winner.source().peer())
                .isEqualTo(ScopedAddress.parse("10.0.0." + outcome.best().peer()));
          }
        });
  }

  private void checkForwarding(Map<Prefix, SelectionTest.Outcome> decided) {
    Map<Prefix, List<Gateway>> expected = new TreeMap<>();
    decided.forEach(
        (prefix, outcome) -> {
          TreeSet<Gateway> gateways = new TreeSet<>();
          outcome
              .shared()
              .forEach(one -> gateways.add(new Gateway(one.route().nextHop().address(), null)));
          if (!gateways.isEmpty()) {
            expected.put(prefix, List.copyOf(gateways));
          }
        });
    assertThat(forwarded).isEqualTo(expected);
  }

  private void checkCounts(ModelPeer peer, Map<Prefix, SelectionTest.Outcome> decided) {
    for (IpFamily family : IpFamily.values()) {
      FamilyCounts counts = rib.reader().counts(peer.address, family).orElseThrow();
      int received = 0;
      int accepted = 0;
      int stale = 0;
      for (Map.Entry<Key, Held> entry : peer.held.entrySet()) {
        Prefix prefix = entry.getKey().prefix();
        if (prefix.family() == family) {
          received++;
          accepted += accepted(peer, prefix, entry.getValue().route()) == null ? 0 : 1;
          stale += entry.getValue().stale() ? 1 : 0;
        }
      }
      assertThat(counts.received()).isEqualTo(received);
      assertThat(counts.accepted()).isEqualTo(accepted);
      assertThat(counts.stale()).isEqualTo(stale);
      assertThat(counts.best())
          .isEqualTo(
              (int)
                  decided.entrySet().stream()
                      .filter(
                          entry ->
                              entry.getKey().family() == family
                                  && entry.getValue().best().peer() == peer.number)
                      .count());
    }
  }

  private Map<Key, RouteAttributes> expected(
      ModelPeer peer, Map<Prefix, SelectionTest.Outcome> decided) {
    Map<Key, RouteAttributes> expected = new HashMap<>();
    decided.forEach(
        (prefix, outcome) ->
            told(peer, prefix, outcome.best())
                .ifPresent(route -> expected.put(new Key(prefix, 0), route)));
    return expected;
  }

  private Optional<RouteAttributes> told(
      ModelPeer peer, Prefix prefix, SelectionTest.Candidate candidate) {
    if (candidate.peer() == peer.number) {
      return Optional.empty();
    }
    return new ExportPolicy(speaker, peer.policy, peer.session.export())
        .export(
            prefix.family(),
            prefix,
            candidate.route(),
            candidate.peer() == 0 ? null : peers.get(candidate.peer() - 1).source());
  }

  private boolean isReachable(SelectionTest.Candidate one) {
    return !(metrics.get(one.route().nextHop().address()) instanceof Reachability.Unreachable);
  }

  /// Which number a path has is not for the model to know: the routes are compared.
  private void checkSeveral(
      ModelPeer peer,
      Map<Prefix, List<SelectionTest.Candidate>> candidates,
      Map<Prefix, SelectionTest.Outcome> decided) {
    Map<Prefix, List<String>> expected = new TreeMap<>();
    candidates.forEach(
        (prefix, list) -> {
          List<String> routes =
              list.stream()
                  .filter(one -> one.peer() == 0 || isReachable(one))
                  .flatMap(one -> told(peer, prefix, one).stream())
                  .map(RouteAttributes::toString)
                  .sorted()
                  .toList();
          if (!routes.isEmpty() && decided.containsKey(prefix)) {
            expected.put(prefix, routes);
          }
        });
    Map<Prefix, List<String>> view = new TreeMap<>();
    peer.view.forEach(
        (key, route) ->
            view.computeIfAbsent(key.prefix(), _ -> new ArrayList<>()).add(route.toString()));
    view.values().forEach(routes -> routes.sort(null));
    assertThat(view).as("told to " + peer.address).isEqualTo(expected);
  }
}
