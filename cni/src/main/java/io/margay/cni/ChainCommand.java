package io.margay.cni;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.CniResult;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// ADD after another plugin in the chain: the interface and its addresses are there, and become an
/// endpoint that policy applies to, with the limits and host ports that are asked for. The previous
/// result passes through word for word.
final class ChainCommand {

  private final CniNode node;
  private final JournalWriter journal;
  private final PodAddresses addresses;
  private final Release release;
  private final PodNetwork network;
  private final EndpointPolicy policy;
  private final PodCatalog pods;
  private final EarlierDebts debts;
  private final HostPortClaims hostPorts;

  ChainCommand(
      CniNode node,
      AttachmentJournal journal,
      PodAddresses addresses,
      Release release,
      PodNetwork network,
      EndpointPolicy policy,
      PodCatalog pods,
      EarlierDebts debts,
      HostPortClaims hostPorts) {
    this.node = node;
    this.journal = new JournalWriter(journal);
    this.addresses = addresses;
    this.release = release;
    this.network = network;
    this.policy = policy;
    this.pods = pods;
    this.debts = debts;
    this.hostPorts = hostPorts;
  }

  ObjectNode add(VerbRequest request) throws CniException {
    CniResult previous = request.requirePrevResult();
    Attachment wanted = request.attachmentOnForeignWire(node);
    hostPorts.claim(wanted);
    try {
      return add(wanted, previous, request);
    } finally {
      hostPorts.settled(wanted);
    }
  }

  private ObjectNode add(Attachment wanted, CniResult previous, VerbRequest request)
      throws CniException {
    List<IpAddress> given = addressesOf(wanted.id().ifName().value(), previous);
    PodNetwork.ForeignWire wire = network.find(wanted.id().ifName(), request.podNetns());
    Optional<JournalEntry.Committed> known = known(wanted);
    boolean overAddresses = known.isPresent() && hasLease(known.get().attachment());
    Attachment attachment =
        wanted.on(wire.hostEnd(), wire.podMac(), wire.mtu()).with(new Duty.Policed(overAddresses));
    Optional<KubernetesPod> said =
        attachment.workload() instanceof Workload.Pod pod ? pods.find(pod) : Optional.empty();
    PodEndpoint endpoint =
        new PodEndpoint(
            attachment, given, EndpointDocument.of(attachment, node.name(), given, said));
    EndpointDocument.requireValid(endpoint.document());
    if (known.isEmpty()) {
      debts.settle(attachment, false);
    }
    try (Undo undo = new Undo()) {
      if (known.isEmpty()) {
        undo.push("journal", () -> journal.forget(attachment));
        journal.remember(new JournalEntry.Prepared(attachment, journal.bootId()));
        undo.push("endpoint", () -> journal.owe(attachment, release));
      } else {
        // The entry of before stands for addresses that are in use, whatever becomes of this.
        undo.push("endpoint", () -> addresses.withdraw(attachment));
      }
      addresses.publish(attachment, endpoint.document());
      undo.push("host end", () -> network.strip(attachment));
      if (known.isPresent()) {
        network.strip(known.get().attachment());
      }
      network.equip(attachment);
      undo.push("policy", () -> policy.remove(endpoint));
      policy.apply(endpoint);
      request.requireListener();
      journal.remember(new JournalEntry.Committed(attachment, journal.bootId(), given));
      undo.commit();
    }
    return request.conf().passedOn();
  }

  /// What is known of the attachment already: nothing, its addresses, or an ADD that is repeated.
  private Optional<JournalEntry.Committed> known(Attachment wanted) throws CniException {
    Optional<JournalEntry> entry = journal.find(wanted.id());
    if (!(entry.orElse(null) instanceof JournalEntry.Committed committed)
        || !committed.bootId().equals(journal.bootId())) {
      return Optional.empty();
    }
    Attachment there = committed.attachment();
    if (there.duty() instanceof Duty.Whole || there.duty() instanceof Duty.Delegated) {
      throw new CniException(
          CniError.INTERFACE_NOT_OURS,
          "key prevResult: interface "
              + wanted.id().ifName()
              + " of container "
              + wanted.id().containerId()
              + " is margay-cni's own already; name the plugin once in network "
              + wanted.network());
    }
    return there.netns().equals(wanted.netns()) && there.network().equals(wanted.network())
        ? Optional.of(committed)
        : Optional.empty();
  }

  private static boolean hasLease(Attachment attachment) {
    return attachment.duty() instanceof Duty.Addresses
        || attachment.duty() instanceof Duty.Policed(boolean overAddresses) && overAddresses;
  }

  /// Addresses of the pod's interface; those that name no interface are the pod's as well.
  private static List<IpAddress> addressesOf(String ifName, CniResult previous)
      throws CniException {
    List<IpAddress> found = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      for (CniResult.Ip ip : previous.ips()) {
        if (ip.address().family() == family && isOn(ip, ifName, previous)) {
          found.add(ip.address());
        }
      }
    }
    if (found.isEmpty()) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "key prevResult.ips: no address of interface "
              + ifName
              + " found, which policy needs; put margay-cni behind a plugin that gives one");
    }
    return found;
  }

  private static boolean isOn(CniResult.Ip ip, String ifName, CniResult previous)
      throws CniException {
    if (ip.interfaceIndex() == CniResult.NO_INTERFACE) {
      return true;
    }
    if (ip.interfaceIndex() >= previous.interfaces().size()) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "key prevResult.ips: interface "
              + ip.interfaceIndex()
              + " found, but there are "
              + previous.interfaces().size()
              + " interfaces; the plugin before margay-cni is at fault");
    }
    CniResult.Interface link = previous.interfaces().get(ip.interfaceIndex());
    return link.name().equals(ifName) && !link.sandbox().isEmpty();
  }
}
