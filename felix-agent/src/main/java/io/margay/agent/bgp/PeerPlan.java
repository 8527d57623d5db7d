package io.margay.agent.bgp;

import io.margay.agent.calc.ClusterView;
import io.margay.bgp.speaker.Connection;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import io.margay.model.resource.BGPPeer;
import io.margay.model.resource.BGPPeerSpec;
import io.margay.model.resource.Node;
import io.margay.model.resource.PeerAddress;
import io.margay.model.selector.Selector;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// The sessions BGPPeers ask this node to hold: those it is a holder of, and those whose other end
/// it is, as Calico makes both ends of a session from one BGPPeer.
final class PeerPlan {

  /// The annotation of a BGPPeer that asks for BFD.
  static final String BFD_ANNOTATION = "margay.io/bfd";

  private static final Comparator<BGPPeer> SPECIFIC_FIRST =
      Comparator.comparingInt((BGPPeer peer) -> scope(peer.spec()))
          .thenComparing(peer -> peer.metadata().name());

  private final String nodeName;
  private final SpeakerIdentity self;
  private final ClusterView view;
  private final NodeFacts facts;

  PeerPlan(String nodeName, SpeakerIdentity self, ClusterView view) {
    this.nodeName = nodeName;
    this.self = self;
    this.view = view;
    this.facts = new NodeFacts(view);
  }

  /// The most specific first: a node's own, selected ones, those of all nodes, and behind them what
  /// only follows from this node being the other end. An address may occur several times.
  List<Peering> peerings() {
    List<BGPPeer> ordered = view.peers().values().stream().sorted(SPECIFIC_FIRST).toList();
    List<Peering> all = new ArrayList<>();
    for (BGPPeer peer : ordered) {
      if (view.isHeldBy(peer, nodeName)) {
        all.addAll(held(peer));
      }
    }
    for (BGPPeer peer : ordered) {
      if (!"Manual".equals(peer.spec().reversePeering())) {
        all.addAll(reversed(peer));
      }
    }
    return all;
  }

  /// What this node should hold but never can, one line each.
  List<String> problems() {
    return view.peersOf(nodeName).stream()
        .filter(peer -> peer.spec().localWorkloadSelector() != null)
        .map(
            peer ->
                source(peer)
                    + ": spec.localWorkloadSelector is not served; no session with pods is made")
        .toList();
  }

  private static int scope(BGPPeerSpec spec) {
    if (spec.node() != null) {
      return 0;
    }
    return spec.nodeSelector() != null ? 1 : 2;
  }

  static String source(BGPPeer peer) {
    return "BGPPeer " + peer.metadata().name();
  }

  private List<Peering> held(BGPPeer peer) {
    BGPPeerSpec spec = peer.spec();
    Selector selector = spec.peerSelector();
    if (selector != null) {
      return withNodes(peer, selected(selector), EnumSet.allOf(IpFamily.class), false);
    }
    PeerAddress at = spec.peerIP();
    if (at == null || spec.asNumber() == null || isOwn(at.address())) {
      return List.of();
    }
    return List.of(withAddress(peer, at, spec.asNumber()));
  }

  private List<Peering> reversed(BGPPeer peer) {
    Selector selector = peer.spec().peerSelector();
    if (selector != null) {
      return view.isSelected(selector, nodeName)
          ? withNodes(peer, holders(peer), EnumSet.allOf(IpFamily.class), true)
          : List.of();
    }
    PeerAddress at = peer.spec().peerIP();
    if (at == null
        || !isOwn(at.address())
        || !self.asn().equals(peer.spec().asNumber())
        || (at.port() != null && at.port() != self.listenPort())) {
      return List.of();
    }
    return withNodes(peer, holders(peer), EnumSet.of(at.address().family()), true);
  }

  private List<Node> selected(Selector selector) {
    return view.nodes().values().stream()
        .filter(node -> view.isSelected(selector, node.metadata().name()))
        .toList();
  }

  private List<Node> holders(BGPPeer peer) {
    return view.nodes().values().stream()
        .filter(node -> view.isHeldBy(peer, node.metadata().name()))
        .toList();
  }

  private boolean isOwn(IpAddress address) {
    return self.nextHops().containsValue(address);
  }

  private List<Peering> withNodes(
      BGPPeer peer, Collection<Node> others, Set<IpFamily> families, boolean reversed) {
    List<Peering> all = new ArrayList<>();
    for (Node other : others) {
      if (other.metadata().name().equals(nodeName)) {
        continue;
      }
      for (IpFamily family : families) {
        IpAddress own = self.nextHops().get(family);
        Optional<IpAddress> address = facts.address(other, family);
        if (own != null && address.isPresent() && !address.get().equals(own)) {
          all.add(withNode(peer, other, address.get(), own, reversed));
        }
      }
    }
    return all;
  }

  private Peering withNode(
      BGPPeer peer, Node other, IpAddress address, IpAddress own, boolean reversed) {
    BGPPeerSpec spec = peer.spec();
    // A holder shows the AS it was told to, whether we hold the session too or not.
    Asn shown = spec.localASNumber();
    Asn asn =
        shown != null && view.isHeldBy(peer, other.metadata().name()) ? shown : facts.asn(other);
    boolean bothKnow = !"Manual".equals(spec.reversePeering());
    return new Peering(
        source(peer),
        peer.metadata().name(),
        origin(spec, reversed),
        ScopedAddress.of(address),
        facts.listenPort(other.metadata().name()),
        asn,
        Set.of(address.family()),
        bothKnow && MeshPlan.waitsFor(address, own),
        facts.clusterId(other),
        reversed,
        spec,
        bfd(peer));
  }

  private Peering withAddress(BGPPeer peer, PeerAddress at, Asn asn) {
    Optional<Node> node = facts.at(at.address());
    IpAddress own = self.nextHops().get(at.address().family());
    boolean waits =
        node.isPresent()
            && own != null
            && scope(peer.spec()) == scope(BGPPeerSpec.EMPTY)
            && MeshPlan.waitsFor(at.address(), own);
    int usualPort =
        node.filter(known -> facts.asn(known).equals(asn))
            .map(known -> facts.listenPort(known.metadata().name()))
            .orElse(Connection.DEFAULT_PORT);
    return new Peering(
        source(peer),
        peer.metadata().name(),
        origin(peer.spec(), false),
        at.at(),
        Objects.requireNonNullElse(at.port(), usualPort),
        asn,
        EnumSet.allOf(IpFamily.class),
        waits,
        node.map(facts::clusterId).orElse(""),
        false,
        peer.spec(),
        bfd(peer));
  }

  private static PeerOrigin origin(BGPPeerSpec spec, boolean reversed) {
    return reversed || scope(spec) != scope(BGPPeerSpec.EMPTY)
        ? PeerOrigin.NODE_PEER
        : PeerOrigin.GLOBAL_PEER;
  }

  private static Optional<String> bfd(BGPPeer peer) {
    return Optional.ofNullable(peer.metadata().annotations().get(BFD_ANNOTATION));
  }
}
