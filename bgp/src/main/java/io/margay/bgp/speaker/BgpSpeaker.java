package io.margay.bgp.speaker;

import io.margay.bgp.bfd.BfdChange;
import io.margay.bgp.bfd.BfdPeer;
import io.margay.bgp.bfd.BfdSessions;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.policy.OwnRanges;
import io.margay.bgp.policy.SpeakerPolicy;
import io.margay.bgp.rib.DecisionRules;
import io.margay.bgp.rib.FamilyCounts;
import io.margay.bgp.rib.PrefixLimit;
import io.margay.bgp.rib.Reachability;
import io.margay.bgp.rib.Rib;
import io.margay.bgp.rib.RibReader;
import io.margay.bgp.rib.RibSettings;
import io.margay.bgp.rib.TableCounts;
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
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/// A BGP-4 speaker (RFC 4271) for a node.
///
/// Everything is desired state: peers, own prefixes and the import guard are handed over whole, and
/// the speaker works out what changed. Methods may be called from any thread but the loops; they
/// return once the change is queued.
public final class BgpSpeaker {

  /// Longest wait for an answer of the loops before they count as stuck.
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);

  /// How long the last messages may take to leave.
  private static final Duration CLOSE_LINGER = Duration.ofMillis(500);

  private final SpeakerConfig config;
  private final FailureListener failures;
  private final Transport transport;
  private final NettyClock clock;
  private final BfdSessions bfd;
  private final RibLoop rib;
  private final PeerTable peers;
  private final RouteListing listing;
  private final AtomicBoolean failed = new AtomicBoolean();

  /// Guarded by `this`.
  private SpeakerPolicy policy;

  private BgpSpeaker(
      SpeakerConfig config,
      FibListener fib,
      NextHopTracker nextHops,
      FailureListener failures,
      InstantSource instants,
      RandomGenerator random) {
    this.config = config;
    this.failures = failures;
    this.listing =
        new RouteListing(
            new RouteListing.Loop() {
              @Override
              public <T> T ask(Function<RibReader, T> question) {
                return answer(rib.ask(table -> question.apply(table.reader())));
              }
            });
    this.transport = new Transport(this::accepted);
    this.clock = new NettyClock(transport.loop(), instants, this::ioFailed);
    this.bfd = BfdSessions.start(this::bfdChanged);
    this.policy = Terms.policy(config);
    this.rib =
        new RibLoop(
            policy,
            new RibSettings(
                new DecisionRules(config.multipath().relax(), config.multipath().maxPaths()),
                config.restart().restarting() && config.restart().enabled(),
                !nextHops.equals(NextHopTracker.NONE),
                random.nextLong(),
                config.restart().enabled()
                    && (config.restart().restarting() || fib.equals(FibListener.NONE))),
            new RibEnvironment(
                fib, nextHops, instants, this::prefixLimit, bug -> failed("bgp-rib", bug)));
    this.peers =
        new PeerTable(
            config,
            clock,
            random,
            new NettyNetwork(transport, clock),
            rib,
            bfd::desire,
            this::ioFailed);
  }

  /// Binds the listeners and starts the loops, with nobody who watches next hops. The sockets
  /// belong to the network namespace of the process.
  ///
  /// @throws IOException when an address cannot be listened on; then nothing is left running
  public static BgpSpeaker start(
      SpeakerConfig config, FibListener fib, InstantSource clock, RandomGenerator random)
      throws IOException {
    return start(config, fib, NextHopTracker.NONE, FailureListener.NONE, clock, random);
  }

  /// Binds the listeners and starts the loops. The sockets belong to the network namespace of the
  /// process.
  ///
  /// @throws IOException when an address cannot be listened on; then nothing is left running
  public static BgpSpeaker start(
      SpeakerConfig config,
      FibListener fib,
      NextHopTracker nextHops,
      FailureListener failures,
      InstantSource clock,
      RandomGenerator random)
      throws IOException {
    BgpSpeaker speaker = prepare(config, fib, nextHops, failures, clock, random);
    try {
      speaker.listen(config.listen());
    } catch (IOException cannotListen) {
      speaker.close(CloseMode.GRACEFUL_RESTART);
      throw cannotListen;
    }
    return speaker;
  }

  /// A speaker whose loops run but that listens nowhere yet: configured before {@link #listen}, it
  /// knows its peers and their passwords before the first of them connects.
  public static BgpSpeaker prepare(
      SpeakerConfig config,
      FibListener fib,
      NextHopTracker nextHops,
      FailureListener failures,
      InstantSource clock,
      RandomGenerator random) {
    BgpSpeaker speaker = new BgpSpeaker(config, fib, nextHops, failures, clock, random);
    speaker.rib.start();
    speaker.clock.schedule(config.restart().deferral(), speaker.rib::postEndDeferral);
    return speaker;
  }

  private void accepted(Channel channel) {
    clock.guard(() -> peers.accepted(new NettyWire(transport, channel)));
  }

  private void bfdChanged(BfdPeer about, BfdChange change) {
    clock.execute(() -> peers.bfdChanged(about, change));
  }

  private void prefixLimit(PrefixLimit limit) {
    clock.execute(() -> peers.prefixLimit(limit));
  }

  private void ioFailed(Throwable bug) {
    BgpLog.loopDied("bgp-io", bug);
    failed("bgp-io", bug);
  }

  /// Closing waits for the loops, so it is not for them.
  private void failed(String loop, Throwable bug) {
    if (failed.compareAndSet(false, true)) {
      failures.failed(loop, bug);
      Thread.ofPlatform()
          .name("bgp-closing")
          .daemon()
          .start(() -> close(CloseMode.GRACEFUL_RESTART));
    }
  }

  /// The peers there should be. Sessions of unchanged peers are not touched, and of changed ones
  /// only those whose change the protocol cannot make within a session; the log names the field.
  /// The first call also says whom to expect End-of-RIB from.
  ///
  /// @throws IllegalArgumentException when two entries have one remote, or two peers behind one
  ///   listener have one address and different passwords
  public void configure(Collection<PeerConfig> wanted) {
    Map<Remote, PeerConfig> desired = PeerTable.byRemote(wanted);
    Transport.check(config.listen(), desired.values().stream().map(PeerTable::expected).toList());
    clock.execute(() -> peers.configure(desired));
  }

  /// What {@link #configure} would do to each entry, and what forces it; changes nothing.
  ///
  /// @throws IllegalArgumentException when two entries have one remote
  /// @throws IllegalStateException when the speaker is closed or a loop does not answer
  public List<PeerChange> plan(Collection<PeerConfig> wanted) {
    Map<Remote, PeerConfig> desired = PeerTable.byRemote(wanted);
    return answer(transport.loop().submit(() -> peers.plan(desired)));
  }

  /// Listens on these addresses and no others; established sessions stay.
  ///
  /// @throws IOException when one cannot be listened on, saying why; then everything is as before
  public void listen(Set<ListenAddress> desired) throws IOException {
    Map<ExpectedPeer, String> refused = transport.listen(desired);
    if (!refused.isEmpty()) {
      clock.execute(() -> peers.passwordsRefused(refused));
    }
  }

  /// The own prefixes there should be.
  ///
  /// @throws IllegalArgumentException when a prefix occurs twice
  public void originate(Set<OriginatedRoute> routes) {
    Map<Prefix, PathAttributes> attributes = new HashMap<>();
    for (OriginatedRoute route : routes) {
      if (attributes.put(route.prefix(), route.attributes()) != null) {
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

  /// Drains the node, or ends that: while drained every exported route carries GRACEFUL_SHUTDOWN,
  /// so that peers take other ways before the node goes away (RFC 8326 §4.1). No session is
  /// touched.
  public void gracefulShutdown(boolean drained) {
    synchronized (this) {
      policy = policy.withGracefulShutdown(drained);
      rib.postSpeaker(policy);
    }
  }

  /// Ends the session with a peer, telling it why (RFC 9003); it is set up again.
  ///
  /// @param text for the peer's operators, up to 255 octets of UTF-8; may be empty
  /// @return whether there is such a peer
  /// @throws IllegalStateException when the speaker is closed or a loop does not answer
  public boolean reset(ScopedAddress peer, String text) {
    Notification reset = Notification.shutdown(Notification.CEASE_RESET, text);
    return answer(transport.loop().submit(() -> peers.reset(peer, reset)));
  }

  /// The way to these peers is gone, the link to them for example: their sessions end at once and
  /// nothing of theirs is kept, instead of packets being sent their way as soon as the link is back
  /// and before they know where to (fast external failover). Returns at once.
  ///
  /// @param cause for logs and the peers' operators, up to 255 octets
  public void pathDown(Set<ScopedAddress> gone, String cause) {
    clock.execute(() -> gone.forEach(peer -> peers.pathDown(peer, cause)));
  }

  /// What is known of the next hops that {@link NextHopTracker#track} named; others cannot be
  /// reached.
  public void nextHops(Map<IpAddress, Reachability> known) {
    rib.postNextHops(Map.copyOf(known));
  }

  /// Runs `answer` when the table's loop and after it the sockets' have come to it: never, if one
  /// of them is stuck or the speaker is closed. Returns at once.
  public void probe(Runnable answer) {
    rib.ask(_ -> transport.loop().submit(answer));
  }

  /// @throws IllegalStateException when the speaker is closed or a loop does not answer
  public SpeakerStatus status() {
    record RibView(
        Set<IpFamily> awaiting,
        int originated,
        boolean drained,
        Map<ScopedAddress, Map<IpFamily, FamilyCounts>> counts) {}
    boolean drained;
    synchronized (this) {
      drained = policy.gracefulShutdown();
    }
    RibView view =
        answer(
            rib.ask(
                table ->
                    new RibView(
                        table.awaitingEndOfRib(),
                        originated(table),
                        drained,
                        table.reader().counts())));
    return new SpeakerStatus(
        config.asn(),
        config.routerId(),
        config.clusterId(),
        view.drained(),
        view.awaiting(),
        view.originated(),
        answer(transport.loop().submit(() -> peers.status(view.counts()))));
  }

  private static int originated(Rib table) {
    int originated = 0;
    for (IpFamily family : IpFamily.values()) {
      originated += table.reader().table(family).originated();
    }
    return originated;
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
    close(mode, "");
  }

  /// The same with a word to the peers' operators (RFC 9003), where a shutdown has one.
  ///
  /// @param text up to 255 octets of UTF-8; may be empty
  public void close(CloseMode mode, String text) {
    if (transport.loop().isShuttingDown()) {
      return;
    }
    Notification notification =
        switch (mode) {
          case SHUTDOWN -> Notification.shutdown(Notification.CEASE_SHUTDOWN, text);
          case GRACEFUL_RESTART -> {
            rib.postLeave();
            yield null;
          }
        };
    transport
        .loop()
        .submit(() -> peers.close(notification))
        .awaitUninterruptibly(ANSWER_TIMEOUT.toMillis());
    bfd.stop();
    transport.stop(CLOSE_LINGER);
    rib.stop();
  }
}
