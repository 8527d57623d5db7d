package io.margay.bgp.speaker;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Community;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.policy.OwnRanges;
import io.margay.bgp.policy.SpeakerPolicy;
import io.margay.bgp.rib.DecisionRules;
import io.margay.bgp.rib.FamilyCounts;
import io.margay.bgp.rib.PrefixLimit;
import io.margay.bgp.rib.Reachability;
import io.margay.bgp.rib.Rib;
import io.margay.bgp.rib.RibPeer;
import io.margay.bgp.rib.RibReader;
import io.margay.bgp.rib.RibSettings;
import io.margay.bgp.rib.TableCounts;
import io.margay.bgp.transport.Endpoints;
import io.margay.bgp.transport.ExpectedPeer;
import io.margay.bgp.transport.ListenAddress;
import io.margay.bgp.transport.Transport;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import io.netty.channel.Channel;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// A BGP-4 speaker (RFC 4271) for a node.
///
/// Everything is desired state: peers, own prefixes and the import guard are handed over whole, and
/// the speaker works out what changed. Methods may be called from any thread but the two loops;
/// they return once the change is queued.
public final class BgpSpeaker {

  /// Longest wait for an answer of the loops before they count as stuck.
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);

  /// How long the last messages may take to leave.
  private static final Duration CLOSE_LINGER = Duration.ofMillis(500);

  /// Least time between two log lines about unknown addresses.
  private static final Duration STRANGER_LOG_INTERVAL = Duration.ofSeconds(10);

  private final SpeakerConfig config;
  private final Transport transport;
  private final RibLoop rib;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final RouteListing listing;

  /// Owned by `bgp-io`.
  private final Map<IpAddress, PeerSession> sessions = new TreeMap<>();

  private Instant strangerLogged = Instant.MIN;
  private long strangersUnlogged;
  private boolean closed;

  /// Guarded by `this`.
  private SpeakerPolicy policy;

  private BgpSpeaker(
      SpeakerConfig config,
      FibListener fib,
      NextHopTracker nextHops,
      InstantSource clock,
      RandomGenerator random) {
    this.config = config;
    this.clock = clock;
    this.random = random;
    this.listing =
        new RouteListing(
            new RouteListing.Loop() {
              @Override
              public <T> T ask(Function<RibReader, T> question) {
                return answer(rib.ask(table -> question.apply(table.reader())));
              }
            });
    this.transport = new Transport(this::connectionAccepted);
    Set<IpAddress> own = new HashSet<>(config.nextHops().values());
    config.listen().stream()
        .map(ListenAddress::address)
        .filter(address -> !address.isUnspecified())
        .forEach(own::add);
    this.policy =
        new SpeakerPolicy(
            config.asn(),
            config.routerId(),
            config.clusterId().value(),
            own,
            Set.of(),
            config.gracefulShutdown());
    this.rib =
        new RibLoop(
            policy,
            new RibSettings(
                new DecisionRules(config.multipath().relax(), config.multipath().maxPaths()),
                config.restart().restarting() && config.restart().enabled(),
                !nextHops.equals(NextHopTracker.NONE),
                random.nextLong()),
            new RibEnvironment(fib, nextHops, clock, this::prefixLimit, this::failed));
  }

  private void prefixLimit(PrefixLimit limit) {
    BgpLog.prefixLimit(limit);
  }

  private void failed(Throwable bug) {
    close(CloseMode.GRACEFUL_RESTART);
  }

  /// Binds the listeners and starts both loops. The sockets belong to the network namespace of the
  /// process.
  ///
  /// @throws IOException when an address cannot be listened on; then nothing is left running
  public static BgpSpeaker start(
      SpeakerConfig config, FibListener fib, InstantSource clock, RandomGenerator random)
      throws IOException {
    return start(config, fib, NextHopTracker.NONE, clock, random);
  }

  /// The same, with somebody who watches next hops.
  ///
  /// @throws IOException when an address cannot be listened on; then nothing is left running
  public static BgpSpeaker start(
      SpeakerConfig config,
      FibListener fib,
      NextHopTracker nextHops,
      InstantSource clock,
      RandomGenerator random)
      throws IOException {
    BgpSpeaker speaker = new BgpSpeaker(config, fib, nextHops, clock, random);
    try {
      speaker.transport.listen(config.listen());
    } catch (IOException cannotListen) {
      speaker.transport.stop(Duration.ZERO);
      throw cannotListen;
    }
    speaker.rib.start();
    speaker
        .transport
        .loop()
        .schedule(
            speaker.rib::postEndDeferral,
            config.restart().deferral().toMillis(),
            TimeUnit.MILLISECONDS);
    return speaker;
  }

  private void connectionAccepted(Channel channel) {
    IpAddress address = Endpoints.of(channel).remote().address();
    PeerSession session = sessions.get(address);
    if (session == null) {
      Instant now = clock.instant();
      if (now.isAfter(strangerLogged.plus(STRANGER_LOG_INTERVAL))) {
        BgpLog.stranger(address, strangersUnlogged);
        strangerLogged = now;
        strangersUnlogged = 0;
      } else {
        strangersUnlogged++;
      }
      channel.close();
      return;
    }
    transport.adopt(channel, session.config().connection().ttl());
    session.accepted(channel);
  }

  /// The peers there should be. Sessions of unchanged peers are not touched. The first call also
  /// says whom to expect End-of-RIB from.
  ///
  /// @throws IllegalArgumentException when two entries have one address
  public void configure(Collection<PeerConfig> peers) {
    Map<IpAddress, PeerConfig> desired = new TreeMap<>();
    for (PeerConfig peer : peers) {
      if (desired.put(address(peer), peer) != null) {
        throw new IllegalArgumentException("peer " + peer.remote() + " is configured twice");
      }
    }
    transport.loop().execute(() -> reconcile(desired));
  }

  private void reconcile(Map<IpAddress, PeerConfig> desired) {
    if (closed) {
      return;
    }
    for (PeerSession session : List.copyOf(sessions.values())) {
      IpAddress address = address(session.config());
      PeerConfig wanted = desired.get(address);
      if (wanted == null) {
        session.stop(Notification.of(Notification.CEASE, Notification.CEASE_PEER_REMOVED));
        sessions.remove(address);
        continue;
      }
      String reset = whatForcesReset(session.config(), wanted);
      if (reset == null) {
        session.reconfigure(wanted);
      } else {
        BgpLog.configurationResets(address, reset);
        session.stop(Notification.of(Notification.CEASE, Notification.CEASE_CONFIGURATION_CHANGE));
        sessions.remove(address);
      }
    }
    transport.expect(desired.values().stream().map(BgpSpeaker::expected).toList());
    Map<ScopedAddress, RibPeer> peers = new HashMap<>();
    desired.forEach(
        (address, peer) ->
            peers.put(ScopedAddress.of(address), new RibPeer(peer.families(), peer.policy())));
    rib.postConfigure(peers);
    desired.forEach(
        (address, peer) -> {
          if (!sessions.containsKey(address)) {
            PeerSession session = new PeerSession(config, peer, transport, rib, clock, random);
            sessions.put(address, session);
            session.start();
          }
        });
  }

  /// What the protocol cannot change within a session.
  private static @Nullable String whatForcesReset(PeerConfig before, PeerConfig after) {
    if (!before.asn().equals(after.asn())) {
      return "asn";
    }
    if (!Objects.equals(before.connection(), after.connection())) {
      return "connection";
    }
    if (!before.families().equals(after.families())
        || before.gracefulRestart() != after.gracefulRestart()) {
      return "capabilities";
    }
    if (!before.timers().equals(after.timers())) {
      return "timers";
    }
    return before.nextHops().equals(after.nextHops()) ? null : "next hop";
  }

  private static IpAddress address(PeerConfig peer) {
    return switch (peer.remote()) {
      case Remote.At(ScopedAddress address) -> address.address();
      case Remote.Within(Prefix range, int _) -> range.address();
    };
  }

  private static ExpectedPeer expected(PeerConfig peer) {
    return switch (peer.remote()) {
      case Remote.At(ScopedAddress address) ->
          ExpectedPeer.host(address, peer.connection().ttl(), peer.connection().password());
      case Remote.Within(Prefix range, int _) ->
          ExpectedPeer.range(range, peer.connection().ttl(), peer.connection().password());
    };
  }

  /// The own prefixes there should be.
  ///
  /// @throws IllegalArgumentException when a prefix occurs twice
  public void originate(Set<OriginatedRoute> routes) {
    Map<Prefix, PathAttributes> attributes = new HashMap<>();
    for (OriginatedRoute route : routes) {
      List<PathAttribute> all = new ArrayList<>();
      all.add(new PathAttribute.Origin(PathAttribute.OriginCode.IGP));
      all.add(new PathAttribute.AsPathAttribute(AsPath.EMPTY));
      if (!route.communities().isEmpty()) {
        all.add(new PathAttribute.Communities(List.<Community>copyOf(route.communities())));
      }
      if (attributes.put(route.prefix(), PathAttributes.of(all)) != null) {
        throw new IllegalArgumentException("prefix " + route.prefix() + " is originated twice");
      }
    }
    rib.postOriginate(attributes);
  }

  /// Ranges of our own: what a peer announces inside, equal to or around one of them (a default
  /// route excepted) is not imported.
  public void importGuard(Set<Prefix> ownRanges) {
    synchronized (this) {
      policy = policy.withGuard(OwnRanges.of(ownRanges));
      rib.postSpeaker(policy);
    }
  }

  /// What is known of the next hops that {@link NextHopTracker#track} named; others cannot be
  /// reached.
  public void nextHops(Map<IpAddress, Reachability> known) {
    rib.postNextHops(Map.copyOf(known));
  }

  /// @throws IllegalStateException when the speaker is closed or a loop does not answer
  public SpeakerStatus status() {
    Map<IpAddress, Map<IpFamily, PeerStatus.FamilyStatus>> counts = new HashMap<>();
    List<PeerConfig> configs =
        answer(
            transport
                .loop()
                .submit(() -> sessions.values().stream().map(PeerSession::config).toList()));
    record RibView(
        Set<IpFamily> awaiting,
        int originated,
        Map<ScopedAddress, Map<IpFamily, FamilyCounts>> counts) {}
    RibView view =
        answer(
            rib.ask(
                table ->
                    new RibView(
                        table.awaitingEndOfRib(), originated(table), table.reader().counts())));
    for (PeerConfig peer : configs) {
      counts.put(
          address(peer),
          families(peer, view.counts().getOrDefault(ScopedAddress.of(address(peer)), Map.of())));
    }
    List<PeerStatus> peers =
        answer(
            transport
                .loop()
                .submit(
                    () ->
                        sessions.values().stream()
                            .map(
                                session ->
                                    session.status(
                                        counts.getOrDefault(address(session.config()), Map.of())))
                            .toList()));
    return new SpeakerStatus(
        config.asn(), config.routerId(), view.awaiting(), view.originated(), peers);
  }

  private static int originated(Rib table) {
    int originated = 0;
    for (IpFamily family : IpFamily.values()) {
      originated += table.reader().table(family).originated();
    }
    return originated;
  }

  private static Map<IpFamily, PeerStatus.FamilyStatus> families(
      PeerConfig peer, Map<IpFamily, FamilyCounts> known) {
    Map<IpFamily, PeerStatus.FamilyStatus> families = new EnumMap<>(IpFamily.class);
    for (IpFamily family : peer.families()) {
      FamilyCounts counts = known.get(family);
      if (counts != null) {
        families.put(
            family,
            new PeerStatus.FamilyStatus(
                counts.negotiated(),
                counts.received(),
                counts.accepted(),
                counts.stale(),
                counts.discarded(),
                counts.best(),
                counts.advertised(),
                counts.toTell(),
                counts.endOfRibReceived(),
                counts.endOfRibSent()));
      }
    }
    return families;
  }

  /// Every known route, ascending. A list of objects: for a large table {@link #routes(RouteQuery,
  /// Consumer)}.
  public List<RouteStatus> routes() {
    List<RouteStatus> all = new ArrayList<>();
    routes(RouteQuery.ALL, all::add);
    return all;
  }

  /// Lists routes ascending, a page at a time, on the caller's thread.
  public void routes(RouteQuery query, Consumer<RouteStatus> each) {
    listing.routes(query, each);
  }

  /// What the peer was told, ascending; empty for an unknown peer.
  public List<AdvertisedStatus> advertised(IpAddress peer) {
    List<AdvertisedStatus> all = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      listing.advertised(ScopedAddress.of(peer), family, all::add);
    }
    return all;
  }

  /// Lists what a peer was told, ascending, a page at a time, on the caller's thread.
  public void advertised(ScopedAddress peer, IpFamily family, Consumer<AdvertisedStatus> each) {
    listing.advertised(peer, family, each);
  }

  /// Everything known of a prefix; empty when nothing is.
  public Optional<RouteDetail> route(Prefix prefix) {
    return answer(rib.ask(table -> RouteReports.detail(table.reader(), prefix)));
  }

  /// Everything known of the longest prefix an address is in that something was chosen for.
  public Optional<RouteDetail> lookup(IpAddress address) {
    return answer(
        rib.ask(
            table ->
                table
                    .reader()
                    .longestMatch(address, true)
                    .flatMap(prefix -> RouteReports.detail(table.reader(), prefix))));
  }

  /// How large the table of a family is.
  public TableCounts table(IpFamily family) {
    return answer(rib.ask(table -> table.reader().table(family)));
  }

  private static <T> T answer(Future<T> question) {
    try {
      return question.get(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while asking the BGP speaker", interrupted);
    } catch (ExecutionException | TimeoutException failed) {
      throw new IllegalStateException("the BGP speaker does not answer: is it closed?", failed);
    }
  }

  /// Ends all sessions, waits a bounded time for what must still be sent, and stops the loops. A
  /// second call does nothing.
  public void close(CloseMode mode) {
    if (transport.loop().isShuttingDown()) {
      return;
    }
    Notification notification =
        switch (mode) {
          case SHUTDOWN -> Notification.of(Notification.CEASE, Notification.CEASE_SHUTDOWN);
          case GRACEFUL_RESTART -> null;
        };
    transport
        .loop()
        .submit(
            () -> {
              closed = true;
              sessions.values().forEach(session -> session.stop(notification));
            })
        .awaitUninterruptibly(ANSWER_TIMEOUT.toMillis());
    transport.stop(CLOSE_LINGER);
    rib.stop();
  }
}
