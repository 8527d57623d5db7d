package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.journal.PodRoutes;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.CniResult;
import io.margay.cni.spec.CniVerb;
import io.margay.cni.spec.Dns;
import io.margay.linux.socket.OwnedFd;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.WorkloadEndpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// ADD: journal; addresses, while both ends of the wire are made; policy, while the pod's end is
/// set up; journal. All of it or nothing, and the answer only after all of it.
///
/// A repeated ADD of the same container, interface and namespace answers what the first one did,
/// after repairing what is no longer so. One that a crash interrupted is begun again: the addresses
/// are the same, since the handle still holds them.
final class AddCommand {

  private static final Logger LOG = LoggerFactory.getLogger(AddCommand.class);

  /// How long an ADD that found no address waits for those of pods just deleted.
  private static final Duration RELEASE_PATIENCE = Duration.ofSeconds(2);

  private final CniNode node;
  private final JournalWriter journal;
  private final PodAddresses addresses;
  private final Delegates delegates;
  private final Release release;
  private final PodNetwork network;
  private final HeadStart headStart;
  private final EndpointPolicy policy;
  private final PodCatalog pods;
  private final ReleaseQueue releases;
  private final HostPortClaims hostPorts;
  private final EarlierDebts debts;

  AddCommand(
      CniNode node,
      AttachmentJournal journal,
      PodAddresses addresses,
      Delegates delegates,
      PodNetwork network,
      EndpointPolicy policy,
      PodCatalog pods,
      ReleaseQueue releases,
      HostPortClaims hostPorts,
      EarlierDebts debts) {
    this.node = node;
    this.journal = new JournalWriter(journal);
    this.addresses = addresses;
    this.delegates = delegates;
    this.release = new Release(addresses, delegates);
    this.network = network;
    this.headStart = new HeadStart(network);
    this.policy = policy;
    this.pods = pods;
    this.releases = releases;
    this.hostPorts = hostPorts;
    this.debts = debts;
  }

  CniResult run(VerbRequest request) throws CniException {
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
      refuseForeignWire(committed);
      // The runtime gave the id to another namespace, or other ports, without a DEL in between:
      // what was built is of no more use, though its addresses may be.
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
        && committed.attachment().bandwidth().equals(attachment.bandwidth())
        && committed.attachment().duty().getClass() == attachment.duty().getClass();
  }

  /// The interface under this name is another plugin's, and we only serve it.
  private void refuseForeignWire(JournalEntry.Committed committed) throws CniException {
    if (committed.bootId().equals(journal.bootId()) && !hasOwnWire(committed.attachment())) {
      throw new CniException(
          CniError.INTERFACE_NOT_OURS,
          "interface "
              + committed.attachment().id().ifName()
              + " of container "
              + committed.attachment().id().containerId()
              + " is another plugin's, in network "
              + committed.attachment().network()
              + "; use another CNI_IFNAME, or delete it first");
    }
  }

  private static boolean hasOwnWire(Attachment attachment) {
    return attachment.duty() instanceof Duty.Whole || attachment.duty() instanceof Duty.Delegated;
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
    return result(attachment, committed.addresses(), request.conf().dns());
  }

  private CniResult build(Attachment attachment, VerbRequest request) throws CniException {
    StageTimes stages = new StageTimes();
    PodAddresses.Wish wish = request.wish();
    Optional<KubernetesPod> said = said(attachment);
    delegates.require(attachment.duty());
    EndpointDocument.requireValid(EndpointDocument.of(attachment, node.name(), List.of(), said));
    debts.settle(attachment, !wish.addresses().isEmpty());
    try (Undo undo = new Undo()) {
      undo.push("journal", () -> journal.forget(attachment));
      journal.remember(new JournalEntry.Prepared(attachment, journal.bootId()));
      stages.ended("journal");
      undo.push("addresses", () -> journal.owe(attachment, release));
      // After our own entry, so that of two at once one sees the other.
      journal.refuseTakenName(attachment);
      undo.push("wire", () -> network.unwire(attachment.id(), Optional.of(attachment.hostEnd())));
      Given given;
      PodNetwork.Wire wire;
      try (HeadStart.Begun begun = headStart.begin(attachment, request.podNetns())) {
        given = given(attachment, wish, said);
        stages.ended("address");
        wire = begun.await();
      }
      stages.ended("link");
      Attachment wired = given.attachment();
      JournalEntry.Committed committed =
          new JournalEntry.Committed(wired, journal.bootId(), given.addresses());
      PodEndpoint endpoint = endpoint(committed, said);
      undo.push("policy", () -> policy.remove(endpoint));
      EndpointPolicy.Applying applying = policy.begin(endpoint);
      network.finish(wired, wire, given.addresses(), request.podNetns());
      stages.ended("wire");
      journal.remember(committed);
      stages.ended("journal");
      applying.await();
      stages.ended("policy");
      request.requireListener();
      undo.commit();
      LOG.atDebug()
          .addKeyValue("attachment", wired.id())
          .addKeyValue("addresses", given.addresses())
          .addKeyValue("millis", stages)
          .log("a pod is wired");
      return result(wired, given.addresses(), request.conf().dns());
    }
  }

  private Given given(Attachment attachment, PodAddresses.Wish wish, Optional<KubernetesPod> said)
      throws CniException {
    return switch (attachment.duty()) {
      case Duty.Delegated(Duty.Delegate delegate, Dns _) -> foreign(attachment, delegate, said);
      case Duty.Whole _, Duty.Addresses _, Duty.Policed _, Duty.Stepwise _ ->
          new Given(
              attachment,
              assign(
                  attachment,
                  wish,
                  fresh -> EndpointDocument.of(attachment, node.name(), fresh, said)));
    };
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

  /// What an IPAM, ours or another, gave.
  ///
  /// @param attachment with what else came with the addresses: routes, and the other IPAM's
  ///   resolver
  /// @param addresses IPv4 first
  private record Given(Attachment attachment, List<IpAddress> addresses) {}

  /// Every address becomes a host route, whatever prefix it came with; its gateway moves to the
  /// host end, and what else was to be routed there is.
  private Given foreign(Attachment attachment, Duty.Delegate delegate, Optional<KubernetesPod> said)
      throws CniException {
    CniResult answer = Delegates.result(delegates.run(CniVerb.ADD, delegate, attachment), delegate);
    List<IpAddress> given = new ArrayList<>();
    Map<IpAddress, IpAddress> gateways = new HashMap<>();
    for (IpFamily family : IpFamily.values()) {
      for (CniResult.Ip ip : answer.ips()) {
        if (ip.address().family() == family && !given.contains(ip.address())) {
          given.add(ip.address());
          ip.gateway().ifPresent(gateway -> gateways.put(ip.address(), gateway));
        }
      }
    }
    List<Prefix> further =
        answer.routes().stream()
            .map(CniResult.Route::destination)
            .filter(prefix -> given.stream().anyMatch(a -> a.family() == prefix.family()))
            .distinct()
            .toList();
    Attachment routed =
        attachment
            .with(attachment.routes().with(gateways, further))
            .with(new Duty.Delegated(delegate, answer.dns()));
    addresses.publish(routed, EndpointDocument.of(routed, node.name(), given, said));
    return new Given(routed, given);
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

  /// The order all consumers expect: the host end, the pod's end, addresses of the latter. Our own
  /// next hops are in the routes; a gateway that another IPAM named is beside its address as well.
  private static CniResult result(Attachment attachment, List<IpAddress> addresses, Dns said) {
    Dns dns =
        attachment.duty() instanceof Duty.Delegated(Duty.Delegate _, Dns answered)
            ? said.or(answered)
            : said;
    PodRoutes routing = attachment.routes();
    List<CniResult.Ip> ips = new ArrayList<>();
    List<CniResult.Route> routes = new ArrayList<>();
    for (IpAddress address : addresses) {
      ips.add(
          new CniResult.Ip(
              address,
              address.family().bits(),
              Optional.ofNullable(routing.gateways().get(address)),
              1));
    }
    for (IpFamily family : IpFamily.values()) {
      if (addresses.stream().anyMatch(address -> address.family() == family)) {
        Optional<IpAddress> gateway =
            Optional.of(PodNetwork.gateway(attachment, addresses, family));
        routing.destinations(family).forEach(to -> routes.add(new CniResult.Route(to, gateway)));
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
        routes,
        dns);
  }
}
