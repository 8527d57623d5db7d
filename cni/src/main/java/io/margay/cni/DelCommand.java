package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.model.net.IpAddress;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/// DEL: the wire is cut and the policy gone before it answers; addresses go back to the datastore,
/// or, while that is away, stay in the journal until they can. Deleting twice, late, or what never
/// was, is success. It works from the journal alone: a runtime's second DEL has neither a namespace
/// nor arguments.
final class DelCommand {

  private static final Logger LOG = LoggerFactory.getLogger(DelCommand.class);

  private final CniNode node;
  private final AttachmentJournal journal;
  private final PodAddresses addresses;
  private final Release release;
  private final PodNetwork network;
  private final EndpointPolicy policy;

  /// Whose addresses could not be given back yet, so that a long outage is a line each.
  private final Set<AttachmentId> owed = ConcurrentHashMap.newKeySet();

  DelCommand(
      CniNode node,
      AttachmentJournal journal,
      PodAddresses addresses,
      Release release,
      PodNetwork network,
      EndpointPolicy policy) {
    this.node = node;
    this.journal = journal;
    this.addresses = addresses;
    this.release = release;
    this.network = network;
    this.policy = policy;
  }

  void run(VerbRequest request) throws CniException {
    Optional<JournalEntry> entry = journal.find(request.id());
    if (entry.isEmpty()) {
      deleteUnknown(request);
      return;
    }
    Attachment attachment = entry.get().attachment();
    if (request.isIpam()) {
      // An attachment that has more than addresses of us came of no IPAM request.
      if (attachment.network().equals(request.conf().name()) && isLease(attachment)) {
        delete(entry.get());
      }
    } else {
      switch (attachment.duty()) {
        case Duty.Whole _, Duty.Delegated _ -> delete(entry.get());
        case Duty.Policed(boolean overAddresses) -> {
          if (overAddresses && entry.get() instanceof JournalEntry.Committed committed) {
            stopPolicing(committed);
          } else {
            delete(entry.get());
          }
        }
        case Duty.Stepwise _ -> {
          // Docker's; no plugin made it.
        }
        case Duty.Addresses _ -> {
          // Policed no more; the plugin that has its addresses from us is deleted after us.
        }
      }
    }
  }

  private static boolean isLease(Attachment attachment) {
    return attachment.duty() instanceof Duty.Addresses
        || attachment.duty() instanceof Duty.Policed(boolean overAddresses) && overAddresses;
  }

  /// The endpoint goes, the addresses stay: what uses them is still there.
  private void stopPolicing(JournalEntry.Committed committed) throws CniException {
    Attachment attachment = committed.attachment();
    policy.remove(endpoint(attachment, committed.addresses()));
    strip(attachment);
    try {
      addresses.withdraw(attachment);
    } catch (CniException away) {
      // Deleting the addresses, which follows, deletes the endpoint as well.
      LOG.atWarn()
          .addKeyValue("attachment", attachment.id())
          .addKeyValue("reason", away.getMessage())
          .log("an endpoint can't be deleted now; it goes with its addresses");
    }
    try {
      journal.write(
          new JournalEntry.Committed(
              attachment.with(new Duty.Addresses()), committed.bootId(), committed.addresses()));
    } catch (IOException unwritable) {
      // An error would keep the plugin before us from its DEL, which takes the entry away. Until
      // then it only says more than is true.
      LOG.atWarn()
          .addKeyValue("attachment", attachment.id())
          .addKeyValue("reason", unwritable.getMessage())
          .log("the journal does not take that a pod is policed no more; its next DEL will do");
    }
  }

  /// Takes an attachment away, whatever its state.
  void delete(JournalEntry entry) throws CniException {
    Attachment attachment = entry.attachment();
    List<IpAddress> held =
        switch (entry) {
          case JournalEntry.Committed committed -> committed.addresses();
          case JournalEntry.Prepared _, JournalEntry.Releasing _ -> List.of();
        };
    switch (attachment.duty()) {
      case Duty.Whole _, Duty.Delegated _ -> {
        network.unwire(attachment.id(), Optional.of(attachment.hostEnd()));
        policy.remove(endpoint(attachment, held));
      }
      case Duty.Policed _ -> {
        policy.remove(endpoint(attachment, held));
        strip(attachment);
      }
      // An ADD after the plugin that has them may have died half done.
      case Duty.Addresses _ -> strip(attachment);
      case Duty.Stepwise _ ->
          StepVerbs.cut(attachment, network, policy, endpoint(attachment, held));
    }
    owe(new JournalEntry.Releasing(attachment, journal.bootId()));
  }

  /// An error would keep the plugin before us from its DEL, which takes the host end away and all
  /// that is on it.
  private void strip(Attachment attachment) {
    try {
      network.strip(attachment);
    } catch (CniException refused) {
      LOG.atWarn()
          .addKeyValue("attachment", attachment.id())
          .addKeyValue("reason", refused.getMessage())
          .log("limits or host ports stay on another plugin's wire until that plugin deletes it");
    }
  }

  private PodEndpoint endpoint(Attachment attachment, List<IpAddress> held) {
    return new PodEndpoint(attachment, held, EndpointDocument.of(attachment, node.name(), held));
  }

  private void deleteUnknown(VerbRequest request) throws CniException {
    AttachmentId id = request.id();
    if (!request.isIpam()) {
      network.unwire(id, Optional.empty());
    }
    // Nothing but the handle is known, and the handle is what the release needs.
    owe(new JournalEntry.Releasing(request.remains(node), journal.bootId()));
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
        release.run(owed.attachment());
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
    try {
      payOwed(id);
      owed.remove(id);
      return true;
    } catch (CniException | IOException failure) {
      LOG.atLevel(owed.add(id) ? Level.INFO : Level.DEBUG)
          .addKeyValue("attachment", id)
          .addKeyValue("reason", failure.getMessage())
          .log("addresses can't be given back now; that is repeated");
      return false;
    }
  }

  /// As [#release], for who can't go on before it is done. Nothing owed is success.
  ///
  /// @throws CniException somebody is away; it is still owed
  /// @throws IOException the journal's file can't be deleted; it is still owed
  void payOwed(AttachmentId id) throws CniException, IOException {
    if (journal.find(id).orElse(null) instanceof JournalEntry.Releasing releasing) {
      release.run(releasing.attachment());
      journal.remove(id);
    }
  }

  /// Gives back the cluster's part of what is owed, and forgets another plugin's, whose program is
  /// not there to be asked.
  ///
  /// @throws CniException as [#payOwed]
  /// @throws IOException as [#payOwed]
  void writeOff(Attachment attachment, Duty.Delegate delegate) throws CniException, IOException {
    release.own(attachment);
    journal.remove(attachment.id());
    owed.remove(attachment.id());
    LOG.atWarn()
        .addKeyValue("attachment", attachment.id())
        .addKeyValue("network", attachment.network())
        .addKeyValue("program", delegate.type())
        .log(
            "an IPAM program that is not installed any more still holds an address of a container"
                + " that is added anew without it; free it by hand where the program keeps it");
  }
}
