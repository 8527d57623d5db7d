package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.PodRoutes;
import io.margay.cni.journal.Workload;
import io.margay.cni.protocol.CniCall;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.Bandwidth;
import io.margay.cni.spec.CniArgs;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.CniResult;
import io.margay.cni.spec.Dns;
import io.margay.cni.spec.NetConf;
import io.margay.cni.spec.PortMapping;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Netns;
import io.margay.linux.socket.OwnedFd;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A request about one attachment, parsed and checked.
///
/// @param call what came over the socket
/// @param conf the configuration
/// @param args the arguments
/// @param id which attachment
/// @param wishes of the pod's annotations; only ADD has them
record VerbRequest(CniCall call, NetConf conf, CniArgs args, AttachmentId id, PodWishes wishes) {

  private static final int ETHERNET_HEADER_OCTETS = 14;

  private static final String POD_NAMESPACE = "K8S_POD_NAMESPACE";
  private static final String POD_NAME = "K8S_POD_NAME";

  /// The annotation of an endpoint that holds the container's further names in the network.
  private static final String ALIASES = "margay.io/aliases";

  /// The name the plugin is called by when another one has it as its `ipam`.
  private static final String IPAM_PROGRAM = "margay-ipam";

  String get(CniVariable variable) {
    return call.request().get(variable);
  }

  /// The same with what the pod's annotations ask for: those of its document over those that the
  /// runtime handed on, one by one.
  VerbRequest told(PodCatalog pods) throws CniException {
    Map<String, String> annotations = new HashMap<>(conf.podAnnotations());
    if (workload() instanceof Workload.Pod pod) {
      pods.find(pod).ifPresent(said -> annotations.putAll(said.metadata().annotations()));
    }
    return new VerbRequest(call, conf, args, id, PodWishes.of(annotations));
  }

  /// Whether only addresses are wanted, for an interface that another plugin makes.
  boolean isIpam() {
    return isIpam(call);
  }

  static boolean isIpam(CniCall call) {
    return call.request().program().equals(IPAM_PROGRAM);
  }

  /// Called before an ADD is made final, and before a DEL is begun: an ADD that nobody will learn
  /// of is taken back, and a DEL that its client gave up on is queued on disk, or repeated by the
  /// runtime. Carried out late, it could hit a newer ADD of the same container.
  ///
  /// @throws CniException 11 when the client has gone
  void requireListener() throws CniException {
    if (call.isAbandoned().getAsBoolean()) {
      throw new CniException(
          CniError.TRY_LATER,
          "the runtime gave up "
              + get(CniVariable.COMMAND)
              + " of "
              + id
              + "; it counts as never asked, and may be repeated");
    }
  }

  /// What CHECK compares with.
  CniResult requirePrevResult() throws CniException {
    return conf.prevResult()
        .orElseThrow(
            () ->
                new CniException(
                    CniError.BAD_CONFIG, "key prevResult: missing, but CHECK compares with it"));
  }

  /// The pod's namespace, which ADD and CHECK can't do without.
  OwnedFd podNetns() throws CniException {
    Optional<OwnedFd> fd = call.podNetns();
    if (fd.isEmpty()) {
      throw new CniException(
          CniError.BAD_NETNS,
          "CNI_NETNS \""
              + get(CniVariable.NETNS)
              + "\" did not come with the request as a network namespace");
    }
    return fd.get();
  }

  /// The identity of the pod's namespace, once it is sure that it is a pod's, and that the plugin
  /// was run where we are.
  Netns.NetnsId podNetnsId(CniNode node) throws CniException {
    Netns.NetnsId pod = identify("CNI_NETNS \"" + get(CniVariable.NETNS) + "\"", podNetns());
    if (pod.equals(node.netns()) && !(isOverridden() && isForeignWire())) {
      throw new CniException(
          CniError.BAD_NETNS,
          "CNI_NETNS \""
              + get(CniVariable.NETNS)
              + "\" is the agent's own namespace; wiring it would cut the node off");
    }
    Optional<OwnedFd> caller = call.callerNetns();
    if (caller.isPresent()
        && !identify("the plugin's namespace", caller.get()).equals(node.netns())) {
      throw new CniException(
          CniError.FOREIGN_CALLER,
          "margay-cni was run in another network namespace than the agent of node "
              + node.name()
              + "; check margayRunDir of network "
              + conf.name());
    }
    return pod;
  }

  /// Whether the runtime says that the namespace may be the node's own.
  private boolean isOverridden() {
    String text = get(CniVariable.NETNS_OVERRIDE);
    return text.equalsIgnoreCase("true") || text.equals("1");
  }

  private boolean isForeignWire() {
    return isIpam() || conf.prevResult().isPresent();
  }

  private static Netns.NetnsId identify(String what, OwnedFd fd) throws CniException {
    try {
      return Netns.NetnsId.of(fd.number());
    } catch (LinuxException failure) {
      throw new CniException(CniError.BAD_NETNS, what + " is not a network namespace", failure);
    }
  }

  Workload workload() {
    Optional<String> namespace = args.get(POD_NAMESPACE);
    Optional<String> pod = args.get(POD_NAME);
    return namespace.isPresent() && pod.isPresent()
        ? new Workload.Pod(namespace.get(), pod.get())
        : new Workload.Container(id.containerId());
  }

  /// Everything about the attachment that the request and the node decide.
  Attachment attachment(CniNode node, Netns.NetnsId netns) throws CniException {
    Workload workload = workload();
    int mtu = conf.mtu() == 0 ? node.mtu() : conf.mtu();
    if (conf.bandwidth().isPresent()) {
      refuseBurstsBelow(mtu, conf.bandwidth().get());
    }
    Optional<MacAddress> mac = conf.requestedMac().or(wishes::mac);
    if (mac.isEmpty()) {
      mac = args.mac();
    }
    return new Attachment(
        id,
        conf.name(),
        workload,
        netns,
        get(CniVariable.NETNS),
        HostEnd.name(node.interfacePrefix(), workload, id),
        mac.orElseGet(() -> HostEnd.podMac(id)),
        mtu,
        PodAnnotations.labels(conf.labels(), conf.podAnnotations()),
        conf.portMappings(),
        conf.bandwidth(),
        annotations(),
        new PodRoutes(
            Map.of(), conf.hasDefaultRoute(), List.of(), conf.isRouter(), wishes.sources()),
        duty());
  }

  /// A packet that is more than the burst would never pass.
  private static void refuseBurstsBelow(int mtu, Bandwidth bandwidth) throws CniException {
    long least = 8L * (mtu + ETHERNET_HEADER_OCTETS);
    boolean ingress = bandwidth.ingressRate() > 0 && bandwidth.ingressBurst() < least;
    boolean egress = bandwidth.egressRate() > 0 && bandwidth.egressBurst() < least;
    if (ingress || egress) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "key bandwidth."
              + (ingress ? "ingressBurst: " : "egressBurst: ")
              + (ingress ? bandwidth.ingressBurst() : bandwidth.egressBurst())
              + " found, at least "
              + least
              + " bits expected: one packet of MTU "
              + mtu);
    }
  }

  /// A port of an IPv6 address of the node can't lead to a pod that has none.
  private void refuseUnreachableHostPorts(Set<IpFamily> families, List<IpAddress> addresses)
      throws CniException {
    for (PortMapping mapping : conf.portMappings()) {
      Optional<IpAddress> hostIp = mapping.hostIp();
      if (hostIp.isPresent()
          && !families.contains(hostIp.get().family())
          && addresses.stream().noneMatch(a -> a.family() == hostIp.get().family())) {
        int version = hostIp.get().family().version();
        throw new CniException(
            CniError.BAD_CONFIG,
            "key runtimeConfig.portMappings: "
                + mapping.place()
                + " found, but the pod gets no IPv"
                + version
                + " address; set ipam.assign_ipv"
                + version);
      }
    }
  }

  /// What a DEL tells of an attachment that nobody remembers.
  Attachment remains(CniNode node) {
    Workload workload = workload();
    return new Attachment(
            id,
            conf.name(),
            workload,
            new Netns.NetnsId(0, 0),
            get(CniVariable.NETNS),
            HostEnd.name(node.interfacePrefix(), workload, id),
            HostEnd.podMac(id),
            node.mtu(),
            Map.of())
        .with(duty());
  }

  /// An attachment on another plugin's wire, of which the pod's namespace is the one sign of life:
  /// the agent must be able to look for it later.
  Attachment attachmentOnForeignWire(CniNode node) throws CniException {
    Attachment attachment = attachment(node, podNetnsId(node));
    if (!PodNamespace.isAlive(attachment)) {
      throw new CniException(
          CniError.BAD_NETNS,
          "CNI_NETNS \""
              + attachment.netnsPath()
              + "\" is not what the agent sees under this path, so it could not tell when the pod"
              + " is gone; mount its directory into the agent's container");
    }
    return attachment;
  }

  private Map<String, String> annotations() {
    return conf.aliases().isEmpty() ? Map.of() : Map.of(ALIASES, String.join(",", conf.aliases()));
  }

  private Duty duty() {
    if (isIpam()) {
      return new Duty.Addresses();
    }
    Optional<Duty.Delegate> delegate = Delegates.of(conf, call.request());
    return delegate.isPresent() ? new Duty.Delegated(delegate.get(), Dns.NONE) : new Duty.Whole();
  }

  /// The addresses wanted. `runtimeConfig` and `args` beat the pod's annotations, and those beat
  /// `CNI_ARGS`.
  PodAddresses.Wish wish() throws CniException {
    List<IpAddress> addresses =
        !conf.requestedAddresses().isEmpty()
            ? conf.requestedAddresses()
            : !wishes.addresses().isEmpty() ? wishes.addresses() : args.addresses();
    Set<IpFamily> families = families();
    if (families.isEmpty() && addresses.isEmpty()) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "keys ipam.assign_ipv4 and ipam.assign_ipv6 are both false; a pod needs an address");
    }
    refuseUnreachableHostPorts(families, addresses);
    return new PodAddresses.Wish(
        families,
        addresses,
        wishes.ipv4Pools().isEmpty() ? conf.ipam().ipv4Pools() : wishes.ipv4Pools(),
        wishes.ipv6Pools().isEmpty() ? conf.ipam().ipv6Pools() : wishes.ipv6Pools());
  }

  private Set<IpFamily> families() {
    if (!wishes.families().isEmpty()) {
      return wishes.families();
    }
    Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);
    if (conf.ipam().assignIpv4()) {
      families.add(IpFamily.IPV4);
    }
    if (conf.ipam().assignIpv6()) {
      families.add(IpFamily.IPV6);
    }
    return families;
  }
}
