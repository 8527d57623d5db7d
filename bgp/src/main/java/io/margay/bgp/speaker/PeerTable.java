package io.margay.bgp.speaker;

import io.margay.bgp.bfd.BfdChange;
import io.margay.bgp.bfd.BfdPeer;
import io.margay.bgp.message.Notification;
import io.margay.bgp.rib.FamilyCounts;
import io.margay.bgp.rib.PrefixLimit;
import io.margay.bgp.rib.RibPeer;
import io.margay.bgp.transport.ExpectedPeer;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// All peers of a speaker: the configured ones, and those of ranges that came. Brings them to what
/// is desired, and gives each accepted connection to its peer. Lives on the loop of the sessions.
final class PeerTable implements PeerHost {

  /// How long a peer of a range that has gone is remembered, for people to read why.
  static final Duration DYNAMIC_LINGER = Duration.ofMinutes(1);

  /// Least time between two log lines about unknown addresses.
  private static final Duration STRANGER_LOG_INTERVAL = Duration.ofSeconds(10);

  private final SpeakerConfig speaker;
  private final SessionClock clock;
  private final RandomGenerator random;
  private final Network network;
  private final RibLoop rib;
  private final BfdWatch bfd;
  private final Consumer<Throwable> failed;
  private final Map<ScopedAddress, PeerSession> sessions = new TreeMap<>();
  private Map<Remote, PeerConfig> desired = Map.of();
  private final LogPause strangerPause = new LogPause(STRANGER_LOG_INTERVAL);
  private long strangersUnlogged;
  private boolean closed;

  PeerTable(
      SpeakerConfig speaker,
      SessionClock clock,
      RandomGenerator random,
      Network network,
      RibLoop rib,
      Consumer<Set<BfdPeer>> bfd,
      Consumer<Throwable> failed) {
    this.speaker = speaker;
    this.clock = clock;
    this.random = random;
    this.network = network;
    this.rib = rib;
    this.bfd = new BfdWatch(bfd);
    this.failed = failed;
  }

  /// @throws IllegalArgumentException when two entries have one remote
  static Map<Remote, PeerConfig> byRemote(Collection<PeerConfig> peers) {
    Map<Remote, PeerConfig> all = new LinkedHashMap<>();
    for (PeerConfig peer : peers) {
      if (all.put(peer.remote(), peer) != null) {
        throw new IllegalArgumentException("peer " + peer.remote() + " is configured twice");
      }
    }
    return all;
  }

  /// What {@link #configure} would do.
  List<PeerChange> plan(Map<Remote, PeerConfig> wanted) {
    Map<Remote, PeerChange> changes = new LinkedHashMap<>();
    for (Remote remote : desired.keySet()) {
      if (!wanted.containsKey(remote)) {
        changes.put(remote, PeerChange.removed(remote));
      }
    }
    wanted.forEach(
        (remote, after) -> {
          PeerConfig before = desired.get(remote);
          changes.put(
              remote,
              before == null ? PeerChange.added(remote) : ConfigDiff.between(before, after, null));
        });
    for (PeerSession session : sessions.values()) {
      PeerConfig after = find(wanted, session.address());
      if (after != null && desired.containsKey(after.remote())) {
        changes.merge(after.remote(), diff(session, after), PeerChange::and);
      }
    }
    return List.copyOf(changes.values());
  }

  private static PeerChange diff(PeerSession session, PeerConfig after) {
    return ConfigDiff.between(session.config(), after, session.agreed());
  }

  /// Brings the peers to what is desired. Sessions of unchanged peers are not touched.
  void configure(Map<Remote, PeerConfig> wanted) {
    if (closed) {
      return;
    }
    desired = new LinkedHashMap<>(wanted);
    Map<PeerSession, PeerChange> reset = new LinkedHashMap<>();
    for (PeerSession session : List.copyOf(sessions.values())) {
      PeerConfig after = find(desired, session.address());
      if (after == null) {
        session.stop(Notification.of(Notification.CEASE, Notification.CEASE_PEER_REMOVED));
        sessions.remove(session.address());
        continue;
      }
      PeerChange change = diff(session, after);
      if (!change.reset().isEmpty()) {
        BgpLog.configurationResets(session.address(), change.reset());
        reset.put(session, change);
      }
      if (change.outcome() != PeerChange.Outcome.UNCHANGED) {
        session.reconfigure(after);
      }
    }
    Map<ExpectedPeer, String> refused =
        network.expect(desired.values().stream().map(PeerTable::expected).toList());
    List<PeerSession> fresh = new ArrayList<>();
    for (PeerConfig peer : desired.values()) {
      if (peer.remote() instanceof Remote.At(ScopedAddress address)
          && !sessions.containsKey(address)) {
        PeerSession session = new PeerSession(this, address, peer);
        sessions.put(address, session);
        fresh.add(session);
      }
    }
    passwordsRefused(refused);
    tellRib();
    reset.forEach(
        (session, change) ->
            session.reset(
                Notification.of(Notification.CEASE, Notification.CEASE_CONFIGURATION_CHANGE),
                change.keepsRoutes()));
    fresh.forEach(PeerSession::start);
  }

  /// Listeners lack the passwords of these peers: they can't connect to us, though we can to them.
  void passwordsRefused(Map<ExpectedPeer, String> refused) {
    for (PeerConfig peer : desired.values()) {
      String why = refused.get(expected(peer));
      if (why != null) {
        BgpLog.passwordRefused(peer.remote(), why);
        for (PeerSession session : sessions.values()) {
          if (session.config().remote().equals(peer.remote())) {
            session.history().passwordRefused(why);
          }
        }
      }
    }
  }

  private void tellRib() {
    Map<ScopedAddress, RibPeer> peers = new HashMap<>();
    sessions.forEach(
        (address, session) ->
            peers.put(
                address, new RibPeer(session.config().families(), session.config().policy())));
    rib.postConfigure(peers, desired.keySet().stream().anyMatch(Remote.Within.class::isInstance));
  }

  static ExpectedPeer expected(PeerConfig peer) {
    Connection how = peer.connection();
    return switch (peer.remote()) {
      case Remote.At(ScopedAddress address) ->
          ExpectedPeer.host(address, how.ttl(), how.password());
      case Remote.Within(Prefix range, int _) ->
          ExpectedPeer.range(range, how.ttl(), how.password());
    };
  }

  /// The entry for an address: its own, or the narrowest range around it.
  private static @Nullable PeerConfig find(Map<Remote, PeerConfig> among, ScopedAddress address) {
    PeerConfig own = among.get(new Remote.At(address));
    if (own != null) {
      return own;
    }
    return among.values().stream()
        .filter(
            peer ->
                peer.remote() instanceof Remote.Within(Prefix range, int _)
                    && range.contains(address.address()))
        .max(Comparator.comparingInt(peer -> length(peer.remote())))
        .orElse(null);
  }

  private static int length(Remote remote) {
    return switch (remote) {
      case Remote.At _ -> Integer.MAX_VALUE;
      case Remote.Within(Prefix range, int _) -> range.length();
    };
  }

  /// Somebody connected.
  void accepted(Wire wire) {
    ScopedAddress from = wire.endpoints().remote();
    PeerSession session = closed ? null : sessions.get(from);
    if (session == null) {
      session = newcomer(from);
    }
    if (session == null) {
      wire.drop();
    } else {
      session.accepted(wire);
    }
  }

  private @Nullable PeerSession newcomer(ScopedAddress from) {
    PeerConfig range = closed ? null : find(desired, from);
    if (range == null || !(range.remote() instanceof Remote.Within(Prefix _, int limit))) {
      logStranger(from, "no peer is configured with this address");
      return null;
    }
    if (countOf(range) >= limit) {
      logStranger(from, "the range " + range.remote() + " has its " + limit + " peers");
      return null;
    }
    PeerSession session = new PeerSession(this, from, range);
    sessions.put(from, session);
    tellRib();
    return session;
  }

  private long countOf(PeerConfig range) {
    return sessions.values().stream()
        .filter(session -> session.config().remote().equals(range.remote()))
        .count();
  }

  private void logStranger(ScopedAddress from, String why) {
    if (strangerPause.isOver(clock.nanos())) {
      BgpLog.stranger(from, why, strangersUnlogged);
      strangersUnlogged = 0;
    } else {
      strangersUnlogged++;
    }
  }

  /// Ends all sessions; nothing begins any more.
  ///
  /// @param notification what peers are told; absent: nothing, so that they may wait for us
  void close(@Nullable Notification notification) {
    closed = true;
    sessions.values().forEach(session -> session.stop(notification));
  }

  /// Ends one session; it is set up again.
  ///
  /// @return whether there is such a peer
  boolean reset(ScopedAddress peer, Notification notification) {
    PeerSession session = sessions.get(peer);
    if (session != null) {
      session.reset(notification, false);
    }
    return session != null;
  }

  /// The way to a peer is gone.
  void pathDown(ScopedAddress peer, String cause) {
    PeerSession session = sessions.get(peer);
    if (session != null) {
      session.pathDown(cause);
    }
  }

  void prefixLimit(PrefixLimit crossed) {
    PeerSession session = sessions.get(crossed.peer());
    if (session != null) {
      session.limit(crossed);
    }
  }

  void bfdChanged(BfdPeer about, BfdChange change) {
    BfdChange.Down down = bfd.changed(about, change);
    PeerSession session = sessions.get(about.peer());
    if (down != null && session != null) {
      session.bfdDown(down.diagnostic().toString(), down.peerIndependent());
    }
  }

  List<PeerStatus> status(Map<ScopedAddress, Map<IpFamily, FamilyCounts>> counts) {
    return sessions.values().stream()
        .map(session -> session.status(counts.getOrDefault(session.address(), Map.of())))
        .toList();
  }

  Collection<PeerSession> sessions() {
    return sessions.values();
  }

  @Override
  public SpeakerConfig speaker() {
    return speaker;
  }

  @Override
  public SessionClock clock() {
    return clock;
  }

  @Override
  public RandomGenerator random() {
    return random;
  }

  @Override
  public Network network() {
    return network;
  }

  @Override
  public RibLoop rib() {
    return rib;
  }

  @Override
  public boolean isRestarting() {
    return speaker.restart().restarting() && !rib.awaiting().isEmpty();
  }

  @Override
  public void watch(PeerSession session, ConfigDiff.Session agreed) {
    bfd.watch(session.address(), session.config(), agreed.endpoints());
  }

  @Override
  public void sessionDown(PeerSession session) {
    bfd.forget(session.address());
  }

  /// A peer of a range that stays away is forgotten; a configured one is not.
  @Override
  public void quiet(PeerSession session) {
    if (session.config().remote() instanceof Remote.Within) {
      clock.schedule(DYNAMIC_LINGER, () -> forget(session));
    }
  }

  private void forget(PeerSession session) {
    if (session.isQuiet() && sessions.remove(session.address(), session)) {
      tellRib();
    }
  }

  @Override
  public @Nullable String bfd(ScopedAddress peer) {
    return bfd.text(peer);
  }

  @Override
  public void failed(Throwable bug) {
    failed.accept(bug);
  }
}
