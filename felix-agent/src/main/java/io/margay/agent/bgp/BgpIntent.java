package io.margay.agent.bgp;

import io.margay.agent.calc.ClusterView;
import io.margay.agent.settings.AgentSettings;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.LocalAs;
import io.margay.bgp.policy.NextHopMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.speaker.Connection;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.transport.Ttl;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import io.margay.model.resource.BGPConfigurationSpec;
import io.margay.model.resource.BGPPeer;
import io.margay.model.resource.BGPPeerSpec;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeBgp;
import io.margay.model.resource.PeerAddress;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// What this node's speaker should be and whom it should know. A pure function of resources,
/// settings and the node's addresses.
///
/// @param identity fixed for the life of a speaker: a change needs a new one
/// @param peers by address; a node-specific BGPPeer wins over a selected one, which wins over a
///   global
/// @param problems one line each for resources that can't be served as they are
public record BgpIntent(Identity identity, List<PeerConfig> peers, List<String> problems) {

  /// What a speaker tells its peers about itself.
  ///
  /// @param nextHops the node's own addresses
  public record Identity(
      Asn asn, RouterId routerId, int listenPort, Map<IpFamily, IpAddress> nextHops) {}

  /// Hold time offered to peers: three keepalives of the BGPPeer's keepaliveTime, or this. Shorter
  /// than the 90 s of RFC 4271 because there is no BFD yet.
  static final Duration HOLD_TIME = Duration.ofSeconds(9);

  /// A third of the hold times a speaker may offer besides none at all: 3 to 65535 s (RFC 4271
  /// §4.2).
  private static final Duration MIN_KEEPALIVE = Duration.ofSeconds(1);

  private static final Duration MAX_KEEPALIVE = Duration.ofSeconds(65_535 / 3);

  private static final Duration CONNECT_RETRY = Duration.ofSeconds(1);

  /// A BGPPeer is itself the policy: everything in (less the guard), the node's own blocks out.
  private static final PeerPolicy POLICY =
      PeerPolicy.builder().importMode(ImportMode.ACCEPT).exportMode(ExportMode.OWN).build();

  /// Works out the intent, or nothing when the node has no identity: neither a router id nor an
  /// IPv4 address, or AS 0, which is reserved (RFC 7607).
  ///
  /// @param links the node's addresses by link, to choose next hops peers can resolve
  public static Optional<BgpIntent> of(
      String nodeName, AgentSettings.Bgp settings, ClusterView view, List<LinkAddress> links) {
    BGPConfigurationSpec cluster =
        view.bgpConfiguration().map(found -> found.spec()).orElse(BGPConfigurationSpec.EMPTY);
    NodeBgp node =
        view.node(nodeName).map(Node::spec).map(spec -> spec.bgp()).orElse(NodeBgp.EMPTY);
    Map<IpFamily, IpAddress> own = new EnumMap<>(IpFamily.class);
    if (node.ipv4Address() != null) {
      own.put(IpFamily.IPV4, node.ipv4Address().address());
    }
    if (node.ipv6Address() != null) {
      own.put(IpFamily.IPV6, node.ipv6Address().address());
    }
    settings.ipv4().ifPresent(address -> own.put(IpFamily.IPV4, address));
    settings.ipv6().ifPresent(address -> own.put(IpFamily.IPV6, address));
    Optional<RouterId> routerId =
        settings
            .routerId()
            .or(
                () ->
                    own.get(IpFamily.IPV4) instanceof Ipv4Address v4
                        ? Optional.of(new RouterId(v4.value()))
                        : Optional.empty());
    Asn asn =
        settings
            .asNumber()
            .or(() -> Optional.ofNullable(node.asNumber()))
            .orElse(cluster.effectiveAsNumber());
    if (routerId.isEmpty() || asn.toLong() == 0) {
      return Optional.empty();
    }
    Identity identity =
        new Identity(asn, routerId.get(), cluster.effectiveListenPort(), Map.copyOf(own));
    List<String> problems = new ArrayList<>();
    List<PeerConfig> peers = new ArrayList<>();
    Set<IpAddress> decided = new HashSet<>();
    for (BGPPeer peer : bySpecificity(view.peersOf(nodeName))) {
      PeerAddress at = peer.spec().peerIP();
      // A peer that can't be served must not be replaced by a less specific one: without the
      // password or filters it asks for, that is.
      boolean first = at == null || decided.add(at.address());
      Optional<String> problem = problemOf(peer);
      if (problem.isPresent()) {
        problems.add(problem.get());
      } else if (first) {
        peers.add(config(peer, asn, settings, links));
      }
    }
    return Optional.of(new BgpIntent(identity, List.copyOf(peers), List.copyOf(problems)));
  }

  private static List<BGPPeer> bySpecificity(List<BGPPeer> peers) {
    return peers.stream()
        .sorted(
            (a, b) -> {
              int byScope = Integer.compare(scope(a.spec()), scope(b.spec()));
              return byScope != 0 ? byScope : a.metadata().name().compareTo(b.metadata().name());
            })
        .toList();
  }

  private static int scope(BGPPeerSpec spec) {
    if (spec.node() != null) {
      return 0;
    }
    return spec.nodeSelector() != null ? 1 : 2;
  }

  private static Optional<String> problemOf(BGPPeer peer) {
    BGPPeerSpec spec = peer.spec();
    String name = "BGPPeer " + peer.metadata().name();
    if (spec.peerIP() == null || spec.asNumber() == null) {
      return Optional.of(
          name
              + ": without spec.peerIP and spec.asNumber no session is made; peerSelector is not"
              + " served yet");
    }
    if (spec.asNumber().toLong() == 0) {
      return Optional.of(name + ": spec.asNumber 0 is reserved (RFC 7607); no session is made");
    }
    if (spec.password() != null) {
      return Optional.of(
          name + ": spec.password refers to a secret, which is not read yet; no session is made");
    }
    if (!spec.filters().isEmpty()) {
      return Optional.of(
          name
              + ": spec.filters is not served yet; no session is made rather than an unfiltered"
              + " one");
    }
    if (spec.localASNumber() != null && spec.localASNumber().toLong() == 0) {
      return Optional.of(
          name + ": spec.localASNumber 0 is reserved (RFC 7607); no session is made");
    }
    Integer allowed = spec.numAllowedLocalASNumbers();
    if (allowed != null && (allowed < 0 || allowed > PeerPolicy.MAX_ALLOW_LOCAL_AS)) {
      return Optional.of(
          name
              + ": spec.numAllowedLocalASNumbers "
              + allowed
              + " is not in 0.."
              + PeerPolicy.MAX_ALLOW_LOCAL_AS
              + "; no session is made");
    }
    Integer hops = spec.ttlSecurity();
    if (hops != null && (hops < 1 || hops > Ttl.MAX)) {
      return Optional.of(
          name
              + ": spec.ttlSecurity "
              + hops
              + " is not in 1.."
              + Ttl.MAX
              + "; no session is made");
    }
    Duration keepalive = spec.keepaliveTime();
    if (keepalive != null
        && !keepalive.isZero()
        && (keepalive.compareTo(MIN_KEEPALIVE) < 0 || keepalive.compareTo(MAX_KEEPALIVE) > 0)) {
      return Optional.of(
          name
              + ": spec.keepaliveTime "
              + keepalive.toMillis()
              + " ms is not in "
              + MIN_KEEPALIVE.toSeconds()
              + ".."
              + MAX_KEEPALIVE.toSeconds()
              + " s; no session is made");
    }
    return Optional.empty();
  }

  private static PeerConfig config(
      BGPPeer peer, Asn localAsn, AgentSettings.Bgp settings, List<LinkAddress> links) {
    BGPPeerSpec spec = peer.spec();
    PeerAddress at = Objects.requireNonNull(spec.peerIP());
    Asn asn = Objects.requireNonNull(spec.asNumber());
    Optional<LinkAddress> onLink =
        links.stream().filter(link -> link.subnet().contains(at.address())).findFirst();
    Duration keepalive = spec.keepaliveTime();
    return PeerConfig.builder(ScopedAddress.of(at.address()), asn, policy(spec, localAsn))
        .description(peer.metadata().name())
        .port(at.port() == null ? Connection.DEFAULT_PORT : at.port())
        .localAddress(onLink.map(LinkAddress::address).orElse(null))
        .families(EnumSet.allOf(IpFamily.class))
        .holdTime(
            keepalive == null || keepalive.isZero()
                ? HOLD_TIME
                : keepalive.multipliedBy(3).truncatedTo(ChronoUnit.SECONDS))
        .connectRetry(CONNECT_RETRY)
        .ttl(ttl(spec, onLink.isPresent() && !asn.equals(shownAsn(spec, localAsn))))
        .gracefulRestart(settings.gracefulRestart())
        .nextHops(nextHops(onLink, links))
        .build();
  }

  /// What our OPEN names.
  private static Asn shownAsn(BGPPeerSpec spec, Asn localAsn) {
    Asn other = spec.localASNumber();
    return other == null ? localAsn : other;
  }

  private static PeerPolicy policy(BGPPeerSpec spec, Asn localAsn) {
    PeerPolicy.Builder policy =
        POLICY.toBuilder()
            .nextHop(
                switch (spec.effectiveNextHopMode()) {
                  case AUTO -> NextHopMode.AUTO;
                  case SELF -> NextHopMode.SELF;
                  case KEEP -> NextHopMode.KEEP;
                });
    Integer allowed = spec.numAllowedLocalASNumbers();
    if (allowed != null) {
      policy.allowLocalAs(allowed);
    }
    Asn shown = shownAsn(spec, localAsn);
    if (!shown.equals(localAsn)) {
      policy.localAs(LocalAs.replacing(shown));
    }
    return policy.build();
  }

  private static Ttl ttl(BGPPeerSpec spec, boolean isAdjacent) {
    Integer hops = spec.ttlSecurity();
    if (hops != null) {
      return Ttl.secured(hops);
    }
    return isAdjacent ? Ttl.adjacent() : Ttl.multihop(Ttl.MAX);
  }

  /// On a shared link the peer can resolve our addresses on that link, whatever family the session
  /// runs over; elsewhere the node's own addresses must do.
  private static Map<IpFamily, IpAddress> nextHops(
      Optional<LinkAddress> onLink, List<LinkAddress> links) {
    Map<IpFamily, IpAddress> hops = new EnumMap<>(IpFamily.class);
    onLink.ifPresent(
        session -> {
          for (LinkAddress candidate : links) {
            if (candidate.link().equals(session.link()) && !candidate.address().isLinkLocal()) {
              hops.putIfAbsent(candidate.address().family(), candidate.address());
            }
          }
          hops.put(session.address().family(), session.address());
        });
    return hops;
  }
}
