package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.journal.PodRoutes;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.PortMapping;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What an ADD and a DEL do, in the single steps that Docker's libnetwork asks for: addresses, one
/// by one, before it is known whose they are; the endpoint they are for; its wire. An endpoint has
/// one journal entry and one handle from its first address on, so restarts, self-reclaim and
/// garbage collection see a pod like any other.
///
/// A step that is repeated answers what it did before: a runtime repeats those whose answer an
/// agent that died could not give. Steps back are success whatever there is.
public final class StepVerbs {

  /// The first part of every handle.
  public static final String NETWORK = "libnetwork";

  private static final Logger LOG = LoggerFactory.getLogger(StepVerbs.class);

  /// What the pod's end is called before the runtime takes it, as Calico's plugin called it.
  private static final String POD_END_PREFIX = "temp";

  private final CniNode node;
  private final JournalWriter journal;
  private final StepEntries entries;
  private final AddressSteps addressSteps;
  private final PodAddresses addresses;
  private final PodNetwork network;
  private final EndpointPolicy policy;
  private final HostPortClaims hostPorts;
  private final ContainerLocks locks;
  private final Consumer<AttachmentId> giveBack;

  /// @param giveBack returns what a deleted attachment owes, in its own time
  StepVerbs(
      CniNode node,
      AttachmentJournal journal,
      PodAddresses addresses,
      Release release,
      PodNetwork network,
      EndpointPolicy policy,
      ReleaseQueue releases,
      HostPortClaims hostPorts,
      ContainerLocks locks,
      DelCommand del,
      Consumer<AttachmentId> giveBack) {
    this.node = node;
    this.journal = new JournalWriter(journal);
    this.entries = new StepEntries(journal);
    this.addressSteps = new AddressSteps(node, journal, addresses, release, releases, locks, del);
    this.addresses = addresses;
    this.network = network;
    this.policy = policy;
    this.hostPorts = hostPorts;
    this.locks = locks;
    this.giveBack = giveBack;
  }

  /// What a runtime says of an endpoint.
  ///
  /// @param id the runtime's own
  /// @param profile the endpoint's
  /// @param labels of the endpoint
  /// @param hostPorts ports of the node that lead to it
  /// @param mtu of its wire in octets; empty for the node's own
  public record Endpoint(
      String id,
      String profile,
      Map<String, String> labels,
      List<PortMapping> hostPorts,
      Optional<Integer> mtu) {
    public Endpoint {
      labels = Map.copyOf(labels);
      hostPorts = List.copyOf(hostPorts);
    }
  }

  /// A wire that waits for the runtime.
  ///
  /// @param podEnd name, in the node's namespace, of the interface to take into the pod
  /// @param families that it has addresses of
  public record Joined(InterfaceName podEnd, Set<IpFamily> families) {
    public Joined {
      families = Set.copyOf(families);
    }
  }

  /// Takes an address for whoever has this MAC address; the other family's, for the same, goes
  /// under the same handle.
  ///
  /// @param mac of the pod's end
  /// @param wish of one address
  /// @throws CniException 101 pool exhausted, 102 the address can't be had, 104 the datastore is
  ///   away
  public IpAddress lease(MacAddress mac, PodAddresses.Wish wish) throws CniException {
    return addressSteps.lease(mac, wish);
  }

  /// Gives an address back, and the other one of the same endpoint with it: libnetwork never keeps
  /// one of them. An endpoint that still has it is cut off. Nobody's is success.
  public void giveBack(IpAddress address) throws CniException {
    addressSteps.giveBack(address).ifPresent(giveBack);
  }

  /// Tells whose the addresses are.
  ///
  /// @param held its addresses, all of [#lease]
  /// @return the MAC address of the pod's end
  /// @throws CniException 102 an address is not held for it, 110 a port of the node is taken
  public MacAddress create(Endpoint endpoint, List<IpAddress> held) throws CniException {
    JournalEntry.Committed lease = leaseOf(endpoint, held);
    try (ContainerLocks.Held _ = locks.take(lease.attachment().id())) {
      // What is true of the lease may have changed while others worked on it.
      lease = leaseOf(endpoint, held);
      Attachment attachment = attachment(lease.attachment(), endpoint);
      if (StepEntries.isOf(lease, endpoint.id())
          && StepEntries.stepOf(lease.attachment()) != Duty.Step.LEASED) {
        return attachment.podMac();
      }
      refuseUnreachable(attachment.hostPorts(), families(lease.addresses()));
      hostPorts.claim(attachment);
      try {
        journal.remember(
            new JournalEntry.Committed(attachment, journal.bootId(), lease.addresses()));
      } finally {
        hostPorts.settled(attachment);
      }
      return attachment.podMac();
    }
  }

  private static void refuseUnreachable(List<PortMapping> mappings, Set<IpFamily> families)
      throws CniException {
    for (PortMapping mapping : mappings) {
      if (mapping.hostIp().isPresent() && !families.contains(mapping.hostIp().get().family())) {
        throw new CniException(
            CniError.BAD_CONFIG,
            mapping.place()
                + " can't lead to an endpoint without an IPv"
                + mapping.hostIp().get().family().version()
                + " address; give its network a subnet of that family");
      }
    }
  }

  private JournalEntry.Committed leaseOf(Endpoint endpoint, List<IpAddress> held)
      throws CniException {
    Set<IpAddress> wanted = new HashSet<>(held);
    return entries
        .find(
            entry ->
                (StepEntries.isLease(entry) || StepEntries.isOf(entry, endpoint.id()))
                    && wanted.equals(new HashSet<>(entry.addresses())))
        .orElseThrow(
            () ->
                new CniException(
                    CniError.ADDRESS_UNAVAILABLE,
                    "addresses "
                        + held
                        + " are not held for endpoint "
                        + endpoint.id()
                        + ", or were given back since"));
  }

  private Attachment attachment(Attachment lease, Endpoint endpoint) {
    Workload workload = new Workload.Endpoint(endpoint.id(), endpoint.profile());
    return new Attachment(
        lease.id(),
        lease.network(),
        workload,
        lease.netns(),
        "",
        HostEnd.name(node.interfacePrefix(), workload, lease.id()),
        lease.podMac(),
        endpoint.mtu().orElseGet(node::mtu),
        endpoint.labels(),
        endpoint.hostPorts(),
        Optional.empty(),
        Map.of(),
        PodRoutes.USUAL,
        new Duty.Stepwise(Duty.Step.CREATED));
  }

  /// Wires an endpoint: its rules and routes are in the kernel when this returns, the datastore
  /// knows of it, and the pod's end is ready to be taken.
  ///
  /// @throws CniException 3 no such endpoint, 104 the datastore is away, 105 its rules are not in
  ///   the kernel in time, 106 the kernel refused, 107 the host end's name is somebody else's; what
  ///   was built is gone again
  public Joined join(String endpoint, String sandbox) throws CniException {
    AttachmentId id = require(endpoint).attachment().id();
    try (ContainerLocks.Held _ = locks.take(id)) {
      JournalEntry.Committed created = require(endpoint);
      Attachment attachment = at(created.attachment(), Duty.Step.JOINED, sandbox);
      InterfaceName podEnd = podEnd(endpoint);
      Joined joined = new Joined(podEnd, families(created.addresses()));
      if (created.attachment().equals(attachment) && network.isThere(attachment)) {
        policy.apply(endpoint(attachment, created.addresses()));
        return joined;
      }
      wire(attachment, created.addresses(), podEnd);
      return joined;
    }
  }

  private void wire(Attachment attachment, List<IpAddress> held, InterfaceName podEnd)
      throws CniException {
    PodEndpoint endpoint = endpoint(attachment, held);
    try (Undo undo = new Undo()) {
      undo.push("journal", () -> step(attachment, held, Duty.Step.CREATED));
      // Before the wire, which the next process would not know what to do with.
      journal.remember(new JournalEntry.Committed(attachment, journal.bootId(), held));
      journal.refuseTakenName(attachment);
      undo.push("wire", () -> network.unwire(attachment.id(), Optional.of(attachment.hostEnd())));
      network.wireHere(attachment, held, podEnd);
      undo.push("endpoint", () -> addresses.withdraw(attachment));
      addresses.publish(attachment, endpoint.document());
      undo.push("policy", () -> policy.remove(endpoint));
      policy.apply(endpoint);
      undo.commit();
    }
    LOG.atDebug()
        .addKeyValue("attachment", attachment.id())
        .addKeyValue("endpoint", attachment.workload())
        .addKeyValue("addresses", held)
        .log("an endpoint of Docker's is wired");
  }

  private void step(Attachment attachment, List<IpAddress> held, Duty.Step step)
      throws CniException {
    journal.remember(new JournalEntry.Committed(at(attachment, step, ""), journal.bootId(), held));
  }

  private static Attachment at(Attachment attachment, Duty.Step step, String sandbox) {
    return attachment.in(sandbox).with(new Duty.Stepwise(step));
  }

  private static Set<IpFamily> families(List<IpAddress> held) {
    Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);
    held.forEach(address -> families.add(address.family()));
    return families;
  }

  private static InterfaceName podEnd(String endpoint) {
    int digits = Math.min(endpoint.length(), InterfaceName.MAX_OCTETS - POD_END_PREFIX.length());
    return new InterfaceName(POD_END_PREFIX + endpoint.substring(0, digits));
  }

  /// Cuts an endpoint's wire: no packet passes when this returns. The endpoint stays, and can be
  /// joined again.
  public void leave(String endpoint) throws CniException {
    back(endpoint, Duty.Step.CREATED);
  }

  /// Forgets an endpoint, whatever its state; its addresses stay held until they are given back, or
  /// nobody has come for them.
  public void delete(String endpoint) throws CniException {
    back(endpoint, Duty.Step.LEASED);
  }

  private void back(String endpoint, Duty.Step step) throws CniException {
    Optional<JournalEntry.Committed> known =
        entries.find(entry -> StepEntries.isOf(entry, endpoint));
    if (known.isEmpty()) {
      return;
    }
    try (ContainerLocks.Held _ = locks.take(known.get().attachment().id())) {
      Optional<JournalEntry.Committed> now =
          entries.find(entry -> StepEntries.isOf(entry, endpoint));
      if (now.isEmpty()) {
        return;
      }
      Attachment attachment = now.get().attachment();
      List<IpAddress> held = now.get().addresses();
      cut(attachment, network, policy, endpoint(attachment, held));
      if (StepEntries.stepOf(attachment).compareTo(step) > 0) {
        step(attachment, held, step);
      }
    }
  }

  /// Takes the wire and the policy of an attachment away, if it has any.
  static void cut(
      Attachment attachment, PodNetwork network, EndpointPolicy policy, PodEndpoint endpoint)
      throws CniException {
    if (attachment.workload() instanceof Workload.Endpoint) {
      network.unwire(attachment.id(), Optional.of(attachment.hostEnd()));
      policy.remove(endpoint);
    }
  }

  private JournalEntry.Committed require(String endpoint) throws CniException {
    return entries
        .find(
            entry ->
                StepEntries.isOf(entry, endpoint)
                    && StepEntries.stepOf(entry.attachment()) != Duty.Step.LEASED)
        .orElseThrow(
            () ->
                new CniException(
                    CniError.UNKNOWN_CONTAINER,
                    "node "
                        + node.name()
                        + " knows no endpoint "
                        + endpoint
                        + "; start the container again"));
  }

  private PodEndpoint endpoint(Attachment attachment, List<IpAddress> held) {
    return new PodEndpoint(attachment, held, EndpointDocument.of(attachment, node.name(), held));
  }
}
