package io.margay.cni.wiring;

import io.margay.cni.PodNetwork;
import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Netns;
import io.margay.linux.route.Address;
import io.margay.linux.route.Link;
import io.margay.linux.route.Links;
import io.margay.linux.route.Neighbour;
import io.margay.linux.route.Rtnetlink;
import io.margay.linux.route.RtnetlinkBatch;
import io.margay.linux.route.Scope;
import io.margay.linux.route.VethSpec;
import io.margay.linux.socket.OwnedFd;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Wires pods with a veth pair each, no bridge.
///
/// The host end answers for the pods' next hops itself: `fe80::1`, and `169.254.1.1/32` in scope
/// host. The pods have them as permanent neighbours and never ask; one that flushed its neighbours
/// still gets an answer, with no proxy ARP and no default route on the host needed. Many host ends
/// carry the same two addresses, which the kernel takes well: IPv6's are per link, and one of scope
/// host is never chosen as the source of packets to a pod (scope link would be, and hide the node's
/// own address from policy).
public final class VethPodNetwork implements PodNetwork, AutoCloseable {

  private static final int IPV6_LINK_PREFIX = 64;

  private final Rtnetlink host;
  private final LinkReaper reaper;
  private final PodBandwidth bandwidth;
  private final ForeignEnd foreign;
  private final Object hostLock = new Object();

  private VethPodNetwork(Rtnetlink host, LinkReaper reaper) throws LinuxException {
    this.host = host;
    this.reaper = reaper;
    this.bandwidth = PodBandwidth.open(host.links(), this::cut);
    this.foreign = new ForeignEnd(host.links(), bandwidth, this::cut);
  }

  /// Works in the calling thread's namespace from now on.
  public static VethPodNetwork open() throws LinuxException {
    Rtnetlink host = Rtnetlink.open();
    try {
      LinkReaper reaper = LinkReaper.start();
      try {
        return new VethPodNetwork(host, reaper);
      } catch (LinuxException failure) {
        reaper.close();
        throw failure;
      }
    } catch (LinuxException failure) {
      host.close();
      throw failure;
    }
  }

  /// One wire at a time, the pod's side included: the kernel has one lock for all of it, and who
  /// writes a sysctl while another holds that spins (`rtnl_trylock` in `devinet_sysctl_forward` and
  /// its like) and takes the processor from the holder.
  @Override
  public Wire begin(Attachment attachment, OwnedFd podNetns) throws CniException {
    synchronized (hostLock) {
      return begin(attachment, attachment.id().ifName(), podNetns.number());
    }
  }

  private Wire begin(Attachment attachment, InterfaceName podEnd, int podNetns)
      throws CniException {
    Link hostEnd;
    try {
      hostEnd = create(attachment, podEnd, podNetns);
    } catch (LinuxException failure) {
      throw refused(
          "create host interface " + attachment.hostEnd() + " of " + attachment.id(), failure);
    }
    try {
      host.links().setIpv4(hostEnd.index(), true, HostEndSettings.STRICT_REVERSE_PATH);
      return new Wire(hostEnd.index(), hostEnd.peerIndex());
    } catch (LinuxException failure) {
      unwire(attachment.id(), Optional.of(attachment.hostEnd()));
      throw refused("configure " + attachment.id(), failure);
    }
  }

  @Override
  public void finish(Attachment attachment, Wire wire, List<IpAddress> addresses, OwnedFd podNetns)
      throws CniException {
    synchronized (hostLock) {
      configure(
          attachment,
          addresses,
          wire,
          () -> PodEnd.configure(attachment, addresses, podNetns, wire.podIndex()));
    }
  }

  @Override
  public void wireHere(Attachment attachment, List<IpAddress> addresses, InterfaceName podEnd)
      throws CniException {
    synchronized (hostLock) {
      try (Netns here = Netns.ofThread()) {
        Wire wire = begin(attachment, podEnd, here.fd());
        configure(attachment, addresses, wire, () -> {});
      } catch (LinuxException failure) {
        throw refused("open the node's own network namespace", failure);
      }
    }
  }

  /// What is done in the pod.
  @FunctionalInterface
  private interface InPod {
    void run() throws LinuxException;
  }

  private void configure(Attachment attachment, List<IpAddress> addresses, Wire wire, InPod inPod)
      throws CniException {
    try {
      configureHost(attachment, addresses, wire, inPod);
    } catch (LinuxException failure) {
      unwire(attachment.id(), Optional.of(attachment.hostEnd()));
      throw refused("configure " + attachment.id(), failure);
    } catch (CniException failure) {
      unwire(attachment.id(), Optional.of(attachment.hostEnd()));
      throw failure;
    }
  }

  /// The order matters: settings that shape the kernel's own addresses come before there is a
  /// carrier, the pod's end then brings it, and the host end's addresses and neighbours follow.
  private void configureHost(
      Attachment attachment, List<IpAddress> addresses, Wire wire, InPod inPod)
      throws LinuxException, CniException {
    Set<IpFamily> families = PodEnd.families(addresses);
    HostEndSettings.write(attachment, families);
    if (attachment.bandwidth().isPresent()) {
      bandwidth.limit(attachment, wire.hostIndex(), attachment.bandwidth().get(), this::cut);
    }
    inPod.run();
    address(attachment, addresses, wire.hostIndex(), gateways(attachment, addresses));
  }

  private void address(
      Attachment attachment, List<IpAddress> addresses, int hostIndex, Set<IpAddress> gateways)
      throws LinuxException {
    RtnetlinkBatch batch = host.batch();
    gateways.forEach(gateway -> batch.add(gatewayAddress(gateway, hostIndex)));
    addresses.forEach(
        address -> batch.replace(new Neighbour(hostIndex, address, attachment.podMac())));
    batch.sendAll();
  }

  @Override
  public void mend(Attachment attachment, List<IpAddress> addresses) throws CniException {
    synchronized (hostLock) {
      try {
        Optional<Link> hostEnd = hostEndOf(attachment).filter(Link::isUp);
        if (hostEnd.isPresent()) {
          int index = hostEnd.get().index();
          Set<IpAddress> lacking = gateways(attachment, addresses);
          host.addresses().list(index).forEach(present -> lacking.remove(present.address()));
          address(attachment, addresses, index, lacking);
        }
      } catch (LinuxException failure) {
        throw refused("mend the host end of " + attachment.id(), failure);
      }
    }
  }

  private Optional<Link> hostEndOf(Attachment attachment) throws LinuxException {
    String alias = Attachment.alias(attachment.id());
    return host.links().find(attachment.hostEnd()).filter(link -> link.alias().equals(alias));
  }

  /// Every next hop the pod may know: one a family, and those that go with single addresses.
  private static Set<IpAddress> gateways(Attachment attachment, List<IpAddress> addresses) {
    Set<IpAddress> gateways = new LinkedHashSet<>();
    PodEnd.families(addresses)
        .forEach(family -> gateways.add(PodNetwork.gateway(attachment, addresses, family)));
    gateways.addAll(attachment.routes().gateways().values());
    return gateways;
  }

  private static Address gatewayAddress(IpAddress gateway, int index) {
    return gateway.equals(IPV6_GATEWAY)
        ? new Address(index, gateway, IPV6_LINK_PREFIX, Scope.LINK)
        : new Address(
            index,
            gateway,
            gateway.family().bits(),
            gateway.family() == IpFamily.IPV4 ? Scope.HOST : Scope.UNIVERSE);
  }

  /// Replaces a host end of ours, which an earlier container of the workload left; refuses a
  /// stranger's.
  private void freeName(Attachment attachment) throws LinuxException, CniException {
    Optional<Link> present = host.links().find(attachment.hostEnd());
    if (present.isEmpty()) {
      return;
    }
    boolean ours =
        Attachment.isAlias(present.get().alias()) || present.get().group() == Links.NEWBORN_GROUP;
    if (!ours) {
      throw new CniException(
          CniError.INTERFACE_NOT_OURS,
          "host interface "
              + attachment.hostEnd()
              + " exists and is not ours; delete it or find out who made it");
    }
    cut(present.get());
  }

  private Link create(Attachment attachment, InterfaceName podEnd, int podNetns)
      throws LinuxException, CniException {
    VethSpec veth =
        new VethSpec(
            attachment.hostEnd(),
            HOST_MAC,
            podEnd,
            attachment.podMac(),
            podNetns,
            attachment.mtu(),
            Attachment.alias(attachment.id()));
    try {
      return host.links().createVeth(veth);
    } catch (LinuxException failure) {
      if (!failure.is(Errno.EEXIST)) {
        throw failure;
      }
    }
    // Perhaps an earlier container of the workload left the host's name taken, perhaps the other
    // end
    // of a wire cut just now the pod's: that deletion can be had at once.
    freeName(attachment);
    host.links().deleteGroup(LinkReaper.GROUP);
    try {
      return host.links().createVeth(veth);
    } catch (LinuxException failure) {
      if (!failure.is(Errno.EEXIST)) {
        throw failure;
      }
      throw new CniException(
          CniError.INTERFACE_NOT_OURS,
          "interface "
              + podEnd
              + " exists in the pod of "
              + attachment.id()
              + " and is not ours; use another CNI_IFNAME",
          failure);
    }
  }

  @Override
  public void unwire(AttachmentId id, Optional<InterfaceName> hostEnd) throws CniException {
    String alias = Attachment.alias(id);
    try {
      synchronized (hostLock) {
        Optional<Link> present =
            hostEnd.isPresent()
                ? host.links().find(hostEnd.get()).filter(link -> link.alias().equals(alias))
                : host.links().list().stream()
                    .filter(link -> link.alias().equals(alias) && !isCut(link))
                    .findFirst();
        if (present.isPresent()) {
          cut(present.get());
        }
        bandwidth.lift(id, this::cut);
      }
    } catch (LinuxException failure) {
      throw refused("cut the wire of " + id, failure);
    }
  }

  private static boolean isCut(Link link) {
    return link.group() == LinkReaper.GROUP;
  }

  /// No packet passes a link that is down; renamed, it no longer stands in the way of a successor;
  /// the rest can wait. It joins the group before it loses its name: should this process die in
  /// between, one or the other leads the next one to it. A link that vanishes meanwhile, with its
  /// pod's namespace, is what we want.
  private void cut(Link link) throws LinuxException {
    try {
      host.links().setDown(link.index());
      reaper.reap(host.links(), link.index());
      host.links().rename(link.index(), new InterfaceName("mgyd" + link.index()));
    } catch (LinuxException failure) {
      if (!failure.is(Errno.ENODEV)) {
        throw failure;
      }
    }
  }

  @Override
  public boolean isThere(Attachment attachment) throws CniException {
    String alias = Attachment.alias(attachment.id());
    try {
      synchronized (hostLock) {
        return host.links()
            .find(attachment.hostEnd())
            .filter(link -> link.alias().equals(alias))
            .isPresent();
      }
    } catch (LinuxException failure) {
      throw refused("look for " + attachment.id(), failure);
    }
  }

  @Override
  public List<String> problems(Attachment attachment, List<IpAddress> addresses, OwnedFd podNetns)
      throws CniException {
    List<String> problems = new ArrayList<>();
    try {
      Optional<Link> found;
      synchronized (hostLock) {
        found = host.links().find(attachment.hostEnd());
        if (found.isEmpty() || !found.get().alias().equals(Attachment.alias(attachment.id()))) {
          return List.of(
              "host interface "
                  + attachment.hostEnd()
                  + " is gone or belongs to another container");
        }
        verifyHost(found.get(), addresses, attachment, problems);
        if (attachment.bandwidth().isPresent()) {
          bandwidth.verify(attachment, found.get(), attachment.bandwidth().get(), problems);
        }
      }
      PodEnd.verify(attachment, addresses, podNetns, found.get().peerIndex(), problems);
    } catch (LinuxException failure) {
      throw refused("look at " + attachment.id(), failure);
    }
    return problems;
  }

  private void verifyHost(
      Link link, List<IpAddress> addresses, Attachment attachment, List<String> problems)
      throws LinuxException {
    if (!link.isUp()) {
      problems.add("host interface " + link.name() + " is down");
    }
    if (!link.mac().equals(Optional.of(HOST_MAC))) {
      problems.add("host interface " + link.name() + " has another MAC address than " + HOST_MAC);
    }
    if (link.mtu() != attachment.mtu()) {
      problems.add(
          "host interface "
              + link.name()
              + " has MTU "
              + link.mtu()
              + " and not "
              + attachment.mtu());
    }
    HostEndSettings.verify(attachment, PodEnd.families(addresses), problems);
    List<Address> present = host.addresses().list(link.index());
    for (IpAddress gateway : gateways(attachment, addresses)) {
      if (present.stream().noneMatch(there -> there.address().equals(gateway))) {
        problems.add("host interface " + link.name() + " lacks address " + gateway);
      }
    }
    for (IpFamily family : PodEnd.families(addresses)) {
      List<Neighbour> neighbours = host.neighbours().listPermanent(family);
      for (IpAddress address : addresses) {
        if (address.family() == family
            && !neighbours.contains(new Neighbour(link.index(), address, attachment.podMac()))) {
          problems.add(
              "host interface "
                  + link.name()
                  + " lacks the permanent neighbour "
                  + address
                  + " with MAC address "
                  + attachment.podMac());
        }
      }
    }
  }

  @Override
  public ForeignWire find(InterfaceName ifName, OwnedFd podNetns) throws CniException {
    try (Rtnetlink pod = Rtnetlink.inNetns(podNetns.number())) {
      Optional<Link> inside = pod.links().find(ifName);
      if (inside.isEmpty()) {
        throw notPoliceable(ifName, "it does not exist in the pod");
      }
      Optional<Link> hostEnd =
          inside.get().kind().equals("veth") ? peer(inside.get()) : Optional.empty();
      if (hostEnd.isEmpty()) {
        throw notPoliceable(ifName, "it is no veth with its other end on this node");
      }
      if (hostEnd.get().master() != 0) {
        throw notPoliceable(
            ifName,
            "its host end "
                + hostEnd.get().name()
                + " is a port of a bridge, which hides from the routed node whose packets they"
                + " are");
      }
      return new ForeignWire(
          hostEnd.get().name(), inside.get().mac().orElseThrow(), inside.get().mtu());
    } catch (LinuxException failure) {
      throw refused("look at interface " + ifName + " of the pod", failure);
    }
  }

  @Override
  public void equip(Attachment attachment) throws CniException {
    try {
      synchronized (hostLock) {
        foreign.equip(attachment);
      }
    } catch (LinuxException failure) {
      throw refused("equip the host end of " + attachment.id(), failure);
    }
  }

  @Override
  public void strip(Attachment attachment) throws CniException {
    try {
      synchronized (hostLock) {
        foreign.strip(attachment);
      }
    } catch (LinuxException failure) {
      throw refused("take back what the host end of " + attachment.id() + " was given", failure);
    }
  }

  @Override
  public List<String> equipmentProblems(Attachment attachment) throws CniException {
    List<String> problems = new ArrayList<>();
    try {
      synchronized (hostLock) {
        foreign.verify(attachment, problems);
      }
    } catch (LinuxException failure) {
      throw refused("look at the host end of " + attachment.id(), failure);
    }
    return problems;
  }

  /// The other end of a veth, if it is in the host's namespace.
  private Optional<Link> peer(Link inside) throws LinuxException {
    synchronized (hostLock) {
      return host.links().list().stream()
          .filter(link -> link.index() == inside.peerIndex())
          .filter(link -> link.kind().equals("veth") && link.peerIndex() == inside.index())
          .filter(link -> link.peerNetnsId().isPresent())
          .findFirst();
    }
  }

  private static CniException notPoliceable(InterfaceName ifName, String why) {
    return new CniException(
        CniError.BAD_CONFIG,
        "key prevResult: interface "
            + ifName
            + " can't be policed: "
            + why
            + "; put margay-cni behind ptp, or first in the chain");
  }

  private static CniException refused(String what, LinuxException failure) {
    return new CniException(CniError.KERNEL_REFUSED, "the kernel refused to " + what, failure);
  }

  /// Deletes what is waiting to be deleted; wires stay as they are.
  @Override
  public void close() {
    reaper.close();
    synchronized (hostLock) {
      bandwidth.close();
      host.close();
    }
  }
}
