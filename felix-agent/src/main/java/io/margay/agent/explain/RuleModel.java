package io.margay.agent.explain;

import io.margay.agent.firewall.Direction;
import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FirewallSettings;
import io.margay.agent.firewall.HostProtection;
import io.margay.agent.firewall.RuleOrigin;
import io.margay.agent.firewall.RuleOrigins;
import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftHook;
import io.margay.linux.nft.NftPacket;
import io.margay.linux.nft.NftPassage;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.nft.NftWalk;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.policy.CalcGraph;
import io.margay.policy.oracle.Flow;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The rules of one node as they are sent to the kernel, asked about packets.
///
/// Both ends of a packet may be endpoints here, though in a cluster they are on different nodes:
/// each end's rules are the same wherever the other is. What host endpoints say is asked by itself:
/// [#arriving] and [#leaving] of packets of the node, [#comingIn] and [#goingOut] of those it
/// forwards.
public final class RuleModel {

  /// The loopback: never a host endpoint's, nor a workload's.
  private static final InterfaceName UNPOLICED = new InterfaceName("lo");

  private final Map<IpFamily, NftWalk> walks = new EnumMap<>(IpFamily.class);
  private final FirewallManager firewall;
  private final RuleOrigins origins;

  /// @param firewall what wrote to `table`; its updates so far must have been rendered
  public RuleModel(NftTable table, FirewallManager firewall) {
    for (IpFamily family : IpFamily.values()) {
      walks.put(family, new NftWalk(table.view(family)));
    }
    this.firewall = firewall;
    origins = firewall.origins();
  }

  /// The rules that the graph's output so far becomes, with no kernel to hold them.
  ///
  /// @param graph in sync, and not flushed before
  public static RuleModel of(CalcGraph graph, FirewallSettings settings) {
    return of(graph, settings, HostProtection.DEFAULT, Map.of());
  }

  /// The same, of a node with interfaces of its own.
  ///
  /// @param protection what keeps it reachable beside policy
  /// @param addresses of its interfaces, by which some host endpoints are found
  public static RuleModel of(
      CalcGraph graph,
      FirewallSettings settings,
      HostProtection protection,
      Map<InterfaceName, Set<IpAddress>> addresses) {
    NftTable table = new NftTable(new FakeNftables(false).open(), "margay", Ownership.NEVER);
    FirewallManager firewall = new FirewallManager(table, settings);
    firewall.setHostProtection(protection);
    firewall.setHostAddresses(addresses);
    graph.flush(firewall::onUpdate);
    firewall.render();
    return new RuleModel(table, firewall);
  }

  /// What becomes of a packet that begins a connection.
  ///
  /// @param from the interface of the endpoint it comes from; null if it comes from elsewhere
  /// @param to the interface of the endpoint it goes to; null if it goes elsewhere
  public PacketPath decide(
      NftPacket packet, @Nullable InterfaceName from, @Nullable InterfaceName to) {
    NftPacket coming = packet.withIncoming(from);
    return new PacketPath(
        from == null ? null : at(coming, Direction.EGRESS),
        to == null ? null : at(coming.withOutgoing(to), Direction.INGRESS));
  }

  /// What becomes of a packet that begins a connection to a process of the node.
  ///
  /// @param by the interface it comes in by, no workload's
  public Judgement arriving(NftPacket packet, InterfaceName by) {
    return through(
        List.of(NftHook.Point.PREROUTING, NftHook.Point.INPUT),
        packet.withIncoming(by).withForNode(true),
        Direction.INGRESS);
  }

  /// What becomes, after its own policy, of a packet of a workload to a process of its node.
  ///
  /// @param from the workload's interface
  public Judgement arrivingFromWorkload(NftPacket packet, InterfaceName from) {
    return through(
        List.of(NftHook.Point.INPUT),
        packet.withIncoming(from).withForNode(true),
        Direction.INGRESS);
  }

  /// What becomes of a packet by which a process of the node begins a connection.
  ///
  /// @param by the interface it leaves by, no workload's
  public Judgement leaving(NftPacket packet, InterfaceName by) {
    return through(List.of(NftHook.Point.OUTPUT), packet.withOutgoing(by), Direction.EGRESS);
  }

  /// What a host endpoint says to a packet that comes in by its interface, not to stay.
  ///
  /// @param by no workload's
  public Judgement comingIn(NftPacket packet, InterfaceName by) {
    return through(
        List.of(NftHook.Point.PREROUTING, NftHook.Point.FORWARD),
        packet.withIncoming(by).withOutgoing(UNPOLICED),
        Direction.INGRESS);
  }

  /// What a host endpoint says to a packet that goes out by its interface and is not of the node.
  ///
  /// @param by no workload's
  public Judgement goingOut(NftPacket packet, InterfaceName by) {
    return through(
        List.of(NftHook.Point.FORWARD),
        packet.withIncoming(UNPOLICED).withOutgoing(by),
        Direction.EGRESS);
  }

  /// What an earlier stage of policy allows, the later ones let pass: the first that has a reason
  /// decides.
  private Judgement through(List<NftHook.Point> hooks, NftPacket packet, Direction direction) {
    Reason reason = new Reason.BesidePolicy(null);
    NftPacket now = packet;
    for (NftHook.Point hook : hooks) {
      for (NftPassage passage : walk(packet).hook(hook, now)) {
        Reason found = reason(passage, direction);
        if (!passage.isAccepted()) {
          return new Judgement(false, found);
        }
        if (reason instanceof Reason.BesidePolicy) {
          reason = found;
        }
        now = passage.packet();
      }
    }
    return new Judgement(true, reason);
  }

  private NftWalk walk(NftPacket packet) {
    NftWalk walk = walks.get(packet.family());
    if (walk == null) {
      throw new IllegalStateException("no rules of family " + packet.family());
    }
    return walk;
  }

  private Judgement at(NftPacket packet, Direction direction) {
    NftWalk walk = walk(packet);
    Reason reason = new Reason.BesidePolicy(null);
    for (String chain : direction.endpointBaseChains()) {
      NftPassage passage = walk.chain(chain, packet);
      Reason found = reason(passage, direction);
      if (!passage.isAccepted()) {
        return new Judgement(false, found);
      }
      if (!(found instanceof Reason.BesidePolicy(String rule)) || rule != null) {
        reason = found;
      }
    }
    return new Judgement(true, reason);
  }

  /// The rule of a policy that a merged tier's rule accepts for.
  private Optional<RuleOrigin> member(NftPacket packet, NftPassage.Step decision) {
    return firewall
        .memberOf(decision.chain(), decision.rule().id(), flow(packet))
        .map(RuleOrigin.class::cast);
  }

  private static Flow flow(NftPacket packet) {
    IpAddress from = packet.source();
    IpAddress to = packet.destination();
    int protocol = packet.protocol();
    return switch (packet.transport()) {
      case NftPacket.Tcp(int source, int destination, int _) ->
          new Flow(from, to, protocol, source, destination, null);
      case NftPacket.Ports(int source, int destination) ->
          new Flow(from, to, protocol, source, destination, null);
      case NftPacket.Icmp(int type, int code) ->
          new Flow(from, to, protocol, 0, 0, new Flow.Icmp(type, code));
      case NftPacket.Opaque() -> new Flow(from, to, protocol, 0, 0, null);
    };
  }

  private Reason reason(NftPassage passage, Direction direction) {
    NftPassage.Step decision = passage.decision();
    if (decision == null) {
      return new Reason.BesidePolicy(null);
    }
    String tier = "";
    for (NftPassage.Step step : passage.steps()) {
      if (origins.of(step.rule().id()) instanceof RuleOrigin.IntoTier(String name, Direction into)
          && into == direction) {
        tier = name;
      }
    }
    String id = decision.rule().id();
    return switch (member(passage.packet(), decision).orElse(origins.of(id))) {
      case null -> new Reason.BesidePolicy(id);
      // Nobody decides but passes on, or the member above does.
      case RuleOrigin.IntoTier _, RuleOrigin.StagedRule _, RuleOrigin.MergedRules _ ->
          new Reason.BesidePolicy(id);
      case RuleOrigin.PolicyRule(var policy, Direction _, int index) ->
          new Reason.PolicyRule(tier, policy, index);
      case RuleOrigin.MissingPolicy(var policy, Direction _) ->
          new Reason.PolicyRule(tier, policy, 0);
      case RuleOrigin.EndOfTier(String name, Direction _) -> new Reason.EndOfTier(name);
      case RuleOrigin.ProfileRule(String profile, Direction _, int _) ->
          new Reason.Profile(profile);
      case RuleOrigin.MissingProfile(String profile, Direction _) -> new Reason.Profile(profile);
      case RuleOrigin.EndOfEndpoint _ -> new Reason.Profile(null);
      // Stages without an implicit deny end in an accept, which leaves it to the next.
      case RuleOrigin.EndOfHostEndpoint _ ->
          passage.isAccepted() ? new Reason.BesidePolicy(null) : new Reason.Profile(null);
    };
  }
}
