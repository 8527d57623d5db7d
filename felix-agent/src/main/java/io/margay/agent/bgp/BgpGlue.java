package io.margay.agent.bgp;

import io.margay.bgp.speaker.BgpSpeaker;
import io.margay.bgp.speaker.CloseMode;
import io.margay.bgp.speaker.FailureListener;
import io.margay.bgp.speaker.FibListener;
import io.margay.bgp.speaker.NextHopTracker;
import io.margay.bgp.speaker.OriginatedRoute;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.speaker.PeerStatus;
import io.margay.bgp.speaker.SpeakerConfig;
import io.margay.bgp.speaker.SpeakerStatus;
import io.margay.bgp.transport.ListenAddress;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.io.IOException;
import java.time.InstantSource;
import java.util.LinkedHashSet;
import java.util.List;
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

  /// Where a speaker accepts connections: everywhere, in both families.
  private static final Set<ScopedAddress> EVERYWHERE =
      Set.of(ScopedAddress.parse("0.0.0.0"), ScopedAddress.parse("::"));

  private final FibListener fib;
  private final boolean gracefulRestart;
  private final InstantSource clock;
  private final RandomGenerator random;
  private volatile @Nullable BgpSpeaker speaker;
  private BgpIntent.@Nullable Identity identity;
  private List<String> problems = List.of();
  private boolean restarting;
  private Set<Prefix> announced = Set.of();
  private Set<Prefix> guarded = Set.of();

  /// @param restarting whether an earlier process of this node left BGP routes in the kernel
  public BgpGlue(
      FibListener fib,
      boolean gracefulRestart,
      boolean restarting,
      InstantSource clock,
      RandomGenerator random) {
    this.fib = fib;
    this.gracefulRestart = gracefulRestart;
    this.restarting = restarting;
    this.clock = clock;
    this.random = random;
  }

  /// Makes the speaker what the intent says. A changed AS, router id or port needs a new speaker,
  /// and so resets all sessions, which is logged.
  ///
  /// @throws IOException when the BGP port can't be listened on
  public void configure(BgpIntent intent) throws IOException {
    if (!intent.problems().equals(problems)) {
      problems = intent.problems();
      problems.forEach(
          problem ->
              LOG.atWarn().addKeyValue("problem", problem).log("a BGP resource is not served"));
    }
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
      speaker = start(intent.identity(), intent.peers());
      identity = intent.identity();
      restarting = false;
      return;
    }
    BgpSpeaker current = speaker;
    if (current != null) {
      current.configure(intent.peers());
    }
  }

  private BgpSpeaker start(BgpIntent.Identity who, List<PeerConfig> peers) throws IOException {
    Set<ListenAddress> listen =
        EVERYWHERE.stream()
            .map(address -> ListenAddress.of(address, who.listenPort()))
            .collect(Collectors.toSet());
    BgpSpeaker started =
        BgpSpeaker.prepare(
            SpeakerConfig.builder(who.asn(), who.routerId())
                .listen(listen)
                .nextHops(who.nextHops())
                .restart(
                    gracefulRestart
                        ? SpeakerConfig.Restart.offered(restarting)
                        : SpeakerConfig.Restart.DISABLED)
                .build(),
            fib,
            NextHopTracker.NONE,
            FailureListener.NONE,
            clock,
            random);
    started.importGuard(guarded);
    started.originate(routes(announced));
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

  /// The prefixes peers should hear of, all of them.
  ///
  /// @param ownBlocks what must never be imported
  public void announce(Set<Prefix> prefixes, Set<Prefix> ownBlocks) {
    announced = Set.copyOf(prefixes);
    guarded = Set.copyOf(ownBlocks);
    BgpSpeaker current = speaker;
    if (current != null) {
      current.importGuard(guarded);
      current.originate(routes(announced));
    }
  }

  private static Set<OriginatedRoute> routes(Set<Prefix> prefixes) {
    Set<OriginatedRoute> routes = new LinkedHashSet<>();
    prefixes.forEach(prefix -> routes.add(OriginatedRoute.of(prefix)));
    return routes;
  }

  /// The speaker now; empty until the node has an identity. From any thread.
  public Optional<SpeakerStatus> status() {
    return Optional.ofNullable(speaker).map(BgpSpeaker::status);
  }

  /// Peers now. From any thread.
  public List<PeerStatus> peers() {
    return status().map(SpeakerStatus::peers).orElse(List.of());
  }

  /// The speaker itself, to be asked; empty until the node has an identity. From any thread.
  public Optional<BgpSpeaker> speaker() {
    return Optional.ofNullable(speaker);
  }

  /// Leaves without a word, so that peers with graceful restart keep our routes.
  public void close() {
    BgpSpeaker current = speaker;
    speaker = null;
    if (current != null) {
      current.close(gracefulRestart ? CloseMode.GRACEFUL_RESTART : CloseMode.SHUTDOWN);
    }
  }
}
