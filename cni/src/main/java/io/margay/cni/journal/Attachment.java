package io.margay.cni.journal;

import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.Bandwidth;
import io.margay.cni.spec.PortMapping;
import io.margay.linux.netns.Netns;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.MacAddress;
import io.margay.model.resource.WorkloadEndpoint;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Everything about an attachment that is decided before anything is claimed or built for it. What
/// we did is remembered here: the runtime's configuration may change between ADD and DEL.
///
/// @param id the container and its interface
/// @param network name of the network
/// @param workload whose it is
/// @param netns identity of the pod's namespace, taken from the descriptor, since paths and process
///   ids are reused
/// @param netnsPath as the runtime spelled it, for the result
/// @param hostEnd name of the host end
/// @param podMac MAC address of the pod's end
/// @param mtu of both ends, in octets
/// @param labels of the endpoint, from the configuration
/// @param hostPorts ports of the node that lead to it
/// @param bandwidth limits of its traffic
/// @param annotations of the endpoint
/// @param routes how packets leave the pod
/// @param duty what we do for it
public record Attachment(
    AttachmentId id,
    String network,
    Workload workload,
    Netns.NetnsId netns,
    String netnsPath,
    InterfaceName hostEnd,
    MacAddress podMac,
    int mtu,
    Map<String, String> labels,
    List<PortMapping> hostPorts,
    Optional<Bandwidth> bandwidth,
    Map<String, String> annotations,
    PodRoutes routes,
    Duty duty) {

  /// What the alias of every host end begins with; the attachment follows.
  public static final String ALIAS_PREFIX = "margay:";

  /// The interface name whose handle is Calico's own; further attachments of a container get
  /// handles of their own.
  private static final String FIRST_INTERFACE = "eth0";

  public Attachment {
    labels = Map.copyOf(labels);
    hostPorts = List.copyOf(hostPorts);
    annotations = Map.copyOf(annotations);
  }

  /// One that is wholly ours, with nothing unusual.
  public Attachment(
      AttachmentId id,
      String network,
      Workload workload,
      Netns.NetnsId netns,
      String netnsPath,
      InterfaceName hostEnd,
      MacAddress podMac,
      int mtu,
      Map<String, String> labels) {
    this(
        id,
        network,
        workload,
        netns,
        netnsPath,
        hostEnd,
        podMac,
        mtu,
        labels,
        List.of(),
        Optional.empty(),
        Map.of(),
        PodRoutes.USUAL,
        new Duty.Whole());
  }

  /// The same under another duty.
  public Attachment with(Duty other) {
    return changed(netnsPath, hostEnd, podMac, mtu, routes, other);
  }

  /// The same with other routes.
  public Attachment with(PodRoutes other) {
    return changed(netnsPath, hostEnd, podMac, mtu, other, duty);
  }

  /// The same on a wire that another plugin made.
  public Attachment on(InterfaceName foreignHostEnd, MacAddress foreignMac, int foreignMtu) {
    return changed(netnsPath, foreignHostEnd, foreignMac, foreignMtu, routes, duty);
  }

  /// The same with another MTU.
  public Attachment withMtu(int other) {
    return changed(netnsPath, hostEnd, podMac, other, routes, duty);
  }

  /// The same in a namespace at this path, of which no more is known.
  public Attachment in(String path) {
    return changed(path, hostEnd, podMac, mtu, routes, duty);
  }

  private Attachment changed(
      String newNetnsPath,
      InterfaceName newHostEnd,
      MacAddress newMac,
      int newMtu,
      PodRoutes newRoutes,
      Duty newDuty) {
    return new Attachment(
        id,
        network,
        workload,
        netns,
        newNetnsPath,
        newHostEnd,
        newMac,
        newMtu,
        labels,
        hostPorts,
        bandwidth,
        annotations,
        newRoutes,
        newDuty);
  }

  /// Whether it has a host end, be it ours or another plugin's.
  public boolean hasHostEnd() {
    return switch (duty) {
      case Duty.Whole _, Duty.Delegated _, Duty.Policed _ -> true;
      case Duty.Addresses _ -> false;
      case Duty.Stepwise(Duty.Step step) -> step == Duty.Step.JOINED;
    };
  }

  /// The attachment that an endpoint of this node belongs to; empty when we can have made none
  /// such.
  public static Optional<AttachmentId> of(WorkloadEndpoint endpoint) {
    String container = endpoint.spec().containerID();
    String name = endpoint.spec().endpoint();
    if (container == null || name == null) {
      return Optional.empty();
    }
    boolean isStepwise = Workload.Endpoint.ORCHESTRATOR.equals(endpoint.spec().orchestrator());
    try {
      return Optional.of(
          new AttachmentId(container, new InterfaceName(isStepwise ? FIRST_INTERFACE : name)));
    } catch (IllegalArgumentException odd) {
      return Optional.empty();
    }
  }

  /// The IPAM handle that holds the addresses: `<network>.<containerID>`, as Calico's.
  public String handleId() {
    return handleId(network, id);
  }

  /// The handle of an attachment of which no more is known than DEL tells.
  public static String handleId(String network, AttachmentId id) {
    String handle = network + "." + id.containerId();
    return id.ifName().value().equals(FIRST_INTERFACE) ? handle : handle + "." + id.ifName();
  }

  /// The alias that marks the host end as ours: IFLA_IFALIAS `margay:<containerID>/<ifname>`.
  public static String alias(AttachmentId id) {
    return ALIAS_PREFIX + id;
  }

  /// Whose host end an alias marks; empty when it is not one of ours.
  public static Optional<AttachmentId> ofAlias(String alias) {
    int slash = alias.lastIndexOf('/');
    if (!isAlias(alias) || slash < ALIAS_PREFIX.length()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new AttachmentId(
              alias.substring(ALIAS_PREFIX.length(), slash),
              new InterfaceName(alias.substring(slash + 1))));
    } catch (IllegalArgumentException notOurs) {
      return Optional.empty();
    }
  }

  /// Whether an alias marks the host end of some attachment of ours.
  public static boolean isAlias(String alias) {
    return alias.startsWith(ALIAS_PREFIX);
  }
}
