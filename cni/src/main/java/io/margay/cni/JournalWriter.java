package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// The journal as ADD uses it: what can't be written ends the request.
final class JournalWriter {

  private final AttachmentJournal journal;

  JournalWriter(AttachmentJournal journal) {
    this.journal = journal;
  }

  String bootId() {
    return journal.bootId();
  }

  Optional<JournalEntry> find(AttachmentId id) {
    return journal.find(id);
  }

  List<JournalEntry> all() {
    return journal.all();
  }

  void remember(JournalEntry entry) throws CniException {
    try {
      journal.write(entry);
    } catch (IOException failure) {
      throw new CniException(
          CniError.IO_FAILURE,
          "the journal entry of " + entry.attachment().id() + " cannot be written",
          failure);
    }
  }

  /// A host end's name follows from the workload, so a restarted pod takes over its own. Another
  /// workload under the same name would be cut off.
  ///
  /// @throws CniException 107 another workload has the name, or is about to
  void refuseTakenName(Attachment attachment) throws CniException {
    for (JournalEntry other : journal.all()) {
      if (!(other instanceof JournalEntry.Releasing)
          && other.bootId().equals(journal.bootId())
          && other.attachment().hasHostEnd()
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

  /// Undoes {@link #remember}; runs last. Addresses that could not be given back keep their entry,
  /// by which the release is repeated.
  void forget(Attachment attachment) throws CniException {
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

  /// Gives back what the attachment holds, or remembers that it is owed.
  void owe(Attachment attachment, Release release) throws CniException {
    try {
      release.run(attachment);
    } catch (CniException away) {
      remember(new JournalEntry.Releasing(attachment, journal.bootId()));
      throw away;
    }
  }
}
