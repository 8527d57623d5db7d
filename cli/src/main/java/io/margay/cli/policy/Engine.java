package io.margay.cli.policy;

import io.margay.agent.explain.Judgement;
import io.margay.agent.explain.PacketPath;
import io.margay.agent.explain.Reason;
import io.margay.agent.explain.RuleModel;
import io.margay.agent.firewall.FirewallSettings;
import io.margay.linux.nft.NftPacket;
import io.margay.model.resource.PolicyType;
import io.margay.policy.CalcGraph;
import io.margay.policy.oracle.Flow;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Who answers.
interface Engine {

  /// @param from the endpoint the packet comes from; null if it is none
  /// @param to the endpoint it goes to; null if it is none
  PacketPath decide(Flow flow, Pod.@Nullable Endpoint from, Pod.@Nullable Endpoint to);

  /// What a host endpoint says to a packet that the node's own processes send or get.
  ///
  /// @param host one with an endpoint
  /// @param direction ingress of what comes to the node
  Judgement decide(Flow flow, Hosts.Host host, PolicyType direction);

  /// What a host endpoint has against a packet that its node forwards, between a pod and another
  /// node; null if it lets it pass.
  ///
  /// @param host one with an endpoint
  /// @param direction ingress of what comes to the node
  @Nullable Judgement forwarded(Flow flow, Hosts.Host host, PolicyType direction);

  /// What the node says to a packet of a pod of its own to its processes; null if nothing keeps it
  /// from them.
  @Nullable Judgement fromItsPod(Flow flow, Pod.Endpoint from, Hosts.Host host);

  /// What of the valid documents can't be followed as written, a line each.
  List<String> problems();

  /// By name on the command line.
  enum Choice {
    /// The kernel's rules, read without a kernel.
    rules,
    /// The semantics, straight from the resources.
    oracle;

    /// @param world read with [PodReader.Wiring#ONE_NODE]
    Engine of(World world) {
      return switch (this) {
        case rules -> new Rules(world);
        case oracle -> new OracleEngine(world);
      };
    }
  }

  /// The rules that would be sent to the kernel.
  final class Rules implements Engine {

    private final World world;
    private final RuleModel pods;
    private final List<String> problems;
    private final Map<String, RuleModel> nodes = new HashMap<>();

    Rules(World world) {
      this.world = world;
      CalcGraph graph = world.graph(PodReader.EVERYWHERE);
      pods = RuleModel.of(graph, FirewallSettings.DEFAULT);
      problems = world.problems(graph);
    }

    @Override
    public List<String> problems() {
      return problems;
    }

    /// The node as it is beside its pods.
    private RuleModel node(String name) {
      return nodes.computeIfAbsent(
          name,
          _ ->
              RuleModel.of(
                  world.graph(name),
                  FirewallSettings.DEFAULT,
                  world.hosts().protection(name),
                  world.hosts().addresses(name)));
    }

    @Override
    public PacketPath decide(Flow flow, Pod.@Nullable Endpoint from, Pod.@Nullable Endpoint to) {
      return pods.decide(
          packet(flow),
          from == null ? null : from.interfaceName(),
          to == null ? null : to.interfaceName());
    }

    @Override
    public Judgement decide(Flow flow, Hosts.Host host, PolicyType direction) {
      return switch (direction) {
        case INGRESS -> node(host.node()).arriving(packet(flow), host.interfaceName());
        case EGRESS -> node(host.node()).leaving(packet(flow), host.interfaceName());
      };
    }

    @Override
    public @Nullable Judgement forwarded(Flow flow, Hosts.Host host, PolicyType direction) {
      RuleModel node = node(host.node());
      Judgement said =
          switch (direction) {
            case INGRESS -> node.comingIn(packet(flow), host.interfaceName());
            case EGRESS -> node.goingOut(packet(flow), host.interfaceName());
          };
      return said.isAllowed() ? null : said;
    }

    @Override
    public @Nullable Judgement fromItsPod(Flow flow, Pod.Endpoint from, Hosts.Host host) {
      Judgement said = node(host.node()).arrivingFromWorkload(packet(flow), from.interfaceName());
      return said.isAllowed() && said.reason() instanceof Reason.BesidePolicy ? null : said;
    }

    private static NftPacket packet(Flow flow) {
      Flow.Icmp icmp = flow.icmp();
      return icmp == null
          ? NftPacket.opening(
              flow.protocol(),
              flow.source(),
              flow.sourcePort(),
              flow.destination(),
              flow.destinationPort())
          : NftPacket.of(
              flow.source(),
              flow.destination(),
              flow.protocol(),
              new NftPacket.Icmp(icmp.type(), icmp.code()));
    }
  }
}
