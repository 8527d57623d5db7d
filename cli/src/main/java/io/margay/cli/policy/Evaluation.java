package io.margay.cli.policy;

import io.margay.agent.explain.Judgement;
import io.margay.agent.explain.PacketPath;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.PolicyType;
import io.margay.policy.oracle.Flow;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Answers probes about one world.
final class Evaluation {

  /// An end of a probe, found.
  ///
  /// @param addresses those that may be meant
  /// @param pod null if it is none
  /// @param host the node whose packets its packets are; null if they are a pod's own, or a
  ///   stranger's
  /// @param node where it is, as far as is known
  private record End(
      String text,
      List<IpAddress> addresses,
      @Nullable Pod pod,
      Hosts.@Nullable Host host,
      @Nullable String node) {

    private Pod.@Nullable Endpoint endpoint() {
      return pod == null ? null : pod.endpoint();
    }

    /// The host endpoint that polices it; null if none does.
    private Hosts.@Nullable Host policed() {
      return host == null || host.endpoint() == null ? null : host;
    }
  }

  private final World world;
  private final Engine engine;
  private final Map<IpAddress, Pod> podsByAddress = new HashMap<>();

  Evaluation(World world, Engine engine) {
    this.world = world;
    this.engine = engine;
    for (Pod pod : world.pods().values()) {
      if (pod.endpoint() != null) {
        pod.addresses().forEach(address -> podsByAddress.put(address, pod));
      }
    }
  }

  World world() {
    return world;
  }

  /// What one end of a packet's way says.
  ///
  /// @param judgement null if nothing is asked there
  /// @param host the host endpoint that says it; null if a pod's policy does
  record Side(@Nullable Judgement judgement, Hosts.@Nullable Host host) {
    private static final Side NOBODY = new Side(null, null);

    boolean isAllowed() {
      return judgement == null || judgement.isAllowed();
    }
  }

  /// What becomes of a packet on its whole way.
  record Path(Side egress, Side ingress) {
    boolean isAllowed() {
      return egress.isAllowed() && ingress.isAllowed();
    }
  }

  Path decide(Probe probe) throws ProbeException {
    End from = end(probe.from());
    End to = end(probe.to());
    Flow flow = flow(probe, from, to);
    boolean itself =
        flow.source().equals(flow.destination())
            || from.endpoint() != null && from.endpoint().equals(to.endpoint());
    boolean together = from.node() != null && from.node().equals(to.node());
    if (itself || together && from.host() != null) {
      return new Path(Side.NOBODY, Side.NOBODY);
    }
    PacketPath pods = engine.decide(flow, from.endpoint(), to.endpoint());
    return new Path(
        leaving(flow, from, to, pods.egress()), arriving(flow, from, to, pods.ingress()));
  }

  /// @param pods what the source's own policy says, if it is a pod
  private Side leaving(Flow flow, End from, End to, @Nullable Judgement pods) {
    Hosts.Host host = from.policed();
    if (host != null) {
      return new Side(engine.decide(flow, host, PolicyType.EGRESS), host);
    }
    if (pods != null && !pods.isAllowed()) {
      return new Side(pods, null);
    }
    Side against = forwarded(flow, from, to, PolicyType.EGRESS);
    return against == null ? new Side(pods, null) : against;
  }

  /// @param pods what the destination's own policy says, if it is a pod
  private Side arriving(Flow flow, End from, End to, @Nullable Judgement pods) {
    Hosts.Host host = to.host();
    if (host == null) {
      Side against = forwarded(flow, to, from, PolicyType.INGRESS);
      return against == null ? new Side(pods, null) : against;
    }
    if (from.endpoint() != null && host.node().equals(from.node())) {
      return new Side(engine.fromItsPod(flow, from.endpoint(), host), null);
    }
    return host.endpoint() == null
        ? Side.NOBODY
        : new Side(engine.decide(flow, host, PolicyType.INGRESS), host);
  }

  /// What the host endpoint of a pod's node has against the pod's packets from or to elsewhere;
  /// null if it lets them pass, or if nobody knows where they go.
  private @Nullable Side forwarded(Flow flow, End pod, End other, PolicyType direction) {
    boolean lost = other.pod() != null && other.node() == null;
    if (pod.endpoint() == null || pod.node() == null || pod.node().equals(other.node()) || lost) {
      return null;
    }
    Hosts.Host host = world.hosts().uplink(pod.node());
    Judgement against = host == null ? null : engine.forwarded(flow, host, direction);
    return against == null ? null : new Side(against, host);
  }

  /// The host endpoint that polices an end; empty if none does.
  Optional<Hosts.Host> host(String end) throws ProbeException {
    return Optional.ofNullable(end(end).policed());
  }

  /// The node an end is on, as far as is known.
  Optional<String> node(String end) throws ProbeException {
    return Optional.ofNullable(end(end).node());
  }

  /// The first packet of what is asked about.
  Flow flow(Probe probe) throws ProbeException {
    return flow(probe, end(probe.from()), end(probe.to()));
  }

  /// The pod an end is; null if it is none.
  @Nullable Pod pod(String end) throws ProbeException {
    return end(end).pod();
  }

  private static Flow flow(Probe probe, End from, End to) throws ProbeException {
    for (IpAddress source : from.addresses()) {
      for (IpAddress destination : to.addresses()) {
        if (source.family() == destination.family()) {
          return probe.flow(source, destination);
        }
      }
    }
    throw new ProbeException(
        from.text()
            + " ("
            + from.addresses().getFirst()
            + ") and "
            + to.text()
            + " ("
            + to.addresses().getFirst()
            + ") have no addresses of the same family");
  }

  private End end(String text) throws ProbeException {
    if (text.indexOf('/') >= 0) {
      Pod pod = world.pods().get(text);
      if (pod == null) {
        String lost = world.lostPods().get(text);
        throw new ProbeException(lost == null ? "there is no pod " + text : lost);
      }
      if (pod.addresses().isEmpty()) {
        throw new ProbeException("pod " + text + " has no address");
      }
      Hosts.Host host =
          pod.endpoint() == null ? world.hosts().at(pod.addresses().getFirst(), pod.node()) : null;
      return new End(text, pod.addresses(), pod, host, pod.node());
    }
    IpAddress address;
    try {
      address = IpAddress.parse(text);
    } catch (IllegalArgumentException notAnAddress) {
      throw new ProbeException("\"" + text + "\" is neither namespace/pod nor an IP address");
    }
    Pod pod = podsByAddress.get(address);
    if (pod != null) {
      return new End(text, List.of(address), pod, null, pod.node());
    }
    Hosts.Host host = world.hosts().at(address, null);
    return new End(text, List.of(address), null, host, host == null ? null : host.node());
  }
}
