package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniException;
import io.margay.linux.socket.OwnedFd;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import java.util.List;
import java.util.Optional;

/// The pod's wire in the kernel. The route to the pod is not its business: {@link EndpointPolicy}
/// comes first.
public interface PodNetwork {

  /// MAC address of every host end, as Calico's.
  MacAddress HOST_MAC = MacAddress.parse("ee:ee:ee:ee:ee:ee");

  /// Next hops of every pod. IPv4: Calico's own; IPv6: fixed on every host end, so that nothing is
  /// ever tentative.
  IpAddress IPV4_GATEWAY = IpAddress.parse("169.254.1.1");

  IpAddress IPV6_GATEWAY = IpAddress.parse("fe80::1");

  /// The next hop of an attachment's family.
  static IpAddress gateway(Attachment attachment, List<IpAddress> addresses, IpFamily family) {
    return attachment
        .routes()
        .gateway(family, addresses)
        .orElse(
            switch (family) {
              case IPV4 -> IPV4_GATEWAY;
              case IPV6 -> IPV6_GATEWAY;
            });
  }

  /// Builds the wire. A host end that an earlier container of the same workload left is replaced.
  ///
  /// @throws CniException 107 the interface in the pod, or the host end's name, is somebody else's;
  ///   106 the kernel refused. What was built before is gone again
  default void wire(Attachment attachment, List<IpAddress> addresses, OwnedFd podNetns)
      throws CniException {
    finish(attachment, begin(attachment, podNetns), addresses, podNetns);
  }

  /// The part of [#wire] that needs no address: both ends are there, the pod's is down, so nothing
  /// passes. A host route may lead there already.
  ///
  /// @throws CniException as [#wire]
  Wire begin(Attachment attachment, OwnedFd podNetns) throws CniException;

  /// The rest of [#wire].
  ///
  /// @throws CniException 106 the kernel refused, or the wire has vanished; what was built before
  ///   is gone again
  void finish(Attachment attachment, Wire wire, List<IpAddress> addresses, OwnedFd podNetns)
      throws CniException;

  /// Builds the node's half of a wire whose other half is the runtime's business: both ends are
  /// here, the pod's is down and has its MAC address, for the runtime to take into the pod and to
  /// address there. The host end answers for the pod's next hops.
  ///
  /// @param podEnd what the pod's end is called until then
  /// @throws CniException as [#wire]
  void wireHere(Attachment attachment, List<IpAddress> addresses, InterfaceName podEnd)
      throws CniException;

  /// A wire that is begun.
  ///
  /// @param hostIndex number of the host end on the node
  /// @param podIndex number of the pod's end in the pod
  record Wire(int hostIndex, int podIndex) {}

  /// Gives the host end back what the kernel takes from an interface that is set down: its IPv6
  /// address and the permanent neighbours. What is there stays; a wire that is gone stays gone.
  void mend(Attachment attachment, List<IpAddress> addresses) throws CniException;

  /// Cuts the wire: when this returns no packet passes, and the host end's name is free. A host end
  /// of another attachment is left alone; none is success.
  ///
  /// @param hostEnd where to look; when empty, every interface is looked at
  void unwire(AttachmentId id, Optional<InterfaceName> hostEnd) throws CniException;

  /// Whether there is still something in the kernel that only {@link #wire} can have left for this
  /// attachment; what state it is in does not matter.
  boolean isThere(Attachment attachment) throws CniException;

  /// The wire that a plugin before us made of a pod's interface.
  ///
  /// @throws CniException 7 the interface is missing, or has no host end that packets of this pod
  ///   alone pass through, so that nothing could police it
  ForeignWire find(InterfaceName ifName, OwnedFd podNetns) throws CniException;

  /// Another plugin's wire.
  ///
  /// @param hostEnd name of its host end
  /// @param podMac MAC address of the pod's end
  /// @param mtu of the pod's end, in octets
  record ForeignWire(InterfaceName hostEnd, MacAddress podMac, int mtu) {}

  /// Does on another plugin's wire what the attachment asks for beside policy: limits of traffic,
  /// and the way for host ports. Repeating it is harmless.
  ///
  /// @throws CniException 107 a device that limits has the name of somebody else's; 106 the kernel
  ///   refused. What was done before may be left: [#strip] takes it back
  void equip(Attachment attachment) throws CniException;

  /// Takes back what [#equip] did. A host end that is gone is success.
  void strip(Attachment attachment) throws CniException;

  /// What is not as [#equip] left it, one sentence each; empty when all is well.
  List<String> equipmentProblems(Attachment attachment) throws CniException;

  /// What is not as {@link #wire} left it, one sentence each; empty when all is well. Repairs
  /// nothing, and tolerates what plugins after us may have added.
  List<String> problems(Attachment attachment, List<IpAddress> addresses, OwnedFd podNetns)
      throws CniException;
}
