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
    owe(new JournalEntry.Releasing(attachment, journal.bootId()));
  }

  private void deleteUnknown(VerbRequest request) throws CniException {
    AttachmentId id = request.id();
    network.unwire(id, Optional.empty());
    // Nothing but the handle is known, and the handle is what the release needs.
    Workload workload = request.workload();
    owe(
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

  /// The kernel is rid of the attachment; the datastore follows by [#release]. Where the journal
  /// can't remember that, it follows now.
  private void owe(JournalEntry.Releasing owed) throws CniException {
    AttachmentId id = owed.attachment().id();
    try {
      if (!journal.find(id).equals(Optional.of(owed))) {
        journal.write(owed);
      }
    } catch (IOException unwritable) {
      LOG.atWarn()
          .addKeyValue("attachment", id)
          .addKeyValue("reason", unwritable.getMessage())
          .log("the journal does not take what DEL owes; DEL waits for the datastore");
      try {
        addresses.release(owed.attachment());
        journal.remove(id);
      } catch (CniException | IOException failure) {
        failure.addSuppressed(unwritable);
        throw new CniException(
            CniError.TRY_LATER,
            "neither the datastore nor the journal takes the release of " + id + "; repeat DEL",
            failure);
      }
    }
  }

  /// Gives back what is owed. To be called under the container's lock: an ADD may have made the
  /// held addresses a pod's again.
  ///
  /// @return whether nothing is owed any more
  boolean release(AttachmentId id) {
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
          .log("addresses can't be given back now; that is repeated");
      return false;
    }
  }
}
