package io.margay.agent.bgp;

import io.margay.bgp.policy.SpeakerPolicy;
import io.margay.bgp.speaker.BgpSpeaker;
import io.margay.bgp.speaker.CloseMode;
import io.margay.bgp.speaker.FailureListener;
import io.margay.bgp.speaker.FibListener;
import io.margay.bgp.speaker.NextHopTracker;
import io.margay.bgp.speaker.OriginatedRoute;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.speaker.PeerStatus;
import io.margay.bgp.speaker.SessionPhase;
import io.margay.bgp.speaker.SpeakerConfig;
import io.margay.bgp.speaker.SpeakerStatus;
import io.margay.bgp.transport.ListenAddress;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the node's speaker in step with the cluster's resources. The calc loop calls everything
/// but the views; the speaker diffs what it is handed.
public final class BgpGlue {

  private static final Logger LOG = LoggerFactory.getLogger(BgpGlue.class);

  /// How long an end waits until peers have been told again what they kept.
  private static final Duration TELLING = Duration.ofSeconds(5);

  private static final Duration PAUSE = Duration.ofMillis(20);

  private final FibListener fib;
  private final boolean gracefulRestart;
  private final boolean isRestart;
  private final Duration telling;
  private final InstantSource clock;
  private final InstantSource steady;
  private final Optional<PasswordWatch> passwords;
  private final Isolation isolation;
  private final RandomGenerator random;
  private volatile FailureListener failures = FailureListener.NONE;
  private volatile @Nullable BgpSpeaker speaker;

  /// The last question whether the speaker's loops run, which one that is replaced leaves open.
  private volatile Runnable probe = () -> {};

  private @Nullable SpeakerIdentity identity;
  private volatile List<String> problems = List.of();
  private boolean restarting;
  private volatile Optional<DrainOrder> drain = Optional.empty();
  private volatile boolean withdrawn;

  /// When peers have been warned for long enough, by `steady`; means nothing without an order.
  private Instant warnedUntil = Instant.EPOCH;

  private volatile Map<ScopedAddress, PeerOrigin> origins = Map.of();
  private volatile Map<ScopedAddress, InterfaceName> peerLinks = Map.of();
  private volatile Instant configured;
  private List<PeerConfig> wanted = List.of();
  private Set<OriginatedRoute> announced = Set.of();
  private Set<Prefix> guarded = Set.of();

  /// Without passwords.
  ///
  /// @param restarting whether an earlier process of this node left BGP routes in the kernel
  public BgpGlue(
      FibListener fib,
      boolean gracefulRestart,
      boolean restarting,
      InstantSource clock,
      RandomGenerator random) {
    this(fib, gracefulRestart, restarting, Optional.empty(), clock, clock, random);
  }

  /// @param restarting whether an earlier process of this node left BGP routes in the kernel
  /// @param passwords keeps up with the passwords of sessions
  /// @param clock the time of day
  /// @param steady a clock that nobody sets, for how long something lasts
  public BgpGlue(
      FibListener fib,
      boolean gracefulRestart,
      boolean restarting,
      Optional<PasswordWatch> passwords,
      InstantSource clock,
      InstantSource steady,
      RandomGenerator random) {
    this(fib, gracefulRestart, restarting, passwords, clock, steady, random, TELLING);
  }

  BgpGlue(
      FibListener fib,
      boolean gracefulRestart,
      boolean restarting,
      Optional<PasswordWatch> passwords,
      InstantSource clock,
      InstantSource steady,
      RandomGenerator random,
      Duration telling) {
    this.isRestart = restarting;
    this.telling = telling;
    this.passwords = passwords;
    this.fib = fib;
    this.gracefulRestart = gracefulRestart;
    this.restarting = restarting;
    this.clock = clock;
    this.steady = steady;
    this.configured = clock.instant();
    this.isolation = new Isolation(clock, steady);
    this.random = random;
  }

  /// The passwords to work out the next intent with; the one before is forgotten about.
  public Passwords passwords() {
    return passwords.map(PasswordWatch::begin).orElse(Passwords.NONE);
  }

  /// Makes the speaker what the intent says. A changed AS, router id, cluster id or port needs a
  /// new speaker, and so resets all sessions, which is logged.
  ///
  /// @return when to call again though nothing has changed; empty: only when something has
  /// @throws IOException when the BGP port can't be listened on
  public Optional<Duration> configure(BgpIntent intent) throws IOException {
    if (!intent.problems().equals(problems)) {
      problems = intent.problems();
      problems.forEach(
          problem ->
              LOG.atWarn().addKeyValue("problem", problem).log("a BGP resource is not served"));
    }
    Optional<Duration> again = takeOrder(intent.drain());
    List<PeerConfig> peers = withdrawn ? Drain.silenced(intent.peers()) : intent.peers();
    if (!peers.equals(wanted)) {
      wanted = peers;
      configured = clock.instant();
    }
    origins = intent.origins();
    peerLinks = intent.links();
    if (!intent.identity().equals(identity)) {
      BgpSpeaker old = speaker;
      if (old != null) {
        LOG.atWarn()
            .addKeyValue("from", identity)
            .addKeyValue("to", intent.identity())
            .log("the BGP identity changed; all sessions are reset");
        old.close(CloseMode.SHUTDOWN);
        // Until another has started there is none: a closed one answers nobody.
        speaker = null;
        identity = null;
      }
      speaker = start(intent.identity(), peers);
      probe.run();
      identity = intent.identity();
      restarting = false;
      return again;
    }
    BgpSpeaker current = speaker;
    if (current != null) {
      current.configure(peers);
    }
    return again;
  }

  /// @return how long peers are still to be warned, if they are
  private Optional<Duration> takeOrder(Optional<DrainOrder> order) {
    if (order.isPresent() && !order.equals(drain)) {
      warnedUntil = steady.instant().plus(order.get().remaining(clock.instant()));
    }
    Optional<Duration> left =
        order
            .map(_ -> Duration.between(steady.instant(), warnedUntil))
            .filter(rest -> rest.isPositive());
    boolean withdraws = order.isPresent() && left.isEmpty();
    if (!order.equals(drain) || withdraws != withdrawn) {
      LOG.atInfo()
          .addKeyValue("order", order.map(Object::toString).orElse("none"))
          .log(
              order.isEmpty()
                  ? "the node is no longer drained: it announces its routes"
                  : withdraws
                      ? "the node is drained: its routes are withdrawn"
                      : "the node is drained: its routes are marked GRACEFUL_SHUTDOWN");
    }
    if (order.isPresent() != drain.isPresent()) {
      BgpSpeaker current = speaker;
      if (current != null) {
        current.gracefulShutdown(order.isPresent());
      }
    }
    drain = order;
    withdrawn = withdraws;
    return left;
  }

  private BgpSpeaker start(SpeakerIdentity who, List<PeerConfig> peers) throws IOException {
    Set<ListenAddress> listen =
        who.bindsToNode()
            ? who.nextHops().values().stream()
                .map(address -> ListenAddress.of(ScopedAddress.of(address), who.listenPort()))
                .collect(Collectors.toSet())
            : Set.copyOf(ListenAddress.everywhere(who.listenPort()));
    BgpSpeaker started =
        BgpSpeaker.prepare(
            SpeakerConfig.builder(who.asn(), who.routerId())
                .clusterId(who.clusterId().orElse(who.routerId()))
                .listen(listen)
                .gracefulShutdown(drain.isPresent())
                .defaultLocalPref(SpeakerPolicy.CALICO_LOCAL_PREF)
                .nextHops(who.nextHops())
                .restart(
                    gracefulRestart
                        ? SpeakerConfig.Restart.offered(restarting)
                        : SpeakerConfig.Restart.DISABLED)
                .build(),
            fib,
            NextHopTracker.NONE,
            (loop, bug) -> failures.failed(loop, bug),
            clock,
            random);
    started.importGuard(guarded);
    started.originate(announced);
    started.configure(peers);
    try {
      // Only now: a peer that comes before it is known would be sent away.
      started.listen(listen);
    } catch (IOException refused) {
      started.close(CloseMode.GRACEFUL_RESTART);
      throw refused;
    }
    return started;
  }

  /// @param listener told when a speaker has ended on a bug
  public void tellFailures(FailureListener listener) {
    failures = listener;
  }

  /// A link can't carry packets any more: peers on it lose their sessions, and with them their
  /// routes, at once. From any thread.
  public void linkDown(InterfaceName link) {
    BgpSpeaker current = speaker;
    Set<ScopedAddress> gone =
        peerLinks.entrySet().stream()
            .filter(peer -> peer.getValue().equals(link))
            .map(Map.Entry::getKey)
            .collect(Collectors.toSet());
    if (current != null && !gone.isEmpty()) {
      current.pathDown(gone, "link " + link + " is down");
    }
  }

  /// The routes peers should hear of, all of them.
  ///
  /// @param ownBlocks what must never be imported
  public void announce(Set<OriginatedRoute> routes, Set<Prefix> ownBlocks) {
    announced = Set.copyOf(routes);
    guarded = Set.copyOf(ownBlocks);
    BgpSpeaker current = speaker;
    if (current != null) {
      current.importGuard(guarded);
      current.originate(announced);
    }
  }

  /// The speaker now; empty until the node has an identity. From any thread.
  public Optional<SpeakerStatus> status() {
    return Optional.ofNullable(speaker).map(BgpSpeaker::status);
  }

  /// Peers now. From any thread.
  public List<PeerStatus> peers() {
    return status().map(SpeakerStatus::peers).orElse(List.of());
  }

  /// What can't be served as it is written, one line each. From any thread.
  public List<String> problems() {
    return problems;
  }

  /// Why there is each peer. From any thread.
  public Map<ScopedAddress, PeerOrigin> origins() {
    return origins;
  }

  /// When peers were last given otherwise. From any thread.
  public Instant configured() {
    return configured;
  }

  /// The order to drain that is in force. From any thread.
  public Optional<DrainOrder> drainOrder() {
    return drain;
  }

  /// How far the node is drained. From any thread.
  public DrainState drainState() {
    return Drain.state(drain, withdrawn, peers());
  }

  /// Since when no peer has a session, though there are peers; empty while one has. From any
  /// thread.
  public Optional<Instant> isolatedSince() {
    List<PeerStatus> peers = peers();
    return isolation.look(
        peers.stream().map(peer -> peer.phase() == SessionPhase.ESTABLISHED).toList(),
        peers.stream()
            .map(peer -> peer.history().lastReset())
            .filter(Objects::nonNull)
            .map(PeerStatus.LastEnd::at)
            .max(Comparator.naturalOrder()));
  }

  /// The speaker itself, to be asked; empty until the node has an identity. From any thread.
  public Optional<BgpSpeaker> speaker() {
    return Optional.ofNullable(speaker);
  }

  /// Asks whether the speaker's loops still come to what is handed to them; without a speaker
  /// nobody is stuck. From any thread.
  ///
  /// @param answer may be run more than once
  public void probe(Runnable answer) {
    probe = answer;
    BgpSpeaker current = speaker;
    if (current == null) {
      answer.run();
    } else {
      current.probe(answer);
    }
  }

  /// Leaves without a word, so that peers with graceful restart keep our routes. What they kept for
  /// us already, and we have not told them again, they would give up (RFC 4724 §4.2, "consecutive
  /// restarts"): one that ends soon after its start tells them first.
  public void close() {
    BgpSpeaker current = speaker;
    if (current != null && gracefulRestart && isRestart) {
      awaitTold(current);
    }
    speaker = null;
    if (current != null) {
      current.close(gracefulRestart ? CloseMode.GRACEFUL_RESTART : CloseMode.SHUTDOWN);
    }
  }

  private void awaitTold(BgpSpeaker current) {
    long start = System.nanoTime();
    while (isTelling(current.status()) && System.nanoTime() - start < telling.toNanos()) {
      try {
        Thread.sleep(PAUSE);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private static boolean isTelling(SpeakerStatus status) {
    return status.peers().stream()
        .filter(peer -> peer.phase() == SessionPhase.ESTABLISHED)
        .flatMap(peer -> peer.families().values().stream())
        .anyMatch(family -> family.negotiated() && !family.endOfRibSent());
  }
}
