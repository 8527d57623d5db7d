package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.linux.netns.Netns;
import io.margay.model.net.IpAddress;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// DEL: the wire is cut and the policy gone before it answers; addresses go back to the datastore,
/// or, while that is away, stay in the journal until they can. Deleting twice, late, or what never
/// was, is success. It works from the journal alone: a runtime's second DEL has neither a namespace
/// nor arguments.
final class DelCommand {

  private static final Logger LOG = LoggerFactory.getLogger(DelCommand.class);

  private final CniNode node;
  private final AttachmentJournal journal;
  private final PodAddresses addresses;
  private final PodNetwork network;
  private final EndpointPolicy policy;

  DelCommand(
      CniNode node,
      AttachmentJournal journal,
      PodAddresses addresses,
      PodNetwork network,
      EndpointPolicy policy) {
    this.node = node;
    this.journal = journal;
    this.addresses = addresses;
    this.network = network;
    this.policy = policy;
  }

  void run(VerbRequest request) throws CniException {
    Optional<JournalEntry> entry = journal.find(request.id());
    if (entry.isPresent()) {
      delete(entry.get());
    } else {
      deleteUnknown(request);
    }
  }

  /// Takes an attachment away, whatever its state.
  void delete(JournalEntry entry) throws CniException {
    Attachment attachment = entry.attachment();
    network.unwire(attachment.id(), Optional.of(attachment.hostEnd()));
    List<IpAddress> held =
        switch (entry) {
          case JournalEntry.Committed committed -> committed.addresses();
          case JournalEntry.Prepared _, JournalEntry.Releasing _ -> List.of();
        };
    policy.remove(
        new PodEndpoint(attachment, held, EndpointDocument.of(attachment, node.name(), held)));
    giveBack(attachment);
  }

  /// The addresses of an attachment that is gone from the kernel.
  private void giveBack(Attachment attachment) throws CniException {
    try {
      addresses.release(attachment);
    } catch (CniException away) {
      LOG.atWarn()
          .addKeyValue("attachment", attachment.id())
          .addKeyValue("reason", away.getMessage())
          .log(
              "addresses cannot be given back now; DEL succeeds and the release is repeated later");
      remember(new JournalEntry.Releasing(attachment, journal.bootId()));
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

  private void deleteUnknown(VerbRequest request) throws CniException {
    AttachmentId id = request.id();
    network.unwire(id, Optional.empty());
    try {
      addresses.release(request.conf().name(), id);
    } catch (CniException away) {
      // Nothing but the handle is known, and the handle is what the release needs.
      Workload workload = request.workload();
      remember(
          new JournalEntry.Releasing(
              new Attachment(
                  id,
                  request.conf().name(),
                  workload,
                  new Netns.NetnsId(0, 0),
                  "",
                  HostEnd.name(node.interfacePrefix(), workload, id),
                  HostEnd.podMac(id),
                  node.mtu(),
                  Map.of()),
              journal.bootId()));
    }
  }

  /// Repeats a release that failed. To be called under the container's lock.
  ///
  /// @return whether nothing is owed any more
  boolean repeatRelease(AttachmentId id) {
    if (!(journal.find(id).orElse(null) instanceof JournalEntry.Releasing releasing)) {
      return true;
    }
    try {
      addresses.release(releasing.attachment());
      journal.remove(id);
      return true;
    } catch (CniException | IOException failure) {
      LOG.atInfo()
          .addKeyValue("attachment", id)
          .addKeyValue("reason", failure.getMessage())
          .log("addresses still cannot be given back");
      return false;
    }
  }

  private void remember(JournalEntry entry) throws CniException {
    try {
      journal.write(entry);
    } catch (IOException failure) {
      throw new CniException(
          CniError.TRY_LATER,
          "neither the datastore nor the journal takes the release of "
              + entry.attachment().id()
              + "; repeat DEL",
          failure);
    }
  }
}
