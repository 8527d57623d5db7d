package io.margay.bgp.rib;

import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.RouteAttributes;
import io.margay.bgp.policy.ExportPolicy;
import io.margay.bgp.policy.ExportVerdict;
import io.margay.bgp.policy.ImportVerdict;
import io.margay.bgp.policy.RouteSource;
import io.margay.bgp.rib.KnownRoute.KnownPath;
import io.margay.bgp.rib.KnownRoute.Standing;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Reads a {@link Rib}, on the thread that owns it.
///
/// A table is large, so it is read in two steps: {@link #prefixes} lists what there is in flat
/// arrays, and {@link #route} and {@link #advertised} tell all about one prefix, which may be gone
/// by then. Reasons are worked out when asked, by the code that decided.
public final class RibReader {

  private final Map<IpFamily, FamilyRib> families;
  private final Peers peers;
  private final AttributeStore attributes;
  private final NextHops nextHops;
  private final Selection selection;

  RibReader(
      Map<IpFamily, FamilyRib> families,
      Peers peers,
      AttributeStore attributes,
      NextHops nextHops,
      Selection selection) {
    this.families = families;
    this.peers = peers;
    this.attributes = attributes;
    this.nextHops = nextHops;
    this.selection = selection;
  }

  private FamilyRib rib(IpFamily family) {
    return Objects.requireNonNull(families.get(family));
  }

  public TableCounts table(IpFamily family) {
    FamilyRib rib = rib(family);
    return new TableCounts(
        rib.prefixes.size(), rib.paths.size(), rib.chosenCount(), rib.originatedCount());
  }

  /// Distinct sets of attributes, as received, accepted and told.
  public int attributeSets() {
    return attributes.size();
  }

  /// Of every peer and every family.
  public Map<ScopedAddress, Map<IpFamily, FamilyCounts>> counts() {
    Map<ScopedAddress, Map<IpFamily, FamilyCounts>> all = new LinkedHashMap<>();
    for (PeerRibs peer : peers.all()) {
      Map<IpFamily, FamilyCounts> counts = new EnumMap<>(IpFamily.class);
      for (IpFamily family : IpFamily.values()) {
        counts.put(family, counts(peer, family));
      }
      all.put(peer.address, counts);
    }
    return all;
  }

  /// Empty for an unknown peer.
  public Optional<FamilyCounts> counts(ScopedAddress peer, IpFamily family) {
    return Optional.ofNullable(peers.find(peer)).map(known -> counts(known, family));
  }

  private static FamilyCounts counts(PeerRibs peer, IpFamily family) {
    PeerFamily state = peer.family(family);
    AdjRibOut out = state.out;
    return new FamilyCounts(
        peer.exchanges(family),
        state.received,
        state.accepted,
        state.stale,
        state.discarded,
        state.best,
        out == null ? 0 : out.count(),
        out == null ? 0 : out.toTell(),
        state.endOfRibReceived,
        state.endOfRibSent);
  }

  /// The prefixes with such a route, in no order.
  ///
  /// @param peer whose routes; absent: anybody's, our own among them ({@link RouteKind#ADVERTISED}
  ///   needs a peer and is empty without)
  public Nlri prefixes(IpFamily family, RouteKind kind, @Nullable ScopedAddress peer) {
    FamilyRib rib = rib(family);
    PeerRibs of = peer == null ? null : peers.find(peer);
    if (peer != null && of == null || peer == null && kind == RouteKind.ADVERTISED) {
      return Nlri.none(family);
    }
    Nlri.Builder found = Nlri.builder(family, expected(rib, kind, of));
    for (int prefix = 0; prefix < rib.prefixes.limit(); prefix++) {
      if (rib.prefixes.isLive(prefix) && matches(rib, prefix, kind, of)) {
        found.add(rib.prefixes.high(prefix), rib.prefixes.low(prefix), rib.prefixes.length(prefix));
      }
    }
    return found.build();
  }

  private static int expected(FamilyRib rib, RouteKind kind, @Nullable PeerRibs peer) {
    if (peer == null) {
      return rib.prefixes.size();
    }
    FamilyCounts counts = counts(peer, rib.family());
    return switch (kind) {
      case RECEIVED -> counts.received();
      case ACCEPTED -> counts.accepted();
      case REJECTED -> counts.received() - counts.accepted();
      case BEST -> counts.best();
      case ADVERTISED -> counts.advertised();
    };
  }

  private static boolean matches(
      FamilyRib rib, int prefix, RouteKind kind, @Nullable PeerRibs peer) {
    return switch (kind) {
      case ADVERTISED -> {
        AdjRibOut out = peer == null ? null : peer.family(rib.family()).out;
        yield out != null && out.isTold(prefix);
      }
      case BEST -> {
        int best = rib.chosen(prefix);
        yield best != 0 && (peer == null || rib.paths.peer(best) == peer.number);
      }
      case RECEIVED, ACCEPTED, REJECTED -> hasPath(rib, prefix, kind, peer);
    };
  }

  private static boolean hasPath(
      FamilyRib rib, int prefix, RouteKind kind, @Nullable PeerRibs peer) {
    for (int slot = rib.first(prefix); slot != 0; slot = rib.paths.next(slot)) {
      boolean accepted = rib.paths.accepted(slot) >= 0;
      if ((peer == null || rib.paths.peer(slot) == peer.number)
          && (kind == RouteKind.RECEIVED || accepted == (kind == RouteKind.ACCEPTED))) {
        return true;
      }
    }
    return false;
  }

  /// The longest known prefix an address is in.
  ///
  /// @param withWinner whether only prefixes count that something was chosen for
  public Optional<Prefix> longestMatch(IpAddress address, boolean withWinner) {
    FamilyRib rib = rib(address.family());
    for (int length = address.family().bits(); length >= 0; length--) {
      if (rib.prefixes.hasLength(length)) {
        int prefix = rib.prefixes.find(new Prefix(address.masked(length), length));
        if (prefix != PrefixTable.NONE && (!withWinner || rib.chosen(prefix) != 0)) {
          return Optional.of(rib.prefixes.prefix(prefix));
        }
      }
    }
    return Optional.empty();
  }

  /// All paths to a prefix, with the reason each was not chosen; empty for an unknown prefix.
  public Optional<KnownRoute> route(Prefix prefix) {
    FamilyRib rib = rib(prefix.family());
    int id = rib.prefixes.find(prefix);
    if (id == PrefixTable.NONE || rib.first(id) == 0) {
      return Optional.empty();
    }
    int winner = selection.choose(rib.paths, rib.first(id));
    boolean decided = winner == rib.chosen(id);
    List<KnownPath> known = new ArrayList<>();
    for (int slot = rib.first(id); slot != 0; slot = rib.paths.next(slot)) {
      KnownPath path = path(rib, prefix, slot, decided);
      if (path.standing() == Standing.BEST) {
        known.addFirst(path);
      } else {
        known.add(path);
      }
    }
    return Optional.of(new KnownRoute(prefix, known));
  }

  private KnownPath path(FamilyRib rib, Prefix prefix, int slot, boolean decided) {
    PathTable paths = rib.paths;
    int accepted = paths.accepted(slot);
    RouteAttributes received = attributes.get(paths.received(slot));
    int number = paths.peer(slot);
    RouteSource source = number == Peers.OURSELVES ? null : peers.source(number);
    long metric = accepted < 0 ? NextHops.UNREACHABLE : nextHops.metric(attributes.hop(accepted));
    Standing standing = standing(paths, slot, decided);
    return new KnownPath(
        source,
        paths.pathId(slot),
        received,
        accepted < 0 ? null : attributes.get(accepted),
        standing,
        switch (standing) {
          case REJECTED -> whyRejected(paths, prefix, slot, received);
          case INELIGIBLE ->
              metric == NextHops.UNREACHABLE ? "next hop unreachable" : "not decided yet";
          case BEST -> selection.decidedBy().toString();
          case MULTIPATH, CANDIDATE -> String.valueOf(lostAt(slot));
        },
        paths.has(slot, PathTable.STALE),
        Integer.toUnsignedLong(paths.since(slot)),
        metric == NextHops.UNREACHABLE ? OptionalLong.empty() : OptionalLong.of(metric));
  }

  private Standing standing(PathTable paths, int slot, boolean decided) {
    if (paths.accepted(slot) < 0) {
      return Standing.REJECTED;
    }
    for (int i = 0; decided && i < selection.size(); i++) {
      if (selection.slot(i) == slot) {
        if (selection.lostAt(i) == null) {
          return Standing.BEST;
        }
        return selection.shares(i) ? Standing.MULTIPATH : Standing.CANDIDATE;
      }
    }
    return Standing.INELIGIBLE;
  }

  private @Nullable DecisionStep lostAt(int slot) {
    for (int i = 0; i < selection.size(); i++) {
      if (selection.slot(i) == slot) {
        return selection.lostAt(i);
      }
    }
    return null;
  }

  private String whyRejected(PathTable paths, Prefix prefix, int slot, RouteAttributes received) {
    PeerRibs peer = peers.numbered(paths.peer(slot));
    if (peer == null || peer.importPolicy == null) {
      return "no session";
    }
    if (paths.has(slot, PathTable.DISCARDED)) {
      return "over the prefix limit: " + peer.family(prefix.family()).limit();
    }
    return switch (peer.importPolicy.judge(prefix.family(), prefix, received)) {
      case ImportVerdict.Rejected rejected -> rejected.toString();
      case ImportVerdict.Accepted _ -> "not judged yet";
    };
  }

  /// What the peer was told of a prefix.
  public List<Advertisement> advertised(ScopedAddress peer, Prefix prefix) {
    PeerRibs to = peers.find(peer);
    AdjRibOut out = to == null ? null : to.family(prefix.family()).out;
    int id = rib(prefix.family()).prefixes.find(prefix);
    List<Advertisement> told = new ArrayList<>();
    if (out != null && id != PrefixTable.NONE) {
      out.visit(id, (pathId, route) -> told.add(new Advertisement(pathId, attributes.get(route))));
    }
    return told;
  }

  /// What each peer with a session is told of a prefix, or why it is not.
  public Map<ScopedAddress, ExportVerdict> exports(Prefix prefix) {
    FamilyRib rib = rib(prefix.family());
    int id = rib.prefixes.find(prefix);
    int best = id == PrefixTable.NONE ? 0 : rib.chosen(id);
    Map<ScopedAddress, ExportVerdict> verdicts = new LinkedHashMap<>();
    // A path that was chosen and is acceptable no longer stays so until the next settling.
    int accepted = best == 0 ? -1 : rib.paths.accepted(best);
    if (accepted < 0) {
      return verdicts;
    }
    RouteAttributes route = attributes.get(accepted);
    int number = rib.paths.peer(best);
    RouteSource source = number == Peers.OURSELVES ? null : peers.source(number);
    for (PeerRibs peer : peers.all()) {
      ExportPolicy policy = peer.exportPolicy;
      if (policy != null) {
        verdicts.put(peer.address, policy.explain(prefix.family(), prefix, route, source));
      }
    }
    return verdicts;
  }
}
