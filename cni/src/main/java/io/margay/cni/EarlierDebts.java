package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.Dns;
import java.io.IOException;
import java.util.Optional;

/// What an earlier attachment of the same container and interface still holds, when ADD is about to
/// take its journal entry: the entry is all by which it could ever be given back.
final class EarlierDebts {

  private final AttachmentJournal journal;
  private final DelCommand del;
  private final Delegates delegates;

  EarlierDebts(AttachmentJournal journal, DelCommand del, Delegates delegates) {
    this.journal = journal;
    this.del = del;
    this.delegates = delegates;
  }

  /// Deletes the earlier attachment, unless the new one takes over all it holds. To be called under
  /// the container's lock, once it is sure that the earlier one is not to be served further.
  ///
  /// @param byName whether addresses are asked for by name, beside which nothing may stay
  /// @throws CniException 11 what it holds can't be given back now; that is still owed
  void settle(Attachment attachment, boolean byName) throws CniException {
    Optional<JournalEntry> earlier = journal.find(attachment.id());
    if (earlier.isEmpty() || !byName && isTakenOver(earlier.get().attachment(), attachment)) {
      return;
    }
    if (!(earlier.get() instanceof JournalEntry.Releasing)) {
      del.delete(earlier.get());
    }
    try {
      Attachment debtor = earlier.get().attachment();
      if (debtor.duty() instanceof Duty.Delegated(Duty.Delegate delegate, Dns _)
          && !delegates.isThere(delegate)) {
        // Nobody can use what it holds, so no address is used twice; and a program that may never
        // come back must not keep the container from being added.
        del.writeOff(debtor, delegate);
      } else {
        del.payOwed(attachment.id());
      }
    } catch (CniException | IOException away) {
      throw new CniException(
          CniError.TRY_LATER,
          "what "
              + attachment.id()
              + " held before, in network "
              + earlier.get().attachment().network()
              + ", can't be given back now; repeat ADD",
          away);
    }
  }

  /// Addresses go by their handle, the endpoint by its workload; another IPAM gives the same
  /// container no second address before it has deleted the first.
  private static boolean isTakenOver(Attachment earlier, Attachment attachment) {
    return earlier.handleId().equals(attachment.handleId())
        && earlier.workload().equals(attachment.workload())
        && earlier.duty().getClass() == attachment.duty().getClass()
        && !(earlier.duty() instanceof Duty.Delegated);
  }
}
