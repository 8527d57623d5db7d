package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.CniResult;
import io.margay.linux.socket.OwnedFd;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.WorkloadEndpoint;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// ADD: journal, addresses, wire, policy, journal, in this order; all of it or nothing.
///
/// A repeated ADD of the same container, interface and namespace answers what the first one did,
/// after repairing what is no longer so. One that a crash interrupted is begun again: the addresses
/// are the same, since the handle still holds them.
final class AddCommand {

  private static final Logger LOG = LoggerFactory.getLogger(AddCommand.class);

  private static final Prefix IPV4_DEFAULT = Prefix.parse("0.0.0.0/0");
  private static final Prefix IPV6_DEFAULT = Prefix.parse("::/0");

  /// How long an ADD that found no address waits for those of pods just deleted.
  private static final Duration RELEASE_PATIENCE = Duration.ofSeconds(2);

  private final CniNode node;
  private final AttachmentJournal journal;
  private final PodAddresses addresses;
  private final PodNetwork network;
  private final EndpointPolicy policy;
  private final PodCatalog pods;
  private final ReleaseQueue releases;
  private final HostPortClaims hostPorts;

  AddCommand(
      CniNode node,
      AttachmentJournal journal,
      PodAddresses addresses,
      PodNetwork network,
      EndpointPolicy policy,
      PodCatalog pods,
      ReleaseQueue releases) {
    this.node = node;
    this.journal = journal;
    this.addresses = addresses;
    this.network = network;
    this.policy = policy;
    this.pods = pods;
    this.releases = releases;
    this.hostPorts = new HostPortClaims(journal);
  }

  CniResult run(VerbRequest request) throws CniException {
    if (request.conf().prevResult().isPresent()) {
      throw new CniException(
          CniError.UNSUPPORTED_FIELD,
          "key prevResult: found on ADD, but margay-cni must be the first plugin of network "
              + request.conf().name());
    }
    Attachment attachment = request.attachment(node, request.podNetnsId(node));
    hostPorts.claim(attachment);
    try {
      return run(attachment, request);
    } finally {
      hostPorts.settled(attachment);
    }
  }

  private CniResult run(Attachment attachment, VerbRequest request) throws CniException {
    Optional<JournalEntry> known = journal.find(attachment.id());
    if (known.isPresent() && known.get() instanceof JournalEntry.Committed committed) {
      if (isSame(committed, attachment)) {
        return adopt(committed, request);
      }
      // The runtime gave the id to another namespace, or other ports, without a DEL in between:
      // what was built is of no more use.
      network.unwire(attachment.id(), Optional.of(committed.attachment().hostEnd()));
      policy.remove(endpoint(committed, Optional.empty()));
    }
    return build(attachment, request);
  }

  private boolean isSame(JournalEntry.Committed committed, Attachment attachment) {
    return committed.bootId().equals(journal.bootId())
        && committed.attachment().netns().equals(attachment.netns())
        && committed.attachment().network().equals(attachment.network())
        && committed.attachment().workload().equals(attachment.workload())
        && committed.attachment().hostPorts().equals(attachment.hostPorts())
        && committed.attachment().bandwidth().equals(attachment.bandwidth());
  }

  private CniResult adopt(JournalEntry.Committed committed, VerbRequest request)
      throws CniException {
    Attachment attachment = committed.attachment();
    OwnedFd podNetns = request.podNetns();
    if (!network.problems(attachment, committed.addresses(), podNetns).isEmpty()) {
      network.unwire(attachment.id(), Optional.of(attachment.hostEnd()));
      network.wire(attachment, committed.addresses(), podNetns);
    }
    policy.apply(endpoint(committed, said(attachment)));
    return result(attachment, committed.addresses());
  }

  private CniResult build(Attachment attachment, VerbRequest request) throws CniException {
    StageTimes stages = new StageTimes();
    PodAddresses.Wish wish = request.wish();
    Optional<KubernetesPod> said = said(attachment);
    refuseTakenName(attachment);
    try (Undo undo = new Undo()) {
      undo.push("journal", () -> forget(attachment));
      remember(new JournalEntry.Prepared(attachment, journal.bootId()));
      stages.ended("journal");
      undo.push("addresses", () -> release(attachment));
      List<IpAddress> assigned =
          assign(
              attachment, wish, given -> EndpointDocument.of(attachment, node.name(), given, said));
      stages.ended("address");
      undo.push("wire", () -> network.unwire(attachment.id(), Optional.of(attachment.hostEnd())));
      network.wire(attachment, assigned, request.podNetns());
      stages.ended("wire");
      JournalEntry.Committed committed =
          new JournalEntry.Committed(attachment, journal.bootId(), assigned);
      PodEndpoint endpoint = endpoint(committed, said);
      undo.push("policy", () -> policy.remove(endpoint));
      policy.apply(endpoint);
      stages.ended("policy");
      if (request.call().isAbandoned().getAsBoolean()) {
        throw new CniException(
            CniError.TRY_LATER,
            "the runtime gave up ADD of " + attachment.id() + "; everything was taken back");
      }
      remember(committed);
      undo.commit();
      stages.ended("journal");
      LOG.atDebug()
          .addKeyValue("attachment", attachment.id())
          .addKeyValue("addresses", assigned)
          .addKeyValue("millis", stages)
          .log("a pod is wired");
      return result(attachment, assigned);
    }
  }

  /// A pool that is used up may not be so once the pods that DEL has just taken away have given
  /// back theirs.
  private List<IpAddress> assign(
      Attachment attachment,
      PodAddresses.Wish wish,
      Function<List<IpAddress>, WorkloadEndpoint> document)
      throws CniException {
    try {
      return addresses.assign(attachment, wish, document);
    } catch (CniException refused) {
      boolean mayHelp =
          refused.error().code() == CniError.POOL_EXHAUSTED
              || refused.error().code() == CniError.ADDRESS_UNAVAILABLE;
      if (mayHelp && releases.settle(RELEASE_PATIENCE)) {
        return addresses.assign(attachment, wish, document);
      }
      throw refused;
    }
  }

  /// A host end's name follows from the workload, so a restarted pod takes over its own. Another
  /// workload under the same name would be cut off.
  private void refuseTakenName(Attachment attachment) throws CniException {
    for (JournalEntry other : journal.all()) {
      if (other instanceof JournalEntry.Committed
          && other.bootId().equals(journal.bootId())
          && other.attachment().hostEnd().equals(attachment.hostEnd())
          && !other.attachment().workload().equals(attachment.workload())) {
        throw new CniException(
            CniError.INTERFACE_NOT_OURS,
            "host interface "
                + attachment.hostEnd()
                + " belongs to "
                + other.attachment().id()
                + "; delete that first");
      }
    }
  }

  private Optional<KubernetesPod> said(Attachment attachment) throws CniException {
    return attachment.workload() instanceof Workload.Pod pod ? pods.find(pod) : Optional.empty();
  }

  private PodEndpoint endpoint(JournalEntry.Committed committed, Optional<KubernetesPod> said) {
    return new PodEndpoint(
        committed.attachment(),
        committed.addresses(),
        EndpointDocument.of(committed.attachment(), node.name(), committed.addresses(), said));
  }

  private void remember(JournalEntry entry) throws CniException {
    try {
      journal.write(entry);
    } catch (IOException failure) {
      throw new CniException(
          CniError.IO_FAILURE,
          "the journal entry of " + entry.attachment().id() + " cannot be written",
          failure);
    }
  }

  /// Runs last. Addresses that could not be given back keep their entry, by which the release is
  /// repeated.
  private void forget(Attachment attachment) throws CniException {
    Optional<JournalEntry> entry = journal.find(attachment.id());
    if (entry.isPresent() && entry.get() instanceof JournalEntry.Releasing) {
      return;
    }
    try {
      journal.remove(attachment.id());
    } catch (IOException failure) {
      throw new CniException(
          CniError.IO_FAILURE,
          "the journal entry of " + attachment.id() + " cannot be removed",
          failure);
    }
  }

  private void release(Attachment attachment) throws CniException {
    try {
      addresses.release(attachment);
    } catch (CniException away) {
      remember(new JournalEntry.Releasing(attachment, journal.bootId()));
      throw away;
    }
  }

  /// The order all consumers expect: the host end, the pod's end, addresses of the latter.
  static CniResult result(Attachment attachment, List<IpAddress> addresses) {
    List<CniResult.Ip> ips = new ArrayList<>();
    List<CniResult.Route> routes = new ArrayList<>();
    for (IpAddress address : addresses) {
      ips.add(new CniResult.Ip(address, address.family().bits(), Optional.empty(), 1));
      CniResult.Route route =
          switch (address.family()) {
            case IPV4 -> new CniResult.Route(IPV4_DEFAULT, Optional.of(PodNetwork.IPV4_GATEWAY));
            case IPV6 -> new CniResult.Route(IPV6_DEFAULT, Optional.of(PodNetwork.IPV6_GATEWAY));
          };
      if (!routes.contains(route)) {
        routes.add(route);
      }
    }
    return new CniResult(
        List.of(
            new CniResult.Interface(
                attachment.hostEnd().value(),
                Optional.of(PodNetwork.HOST_MAC),
                attachment.mtu(),
                ""),
            new CniResult.Interface(
                attachment.id().ifName().value(),
                Optional.of(attachment.podMac()),
                attachment.mtu(),
                attachment.netnsPath())),
        ips,
        routes);
  }
}
