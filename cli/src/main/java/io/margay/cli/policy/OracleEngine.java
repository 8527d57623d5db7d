package io.margay.cli.policy;

import io.margay.agent.explain.Judgement;
import io.margay.agent.explain.PacketPath;
import io.margay.agent.explain.Reason;
import io.margay.agent.firewall.Failsafe;
import io.margay.agent.firewall.HostProtection;
import io.margay.agent.firewall.HostProtection.ToHostAction;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.PolicyType;
import io.margay.policy.HostEndpointKey;
import io.margay.policy.HostStage;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.HostDecision;
import io.margay.policy.oracle.HostDecision.Outcome;
import io.margay.policy.oracle.PolicyOracle;
import io.margay.policy.oracle.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The second opinion, straight from the resources.
final class OracleEngine implements Engine {

  private final PolicyOracle oracle;
  private final Hosts hosts;
  private final World world;

  OracleEngine(World world) {
    oracle = world.oracle();
    hosts = world.hosts();
    this.world = world;
  }

  @Override
  public List<String> problems() {
    return world.problems(world.graph(PodReader.EVERYWHERE));
  }

  @Override
  public PacketPath decide(Flow flow, Pod.@Nullable Endpoint from, Pod.@Nullable Endpoint to) {
    return new PacketPath(
        from == null ? null : Judgement.of(oracle.decide(from.key(), PolicyType.EGRESS, flow)),
        to == null ? null : Judgement.of(oracle.decide(to.key(), PolicyType.INGRESS, flow)));
  }

  @Override
  public Judgement decide(Flow flow, Hosts.Host host, PolicyType direction) {
    if (isFailsafe(flow, host, direction)) {
      return new Judgement(true, new Reason.BesidePolicy(rule(direction, "failsafe")));
    }
    return Judgement.of(decisive(flow, host, direction, new ArrayList<>()));
  }

  /// What had a say about such a packet, in order; nothing if a failsafe port spares it policy.
  List<Step> steps(Flow flow, Hosts.Host host, PolicyType direction) {
    List<Step> steps = new ArrayList<>();
    if (!isFailsafe(flow, host, direction)) {
      decisive(flow, host, direction, steps);
    }
    return steps;
  }

  /// What of a pod's policies had a say, in order.
  List<Step> steps(Flow flow, Pod.Endpoint pod, PolicyType direction) {
    return oracle.decide(pod.key(), direction, flow).path();
  }

  private HostDecision decisive(
      Flow flow, Hosts.Host host, PolicyType direction, List<Step> steps) {
    HostEndpointKey key =
        new HostEndpointKey(Objects.requireNonNull(host.endpoint(), "no host endpoint"));
    for (HostStage stage : List.of(HostStage.UNTRACKED, HostStage.PRE_DNAT)) {
      HostDecision said = oracle.decide(key, stage, direction, flow);
      steps.addAll(said.path());
      if (said.outcome() != Outcome.OPEN) {
        return said;
      }
    }
    HostDecision said = oracle.decide(key, HostStage.NORMAL, direction, flow);
    steps.addAll(said.path());
    return said;
  }

  /// Failsafe ports go on past what they skip; they are not spared what is said to forwarded
  /// packets.
  @Override
  public @Nullable Judgement forwarded(Flow flow, Hosts.Host host, PolicyType direction) {
    HostEndpointKey key =
        new HostEndpointKey(Objects.requireNonNull(host.endpoint(), "no host endpoint"));
    boolean failsafe = isFailsafe(flow, host, direction);
    List<HostStage> stages =
        switch (direction) {
          case INGRESS -> List.of(HostStage.UNTRACKED, HostStage.PRE_DNAT, HostStage.FORWARDED);
          case EGRESS -> List.of(HostStage.FORWARDED);
        };
    for (HostStage stage : stages) {
      HostDecision said = oracle.decide(key, stage, direction, flow);
      boolean skipped = failsafe && stage != HostStage.FORWARDED;
      if (!skipped && said.outcome() != Outcome.OPEN) {
        return said.outcome() == Outcome.DENY ? Judgement.of(said) : null;
      }
    }
    return null;
  }

  private boolean isFailsafe(Flow flow, Hosts.Host host, PolicyType direction) {
    HostProtection protection = hosts.protection(host.node());
    List<Failsafe> ports =
        switch (direction) {
          case INGRESS -> protection.inbound();
          case EGRESS -> protection.outbound();
        };
    IpAddress remote =
        switch (direction) {
          case INGRESS -> flow.source();
          case EGRESS -> flow.destination();
        };
    return ports.stream()
        .anyMatch(
            port ->
                port.protocol() == flow.protocol()
                    && port.port() == flow.destinationPort()
                    && (port.net() == null || port.net().contains(remote)));
  }

  @Override
  public @Nullable Judgement fromItsPod(Flow flow, Pod.Endpoint from, Hosts.Host host) {
    return hosts.protection(host.node()).workloadToHost() == ToHostAction.DROP
        ? new Judgement(
            false,
            new Reason.BesidePolicy(
                rule(PolicyType.INGRESS, "workload|" + PodReader.INTERFACE_PREFIX)))
        : null;
  }

  private static String rule(PolicyType direction, String what) {
    return "host|" + direction.name().toLowerCase(Locale.ROOT) + "|" + what;
  }
}
