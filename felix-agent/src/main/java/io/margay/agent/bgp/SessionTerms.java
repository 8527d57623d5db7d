package io.margay.agent.bgp;

import io.margay.agent.calc.ClusterView;
import io.margay.agent.settings.AgentSettings;
import io.margay.bgp.bfd.BfdParameters;
import io.margay.bgp.message.Capability;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.LocalAs;
import io.margay.bgp.policy.NextHopMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.policy.RouteFilter;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.transport.Password;
import io.margay.bgp.transport.Ttl;
import io.margay.model.net.Asn;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.BGPPeerSpec;
import io.margay.model.resource.SecretKeyRef;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A session that is asked for, in the speaker's terms.
final class SessionTerms {

  /// Hold time offered to peers: three keepalives of the BGPPeer's keepaliveTime, or this. Shorter
  /// than the 90 s of RFC 4271 because few peers run BFD.
  static final Duration HOLD_TIME = Duration.ofSeconds(9);

  /// A third of the hold times a speaker may offer besides none at all: 3 to 65535 s (RFC 4271
  /// §4.2).
  private static final Duration MIN_KEEPALIVE = Duration.ofSeconds(1);

  private static final Duration MAX_KEEPALIVE = Duration.ofSeconds(65_535 / 3);

  private static final Duration CONNECT_RETRY = Duration.ofSeconds(1);

  /// A BGPPeer is itself the policy: everything in (less the guard), the node's own blocks out.
  private static final PeerPolicy POLICY =
      PeerPolicy.builder().importMode(ImportMode.ACCEPT).exportMode(ExportMode.OWN).build();

  private final SpeakerIdentity self;
  private final AgentSettings.Bgp settings;
  private final List<LinkAddress> links;
  private final FilterPlan filters;
  private final Passwords passwords;

  SessionTerms(
      SpeakerIdentity self,
      AgentSettings.Bgp settings,
      ClusterView view,
      List<LinkAddress> links,
      Passwords passwords) {
    this.self = self;
    this.settings = settings;
    this.links = links;
    this.filters = new FilterPlan(view, self.clusterId().isPresent());
    this.passwords = passwords;
  }

  /// @throws NotServedException when the session can't be what it should be
  PeerConfig of(Peering peering) throws NotServedException {
    BGPPeerSpec spec = peering.spec();
    refuseReservedAs(peering);
    List<LinkAddress> shared = sharedLink(peering);
    PeerPolicy policy = policy(peering);
    boolean onLink = !shared.isEmpty() || peering.address().scope() != null;
    // BFD of one hop is what a neighbour on the link speaks, whatever its AS (RFC 5881 §1).
    boolean isAdjacent = onLink && (!isInternal(peering) || peering.bfd().isPresent());
    return PeerConfig.builder(peering.address(), peering.asn(), policy)
        .description(peering.description())
        .port(peering.port())
        .localAddress(localAddress(peering, shared))
        .passive(peering.passive())
        .families(peering.families())
        .holdTime(holdTime(spec))
        .connectRetry(CONNECT_RETRY)
        .ttl(ttl(spec, isAdjacent))
        .password(password(spec))
        .gracefulRestart(settings.gracefulRestart())
        .restartTime(restartTime(spec))
        .routeReflectorClient(isClient(peering))
        .nextHops(nextHops(peering, shared))
        .bfd(bfd(peering))
        .build();
  }

  private static void refuseReservedAs(Peering peering) throws NotServedException {
    if (peering.asn().toLong() == 0) {
      throw new NotServedException("spec.asNumber 0 is reserved (RFC 7607)");
    }
    Asn local = peering.spec().localASNumber();
    if (local != null && local.toLong() == 0) {
      throw new NotServedException("spec.localASNumber 0 is reserved (RFC 7607)");
    }
  }

  /// What our OPEN names. The end a BGPPeer points at shows its own AS: the other is its holder's.
  private Asn shownAsn(Peering peering) {
    Asn other = peering.spec().localASNumber();
    return other == null || peering.reversed() ? self.asn() : other;
  }

  private boolean isInternal(Peering peering) {
    return peering.asn().equals(shownAsn(peering));
  }

  /// A reflector reflects to every peer of its AS that does not reflect for the same cluster.
  private boolean isClient(Peering peering) {
    return isInternal(peering)
        && self.clusterId().isPresent()
        && !peering.clusterId().equals(self.clusterId().get().toString());
  }

  /// Our addresses on the link the peer is on, that of its subnet first; empty: on none.
  private List<LinkAddress> sharedLink(Peering peering) throws NotServedException {
    IpAddress peer = peering.address().address();
    InterfaceName scope = peering.address().scope();
    if (scope == null && peer.isLinkLocal() && peer.family() == IpFamily.IPV6) {
      throw new NotServedException(
          "spec.peerIP "
              + peer
              + " is link-local and must name its interface, as in "
              + peer
              + "%eth0");
    }
    Optional<LinkAddress> own =
        links.stream()
            .filter(
                link ->
                    scope == null
                        ? link.subnet().contains(peer)
                        : link.link().equals(scope) && link.address().isLinkLocal())
            .findFirst();
    List<LinkAddress> shared = new ArrayList<>();
    own.ifPresent(
        first -> {
          shared.add(first);
          links.stream()
              .filter(link -> link.link().equals(first.link()) && !link.equals(first))
              .forEach(shared::add);
        });
    return shared;
  }

  /// The node's own address (`sourceAddress: UseNodeIP`), else ours on the peer's link; where there
  /// is neither, and towards link-local peers, the kernel chooses.
  private @Nullable IpAddress localAddress(Peering peering, List<LinkAddress> shared) {
    if (peering.address().scope() != null) {
      return null;
    }
    IpAddress node = self.nextHops().get(peering.address().family());
    if (peering.spec().usesNodeAddress() && node != null) {
      return node;
    }
    return shared.isEmpty() ? null : shared.getFirst().address();
  }

  private PeerPolicy policy(Peering peering) throws NotServedException {
    BGPPeerSpec spec = peering.spec();
    PeerPolicy.Builder policy = POLICY.toBuilder().nextHop(nextHopMode(peering));
    Integer allowed = spec.numAllowedLocalASNumbers();
    if (allowed != null) {
      if (allowed < 0 || allowed > PeerPolicy.MAX_ALLOW_LOCAL_AS) {
        throw new NotServedException(
            "spec.numAllowedLocalASNumbers "
                + allowed
                + " is not in 0.."
                + PeerPolicy.MAX_ALLOW_LOCAL_AS);
      }
      policy.allowLocalAs(allowed);
    }
    Asn shown = shownAsn(peering);
    if (!shown.equals(self.asn())) {
      policy.localAs(LocalAs.replacing(shown));
    }
    List<RouteFilter> all = filters.named(spec.filters());
    return policy.filters(all).build();
  }

  private NextHopMode nextHopMode(Peering peering) {
    return switch (peering.spec().effectiveNextHopMode()) {
      case AUTO -> NextHopMode.AUTO;
      case SELF -> NextHopMode.SELF;
      // The deprecated field is for external peers only.
      case KEEP ->
          peering.spec().nextHopMode() == null && isInternal(peering)
              ? NextHopMode.AUTO
              : NextHopMode.KEEP;
    };
  }

  private static Duration holdTime(BGPPeerSpec spec) throws NotServedException {
    Duration keepalive = spec.keepaliveTime();
    if (keepalive == null || keepalive.isZero()) {
      return HOLD_TIME;
    }
    if (keepalive.compareTo(MIN_KEEPALIVE) < 0 || keepalive.compareTo(MAX_KEEPALIVE) > 0) {
      throw new NotServedException(
          "spec.keepaliveTime "
              + keepalive.toMillis()
              + " ms is not in "
              + MIN_KEEPALIVE.toSeconds()
              + ".."
              + MAX_KEEPALIVE.toSeconds()
              + " s");
    }
    return keepalive.multipliedBy(3).truncatedTo(ChronoUnit.SECONDS);
  }

  private static @Nullable Duration restartTime(BGPPeerSpec spec) throws NotServedException {
    Duration asked = spec.maxRestartTime();
    if (asked == null) {
      return null;
    }
    // As Calico does: whole seconds, the nearest.
    Duration rounded = asked.plusMillis(500).truncatedTo(ChronoUnit.SECONDS);
    if (rounded.toSeconds() < 1
        || rounded.toSeconds() > Capability.GracefulRestart.MAX_RESTART_SECONDS) {
      throw new NotServedException(
          "the restart time of "
              + asked.toMillis()
              + " ms is not in 1.."
              + Capability.GracefulRestart.MAX_RESTART_SECONDS
              + " s");
    }
    return rounded;
  }

  private static Ttl ttl(BGPPeerSpec spec, boolean isAdjacent) throws NotServedException {
    Integer hops = spec.ttlSecurity();
    if (hops == null) {
      return isAdjacent ? Ttl.adjacent() : Ttl.multihop(Ttl.MAX);
    }
    if (hops < 1 || hops > Ttl.MAX) {
      throw new NotServedException("spec.ttlSecurity " + hops + " is not in 1.." + Ttl.MAX);
    }
    return Ttl.secured(hops);
  }

  private @Nullable Password password(BGPPeerSpec spec) throws NotServedException {
    if (spec.password() == null) {
      return null;
    }
    SecretKeyRef ref = spec.password().secretKeyRef();
    if (ref == null) {
      throw new NotServedException("the password has no secretKeyRef");
    }
    return switch (passwords.find(ref)) {
      case Passwords.Answer.Found(Password password) -> password;
      case Passwords.Answer.Pending() ->
          throw NotServedException.notYet("the password is being looked for");
      case Passwords.Answer.Missing(String reason) ->
          throw new NotServedException(
              "the password, key " + ref.key() + " of secret " + ref.name() + ": " + reason);
    };
  }

  private static @Nullable BfdParameters bfd(Peering peering) throws NotServedException {
    if (peering.bfd().isEmpty()) {
      return null;
    }
    try {
      return BfdWish.parse(peering.bfd().get());
    } catch (IllegalArgumentException malformed) {
      throw new NotServedException(
          "annotation " + PeerPlan.BFD_ANNOTATION + ": " + malformed.getMessage());
    }
  }

  /// On a shared link the peer can resolve our addresses on that link, whatever family the session
  /// runs over; elsewhere the node's own addresses must do. A link without an IPv4 address has IPv4
  /// routes with an IPv6 next hop (RFC 8950), which the speaker sees to.
  private static Map<IpFamily, IpAddress> nextHops(Peering peering, List<LinkAddress> shared) {
    Map<IpFamily, IpAddress> hops = new EnumMap<>(IpFamily.class);
    for (LinkAddress candidate : shared) {
      if (!candidate.address().isLinkLocal()) {
        hops.putIfAbsent(candidate.address().family(), candidate.address());
      }
    }
    if (!shared.isEmpty() && peering.address().scope() == null) {
      IpAddress session = shared.getFirst().address();
      hops.put(session.family(), session);
    }
    return hops;
  }
}
