package io.margay.agent.bgp;

import io.margay.agent.calc.ClusterView;
import io.margay.agent.settings.AgentSettings;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.speaker.Remote;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.ScopedAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// What this node's speaker should be and whom it should know. A pure function of resources,
/// settings, passwords and the node's addresses.
///
/// @param identity fixed for the life of a speaker: a change needs a new one
/// @param peers by address; a node-specific BGPPeer wins over a selected one, which wins over a
///   global one, and that over one that points at this node and over the node-to-node mesh
/// @param origins why there is each peer
/// @param links the link that each peer is on, of those that are on one
/// @param gateways peers that need a route of their own, and by which gateway (reachableBy)
/// @param drain the order to go out of the way of traffic, if there is one
/// @param awaitsPasswords whether peers are missing only because passwords are being looked for;
///   what there is of them is known soon
/// @param problems one line each for resources that can't be served as they are
public record BgpIntent(
    SpeakerIdentity identity,
    List<PeerConfig> peers,
    Map<ScopedAddress, PeerOrigin> origins,
    Map<ScopedAddress, InterfaceName> links,
    Map<IpAddress, IpAddress> gateways,
    Optional<DrainOrder> drain,
    boolean awaitsPasswords,
    List<String> problems) {

  /// What the peers of the mesh are called where a BGPPeer's name stands for the others.
  public static final String MESH = "node-to-node mesh";

  public BgpIntent {
    peers = List.copyOf(peers);
    origins = Map.copyOf(origins);
    links = Map.copyOf(links);
    gateways = Map.copyOf(gateways);
    problems = List.copyOf(problems);
  }

  /// Works out the intent, or nothing when the node has no identity: see {@link SpeakerIdentity}.
  ///
  /// @param links the node's addresses by link, to choose next hops peers can resolve
  public static Optional<BgpIntent> of(
      String nodeName,
      AgentSettings.Bgp settings,
      ClusterView view,
      List<LinkAddress> links,
      Passwords passwords) {
    return SpeakerIdentity.of(nodeName, settings, view)
        .map(self -> of(nodeName, self, settings, view, links, passwords));
  }

  private static BgpIntent of(
      String nodeName,
      SpeakerIdentity self,
      AgentSettings.Bgp settings,
      ClusterView view,
      List<LinkAddress> links,
      Passwords passwords) {
    PeerPlan plan = new PeerPlan(nodeName, self, view);
    SessionTerms terms = new SessionTerms(self, settings, view, links, passwords);
    Set<String> problems = new LinkedHashSet<>(plan.problems());
    MeshPlan.problem(view).ifPresent(problems::add);
    problems.addAll(InertBgpSettings.problems(nodeName, view));
    List<Peering> peerings = new ArrayList<>(plan.peerings());
    peerings.addAll(MeshPlan.of(nodeName, self, view));
    List<PeerConfig> peers = new ArrayList<>();
    Map<ScopedAddress, PeerOrigin> origins = new LinkedHashMap<>();
    Map<IpAddress, IpAddress> gateways = new LinkedHashMap<>();
    boolean awaits = false;
    Set<ScopedAddress> decided = new LinkedHashSet<>();
    for (Peering peering : peerings) {
      // One that can't be served must not be replaced by a less specific one: without the password
      // or the filters it asks for, that is.
      boolean first = decided.add(peering.address());
      try {
        PeerConfig config = terms.of(peering);
        if (first) {
          refuseOtherKey(config, peers);
          peers.add(config);
          origins.put(peering.address(), peering.origin());
          IpAddress gateway = peering.spec().reachableBy();
          // What is link-local is on its link or nowhere.
          if (gateway != null && !peering.reversed() && peering.address().scope() == null) {
            gateways.put(peering.address().address(), gateway);
          }
        }
      } catch (NotServedException refused) {
        awaits |= refused.isPassing();
        if (refused.isPassing()) {
          continue;
        }
        problems.add(peering.source() + ": " + refused.getMessage() + "; no session is made");
      } catch (IllegalArgumentException impossible) {
        // Stored past the validation, or by a release that had none for it.
        problems.add(peering.source() + ": " + impossible.getMessage() + "; no session is made");
      }
    }
    Optional<DrainOrder> drain = drain(nodeName, view, problems);
    return new BgpIntent(
        self,
        peers,
        origins,
        links(origins.keySet(), links),
        gateways,
        drain,
        awaits,
        List.copyOf(problems));
  }

  private static Map<ScopedAddress, InterfaceName> links(
      Set<ScopedAddress> peers, List<LinkAddress> own) {
    Map<ScopedAddress, InterfaceName> on = new HashMap<>();
    for (ScopedAddress peer : peers) {
      InterfaceName scope = peer.scope();
      if (scope != null) {
        on.put(peer, scope);
      } else {
        own.stream()
            .filter(link -> link.subnet().contains(peer.address()))
            .findFirst()
            .ifPresent(link -> on.put(peer, link.link()));
      }
    }
    return on;
  }

  /// The kernel keeps a key by address alone, whatever link it is on.
  private static void refuseOtherKey(PeerConfig config, List<PeerConfig> peers)
      throws NotServedException {
    if (!(config.remote() instanceof Remote.At(ScopedAddress address)) || address.scope() == null) {
      return;
    }
    for (PeerConfig other : peers) {
      if (other.remote() instanceof Remote.At(ScopedAddress same)
          && same.address().equals(address.address())
          && !Objects.equals(other.connection().password(), config.connection().password())) {
        throw new NotServedException(
            "peer "
                + same
                + " has the same address and another password, and the kernel keeps one for an"
                + " address; give both one");
      }
    }
  }

  private static Optional<DrainOrder> drain(
      String nodeName, ClusterView view, Set<String> problems) {
    try {
      return view.node(nodeName)
          .map(node -> node.metadata().annotations().get(DrainOrder.ANNOTATION))
          .map(DrainOrder::parse);
    } catch (IllegalArgumentException malformed) {
      problems.add(
          "Node "
              + nodeName
              + ": annotation "
              + DrainOrder.ANNOTATION
              + ": "
              + malformed.getMessage()
              + "; the node is not drained, margay node drain writes it rightly");
      return Optional.empty();
    }
  }
}
