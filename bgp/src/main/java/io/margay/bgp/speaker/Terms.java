package io.margay.bgp.speaker;

import io.margay.bgp.codec.CodecContext;
import io.margay.bgp.fsm.Negotiated;
import io.margay.bgp.fsm.Retention;
import io.margay.bgp.fsm.SessionConfig;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.Open;
import io.margay.bgp.policy.ExportSession;
import io.margay.bgp.policy.LocalAs;
import io.margay.bgp.policy.OwnRanges;
import io.margay.bgp.policy.PeerKind;
import io.margay.bgp.policy.RouteSource;
import io.margay.bgp.policy.SpeakerPolicy;
import io.margay.bgp.rib.RibSession;
import io.margay.bgp.transport.Endpoints;
import io.margay.bgp.transport.ListenAddress;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What the configuration means on the wire and in the RIB: pure.
final class Terms {

  private Terms() {}

  /// What a connection's state machine needs.
  ///
  /// @param restarting whether this node is still in the middle of its own restart (R bit)
  static SessionConfig of(
      SpeakerConfig speaker, PeerConfig peer, boolean passive, boolean restarting) {
    Timers timers = peer.timers();
    return new SessionConfig(
        passive,
        peer.asn(),
        open(speaker, peer, restarting),
        timers.connectRetry(),
        timers.keepaliveTime(),
        timers.sendHold());
  }

  /// The AS number our OPEN names.
  static Asn localAsn(SpeakerConfig speaker, PeerConfig peer) {
    @Nullable LocalAs localAs = peer.policy().localAs();
    return localAs == null ? speaker.asn() : localAs.asn();
  }

  private static Open open(SpeakerConfig speaker, PeerConfig peer, boolean restarting) {
    Asn asn = localAsn(speaker, peer);
    List<AfiSafi> families = peer.families().stream().sorted().map(AfiSafi::unicast).toList();
    List<Capability> capabilities = new ArrayList<>();
    for (AfiSafi family : families) {
      capabilities.add(new Capability.MultiProtocol(family));
    }
    capabilities.add(new Capability.RouteRefreshing());
    if (peer.families().contains(IpFamily.IPV4) && mayUseIpv6NextHop(peer)) {
      capabilities.add(Capability.ExtendedNextHop.ipv6For(AfiSafi.IPV4_UNICAST));
    }
    if (offersGracefulRestart(speaker, peer)) {
      capabilities.add(gracefulRestart(speaker.restart(), peer, families, restarting));
    }
    capabilities.add(new Capability.FourOctetAs(asn));
    if (peer.addPath() != AddPathMode.NONE) {
      capabilities.add(
          new Capability.AddPath(
              families.stream()
                  .map(
                      family ->
                          new Capability.AddPath.Family(
                              family, peer.addPath().receives(), peer.addPath().sends()))
                  .toList()));
    }
    return new Open(asn, peer.timers().holdTime(), speaker.routerId(), capabilities);
  }

  /// RFC 8950 §4: where the session runs over IPv6, or such a next hop is configured.
  static boolean mayUseIpv6NextHop(PeerConfig peer) {
    IpAddress configured = peer.nextHops().get(IpFamily.IPV4);
    return peer.remote().family() == IpFamily.IPV6
        || configured != null && configured.family() == IpFamily.IPV6;
  }

  static boolean offersGracefulRestart(SpeakerConfig speaker, PeerConfig peer) {
    return speaker.restart().enabled() && peer.gracefulRestart();
  }

  /// R is true only until a restart is over, F always where the kernel keeps forwarding: neither
  /// depends on how fast we start.
  private static Capability gracefulRestart(
      SpeakerConfig.Restart restart, PeerConfig peer, List<AfiSafi> families, boolean restarting) {
    Duration asked = peer.restartTime();
    return new Capability.GracefulRestart(
        restarting,
        true,
        asked == null ? restart.time() : asked,
        families.stream()
            .map(family -> new Capability.GracefulRestart.Kept(family, restart.forwardingKept()))
            .toList());
  }

  /// How the octets of an agreed session read.
  static CodecContext codec(Negotiated negotiated) {
    return new CodecContext(
            negotiated.fourOctetAs(), negotiated.isInternal(), afiSafis(negotiated.families()))
        .withAddPath(afiSafis(negotiated.addPathReceive()), afiSafis(negotiated.addPathSend()))
        .withExtendedNextHop(afiSafis(negotiated.extendedNextHop()));
  }

  private static Set<AfiSafi> afiSafis(Set<IpFamily> families) {
    return families.stream().map(AfiSafi::unicast).collect(Collectors.toSet());
  }

  /// An established session as the RIBs see it.
  static RibSession rib(
      SpeakerConfig speaker,
      PeerConfig peer,
      Negotiated negotiated,
      Endpoints endpoints,
      LocalLink link) {
    ScopedAddress remote = endpoints.remote();
    PeerKind kind = kind(peer, negotiated);
    Set<Prefix> shared = link.sharedWith(remote);
    RouteSource source =
        new RouteSource(
            remote,
            negotiated.peer().asn(),
            negotiated.peer().routerId(),
            kind,
            shared.isEmpty() ? remote.scope() : link.name());
    ExportSession export =
        new ExportSession(
            remote,
            negotiated.peer().asn(),
            negotiated.peer().routerId(),
            kind,
            negotiated.families(),
            nextHops(speaker, peer, negotiated, endpoints.local(), link, !shared.isEmpty()),
            negotiated.extendedNextHop(),
            shared);
    return new RibSession(
        source,
        export,
        negotiated.families(),
        Retention.keptForwarding(negotiated),
        isUnawaited(negotiated),
        negotiated.addPathSend());
  }

  /// RFC 4724 §4.1: all peers are waited for "excluding the ones with the Restart State bit set in
  /// the received capability and excluding the ones that do not advertise the graceful restart
  /// capability"; the first wait for us, and the others may never say that they have told all.
  private static boolean isUnawaited(Negotiated negotiated) {
    return negotiated
        .peerGracefulRestart()
        .map(Capability.GracefulRestart::restarting)
        .orElse(true);
  }

  private static PeerKind kind(PeerConfig peer, Negotiated negotiated) {
    if (!negotiated.isInternal()) {
      return PeerKind.EBGP;
    }
    return peer.routeReflectorClient() ? PeerKind.CLIENT : PeerKind.IBGP;
  }

  private static Map<IpFamily, NextHop> nextHops(
      SpeakerConfig speaker,
      PeerConfig peer,
      Negotiated negotiated,
      ScopedAddress local,
      LocalLink link,
      boolean onLink) {
    Map<IpFamily, NextHop> hops = new EnumMap<>(IpFamily.class);
    for (IpFamily family : negotiated.families()) {
      IpAddress own = nextHop(family, speaker, peer, negotiated, local, link, onLink);
      if (own != null) {
        // RFC 2545 §3: the link-local address goes along where both ends are on one link.
        boolean withLinkLocal = onLink && own.family() == IpFamily.IPV6 && !own.isLinkLocal();
        hops.put(family, new NextHop(own, withLinkLocal ? link.linkLocal().orElse(null) : null));
      }
    }
    return hops;
  }

  private static @Nullable IpAddress nextHop(
      IpFamily family,
      SpeakerConfig speaker,
      PeerConfig peer,
      Negotiated negotiated,
      ScopedAddress local,
      LocalLink link,
      boolean onLink) {
    IpAddress configured = peer.nextHops().get(family);
    if (configured != null
        && (configured.family() == family || negotiated.extendedNextHop().contains(family))) {
      return configured;
    }
    IpAddress end = local.address();
    if (end.family() == IpFamily.IPV6 && end.isLinkLocal()) {
      end = link.global(IpFamily.IPV6).orElse(end);
    }
    if (end.family() == family || negotiated.extendedNextHop().contains(family)) {
      return end;
    }
    IpAddress beside = link.global(family).orElse(null);
    if (onLink && beside != null) {
      return beside;
    }
    IpAddress node = speaker.nextHops().get(family);
    return node == null ? beside : node;
  }

  /// What is the same for all peers, with nothing guarded yet.
  static SpeakerPolicy policy(SpeakerConfig speaker) {
    Set<IpAddress> own = new HashSet<>(speaker.nextHops().values());
    speaker.listen().stream()
        .map(ListenAddress::address)
        .filter(address -> !address.isUnspecified())
        .forEach(own::add);
    return new SpeakerPolicy(
        speaker.asn(),
        speaker.routerId(),
        speaker.clusterId().value(),
        own,
        OwnRanges.of(Set.of()),
        speaker.gracefulShutdown(),
        speaker.defaultLocalPref());
  }
}
